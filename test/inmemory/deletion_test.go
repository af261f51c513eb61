package inmemory

import (
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// kept checks that an object is gone, and how many accounts there are in Cobalt.
func (w *world) kept(obj *v1alpha1.LinkedAccount, accounts int) {
	w.Helper()
	if left := w.sim.State("test").Accounts; !w.isGone(obj) || len(left) != accounts {
		w.Fatalf("it is gone: %t, left in Cobalt: %v", w.isGone(obj), left)
	}
}

// TestDeletionPolicies: what deleting an object does to its account, which it has made.
func TestDeletionPolicies(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*v1alpha1.Environment, *v1alpha1.LinkedAccount)
		kept   int
	}{
		"Unset": {func(*v1alpha1.Environment, *v1alpha1.LinkedAccount) {}, 0},
		"Orphan": {func(_ *v1alpha1.Environment, obj *v1alpha1.LinkedAccount) {
			obj.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan
		}, 1},
		"Environment": {func(env *v1alpha1.Environment, _ *v1alpha1.LinkedAccount) {
			env.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan
		}, 1},
		"ReadOnly": {func(_ *v1alpha1.Environment, obj *v1alpha1.LinkedAccount) {
			obj.Spec.ManagementPolicy = v1alpha1.ManagementPolicyReadOnly
		}, 1},
		"Suspended": {func(_ *v1alpha1.Environment, obj *v1alpha1.LinkedAccount) { obj.Spec.Suspend = true }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			env, account := w.connected(), w.account("acme")
			w.create(account)
			w.settle()
			w.change(env, func() { tc.change(env, account) })
			w.change(account, func() { tc.change(env, account) })
			w.settle()
			w.remove(account)
			w.settle()
			w.kept(account, tc.kept)
		})
	}
}

// TestWhatWasRefusedHasNothingToDelete: what is there by then, others have made.
func TestWhatWasRefusedHasNothingToDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connected()
	w.sim.Inject(simulator.Fault{
		Operation: "upsertLinkedAccount", Status: http.StatusBadRequest, ContentType: "application/json", Body: `{"error":"no more customers"}`,
	})
	account := w.account("acme")
	w.create(account)
	w.settle()
	w.says(account, v1alpha1.ReasonRejected)
	w.sim.ClearFaults()
	w.post("/public/linked-account/upsert", `{"linked_account_id":"acme"}`)
	w.remove(account)
	w.settle()
	w.kept(account, 1)
}

// TestTheHeirGetsWhatTheOlderHasMade: and deletes it in the end.
func TestTheHeirGetsWhatTheOlderHasMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connected()
	older, heir := w.account("acme"), w.account("heir")
	heir.Spec.LinkedAccountID = "acme"
	w.create(older)
	w.settle()
	w.clock.Step(time.Minute)
	w.create(heir)
	w.settle()
	w.remove(older)
	w.settle()
	w.kept(older, 1)
	w.says(heir, v1alpha1.ReasonSynced)
	w.remove(heir)
	w.settle()
	w.kept(heir, 0)
}

// TestWhatGoesWhenItIsHeldIsDeleted: the API server does not look again for finalizers at the end of a deletion.
func TestWhatGoesWhenItIsHeldIsDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connected()
	account := w.account("acme")
	w.called = func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/upsert") {
			w.called = func(*http.Request) {}
			w.read(account)
			account.SetFinalizers(nil)
			w.must(w.Update(t.Context(), account))
			w.must(w.Delete(t.Context(), account))
		}
	}
	w.create(account)
	w.settle()
	w.sim.Inject(simulator.Fault{Operation: "deleteLinkedAccount", Status: http.StatusBadGateway, Times: 1})
	w.pass(time.Minute)
	w.kept(account, 0)
}

// TestWhatIsMadeIsToldOfAnObjectThatHasChanged: the next run may not come as far.
func TestWhatIsMadeIsToldOfAnObjectThatHasChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connected()
	account := w.account("acme")
	w.called = func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/upsert") {
			w.called = func(*http.Request) {}
			w.change(account, func() { account.Spec.Suspend = true })
		}
	}
	w.create(account)
	w.settle()
	if w.read(account); account.Status.ID == "" || account.Status.Origin != v1alpha1.OriginCreated {
		t.Errorf("its status has id %q, origin %q", account.Status.ID, account.Status.Origin)
	}
	w.remove(account)
	w.settle()
	w.kept(account, 0)
}

// TestMissesAreConfirmed: what a deletion has missed is looked for again, until it is certain.
func TestMissesAreConfirmed(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		operation string
		status    int
		body      string
	}{
		"Foreign":     {"deleteLinkedAccount", http.StatusNotFound, `{"message":"no such route"}`},
		"StillThere":  {"deleteLinkedAccount", http.StatusNotFound, `{"error":{"message":"LinkedAccount not found"}}`},
		"NobodyThere": {"", http.StatusNotFound, `{"message":"no such route"}`},
		"Broken":      {"getLinkedAccount", http.StatusBadGateway, `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.connected()
			account := w.account("acme")
			w.create(account)
			w.settle()
			w.sim.Inject(simulator.Fault{Operation: tc.operation, Status: tc.status, ContentType: "application/json", Body: tc.body, Times: 2})
			w.remove(account)
			w.pass(20 * time.Minute)
			w.kept(account, 0)
		})
	}
}

// shared is a ClusterEnvironment for namespaces with a label, and the namespace of the tenant, which has it.
func (w *world) shared() (*v1alpha1.ClusterEnvironment, *corev1.Namespace) {
	w.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: tenant, Labels: map[string]string{"cobalt": "yes"}}}
	env := &v1alpha1.ClusterEnvironment{ObjectMeta: metav1.ObjectMeta{Name: "shared"}}
	env.Spec.BaseURL, env.Spec.RateLimit = w.url, v1alpha1.RateLimit{RequestsPerSecond: 1000, Burst: 1000}
	env.Spec.APIKeySecretRef.Namespace, env.Spec.APIKeySecretRef.Name, env.Spec.APIKeySecretRef.Key = tenant, "cobalt-api-key", "api-key"
	env.Spec.AllowedNamespaces.Selector.MatchLabels = namespace.Labels
	w.create(namespace, w.secret("cobalt-api-key", "api-key", goodKey), env)
	w.settle()
	w.says(env, v1alpha1.ReasonConnected)
	return env, namespace
}

func inShared() v1alpha1.EnvironmentReference {
	return v1alpha1.EnvironmentReference{Kind: v1alpha1.KindClusterEnvironment, Name: "shared"}
}

// TestWhoMayNotUseAnEnvironment: deletes what its status knows that it has made, and nothing that an annotation names.
func TestWhoMayNotUseAnEnvironment(t *testing.T) {
	t.Parallel()
	for name, forged := range map[string]bool{"Known": false, "Forged": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, namespace := w.shared()
			account := w.account("acme")
			account.Spec.EnvironmentRef = inShared()
			w.create(account)
			w.settle()
			w.says(account, v1alpha1.ReasonSynced)
			w.read(namespace)
			namespace.Labels = nil
			w.must(w.Update(t.Context(), namespace))
			w.pass(2 * syncInterval)
			w.says(account, v1alpha1.ReasonNotAllowed)
			if forged {
				w.read(account)
				account.Status.LinkedAccountID, account.Status.Origin = "", "" // so that an annotation would have to tell
				w.must(w.Status().Update(t.Context(), account))
			}
			w.remove(account)
			w.settle()
			kept := 0
			if forged {
				kept = 1
			}
			w.kept(account, kept)
		})
	}
}

// TestAnEnvironmentThatIsGone: who waits for it says so, and the last key that worked deletes what they have made.
func TestAnEnvironmentThatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.connected()
	hook := w.webhook("hook", "acme")
	w.served("acme")
	w.create(hook)
	w.settle()
	w.read(env)
	env.SetFinalizers(nil)
	w.must(w.Update(t.Context(), env))
	w.must(w.Delete(t.Context(), env))
	late := w.webhook("late", "other")
	w.create(late)
	w.pass(syncInterval)
	w.says(late, v1alpha1.ReasonEnvironmentNotReady)
	w.says(hook, v1alpha1.ReasonSynced) // as it is
	w.remove(hook)
	w.settle()
	if left := w.sim.State("test").Webhooks; !w.isGone(hook) || len(left) > 0 {
		t.Errorf("it is gone: %t, left behind: %v", w.isGone(hook), left)
	}
}

// TestDependentsHoldTheirAccount: an account waits for those that belong to it.
func TestDependentsHoldTheirAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connected()
	account, hook := w.account("acme"), w.webhook("hook", "")
	hook.Spec.AccountReference = v1alpha1.AccountReference{LinkedAccountRef: &v1alpha1.LinkedAccountReference{Name: "acme"}}
	w.create(account, hook)
	w.settle()
	w.says(hook, v1alpha1.ReasonSynced)
	w.remove(account)
	w.settle()
	w.says(account, v1alpha1.ReasonDependentsExist)
	w.remove(hook)
	w.settle()
	w.kept(account, 0)
	if !w.isGone(hook) {
		t.Error("the webhook is still there")
	}
}
