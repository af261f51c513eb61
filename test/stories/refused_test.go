package stories

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus/testutil"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// unknownAccount has one call be answered as if its account was not there.
func unknownAccount(operation string) simulator.Fault {
	return simulator.Fault{
		Operation: operation, Times: 1, Status: 404, ContentType: "application/json",
		Body: `{"error_code":"INVALID_LINKED_ACCOUNT_ID","message":"no such linked account"}`,
	}
}

var _ = Describe("A refusal", func() {
	It("of one object with 401 says nothing of the key, and nobody else has to wait", func() {
		w := newWorld()
		env := w.connected()
		version := env.ResourceVersion
		w.sim.Inject(simulator.Fault{Operation: "createHostedPortalUrl", Status: 401})
		acme := w.account("acme", tokenIn("acme-session"), withPortal)
		w.create(acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonFailed)
		Expect(message).To(HavePrefix("Cobalt refused the API key for this call: unless the environment's status says that the key is refused"))
		other := w.account("other")
		w.create(other)
		w.ready(other)
		for pause := time.Second; pause <= 8*time.Second; pause *= 2 {
			Eventually(func() time.Duration { delay, _ := w.delay(acme); return delay }).Should(Equal(pause))
			w.pass(acme, pause)
		}
		w.read(env)
		Expect(env.ResourceVersion).To(Equal(version))
		Expect(w.sim.Calls()["listApplications"]).To(BeNumerically("<=", 3), "the probe has said once that the key works")
	})

	DescribeTable("for an account that was just made is tried again a second later", func(
		operation, reason string, object func(w *world) object.Object, status metav1.ConditionStatus, wanted string,
	) {
		w := newWorld()
		w.connected()
		acme := w.account("acme")
		w.create(acme)
		w.ready(acme)
		w.sim.Inject(unknownAccount(operation))
		obj := object(w)
		w.create(obj)
		w.settled(obj, metav1.ConditionFalse, reason)
		Eventually(func() time.Duration { delay, _ := w.delay(obj); return delay }).Should(Equal(time.Second))
		w.time.Advance(time.Second)
		w.settled(obj, status, wanted)
	},
		Entry("config", "upsertConfig", v1alpha1.ReasonLinkedAccountNotReady,
			func(w *world) object.Object { return w.config("acme", of("acme")) }, metav1.ConditionTrue, v1alpha1.ReasonSynced),
		Entry("config of an account by its id", "upsertConfig", v1alpha1.ReasonLinkedAccountNotReady,
			func(w *world) object.Object { return w.config("acme", ofID("acme")) }, metav1.ConditionTrue, v1alpha1.ReasonSynced),
		Entry("webhook", "createWebhook", v1alpha1.ReasonLinkedAccountNotReady,
			func(w *world) object.Object { return w.webhook("acme", of("acme"), "Workflow Errored") }, metav1.ConditionTrue, v1alpha1.ReasonSynced),
		Entry("workflow", mint, v1alpha1.ReasonLinkedAccountNotReady,
			func(w *world) object.Object { return w.publicWorkflow("acme", of("acme")) }, metav1.ConditionTrue, v1alpha1.ReasonSynced),
		Entry("workflow itself", "createPublicWorkflow", v1alpha1.ReasonLinkedAccountNotReady,
			func(w *world) object.Object { return w.publicWorkflow("acme", of("acme")) }, metav1.ConditionTrue, v1alpha1.ReasonSynced),
		Entry("trigger", "executeWorkflow", v1alpha1.ReasonLinkedAccountNotReady,
			func(w *world) object.Object { return w.trigger("acme", of("acme"), executing("sync-deals")) },
			metav1.ConditionFalse, v1alpha1.ReasonExecutionRunning),
		Entry("session token", mint, v1alpha1.ReasonFailed,
			func(w *world) object.Object { return w.account("other", tokenIn("other")) }, metav1.ConditionTrue, v1alpha1.ReasonSynced),
	)

	DescribeTable("of a new account in other words is tried again a second later", func(operation string, options ...func(*v1alpha1.LinkedAccount)) {
		w := newWorld()
		w.connected()
		w.sim.Inject(simulator.Fault{
			Operation: operation, Times: 1, Status: 404, ContentType: "application/json",
			Body: `{"error_code":"RESOURCE_NOT_FOUND","message":"there is no such user"}`,
		})
		acme := w.account("acme", options...)
		w.create(acme)
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonFailed)
		Eventually(func() time.Duration { delay, _ := w.delay(acme); return delay }).Should(Equal(time.Second))
		w.time.Advance(time.Second)
		w.ready(acme)

		By("saying so later as well")
		w.time.Advance(time.Hour)
		w.sim.Inject(simulator.Fault{
			Operation: operation, Status: 404, ContentType: "application/json", Body: `{"error_code":"RESOURCE_NOT_FOUND"}`,
		})
		w.change(acme, func() { acme.Spec.SessionToken.SecretName = "another" })
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonRejected)
	},
		Entry("session token", mint, tokenIn("acme")),
		Entry("portal", "createHostedPortalUrl", tokenIn("acme"), withPortal),
	)

	It("of its Secret by Kubernetes costs one session token and one portal URL", func() {
		w := newWorld()
		w.connected()
		counted := func(result string) float64 { return testutil.ToFloat64(metrics.SessionTokens.WithLabelValues(result)) }
		renewed, failed := counted("renewed"), counted("failed")
		w.doom.forbid(func(obj client.Object) bool { _, secret := obj.(*corev1.Secret); return secret })
		acme := w.account("acme", tokenIn("acme-session"), withPortal)
		w.create(acme)
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonFailed)
		for pause := time.Second; pause <= 4*time.Second; pause *= 2 {
			Eventually(func() time.Duration { delay, _ := w.delay(acme); return delay }).Should(Equal(pause))
			w.pass(acme, pause)
		}
		Expect(counted("failed") - failed).To(BeNumerically("==", 4))
		Expect(counted("renewed")).To(Equal(renewed))
		w.doom.forbid(nil)
		w.pass(acme, 8*time.Second)
		w.ready(acme)
		Expect(w.good("acme-session")).To(BeTrue())
		Expect(w.output("acme-session").Data).To(HaveKey("portal-url"))
		Expect(w.sim.Calls()).To(And(HaveKeyWithValue(mint, 1), HaveKeyWithValue("createHostedPortalUrl", 1)))
		Expect(counted("renewed") - renewed).To(BeNumerically("==", 1))
	})

	DescribeTable("of what a trigger starts is not tried again by itself, but when it or somebody asks", func(fault simulator.Fault, reason string) {
		w := newWorld()
		w.connected()
		acme := w.account("acme")
		w.create(acme)
		w.ready(acme)
		fault.Operation = "executeWorkflow"
		w.sim.Inject(fault)
		trigger := w.trigger("acme", of("acme"), executing("sync-deals"))
		w.create(trigger)
		w.settled(trigger, metav1.ConditionFalse, reason)
		_, planned := w.delay(trigger)
		Expect(planned).To(BeFalse())
		w.time.Advance(24 * time.Hour)
		w.restart()
		Eventually(func() int { return w.passes(trigger) }).Should(BeNumerically(">", 0))
		w.time.Advance(24 * time.Hour)
		Eventually(w.time.Idle).Should(BeTrue())
		Expect(w.sim.Calls()["executeWorkflow"]).To(Equal(1))
		w.sim.ClearFaults()
		w.request(trigger, "now")
		w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonExecutionRunning)
		Expect(w.sim.Calls()["executeWorkflow"]).To(Equal(2))
	},
		Entry("invalid", simulator.Fault{Status: 400}, v1alpha1.ReasonRejected),
		Entry("no such workflow", simulator.Fault{Status: 404}, v1alpha1.ReasonWorkflowNotFound),
	)

	It("of one run in a schedule is no refusal of the next", func() {
		w := newWorld()
		w.connected()
		acme := w.account("acme")
		w.create(acme)
		w.ready(acme)
		w.sim.Inject(simulator.Fault{Operation: "executeWorkflow", Status: 400, Times: 1})
		trigger := w.trigger("acme", of("acme"), executing("sync-deals"), every("0 * * * *", "UTC"))
		w.create(trigger)
		until(w, trigger, 10*time.Minute, metav1.ConditionFalse, v1alpha1.ReasonRejected)
		Expect(w.sim.Calls()).To(HaveKeyWithValue("executeWorkflow", 1))
		Eventually(func() int { w.time.Advance(time.Minute); return w.sim.Calls()["executeWorkflow"] }).Should(Equal(2))
		var times []time.Time
		for _, call := range w.sim.Log() {
			if call.Operation == "executeWorkflow" {
				times = append(times, call.Time)
			}
		}
		Expect(times[1].Truncate(time.Hour)).To(BeTemporally(">", times[0]), "%v", times)
	})

	It("to be asked about an execution does not keep a schedule from being run", func() {
		w := newWorld()
		w.connected()
		acme := w.account("acme")
		w.create(acme)
		w.ready(acme)
		trigger := w.trigger("acme", of("acme"), executing("sync-deals"), every("* * * * *", ""), func(obj *v1alpha1.EventTrigger) {
			obj.Spec.ConcurrencyPolicy = v1alpha1.ConcurrencyAllow
		})
		w.sim.Inject(simulator.Fault{Operation: "getExecutionById", Status: 500})
		w.sim.Inject(simulator.Fault{Operation: "listExecutions", Status: 500})
		w.create(trigger)
		Eventually(func() int { w.time.Advance(10 * time.Second); return w.sim.Calls()["executeWorkflow"] }).Should(BeNumerically(">=", 8))
		looks := w.sim.Calls()["getExecutionById"] + w.sim.Calls()["listExecutions"]
		Expect(looks).To(BeNumerically("<", 60), "with growing pauses")
	})
})

var _ = Describe("Executions whose list fails", func() {
	DescribeTable("are looked at one by one", func(status int) {
		w, _ := withAccount(slowly)
		w.sim.Inject(simulator.Fault{Operation: "listExecutions", Status: status})
		var triggers []*v1alpha1.EventTrigger
		for _, name := range []string{"a", "b", "c"} {
			trigger := w.trigger(name, of("acme"), executing("sync-deals"))
			w.create(trigger)
			triggers = append(triggers, trigger)
		}
		for _, trigger := range triggers {
			w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonExecutionRunning)
		}
		for _, trigger := range triggers {
			until(w, trigger, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
		}
	},
		Entry("with an error", 500),
		Entry("because the key may not read it", 401),
		Entry("because it may not be read so often", 429),
	)
})

var _ = Describe("Credentials for more applications than there are calls in a row", func() {
	It("are sent all the same, one by one", func() {
		w := newWorld()
		env := w.environment()
		env.Spec.RateLimit = v1alpha1.RateLimit{RequestsPerSecond: 5, Burst: 4}
		w.create(w.keySecret(goodKey), env, w.secret("oauth", map[string]string{"token": "hunter2-oauth"}))
		w.ready(env)
		w.time.Hold()
		acme := w.account("acme", migrating("hubspot", "oauth", ""), migrating("slack", "oauth", ""), migrating("salesforce", "oauth", ""))
		w.create(acme)
		w.goOn(50*time.Millisecond, func() bool {
			w.read(acme)
			return len(acme.Status.Conditions) > 0
		})
		w.ready(acme)
		calls := w.sim.Calls()
		Expect(calls).To(HaveKeyWithValue("migrateToken", 3))
		Expect(calls["getApplicationBySlug"]).To(BeNumerically("<=", 6))
	})
})
