package inmemory

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// TestFinalizersComeFirst: nothing is made in Cobalt for an object that could go without a trace, nor in an environment
// that could.
func TestFinalizersComeFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.connected()
	account := w.account("acme")
	w.called = func(r *http.Request) {
		w.read(env)
		w.read(account)
		if r.Method != http.MethodGet && (!object.HasFinalizer(env) || !object.HasFinalizer(account)) {
			t.Errorf("%s %s: the environment has the finalizer: %t, the account: %t", r.Method, r.URL.Path,
				object.HasFinalizer(env), object.HasFinalizer(account))
		}
	}
	w.create(account)
	w.settle()
	w.says(account, v1alpha1.ReasonSynced)
}

// TestAnIntentComesBeforeItsCall: a call that must not be made twice is known before it is made.
func TestAnIntentComesBeforeItsCall(t *testing.T) {
	t.Parallel()
	w := serving(t)
	workflow, trigger := w.workflow("sync", "acme"), w.trigger("deals", "acme")
	w.called = func(r *http.Request) {
		w.read(workflow)
		w.read(trigger)
		known := workflow.Status.Intent != nil || strings.Contains(r.URL.Path, "/event/") && trigger.Status.Intent != nil
		if path := r.URL.Path; r.Method == http.MethodPost && (strings.HasSuffix(path, "/workflow") || strings.Contains(path, "/event/")) && !known {
			t.Errorf("%s: no status says that it is being made", path)
		}
	}
	w.create(workflow, trigger)
	w.settle()
	w.says(workflow, v1alpha1.ReasonSynced)
	w.says(trigger, v1alpha1.ReasonExecutionRunning)
	if made, fired := w.calls("createPublicWorkflow"), w.calls("triggerEvent"); made != 1 || fired != 1 {
		t.Errorf("the workflow was made %d times, the event fired %d times", made, fired)
	}
}

// TestAStaleCacheMakesNothing: an operator that starts may be shown what is long past, such as an object that has just been
// given the finalizer, and is gone by now.
func TestAStaleCacheMakesNothing(t *testing.T) {
	t.Parallel()
	w := serving(t)
	hook, early := w.webhook("hook", "acme"), &v1alpha1.Webhook{}
	w.called = func(r *http.Request) {
		if r.Method == http.MethodPost && early.Name == "" {
			w.read(hook)
			hook.DeepCopyInto(early)
		}
	}
	w.create(hook)
	w.settle()
	w.says(hook, v1alpha1.ReasonSynced)
	w.remove(hook)
	w.settle()
	if !w.isGone(hook) || !object.HasFinalizer(early) {
		t.Fatal("it is still there, or was not held")
	}
	w.stale[name(early, client.ObjectKeyFromObject(early))] = early
	before := w.calls("createWebhook")
	w.start()
	w.settle()
	if made := w.calls("createWebhook") - before; made > 0 {
		t.Error("it was made again")
	}
}

// TestAStaleCacheFiresNothing: nor is a status written over that nobody has seen.
func TestAStaleCacheFiresNothing(t *testing.T) {
	t.Parallel()
	w := serving(t)
	trigger := w.trigger("deals", "acme")
	w.create(trigger)
	w.cached(trigger)
	early := trigger.DeepCopy()
	w.caughtUp()
	w.settle()
	w.stale[name(early, client.ObjectKeyFromObject(early))] = early
	w.start()
	w.settle()
	if fired := w.calls("triggerEvent"); fired != 1 {
		t.Errorf("it was fired %d times", fired)
	}
}

// TestAStatusIsWrittenOnlyOverTheObjectItIsAbout: another may have its name by now.
func TestAStatusIsWrittenOnlyOverTheObjectItIsAbout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.webhook("hook", "acme") // whose environment does not exist
	w.create(first)
	w.cached(first)
	w.must(w.Delete(t.Context(), first))
	second := w.webhook("hook", "acme")
	w.create(second)
	w.change(second, func() { second.Spec.Suspend = true }) // in memory, each object counts its own versions
	w.settle()
	if w.read(second); len(second.Status.Conditions) > 0 {
		t.Errorf("it says of itself what is true of another: %v", second.Status.Conditions)
	}
}

// TestWrites: an object costs two writes when it is created, and none as long as nothing changes.
func TestWrites(t *testing.T) {
	t.Parallel()
	w := serving(t)
	before, hook := w.writes.Load(), w.webhook("hook", "acme")
	w.create(hook)
	w.settle()
	w.says(hook, v1alpha1.ReasonSynced)
	if writes := w.writes.Load() - before; writes != 2 {
		t.Errorf("it took %d writes to create it", writes)
	}
	before = w.writes.Load()
	w.pass(3 * syncInterval)
	if writes := w.writes.Load() - before; writes > 0 {
		t.Errorf("%d writes, and nothing has changed", writes)
	}
}

// TestSecretsAreTakenOut: of whatever Cobalt says about a payload that came from a Secret.
func TestSecretsAreTakenOut(t *testing.T) {
	t.Parallel()
	w := serving(t)
	trigger := w.trigger("deals", "acme")
	trigger.Spec.PayloadFrom = []v1alpha1.ValueSource{{SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "payload", Key: "body"}}}
	w.sim.Inject(simulator.Fault{
		Operation: "triggerEvent", Status: http.StatusBadRequest, ContentType: "application/json",
		Body: `{"error":{"message":"we do not like hunter2-in-payload"}}`,
	})
	w.create(w.secret("payload", "body", `{"token":"hunter2-in-payload"}`), trigger)
	w.settle()
	ready := w.ready(trigger)
	if strings.Contains(ready.Message, "hunter2") || !strings.Contains(ready.Message, "we do not like") {
		t.Errorf("%s: %s", ready.Reason, ready.Message)
	}
}

// TestWhatMayHaveBeenDoneIsNotDoneAgain: under AtMostOnce, by this operator or another.
func TestWhatMayHaveBeenDoneIsNotDoneAgain(t *testing.T) {
	t.Parallel()
	w := serving(t)
	w.sim.Inject(simulator.Fault{Operation: "triggerEvent", HangUp: simulator.HangUpAfter, Times: 1})
	trigger := w.trigger("deals", "acme")
	w.create(trigger)
	w.settle()
	w.pass(time.Hour)
	w.start()
	w.pass(time.Hour)
	w.says(trigger, v1alpha1.ReasonDeliveryUnknown)
	if fired := w.calls("triggerEvent"); fired != 1 {
		t.Errorf("it was fired %d times", fired)
	}
}

// TestTheOlderOfTwoCounts: and the younger changes nothing in Cobalt, also when it goes.
func TestTheOlderOfTwoCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connected()
	older, younger := w.account("acme"), w.account("acme-again")
	younger.Spec.LinkedAccountID = "acme"
	w.create(older)
	w.settle()
	w.clock.Step(time.Minute)
	w.create(younger)
	w.settle()
	w.says(older, v1alpha1.ReasonSynced)
	w.says(younger, v1alpha1.ReasonConflict)
	w.remove(younger)
	w.settle()
	if !w.isGone(younger) || len(w.sim.State("test").Accounts) != 1 {
		t.Errorf("the younger is gone: %t, accounts: %v", w.isGone(younger), w.sim.State("test").Accounts)
	}
}

// TestAKeyThatLeadsElsewhereStopsEverything: what is missing there must not be made there.
func TestAKeyThatLeadsElsewhereStopsEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.connected()
	w.served("acme")
	w.hold("cobalt-api-key", "api-key", otherKey)
	w.pass(2 * syncInterval)
	w.says(env, v1alpha1.ReasonDifferentEnvironment)
	if made := w.sim.State("other").Accounts; len(made) > 0 {
		t.Errorf("made there: %v", made)
	}
}

// TestAStrayMissEndsNoDeletion: something on the way may have said it.
func TestAStrayMissEndsNoDeletion(t *testing.T) {
	t.Parallel()
	w := serving(t)
	hook := w.webhook("hook", "acme")
	w.create(hook)
	w.settle()
	w.sim.Inject(simulator.Fault{Operation: "getWebhook", Status: http.StatusNotFound, ContentType: "application/json", Body: `{"message":"no such route"}`, Times: 1})
	w.remove(hook)
	w.settle()
	w.pass(10 * time.Minute)
	if left := w.sim.State("test").Webhooks; !w.isGone(hook) || len(left) > 0 {
		t.Errorf("it is gone: %t, left behind: %v", w.isGone(hook), left)
	}
}

// TestWhatOthersMadeStays: an object that has found it is gone, and it is not.
func TestWhatOthersMadeStays(t *testing.T) {
	t.Parallel()
	w := serving(t)
	made := w.account("acme")
	w.read(made)
	made.SetFinalizers(nil)
	w.must(w.Update(t.Context(), made))
	w.must(w.Delete(t.Context(), made))
	w.clock.Step(time.Hour)
	found := w.account("found")
	found.Spec.LinkedAccountID = "acme"
	w.create(found)
	w.settle()
	w.says(found, v1alpha1.ReasonSynced)
	w.remove(found)
	w.settle()
	if left := w.sim.State("test").Accounts; !w.isGone(found) || len(left) != 1 {
		t.Errorf("it is gone: %t, left: %v", w.isGone(found), left)
	}
}

// TestWhatIsTakenAwayComesBack: without the finalizer, deleting the object would leave everything behind.
func TestWhatIsTakenAwayComesBack(t *testing.T) {
	t.Parallel()
	w := serving(t)
	account := w.account("acme")
	w.read(account)
	account.SetFinalizers(nil)
	account.SetAnnotations(map[string]string{"team": "sales"})
	w.must(w.Update(t.Context(), account))
	w.settle()
	w.read(account)
	if _, ok := object.Annotation(account, object.AccountAnnotation); !ok || !object.HasFinalizer(account) {
		t.Errorf("it has finalizers %v and annotations %v", account.Finalizers, account.Annotations)
	}
}

// TestDriftIsCorrected: and told under ReadOnly.
func TestDriftIsCorrected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connected()
	account := w.account("acme")
	account.Spec.YourApp = &runtime.RawExtension{Raw: []byte(`{"plan":"gold"}`)}
	w.create(account)
	w.settle()
	byHand := `{"linked_account_id":"acme","your_app":{"plan":"lead"}}`
	w.post("/public/linked-account/upsert", byHand)
	w.pass(2 * syncInterval)
	if got := w.sim.State("test").Accounts[0].YourApp["plan"]; got != "gold" {
		t.Errorf("the plan is %v", got)
	}
	w.change(account, func() { account.Spec.ManagementPolicy = v1alpha1.ManagementPolicyReadOnly })
	w.settle()
	w.post("/public/linked-account/upsert", byHand)
	w.pass(2 * syncInterval)
	w.says(account, v1alpha1.ReasonReadOnly)
	if got := w.sim.State("test").Accounts[0].YourApp["plan"]; got != "lead" || len(account.Status.Drift) != 1 {
		t.Errorf("the plan is %v, and the status tells of %v", got, account.Status.Drift)
	}
}

// post calls the API as somebody else does.
func (w *world) post(path, body string) {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), http.MethodPost, w.url+path, strings.NewReader(body))
	w.must(err)
	r.Header.Set("X-Api-Key", goodKey)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	w.must(err)
	w.must(answer.Body.Close())
	if answer.StatusCode != http.StatusOK {
		w.Fatal(answer.Status)
	}
}

// TestAnEnvironmentWaitsForItsObjects: their deletion needs its key.
func TestAnEnvironmentWaitsForItsObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.connected()
	w.served("acme")
	w.remove(env)
	w.settle()
	w.says(env, v1alpha1.ReasonDeletionPending)
	account := w.account("acme")
	w.remove(account)
	w.settle()
	if left := w.sim.State("test").Accounts; !w.isGone(env) || !w.isGone(account) || len(left) > 0 {
		t.Errorf("the environment is gone: %t, the account: %t, left behind: %v", w.isGone(env), w.isGone(account), left)
	}
}

// TestAnOutageIsNoNews: an object that is Ready stays so for a while, and goes on when it is over.
func TestAnOutageIsNoNews(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.connected()
	hook := w.webhook("hook", "acme")
	w.served("acme")
	w.create(hook)
	w.settle()
	w.sim.Inject(simulator.Fault{Status: http.StatusBadGateway})
	w.pass(3 * syncInterval)
	w.says(hook, v1alpha1.ReasonSynced)
	if ready := w.ready(env); ready.Status != metav1.ConditionFalse {
		t.Errorf("the environment is %s: %s", ready.Reason, ready.Message)
	}
	w.sim.ClearFaults()
	w.change(hook, func() { hook.Spec.Events = append(hook.Spec.Events, "Deal Closed") })
	w.pass(5 * time.Minute)
	w.says(hook, v1alpha1.ReasonSynced)
	if events := w.sim.State("test").Webhooks[0].WebhookEvents; len(events) != 2 {
		t.Errorf("Cobalt has %v", events)
	}
}

// TestARestartCostsNothing: whoever starts knows from the status what there is to do, and asks the API server before it
// changes anything.
func TestARestartCostsNothing(t *testing.T) {
	t.Parallel()
	w := serving(t)
	hook, workflow := w.webhook("hook", "acme"), w.workflow("sync", "acme")
	w.create(hook, workflow)
	w.settle()
	writes := w.writes.Load()
	w.start()
	w.sim.ResetCalls()
	w.settle()
	if looks := w.calls("listApplications"); len(w.sim.Log()) > looks || w.writes.Load() > writes {
		t.Errorf("%d calls to see whether the key works, %d in all, %d writes", looks, len(w.sim.Log()), w.writes.Load()-writes)
	}
	w.change(hook, func() { hook.Spec.Events = []string{"Deal Closed"} })
	w.settle()
	w.says(hook, v1alpha1.ReasonSynced)
	if events := w.sim.State("test").Webhooks[0].WebhookEvents; len(events) != 1 || events[0] != "Deal Closed" {
		t.Errorf("Cobalt has %v", events)
	}
}

// TestOneEnvironmentUnderTwoNames: two objects that stand for the same through different environments are in conflict too.
func TestOneEnvironmentUnderTwoNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.connected()
	w.served("acme")
	second := &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Namespace: "neighbour", Name: "default"}, Spec: first.Spec}
	key := w.secret("cobalt-api-key", "api-key", goodKey)
	key.Namespace = "neighbour"
	w.create(key, second)
	w.settle()
	w.clock.Step(time.Minute)
	account := w.account("acme")
	account.Namespace = "neighbour"
	w.create(account)
	w.settle()
	w.says(account, v1alpha1.ReasonConflict)
	if message := w.ready(account).Message; strings.Contains(message, tenant) {
		t.Errorf("it names what is not its reader's: %s", message)
	}
}

// TestWhatIsMissingIsMadeAgain: once it is certain that the environment is still the one it was.
func TestWhatIsMissingIsMadeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connected()
	for _, id := range []string{"acme", "globex", "initech"} {
		w.served(id)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, w.url+"/public/linked-account/acme", http.NoBody)
	w.must(err)
	r.Header.Set("X-Api-Key", goodKey)
	answer, err := http.DefaultClient.Do(r)
	w.must(err)
	w.must(answer.Body.Close())
	w.pass(3 * syncInterval)
	if accounts := w.sim.State("test").Accounts; len(accounts) != 3 {
		t.Errorf("there are %d of 3 accounts", len(accounts))
	}
	w.says(w.account("acme"), v1alpha1.ReasonSynced)
}

// TestOthersOfABucketAreNoRivals: objects that stand for different things share a place in the index.
func TestOthersOfABucketAreNoRivals(t *testing.T) {
	t.Parallel()
	w := serving(t)
	bucket := func(id string) string {
		return object.IdentityBucket(object.IdentityKey(v1alpha1.AccountReference{LinkedAccountID: id}, "", ""))
	}
	id := ""
	for i := 0; id == "" || bucket(id) != bucket("acme"); i++ {
		id = fmt.Sprint("acme-", i)
	}
	w.served(id)
	w.says(w.account("acme"), v1alpha1.ReasonSynced)
	hook := w.webhook("hook", id)
	w.create(hook)
	w.settle()
	w.says(hook, v1alpha1.ReasonSynced)
}
