package stories

import (
	"fmt"
	"maps"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// labels are those of one series, or some of them.
type labels map[string]string

// series are the values of a metric, by all labels that are not among those given;
// of a histogram, how often something was observed.
func (w *world) series(name string, of labels) map[string]float64 {
	GinkgoHelper()
	families, err := prometheus.Gatherers{metrics.Registry, w.options.Metrics.(*prometheus.Registry)}.Gather()
	Expect(err).NotTo(HaveOccurred())
	found := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if rest, ok := beside(metric, of); ok && family.GetName() == name {
				found[rest] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
			}
		}
	}
	return found
}

// beside returns the values of the labels that are not among those given.
func beside(metric *dto.Metric, of labels) (rest string, ok bool) {
	missing := maps.Clone(of)
	for _, label := range metric.GetLabel() {
		switch wanted, asked := of[label.GetName()]; {
		case !asked && rest != "":
			rest += " " + label.GetValue()
		case !asked:
			rest = label.GetValue()
		case wanted == label.GetValue():
			delete(missing, label.GetName())
		}
	}
	return rest, len(missing) == 0
}

var _ = Describe("Metrics", func() {
	var (
		w     *world
		env   *v1alpha1.Environment
		where labels
	)

	BeforeEach(func() {
		w = newWorld()
		env = w.connected()
		where = labels{"environment": "Environment " + w.namespace + "/default"}
	})

	It("tell of calls, the gate and the limiter of an environment until it goes", func() {
		acme := w.account("acme")
		w.create(acme)
		w.ready(acme)
		Expect(w.series("cobalt_api_requests_total", where)).To(Equal(map[string]float64{
			"getLinkedAccount 404": 1, "listApplications 200": 1, "upsertLinkedAccount 200": 1,
		}))
		Expect(w.series("cobalt_api_request_duration_seconds", where)).To(HaveKeyWithValue("upsertLinkedAccount", 1.0))
		Expect(w.series("cobalt_environment_open", where)).To(Equal(map[string]float64{"": 1}))
		Expect(w.series("cobalt_limiter_rate", where)).To(Equal(map[string]float64{"": 1000}))
		Expect(w.series("cobalt_sync_interval_stretch_ratio", where)).To(Equal(map[string]float64{"": 1}))

		By("being throttled")
		w.sim.Inject(simulator.Fault{Operation: "upsertLinkedAccount", Status: 429, Times: 1})
		w.change(acme, func() { acme.Spec.Name = "Acme Inc" })
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonThrottled)
		Expect(w.series("cobalt_api_requests_total", where)).To(HaveKeyWithValue("upsertLinkedAccount 429", 1.0))
		Expect(w.series("cobalt_limiter_rate", where)).To(Equal(map[string]float64{"": 500}))
		Expect(w.series("cobalt_limiter_rate_limit", where)).To(Equal(map[string]float64{"": 1000}))
		other := w.account("other")
		w.create(other)
		Eventually(func() map[string]float64 { return w.series("cobalt_limiter_deferrals_total", where) }).Should(HaveKey(""))
		until(w, acme, time.Second, metav1.ConditionTrue, v1alpha1.ReasonSynced)
		until(w, other, time.Second, metav1.ConditionTrue, v1alpha1.ReasonSynced)

		By("losing the key")
		w.sim.RevokeKey(goodKey)
		w.pass(env, syncInterval)
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonAuthenticationFailed)
		Expect(w.series("cobalt_environment_open", where)).To(Equal(map[string]float64{"": 0}))

		By("going")
		w.sim.AddKey(goodKey, "test")
		w.pass(env, syncInterval)
		w.ready(env)
		w.remove(acme, other, env)
		w.gone(env)
		for _, name := range []string{
			"cobalt_api_requests_total", "cobalt_api_request_duration_seconds", "cobalt_limiter_deferrals_total", "cobalt_limiter_deferred_seconds_total",
			"cobalt_environment_open", "cobalt_limiter_rate", "cobalt_limiter_rate_limit", "cobalt_sync_interval_stretch_ratio",
		} {
			Eventually(func() map[string]float64 { return w.series(name, where) }).Should(BeEmpty(), name)
		}
	})

	It("count objects by how they stand, and what is gone no longer", func() {
		accounts := func() map[string]float64 { return w.series("cobalt_objects", labels{"kind": "LinkedAccount"}) }
		Eventually(func() map[string]float64 { return w.series("cobalt_objects", labels{"kind": "Environment"}) }).
			Should(Equal(map[string]float64{"Ready Connected": 1}))
		Expect(accounts()).To(BeEmpty())
		a, b, twin := w.account("a"), w.account("b"), w.account("twin", func(obj *v1alpha1.LinkedAccount) { obj.Spec.LinkedAccountID = "a" })
		w.create(a, b)
		w.ready(a)
		w.ready(b)
		w.create(twin)
		Eventually(accounts).Should(Equal(map[string]float64{"Ready Synced": 2, "Stalled Conflict": 1}), "whichever counts")
		w.remove(b, twin)
		w.gone(b)
		w.gone(twin)
		Eventually(accounts).Should(Equal(map[string]float64{"Ready Synced": 1}))

		By("stopping: another replica takes over")
		w.stop()
		Expect(accounts()).To(BeEmpty())
		w.start()
		Eventually(accounts).Should(Equal(map[string]float64{"Ready Synced": 1}))
	})

	It("time the first way to Ready of each object, and no other", func() {
		timed := func() float64 {
			return w.series("cobalt_time_to_ready_seconds", labels{"kind": "LinkedAccount"})[""]
		}
		before, acme := timed(), w.account("acme", func(obj *v1alpha1.LinkedAccount) {
			obj.Spec.YourAppFrom = []v1alpha1.ValueSource{{SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "plan", Key: "value"}}}
		})
		w.create(acme)
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
		Expect(timed()).To(Equal(before))
		secret := w.secret("plan", map[string]string{"value": `{"tier":"hunter2-gold"}`})
		w.create(secret)
		w.ready(acme)
		Eventually(timed).Should(Equal(before + 1))

		By("being unready for a while, and restarting meanwhile")
		Expect(w.Delete(w.ctx, secret)).To(Succeed())
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
		w.create(w.secret("plan", map[string]string{"value": `{"tier":"hunter2-gold"}`}))
		w.ready(acme)
		w.change(acme, func() { acme.Spec.Name = "Acme Inc" })
		w.ready(acme)
		w.restart()
		w.request(acme, "now")
		w.ready(acme)
		later := w.account("later")
		w.create(later)
		w.ready(later)
		Eventually(timed).Should(Equal(before + 2))
	})
})

var _ = Describe("Traces", func() {
	It("show the calls of each reconcile, and no secret", func() {
		w := newWorld()
		spans := tracetest.NewSpanRecorder()
		w.stop()
		w.options.Tracer = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans), sdktrace.WithSpanProcessor(operatorSpans)).Tracer("")
		w.start()
		w.connected()
		w.create(w.secret("plan", map[string]string{"value": `{"tier":"hunter2-top"}`}))
		acme := w.account("acme", tokenIn("session"), func(obj *v1alpha1.LinkedAccount) {
			obj.Spec.LinkedAccountID = "customer-17"
			obj.Spec.YourAppFrom = []v1alpha1.ValueSource{{SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "plan", Key: "value"}}}
		})
		w.create(acme)
		w.ready(acme)

		reconciles, text := map[trace.SpanID]string{}, ""
		Eventually(func() map[trace.SpanID]string { // the span ends after the status is written
			for _, span := range spans.Ended() {
				if span.SpanKind() == trace.SpanKindInternal && strings.Contains(fmt.Sprint(span.Attributes()), v1alpha1.ReasonSynced) {
					reconciles[span.SpanContext().SpanID()] = span.Name()
				}
			}
			return reconciles
		}).Should(ContainElement("reconcile LinkedAccount"))
		var calls []string
		for _, span := range spans.Ended() {
			text += fmt.Sprintln(span.Name(), span.Attributes(), span.Status(), span.Events())
			if reconciles[span.Parent().SpanID()] == "reconcile LinkedAccount" {
				calls = append(calls, span.Name())
			}
		}
		Expect(calls).To(ContainElements("upsertLinkedAccount", mint))
		Expect(text).To(ContainSubstring(w.namespace))
		for _, secret := range []string{goodKey, "hunter2-top", "customer-17", string(w.output("session").Data["token"])} {
			Expect(text).NotTo(ContainSubstring(secret))
		}
	})
})
