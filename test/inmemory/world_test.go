// Package inmemory has the reconcilers of all kinds work without an API server, a queue or another process: Kubernetes is
// in memory, Cobalt is the simulator, and a test says what happens when. It is for the rules that one operator keeps by
// itself; what the cluster does to them is told in test/stories.
package inmemory

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace/noop"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	owners "github.com/cobalt-operator/cobalt-operator/internal/account"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
	environments "github.com/cobalt-operator/cobalt-operator/internal/controller/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/controller/eventtrigger"
	"github.com/cobalt-operator/cobalt-operator/internal/controller/integrationconfig"
	"github.com/cobalt-operator/cobalt-operator/internal/controller/linkedaccount"
	"github.com/cobalt-operator/cobalt-operator/internal/controller/publicworkflow"
	"github.com/cobalt-operator/cobalt-operator/internal/controller/webhook"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/lifetime"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

const (
	goodKey      = "hunter2-that-works"
	otherKey     = "hunter2-of-another-environment"
	syncInterval = 10 * time.Minute
	tenant       = "tenant"
)

// world is what a test plays in.
type world struct {
	*testing.T
	// Client is the API server.
	client.Client
	clock *clocktesting.FakeClock
	sim   *simulator.Server
	url   string
	// called is told of each call before it reaches Cobalt.
	called func(*http.Request)
	// stale are what the cache has in the place of what the API server has.
	stale map[string]client.Object
	// writes count what operators write of our kinds.
	writes atomic.Int64
	events *events.FakeRecorder

	origin      string
	reconcilers []reconciler
	known       map[string][]types.NamespacedName
	// seen is the state of the round before.
	seen string
}

// reconciler is that of a kind, with the limiter of its queue.
type reconciler struct {
	reconcile.Reconciler
	kind    object.Kind
	limiter workqueue.TypedRateLimiter[ctrl.Request]
	// due is when objects are reconciled next, if nothing changes before.
	due map[types.NamespacedName]time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		T: t, clock: clocktesting.NewFakeClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)), events: events.NewFakeRecorder(1000),
		stale: map[string]client.Object{}, known: map[string][]types.NamespacedName{}, called: func(*http.Request) {},
	}
	w.sim = simulator.New(simulator.Options{Keys: map[string]string{goodKey: "test", otherKey: "other"}, Now: w.clock.Now})
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.called(r)
		w.sim.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	w.origin, w.url = server.URL, server.URL+simulator.BasePath
	w.Client = w.server()
	w.start()
	return w
}

// server is an API server in memory.
func (w *world) server() client.Client {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, corev1.AddToScheme} {
		w.must(add(scheme))
	}
	b := fake.NewClientBuilder().WithScheme(scheme)
	for _, kind := range object.Kinds {
		b = b.WithStatusSubresource(kind.Object)
	}
	for _, index := range object.Indexes() {
		b = b.WithIndex(index.Object, index.Name, index.Keys)
	}
	w.must(linkedaccount.IndexOutputs(w.Context(), indexer{b}))
	w.must(indexIdentities(w.Context(), indexer{b}))
	return b.Build()
}

// indexer has an API server in memory find objects.
type indexer struct{ server *fake.ClientBuilder }

func (i indexer) IndexField(_ context.Context, obj client.Object, field string, keys client.IndexerFunc) error {
	i.server.WithIndex(obj, field, keys)
	return nil
}

func indexIdentities(ctx context.Context, i indexer) error {
	for _, add := range []func() error{
		func() error { return linkedaccount.New(engine.Deps{}, eventtrigger.IsFinished).IndexIdentities(ctx, i) },
		func() error { return integrationconfig.New(engine.Deps{}).IndexIdentities(ctx, i) },
		func() error { return webhook.New(engine.Deps{}, nil).IndexIdentities(ctx, i) },
	} {
		if err := add(); err != nil {
			return err
		}
	}
	return nil
}

// start starts an operator that knows nothing of what one before it had in memory.
func (w *world) start() {
	same := func(d time.Duration) time.Duration { return d }
	cache := interceptor.NewClient(w.Client.(client.WithWatch), interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, options ...client.GetOption) error {
			if stale, ok := w.stale[name(obj, key)]; ok {
				return copyInto(stale, obj)
			}
			return c.Get(ctx, key, obj, options...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, options ...client.PatchOption) error {
			w.writes.Add(1)
			return c.Patch(ctx, obj, patch, options...)
		},
		SubResourcePatch: func(
			ctx context.Context, c client.Client, sub string, obj client.Object, patch client.Patch, options ...client.SubResourcePatchOption,
		) error {
			w.writes.Add(1)
			return c.SubResource(sub).Patch(ctx, obj, patch, options...)
		},
	})
	deps := engine.Deps{
		Client: cache, Live: w.Client, Events: w.events, Clock: w.clock,
		Environments: environment.NewPool(cache, w.clock, 4, false), Accounts: owners.NewFinder(cache), Inputs: inputs.NewStore(cache, w.Client),
		Settings: engine.Settings{
			SyncInterval: syncInterval, ProgressDeadline: 15 * time.Minute, ConflictPause: 50 * time.Millisecond,
			Jitter: same, Spread: same, Lifetime: lifetime.New(w.Context(), lifetime.Options{}),
		},
	}
	options := environments.Options{AllowedAPIOrigins: []string{w.origin}, UserAgent: "inmemory", Tracer: noop.NewTracerProvider().Tracer("")}
	w.reconcilers, w.seen = nil, ""
	add := func(r reconcile.Reconciler, obj client.Object, limiter workqueue.TypedRateLimiter[ctrl.Request]) {
		kind, _ := object.KindOf(obj)
		w.reconcilers = append(w.reconcilers, reconciler{r, kind, limiter, map[types.NamespacedName]time.Time{}})
	}
	cluster := environments.New(deps, options, &v1alpha1.ClusterEnvironment{})
	add(cluster, &v1alpha1.ClusterEnvironment{}, cluster.Memories)
	env := environments.New(deps, options, &v1alpha1.Environment{})
	add(env, &v1alpha1.Environment{}, env.Memories)
	accounts := linkedaccount.New(deps, eventtrigger.IsFinished)
	add(accounts, &v1alpha1.LinkedAccount{}, accounts.Memories)
	configs := integrationconfig.New(deps)
	add(configs, &v1alpha1.IntegrationConfig{}, configs.Memories)
	hooks := webhook.New(deps, []string{w.origin})
	add(hooks, &v1alpha1.Webhook{}, hooks.Memories)
	workflows := publicworkflow.New(deps)
	add(workflows, &v1alpha1.PublicWorkflow{}, workflows.Memories)
	triggers := eventtrigger.New(deps)
	add(triggers, &v1alpha1.EventTrigger{}, triggers.Memories)
}

func name(obj client.Object, key client.ObjectKey) string { return fmt.Sprintf("%T %s", obj, key) }

func copyInto(from, into client.Object) error {
	data, err := runtime.DefaultUnstructuredConverter.ToUnstructured(from)
	if err != nil {
		return err
	}
	return runtime.DefaultUnstructuredConverter.FromUnstructured(data, into)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// cached has the cache of operators show an object as it is now, whatever becomes of it, until it is told to catch up.
func (w *world) cached(obj client.Object) {
	w.Helper()
	w.read(obj)
	w.stale[name(obj, client.ObjectKeyFromObject(obj))] = obj.DeepCopyObject().(client.Object)
}

func (w *world) caughtUp() { clear(w.stale) }

// create creates objects as an API server does.
func (w *world) create(objects ...client.Object) {
	w.Helper()
	for i, obj := range objects {
		obj.SetUID(types.UID(fmt.Sprintf("%s-%d-%d", obj.GetName(), w.clock.Now().UnixNano(), i)))
		obj.SetGeneration(1)
		obj.SetCreationTimestamp(metav1.NewTime(w.clock.Now()))
		w.must(w.Create(w.Context(), obj))
	}
}

// change changes the spec of an object.
func (w *world) change(obj client.Object, mutate func()) {
	w.Helper()
	w.read(obj)
	mutate()
	obj.SetGeneration(obj.GetGeneration() + 1)
	w.must(w.Update(w.Context(), obj))
}

func (w *world) read(obj client.Object) {
	w.Helper()
	w.must(w.Get(w.Context(), client.ObjectKeyFromObject(obj), obj))
}

// remove deletes an object.
func (w *world) remove(obj client.Object) {
	w.Helper()
	w.change(obj, func() {})
	w.must(w.Delete(w.Context(), obj))
}

func (w *world) isGone(obj client.Object) bool {
	return apierrors.IsNotFound(w.Get(w.Context(), client.ObjectKeyFromObject(obj), obj))
}

// mostRounds is within how many rounds nothing comes of it any more, whatever happens.
const mostRounds = 500

// settle has objects reconciled until nothing comes of it any more.
func (w *world) settle() {
	w.Helper()
	for quiet, rounds := 0, 0; quiet < 3; quiet, rounds = quiet+1, rounds+1 {
		if rounds == mostRounds {
			w.Fatal("something is written, or called, without end")
		}
		objects, calls := w.state(), len(w.sim.Log())
		w.round(objects != w.seen)
		if w.seen = objects; w.state() != objects || len(w.sim.Log()) != calls {
			quiet = 0
		}
		w.clock.Step(200 * time.Millisecond)
	}
}

// round has those objects reconciled whose time has come, or all.
func (w *world) round(all bool) {
	w.Helper()
	for _, r := range w.reconcilers {
		for _, key := range w.keys(r.kind) {
			due, waits := r.due[key]
			if !all && (!waits || due.After(w.clock.Now())) {
				continue
			}
			delete(r.due, key)
			request := ctrl.Request{NamespacedName: key}
			result, err := r.Reconcile(w.Context(), request)
			if err != nil {
				result.RequeueAfter = r.limiter.When(request)
			}
			if result.RequeueAfter > 0 {
				r.due[key] = w.clock.Now().Add(result.RequeueAfter)
			}
		}
	}
}

// pass lets time pass, in which objects are reconciled.
func (w *world) pass(d time.Duration) {
	w.Helper()
	for range 10 {
		w.clock.Step(d / 10)
		w.settle()
	}
}

// keys are the names of the objects of a kind, and of those that are gone.
func (w *world) keys(kind object.Kind) []types.NamespacedName {
	w.Helper()
	for _, obj := range w.all(kind) {
		if key := client.ObjectKeyFromObject(obj); !slices.Contains(w.known[kind.Name], key) {
			w.known[kind.Name] = append(w.known[kind.Name], key)
		}
	}
	return w.known[kind.Name]
}

func (w *world) all(kind object.Kind) (objects []client.Object) {
	w.Helper()
	list := kind.List.DeepCopyObject().(client.ObjectList)
	w.must(w.List(w.Context(), list))
	w.must(meta.EachListItem(list, func(item runtime.Object) error {
		objects = append(objects, item.(client.Object))
		return nil
	}))
	return objects
}

// state changes with each write to our objects.
func (w *world) state() (state string) {
	w.Helper()
	for _, kind := range object.Kinds {
		for _, obj := range w.all(kind) {
			state += fmt.Sprintf("%s %s, ", obj.GetUID(), obj.GetResourceVersion())
		}
	}
	return state
}

// calls are how often operations were called.
func (w *world) calls(operations ...string) (sum int) {
	for _, operation := range operations {
		sum += w.sim.Calls()[operation]
	}
	return sum
}

// connected is an environment that is Ready.
func (w *world) connected() *v1alpha1.Environment {
	w.Helper()
	env := &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: "default"}}
	env.Spec.BaseURL, env.Spec.RateLimit = w.url, v1alpha1.RateLimit{RequestsPerSecond: 1000, Burst: 1000}
	env.Spec.APIKeySecretRef = v1alpha1.APIKeyReference{Name: "cobalt-api-key", Key: "api-key"}
	w.create(w.secret("cobalt-api-key", "api-key", goodKey), env)
	w.settle()
	w.says(env, v1alpha1.ReasonConnected)
	return env
}

func (w *world) secret(name, key, value string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: name}, Data: map[string][]byte{key: []byte(value)}}
}

func inDefault() v1alpha1.EnvironmentReference {
	return v1alpha1.EnvironmentReference{Kind: v1alpha1.KindEnvironment, Name: "default"}
}

func (w *world) account(name string) *v1alpha1.LinkedAccount {
	obj := &v1alpha1.LinkedAccount{ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: name}}
	obj.Spec.EnvironmentRef = inDefault()
	return obj
}

func (w *world) webhook(name, account string) *v1alpha1.Webhook {
	obj := &v1alpha1.Webhook{ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: name}}
	obj.Spec.EnvironmentRef, obj.Spec.LinkedAccountID = inDefault(), account
	obj.Spec.URL, obj.Spec.Events = "https://hooks.example/"+name, []string{"Deal Created"}
	return obj
}

func (w *world) workflow(name, account string) *v1alpha1.PublicWorkflow {
	obj := &v1alpha1.PublicWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: name}}
	obj.Spec.EnvironmentRef, obj.Spec.LinkedAccountID, obj.Spec.Name = inDefault(), account, "Sync deals"
	obj.Spec.Nodes = []v1alpha1.WorkflowNode{{Type: "start"}}
	return obj
}

func (w *world) trigger(name, account string) *v1alpha1.EventTrigger {
	obj := &v1alpha1.EventTrigger{ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: name}}
	obj.Spec.EnvironmentRef, obj.Spec.LinkedAccountID = inDefault(), account
	obj.Spec.Event = &v1alpha1.EventReference{Slug: "deal-created", Name: "Deal Created"}
	return obj
}

// ready is the Ready condition of an object.
func (w *world) ready(obj client.Object) metav1.Condition {
	w.Helper()
	w.read(obj)
	var conditions []metav1.Condition
	switch obj := obj.(type) {
	case object.Environment:
		conditions = obj.EnvironmentStatus().Conditions
	case object.Object:
		conditions = obj.MemberStatus().Conditions
	}
	if found := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady); found != nil {
		return *found
	}
	return metav1.Condition{}
}

// says checks the reason of an object's Ready condition.
func (w *world) says(obj client.Object, reason string) {
	w.Helper()
	if ready := w.ready(obj); ready.Reason != reason {
		w.Fatalf("%s %s is %s, want %s: %s", obj.GetNamespace(), obj.GetName(), ready.Reason, reason, ready.Message)
	}
}

// served has an account be Ready.
func (w *world) served(id string) {
	w.Helper()
	account := w.account(id)
	w.create(account)
	w.settle()
	w.says(account, v1alpha1.ReasonSynced)
}

// serving is a world with account acme.
func serving(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.connected()
	w.served("acme")
	return w
}

// hold has a Secret hold something else.
func (w *world) hold(name, key, value string) {
	w.Helper()
	secret := w.secret(name, key, "")
	w.read(secret)
	secret.Data[key] = []byte(value)
	w.must(w.Update(w.Context(), secret))
}
