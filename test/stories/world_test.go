package stories

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
	"github.com/cobalt-operator/cobalt-operator/internal/controller"
	"github.com/cobalt-operator/cobalt-operator/internal/lifetime"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
	"github.com/cobalt-operator/cobalt-operator/internal/testenv"
)

// The keys that the simulator of a story knows; two of one environment.
const (
	goodKey   = "hunter2-that-works"
	secondKey = "hunter2-after-rotation"
)

// syncInterval is what objects have that do not say otherwise.
const syncInterval = 10 * time.Minute

// world is what one story plays in: a namespace, a simulator and an operator
// with a clock of their own.
type world struct {
	client.Client
	ctx       context.Context
	namespace string
	// neighbours are other namespaces that the operator looks after as well.
	neighbours []string
	sim        *simulator.Server
	url        string
	time       *testenv.Time
	// steady is the clock that time is compared with; only stories of jumps move it.
	steady  *clocktesting.FakeClock
	options controller.Options
	doom    *doom
	lag     *testenv.Laggard
	// written counts what the operators of this world write, and nobody else.
	written testenv.Writes
	// reads counts what they read one by one.
	reads testenv.Reads
	stop  func()
}

func newWorld(options ...func(*simulator.Options)) *world {
	GinkgoHelper()
	w := &world{Client: cluster.Client, ctx: context.Background(), time: testenv.NewTime(time.Now()), doom: &doom{}}
	w.steady = clocktesting.NewFakeClock(w.time.Now())
	w.lag = testenv.NewLaggard(w.time)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "story-"}}
	Expect(w.Create(w.ctx, namespace)).To(Succeed())
	w.namespace = namespace.Name
	simulated := simulator.Options{Keys: map[string]string{goodKey: "test", secondKey: "test"}, Now: w.time.Now}
	for _, option := range options {
		option(&simulated)
	}
	w.sim = simulator.New(simulated)
	server := httptest.NewServer(w.doom.around(w.sim))
	DeferCleanup(server.Close)
	w.url = server.URL + simulator.BasePath
	w.options = controller.Options{
		SyncInterval: syncInterval, ProgressDeadline: 15 * time.Minute, AllowedAPIOrigins: []string{server.URL},
		ConflictPause: 50 * time.Millisecond, SpareWorkers: 16, UserAgent: "stories", Clock: w.time, Steady: w.steady, Queue: w.time.Queue, Metrics: prometheus.NewRegistry(), Tracer: operatorTracer,
		Jitter: func(d time.Duration) time.Duration { return d },
		Spread: func(d time.Duration) time.Duration { return d },
	}
	w.start()
	DeferCleanup(func() { w.stop() })
	DeferCleanup(w.conforms)
	DeferCleanup(w.leaksNothing)
	return w
}

// kinds are lists of all our kinds.
func kinds() []client.ObjectList {
	return []client.ObjectList{
		&v1alpha1.EnvironmentList{}, &v1alpha1.ClusterEnvironmentList{}, &v1alpha1.LinkedAccountList{},
		&v1alpha1.IntegrationConfigList{}, &v1alpha1.WebhookList{}, &v1alpha1.PublicWorkflowList{}, &v1alpha1.EventTriggerList{},
	}
}

// conforms checks the status of whatever a story leaves behind.
func (w *world) conforms() {
	GinkgoHelper()
	for _, list := range kinds() {
		Expect(w.List(w.ctx, list, client.InNamespace(w.namespace))).To(Succeed())
		Expect(meta.EachListItem(list, func(item runtime.Object) error {
			return testenv.Conform(item.(client.Object))
		})).To(Succeed())
	}
}

// start starts an operator that knows nothing of what one before it had in memory.
func (w *world) start() {
	GinkgoHelper()
	namespaces := append([]string{w.namespace}, w.neighbours...)
	caches := controller.CacheOptions(namespaces)
	ours, err := metav1.LabelSelectorAsSelector(&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
		{Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpIn, Values: namespaces},
	}})
	Expect(err).NotTo(HaveOccurred())
	// Those of other worlds are nobody's business here: their namespaces stay, and grow in number.
	for object, options := range caches.ByObject {
		switch object.(type) {
		case *corev1.Namespace:
			options.Label = ours
		case *v1alpha1.ClusterEnvironment:
			options.Field = fields.OneTermEqualSelector("metadata.name", w.namespace)
		}
		caches.ByObject[object] = options
	}
	mgr, err := ctrl.NewManager(w.reads.Counted(cluster.Config), ctrl.Options{
		Scheme: cluster.Scheme, Cache: caches,
		Metrics:        metricsserver.Options{BindAddress: "0"},
		MapperProvider: func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return controller.Mapper(), nil },
		NewClient:      w.client,
		NewCache:       w.lag.Cache,
		Controller:     config.Controller{SkipNameValidation: new(true), MaxConcurrentReconciles: 4},
	})
	Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(w.ctx)
	options := w.options
	if options.Lifetime == nil {
		options.Lifetime = lifetime.New(ctx, lifetime.Options{Grace: 5 * time.Second}) // of which calls get nothing
	}
	Expect(controller.Setup(ctx, mgr, options)).To(Succeed())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	w.stop = func() {
		cancel()
		Eventually(done).Should(Receive(BeNil()))
		w.time.Reset()
		w.stop = func() {}
	}
	Expect(mgr.GetCache().WaitForCacheSync(ctx)).To(BeTrue())
}

// client is what an operator of this world reads and writes Kubernetes through.
func (w *world) client(server *rest.Config, options client.Options) (client.Client, error) {
	options.HTTPClient = w.written.Counted(options.HTTPClient)
	return w.doom.client(server, options)
}

// everyKind are the resources of all our kinds.
var everyKind = append([]string{"environments", "clusterenvironments"}, memberKinds...)

// memberKinds are the kinds whose objects belong to an environment.
var memberKinds = []string{"linkedaccounts", "integrationconfigs", "webhooks", "publicworkflows", "eventtriggers"}

// writes are how many of these resources the operators of this world have made.
func (w *world) writes(resources ...string) int {
	sum := 0
	for _, resource := range resources {
		sum += w.written.Of(v1alpha1.GroupVersion.Group, resource)
	}
	return sum
}

// readsOf is how often the operators of this world have read a Secret or ConfigMap of its namespace.
func (w *world) readsOf(source client.Object) int {
	resource := "configmaps"
	if _, ok := source.(*corev1.Secret); ok {
		resource = "secrets"
	}
	return w.reads.Of(resource, w.namespace, source.GetName())
}

// restart starts another operator in the place of the one that runs.
func (w *world) restart() {
	GinkgoHelper()
	w.stop()
	w.start()
}

func (w *world) secret(name string, data map[string]string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}, StringData: data}
}

func (w *world) keySecret(key string) *corev1.Secret {
	return w.secret("cobalt-api-key", map[string]string{"api-key": key})
}

func (w *world) environment() *v1alpha1.Environment {
	return &v1alpha1.Environment{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "default"},
		Spec: v1alpha1.EnvironmentSpec{
			EnvironmentSettings: v1alpha1.EnvironmentSettings{
				BaseURL: w.url, RateLimit: v1alpha1.RateLimit{RequestsPerSecond: 1000, Burst: 1000},
			},
			APIKeySecretRef: v1alpha1.APIKeyReference{Name: "cobalt-api-key"},
		},
	}
}

// clusterEnvironment is the one that the operators of this world see. It serves all
// namespaces, and goes with the story.
func (w *world) clusterEnvironment() *v1alpha1.ClusterEnvironment {
	env := &v1alpha1.ClusterEnvironment{
		ObjectMeta: metav1.ObjectMeta{Name: w.namespace},
		Spec: v1alpha1.ClusterEnvironmentSpec{
			EnvironmentSettings: w.environment().Spec.EnvironmentSettings,
			APIKeySecretRef: v1alpha1.NamespacedAPIKeyReference{
				Namespace: w.namespace, APIKeyReference: w.environment().Spec.APIKeySecretRef,
			},
		},
	}
	DeferCleanup(func() { Expect(client.IgnoreNotFound(w.Delete(w.ctx, env))).To(Succeed()) })
	return env
}

// inCluster has an account be in the cluster environment.
func (w *world) inCluster(obj *v1alpha1.LinkedAccount) {
	obj.Spec.EnvironmentRef = v1alpha1.EnvironmentReference{Kind: v1alpha1.KindClusterEnvironment, Name: w.namespace}
}

// connected creates an environment and waits until it is Ready.
func (w *world) connected() *v1alpha1.Environment {
	GinkgoHelper()
	env := w.environment()
	w.create(w.keySecret(goodKey), env)
	w.ready(env)
	return env
}

func (w *world) account(name string, options ...func(*v1alpha1.LinkedAccount)) *v1alpha1.LinkedAccount {
	obj := &v1alpha1.LinkedAccount{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}}
	for _, option := range options {
		option(obj)
	}
	return obj
}

// of is the account of an object by the name of its LinkedAccount.
func of(account string) v1alpha1.AccountReference {
	return v1alpha1.AccountReference{LinkedAccountRef: &v1alpha1.LinkedAccountReference{Name: account}}
}

// ofID is the account of an object by its id in Cobalt.
func ofID(account string) v1alpha1.AccountReference {
	return v1alpha1.AccountReference{LinkedAccountID: account}
}

func (w *world) config(
	name string, account v1alpha1.AccountReference, options ...func(*v1alpha1.IntegrationConfig),
) *v1alpha1.IntegrationConfig {
	obj := &v1alpha1.IntegrationConfig{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}}
	obj.Spec.AccountReference, obj.Spec.Application = account, "hubspot"
	for _, option := range options {
		option(obj)
	}
	return obj
}

// field is a field of a config with a value in JSON.
func field(id, value string) func(*v1alpha1.IntegrationConfig) {
	return func(obj *v1alpha1.IntegrationConfig) {
		obj.Spec.Fields = append(obj.Spec.Fields, v1alpha1.ConfigField{ID: id, Value: &runtime.RawExtension{Raw: []byte(value)}})
	}
}

// fieldFrom is a field of a config with a value from a Secret.
func fieldFrom(id, secret, key string) func(*v1alpha1.IntegrationConfig) {
	return func(obj *v1alpha1.IntegrationConfig) {
		source := &v1alpha1.ValueSource{SecretKeyRef: &v1alpha1.SecretKeyReference{Name: secret, Key: key}}
		obj.Spec.Fields = append(obj.Spec.Fields, v1alpha1.ConfigField{ID: id, ValueFrom: source})
	}
}

func workflow(id string, enabled bool) func(*v1alpha1.IntegrationConfig) {
	return func(obj *v1alpha1.IntegrationConfig) {
		obj.Spec.Workflows = append(obj.Spec.Workflows, v1alpha1.WorkflowSwitch{ID: id, Enabled: enabled})
	}
}

func (w *world) webhook(name string, account v1alpha1.AccountReference, events ...string) *v1alpha1.Webhook {
	obj := &v1alpha1.Webhook{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}}
	obj.Spec.AccountReference, obj.Spec.URL, obj.Spec.Events = account, "https://hooks.example/"+name, events
	return obj
}

func (w *world) publicWorkflow(name string, account v1alpha1.AccountReference) *v1alpha1.PublicWorkflow {
	obj := &v1alpha1.PublicWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}}
	obj.Spec.AccountReference, obj.Spec.Name = account, "Sync deals"
	obj.Spec.Nodes = []v1alpha1.WorkflowNode{{Type: "start"}, {Type: "code", Config: &runtime.RawExtension{Raw: []byte(`{"lines":3}`)}}}
	return obj
}

// trigger fires the event Deal Created, which executes workflow sync-deals.
func (w *world) trigger(name string, account v1alpha1.AccountReference, options ...func(*v1alpha1.EventTrigger)) *v1alpha1.EventTrigger {
	obj := &v1alpha1.EventTrigger{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}}
	obj.Spec.AccountReference = account
	obj.Spec.Event = &v1alpha1.EventReference{Slug: "deal-created", Name: "Deal Created"}
	for _, option := range options {
		option(obj)
	}
	return obj
}

// executing has a trigger execute a workflow in the place of firing an event.
func executing(id string) func(*v1alpha1.EventTrigger) {
	return func(obj *v1alpha1.EventTrigger) {
		obj.Spec.Event, obj.Spec.Workflow = nil, &v1alpha1.WorkflowReference{ID: id}
	}
}

func payload(json string) func(*v1alpha1.EventTrigger) {
	return func(obj *v1alpha1.EventTrigger) { obj.Spec.Payload = &runtime.RawExtension{Raw: []byte(json)} }
}

func every(schedule, zone string) func(*v1alpha1.EventTrigger) {
	return func(obj *v1alpha1.EventTrigger) { obj.Spec.Schedule, obj.Spec.TimeZone = schedule, zone }
}

func yourApp(json string) func(*v1alpha1.LinkedAccount) {
	return func(obj *v1alpha1.LinkedAccount) { obj.Spec.YourApp = &runtime.RawExtension{Raw: []byte(json)} }
}

func named(name string) func(*v1alpha1.LinkedAccount) {
	return func(obj *v1alpha1.LinkedAccount) { obj.Spec.Name = name }
}

func (w *world) create(objects ...client.Object) {
	GinkgoHelper()
	for _, obj := range objects {
		Expect(w.Create(w.ctx, obj)).To(Succeed())
	}
}

// read reads obj anew.
func (w *world) read(obj client.Object) {
	GinkgoHelper()
	Expect(w.Get(w.ctx, client.ObjectKeyFromObject(obj), obj)).To(Succeed())
}

// change changes obj, whatever the operator does to it meanwhile.
func (w *world) change(obj client.Object, mutate func()) {
	GinkgoHelper()
	before := obj.DeepCopyObject().(client.Object)
	mutate()
	Expect(w.Patch(w.ctx, obj, client.MergeFrom(before))).To(Succeed())
}

// settled waits until the Ready condition of obj, about its generation, has a
// status and reason, and checks that its status keeps to the rules.
func (w *world) settled(obj client.Object, status metav1.ConditionStatus, reason string) string {
	GinkgoHelper()
	var ready *metav1.Condition
	Eventually(func(g Gomega) {
		g.Expect(w.Get(w.ctx, client.ObjectKeyFromObject(obj), obj)).To(Succeed())
		conditions, observed := statusOf(obj)
		ready = meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
		g.Expect(ready).NotTo(BeNil(), "Ready")
		g.Expect(string(ready.Status)+" "+ready.Reason).To(Equal(string(status)+" "+reason), ready.Message)
		g.Expect(observed).To(Equal(obj.GetGeneration()))
	}).Should(Succeed())
	Expect(testenv.Conform(obj)).To(Succeed())
	return ready.Message
}

func (w *world) ready(obj client.Object) {
	GinkgoHelper()
	reason := v1alpha1.ReasonSynced
	if _, ok := obj.(object.Environment); ok {
		reason = v1alpha1.ReasonConnected
	}
	w.settled(obj, metav1.ConditionTrue, reason)
}

func statusOf(obj client.Object) ([]metav1.Condition, int64) {
	switch obj := obj.(type) {
	case object.Environment:
		return obj.EnvironmentStatus().Conditions, obj.EnvironmentStatus().ObservedGeneration
	case object.Object:
		return obj.MemberStatus().Conditions, obj.MemberStatus().ObservedGeneration
	}
	return nil, 0
}

func (w *world) gone(obj client.Object) {
	GinkgoHelper()
	Eventually(func() bool {
		return apierrors.IsNotFound(w.Get(w.ctx, client.ObjectKeyFromObject(obj), obj))
	}).Should(BeTrue(), "is still there: %v", obj)
}

func (w *world) remove(objects ...client.Object) {
	GinkgoHelper()
	for _, obj := range objects {
		Expect(w.Delete(w.ctx, obj)).To(Succeed())
	}
}

// request asks for a sync of obj and waits until it was tried.
func (w *world) request(obj object.Object, value string) {
	GinkgoHelper()
	w.change(obj, func() {
		metav1.SetMetaDataAnnotation(obj.(metav1.ObjectMetaAccessor).GetObjectMeta().(*metav1.ObjectMeta), v1alpha1.ReconcileRequestAnnotation, value)
	})
	Eventually(func(g Gomega) {
		g.Expect(w.Get(w.ctx, client.ObjectKeyFromObject(obj), obj)).To(Succeed())
		g.Expect(obj.MemberStatus().LastHandledReconcileAt).To(Equal(value))
	}).Should(Succeed())
	Expect(testenv.Conform(obj)).To(Succeed())
}

// pass has time pass and waits until the operator has looked at obj because of it.
func (w *world) pass(obj client.Object, d time.Duration) {
	GinkgoHelper()
	var delay time.Duration
	Eventually(func() (ok bool) { // until the pass before is over
		delay, ok = w.delay(obj)
		return ok
	}).Should(BeTrue(), "nothing is planned for %s", obj.GetName())
	Expect(delay).To(BeNumerically("<=", d), "%s is not due by then", obj.GetName())
	before := w.passes(obj)
	w.time.Advance(d)
	Eventually(func() bool { // one that is put off until the cache has caught up plans nothing
		_, planned := w.delay(obj)
		return planned && w.passes(obj) > before
	}).Should(BeTrue(), "a pass of %s", obj.GetName())
	Eventually(w.time.Idle).Should(BeTrue(), "others have become due as well, and their calls must not come later")
}

func (w *world) passes(obj client.Object) int {
	return w.time.Passes(controllerOf(obj), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(obj)})
}

// delay is in how long the operator will look at obj again, if it will.
func (w *world) delay(obj client.Object) (time.Duration, bool) {
	return w.time.Delay(controllerOf(obj), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(obj)})
}

// priority is the one with which the operator has taken up obj last.
func (w *world) priority(obj client.Object) int {
	return w.time.Priority(controllerOf(obj), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(obj)})
}

func controllerOf(obj client.Object) string {
	switch obj.(type) {
	case *v1alpha1.Environment:
		return "environment"
	case *v1alpha1.ClusterEnvironment:
		return "clusterenvironment"
	case *v1alpha1.IntegrationConfig:
		return "integrationconfig"
	case *v1alpha1.Webhook:
		return "webhook"
	case *v1alpha1.PublicWorkflow:
		return "publicworkflow"
	case *v1alpha1.EventTrigger:
		return "eventtrigger"
	default:
		return "linkedaccount"
	}
}

// api is a client beside the operator: a person at the API.
func (w *world) api() *cobalt.Client { return w.apiWith(goodKey) }

func (w *world) apiWith(key string) *cobalt.Client {
	GinkgoHelper()
	api, err := cobalt.New(cobalt.Options{BaseURL: w.url, APIKey: key})
	Expect(err).NotTo(HaveOccurred())
	return api
}

// byHand does something at the API that is not counted as the operator's.
func (w *world) byHand(do func(api *cobalt.Client) error) {
	GinkgoHelper()
	Expect(do(w.api())).To(Succeed())
	w.sim.ResetCalls()
}

// remote is the account in the simulator, or nil.
func (w *world) remote(id string) *simulator.LinkedAccount {
	for _, account := range w.sim.State("test").Accounts {
		if account.LinkedAccountID == id {
			return &account
		}
	}
	return nil
}

// remoteConfig is the config in the simulator that an account has of an application, or nil.
func (w *world) remoteConfig(account string) *simulator.Config {
	for _, config := range w.sim.State("test").Configs {
		if config.LinkedAccountID == account {
			return &config
		}
	}
	return nil
}

// remoteWebhook is the webhook of an account in the simulator, or nil.
func (w *world) remoteWebhook(account string) *simulator.Webhook {
	for _, hook := range w.sim.State("test").Webhooks {
		if hook.LinkedAccountID == account {
			return &hook
		}
	}
	return nil
}

// events are the reasons and notes of the events about obj.
func (w *world) events(obj client.Object) []string {
	return w.eventsThat(func(event eventsv1.Event) bool { return event.Regarding.UID == obj.GetUID() })
}

func (w *world) allEvents() []string { return w.eventsThat(func(eventsv1.Event) bool { return true }) }

func (w *world) eventsThat(match func(eventsv1.Event) bool) []string {
	list := &eventsv1.EventList{}
	Expect(w.List(w.ctx, list, client.InNamespace(w.namespace))).To(Succeed())
	var texts []string
	for _, event := range list.Items {
		if match(event) {
			texts = append(texts, strings.Join([]string{event.Type, event.Reason, event.Note}, " "))
		}
	}
	return texts
}
