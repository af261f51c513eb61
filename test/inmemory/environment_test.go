package inmemory

import (
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// TestWhatAnEnvironmentSays: of its spec, its Secret, and the answers of the API.
func TestWhatAnEnvironmentSays(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		key    string
		change func(*world, *v1alpha1.Environment)
		want   string
	}{
		"Works":         {goodKey, func(*world, *v1alpha1.Environment) {}, v1alpha1.ReasonConnected},
		"EmptyKey":      {"", func(*world, *v1alpha1.Environment) {}, v1alpha1.ReasonAuthenticationFailed},
		"BadKey":        {"bad\nkey", func(*world, *v1alpha1.Environment) {}, v1alpha1.ReasonAuthenticationFailed},
		"UnknownKey":    {"hunter2-unknown", func(*world, *v1alpha1.Environment) {}, v1alpha1.ReasonAuthenticationFailed},
		"NoSecret":      {goodKey, func(_ *world, env *v1alpha1.Environment) { env.Spec.APIKeySecretRef.Name = "nothing" }, v1alpha1.ReasonSecretNotFound},
		"OtherOrigin":   {goodKey, func(_ *world, env *v1alpha1.Environment) { env.Spec.BaseURL = "https://elsewhere.example" }, v1alpha1.ReasonNotAllowed},
		"NoURL":         {goodKey, func(_ *world, env *v1alpha1.Environment) { env.Spec.BaseURL = "://" }, v1alpha1.ReasonNotAllowed},
		"NoBundle":      {goodKey, func(_ *world, env *v1alpha1.Environment) { env.Spec.CABundleRef = bundle("nothing") }, v1alpha1.ReasonConfigMapNotFound},
		"Throttled":     {goodKey, fault(http.StatusTooManyRequests), v1alpha1.ReasonThrottled},
		"Broken":        {goodKey, fault(http.StatusBadGateway), v1alpha1.ReasonFailed},
		"NothingThere":  {goodKey, fault(http.StatusNotFound), v1alpha1.ReasonRejected},
		"NeverLookedAt": {goodKey, func(_ *world, env *v1alpha1.Environment) { env.Spec.SyncInterval = "0s" }, v1alpha1.ReasonConnected},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			env := &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: "default"}}
			env.Spec.BaseURL, env.Spec.RateLimit = w.url, v1alpha1.RateLimit{RequestsPerSecond: 1000, Burst: 1000}
			env.Spec.APIKeySecretRef = v1alpha1.APIKeyReference{Name: "cobalt-api-key", Key: "api-key"}
			tc.change(w, env)
			w.create(w.secret("cobalt-api-key", "api-key", tc.key), env)
			w.settle()
			w.says(env, tc.want)
			w.pass(3 * syncInterval)
			w.remove(env)
			w.settle()
			if !w.isGone(env) {
				t.Error("nobody needs it, and it is still there")
			}
		})
	}
}

func bundle(name string) *v1alpha1.CABundleReference {
	return &v1alpha1.CABundleReference{Kind: "ConfigMap", Name: name, Key: "ca.crt"}
}

func fault(status int) func(*world, *v1alpha1.Environment) {
	return func(w *world, _ *v1alpha1.Environment) {
		w.sim.Inject(simulator.Fault{Status: status, ContentType: "application/json", Body: `{}`})
	}
}

// TestAnotherEnvironmentIsAccepted: if its owner says that it is meant.
func TestAnotherEnvironmentIsAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.connected()
	w.served("acme")
	w.hold("cobalt-api-key", "api-key", otherKey)
	w.pass(2 * syncInterval)
	w.says(env, v1alpha1.ReasonDifferentEnvironment)
	_, answer, _ := strings.Cut(w.ready(env).Message, v1alpha1.AcceptEnvironmentAnnotation+"=")
	answer, _, _ = strings.Cut(answer, " ")
	metav1.SetMetaDataAnnotation(&env.ObjectMeta, v1alpha1.AcceptEnvironmentAnnotation, answer)
	w.must(w.Update(t.Context(), env))
	w.pass(2 * syncInterval)
	w.says(env, v1alpha1.ReasonConnected)
}

// TestAKeyThatIsRefusedStopsNothingForGood: another one is taken as soon as it is there.
func TestAKeyThatIsRefusedStopsNothingForGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.connected()
	w.served("acme")
	w.sim.RevokeKey(goodKey)
	w.pass(2 * syncInterval)
	w.says(env, v1alpha1.ReasonAuthenticationFailed)
	w.sim.AddKey("hunter2-new", "test")
	w.hold("cobalt-api-key", "api-key", "hunter2-new")
	w.pass(2 * syncInterval)
	w.says(env, v1alpha1.ReasonConnected)
	hook := w.webhook("hook", "acme")
	w.create(hook)
	w.settle()
	w.says(hook, v1alpha1.ReasonSynced)
}

// TestAllThatAnAccountHas: credentials, a config with a value from a Secret, and a session token, made again when it is lost.
func TestAllThatAnAccountHas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connected()
	account := w.account("acme")
	account.Spec.SessionToken = &v1alpha1.SessionTokenSecret{SecretName: "session"}
	account.Spec.Credentials = []v1alpha1.ApplicationCredentials{{Application: "hubspot", SecretRef: v1alpha1.CredentialsReference{Name: "hubspot"}}}
	config := &v1alpha1.IntegrationConfig{ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: "config"}}
	config.Spec.EnvironmentRef, config.Spec.LinkedAccountID, config.Spec.Application = inDefault(), "acme", "hubspot"
	config.Spec.Fields = []v1alpha1.ConfigField{
		{ID: "owner_email", Value: &runtime.RawExtension{Raw: []byte(`"a@acme.example"`)}},
		{ID: "deal_stage", ValueFrom: &v1alpha1.ValueSource{SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "hubspot", Key: "access_token"}}},
	}
	w.create(w.secret("hubspot", "access_token", "hunter2-of-hubspot"), account, config)
	w.settle()
	w.says(account, v1alpha1.ReasonSynced)
	w.pass(time.Minute)
	w.says(config, v1alpha1.ReasonSynced)
	if state := w.sim.State("test"); len(state.Credentials) != 1 || len(state.Configs) != 1 || len(state.SessionTokens) != 1 {
		t.Errorf("credentials %d, configs %d, tokens %d", len(state.Credentials), len(state.Configs), len(state.SessionTokens))
	}
	session := w.secret("session", "", "")
	w.read(session)
	w.must(w.Delete(t.Context(), session))
	w.pass(2 * syncInterval)
	w.read(session)
	w.post("/public/linked-account/upsert", `{"linked_account_id":"acme","name":"by hand"}`)
	w.change(config, func() { config.Spec.Fields = config.Spec.Fields[:1] })
	w.settle()
	w.remove(config)
	w.settle()
	w.remove(account)
	w.settle()
	w.kept(account, 0)
}

// TestWhatChangesBesideTheKeysIsNoChange: others keep something else in the same Secret.
func TestWhatChangesBesideTheKeysIsNoChange(t *testing.T) {
	t.Parallel()
	w := serving(t)
	config := &v1alpha1.IntegrationConfig{ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: "config"}}
	config.Spec.EnvironmentRef, config.Spec.LinkedAccountID, config.Spec.Application = inDefault(), "acme", "hubspot"
	config.Spec.Fields = []v1alpha1.ConfigField{
		{ID: "deal_stage", ValueFrom: &v1alpha1.ValueSource{SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "hubspot", Key: "access_token"}}},
	}
	w.create(w.secret("hubspot", "access_token", "hunter2-of-hubspot"), config)
	w.settle()
	w.says(config, v1alpha1.ReasonSynced)
	for key, want := range map[string]bool{"of others": false, "access_token": true} {
		before, writes := len(w.sim.Log()), w.writes.Load()
		w.hold("hubspot", key, "hunter2-that-is-new")
		w.seen = "" // the Secret's users are looked at
		w.settle()
		if costs := len(w.sim.Log()) > before || w.writes.Load() > writes; costs != want {
			t.Errorf("a change of key %q costs something: %t, want %t", key, costs, want)
		}
	}
}

// TestAnEnvironmentRepeatsNoEvent: also when it has waited for longer than its deadline, whose reason is another than that of
// each try.
func TestAnEnvironmentRepeatsNoEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := w.connected()
	w.sim.Inject(simulator.Fault{Status: http.StatusBadGateway})
	w.pass(time.Hour)
	w.says(env, v1alpha1.ReasonProgressDeadlineExceeded)
	w.told(v1alpha1.ReasonProgressDeadlineExceeded, "no progress")
	w.pass(time.Hour)
	for len(w.events.Events) > 0 {
		t.Errorf("said again: %s", <-w.events.Events)
	}
}
