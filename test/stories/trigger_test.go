package stories

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

var words = 0

// word is one that was not said before.
func word() string {
	words++
	return fmt.Sprintf("word-%d", words)
}

func stalledNow(obj object.Object) bool {
	return meta.IsStatusConditionTrue(obj.MemberStatus().Conditions, v1alpha1.ConditionStalled)
}

// slowly has executions take twenty seconds.
func slowly(o *simulator.Options) { o.Pending, o.Running = 5*time.Second, 15*time.Second }

// fires are the calls that have started something.
func fires(w *world) int { return w.sim.Calls()["triggerEvent"] + w.sim.Calls()["executeWorkflow"] }

// until has time pass in steps until obj stands so.
func until(w *world, obj object.Object, step time.Duration, status metav1.ConditionStatus, reason string) string {
	GinkgoHelper()
	var message string
	Eventually(func(g Gomega) {
		w.time.Advance(step)
		g.Expect(w.Get(w.ctx, client.ObjectKeyFromObject(obj), obj)).To(Succeed())
		ready := meta.FindStatusCondition(obj.MemberStatus().Conditions, v1alpha1.ConditionReady)
		g.Expect(ready).NotTo(BeNil())
		message = ready.Message
		g.Expect(string(ready.Status)+" "+ready.Reason).To(Equal(string(status)+" "+reason), message)
		g.Expect(obj.MemberStatus().ObservedGeneration).To(Equal(obj.GetGeneration()))
	}).Should(Succeed())
	return message
}

var _ = Describe("An event trigger", func() {
	for name, target := range map[string]func(*v1alpha1.EventTrigger){
		"an event": func(*v1alpha1.EventTrigger) {}, "a workflow": executing("sync-deals"),
	} {
		It("fires "+name+" once, with one call and at most four writes, and follows what it starts", func() {
			w, _ := withAccount(slowly)
			before := w.writes("eventtriggers")
			trigger := w.trigger("fire", of("acme"), target, payload(`{"deal":42}`))
			w.create(trigger)
			w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonExecutionRunning)
			Expect(trigger.Status.Phase).To(Equal(v1alpha1.PhaseRunning))
			until(w, trigger, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
			Expect(trigger.Status.Phase).To(Equal(v1alpha1.PhaseCompleted))
			Expect(trigger.Status.Succeeded).To(Equal(int64(1)))
			Expect(trigger.Status.History).To(HaveLen(1))
			after := w.writes("eventtriggers")
			Expect(after - before).To(BeNumerically("<=", 4))
			Expect(fires(w)).To(Equal(1))
			runs := w.sim.State("test").Executions
			Expect(runs).To(HaveLen(1))
			Expect(runs[0].Payload).To(HaveKeyWithValue("deal", BeNumerically("==", 42)))
			Expect(trigger.Status.ExecutionID).To(Equal(runs[0].ID))

			By("reconciling it ten times, a restart, and a wiped status")
			for range 10 {
				w.request(trigger, word())
			}
			w.restart()
			Eventually(func() int { return w.passes(trigger) }).Should(BeNumerically(">", 0))
			w.read(trigger)
			trigger.Status = v1alpha1.EventTriggerStatus{}
			Expect(w.Status().Update(w.ctx, trigger)).To(Succeed())
			w.request(trigger, "after the wipe")
			w.settled(trigger, metav1.ConditionTrue, v1alpha1.ReasonAcceptedUntracked)
			Expect(fires(w)).To(Equal(1))

			By("being deleted and created again from a backup without status")
			backup := w.trigger("fire", of("acme"), target, payload(`{"deal":42}`))
			backup.Annotations = trigger.Annotations
			w.remove(trigger)
			w.gone(trigger)
			w.create(backup)
			w.settled(backup, metav1.ConditionTrue, v1alpha1.ReasonAcceptedUntracked)
			Expect(fires(w)).To(Equal(1))

			By("changing the payload, and then trigger")
			w.change(backup, func() { backup.Spec.Payload = &runtime.RawExtension{Raw: []byte(`{"deal":43}`)} })
			until(w, backup, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
			Expect(fires(w)).To(Equal(2))
			w.change(backup, func() { backup.Spec.Trigger = "again" })
			until(w, backup, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
			Expect(fires(w)).To(Equal(3))
			w.change(backup, func() { backup.Spec.Payload = &runtime.RawExtension{Raw: []byte(`{ "deal": 43 }`)} })
			w.settled(backup, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
			Expect(fires(w)).To(Equal(3), "the same payload written otherwise")
		})
	}

	It("takes payload from Secrets, which is seen nowhere, not even in logs", func() {
		w, _ := withAccount(slowly)
		w.sim.SetOutcome("sync-deals", simulator.Outcome{Logs: []string{"called with hunter2-secret today", strings.Repeat("x", 5000)}})
		trigger := w.trigger("fire", of("acme"), func(obj *v1alpha1.EventTrigger) {
			obj.Spec.PayloadFrom = []v1alpha1.ValueSource{{SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "deal", Key: "json"}}}
			obj.Spec.Logs = v1alpha1.LogsTail
		})
		w.create(trigger)
		w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
		secret := w.secret("deal", map[string]string{"json": `{"token":"hunter2-secret"}`})
		w.create(secret)
		until(w, trigger, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
		Expect(w.sim.State("test").Executions[0].Payload).To(HaveKeyWithValue("token", "hunter2-secret"))
		logs := strings.Join(trigger.Status.Logs, "\n")
		Expect(logs).To(ContainSubstring("called with [redacted] today"))
		Expect(len(logs)).To(BeNumerically("<=", 4<<10))
		for _, text := range append(w.events(trigger), fmt.Sprint(trigger.Status)) {
			Expect(text).NotTo(ContainSubstring("hunter2"))
		}
		By("changing the Secret: it fires once more")
		w.change(secret, func() { secret.StringData = map[string]string{"json": `{"token":"hunter2-other"}`} })
		Eventually(func() int { return fires(w) }).Should(Equal(2))
	})

	It("withholds logs once the Secret that the payload came from has changed", func() {
		w, _ := withAccount(slowly)
		w.sim.SetOutcome("sync-deals", simulator.Outcome{Logs: []string{`sent {"token":"hunter2 \"quoted\""}`, "called with hunter2-secret"}})
		secret := w.secret("deal", map[string]string{"json": `{"token":"hunter2-secret","other":"hunter2 \"quoted\""}`})
		trigger := w.trigger("fire", of("acme"), func(obj *v1alpha1.EventTrigger) {
			obj.Spec.PayloadFrom = []v1alpha1.ValueSource{{SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "deal", Key: "json"}}}
			obj.Spec.Logs = v1alpha1.LogsTail
		})
		w.create(secret, trigger)
		until(w, trigger, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
		Expect(strings.Join(trigger.Status.Logs, "\n")).To(ContainSubstring(`sent {"token":"[redacted]"}`))
		Expect(strings.Join(trigger.Status.Logs, "\n")).NotTo(ContainSubstring("hunter2"))

		w.sim.SetOutcome("sync-deals", simulator.Outcome{Status: "running", Logs: []string{"called with hunter2-secret"}})
		w.change(trigger, func() { every("0 0 1 1 *", "")(trigger) })
		w.settled(trigger, metav1.ConditionTrue, v1alpha1.ReasonArmed)
		w.sim.SetOutcome("sync-deals", simulator.Outcome{Logs: []string{"called with hunter2-secret"}})
		w.change(trigger, func() { trigger.Spec.Trigger = "now" })
		Eventually(func() v1alpha1.TriggerPhase { w.read(trigger); return trigger.Status.Phase }).Should(Equal(v1alpha1.PhaseRunning))
		w.change(secret, func() { secret.StringData = map[string]string{"json": `{"token":"hunter2-other"}`} })
		Eventually(func() int64 { w.time.Advance(time.Second); w.read(trigger); return trigger.Status.Succeeded }).Should(Equal(int64(2)))
		Expect(strings.Join(trigger.Status.Logs, "\n")).To(HavePrefix("withheld"))
	})

	It("starts no more than ten at a time, however often trigger changes", func() {
		w, _ := withAccount()
		w.sim.SetOutcome("sync-deals", simulator.Outcome{Status: "running"})
		trigger := w.trigger("fire", of("acme"))
		w.create(trigger)
		for i := range 9 {
			w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonExecutionRunning)
			w.change(trigger, func() { trigger.Spec.Trigger = fmt.Sprint(i) })
		}
		w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonExecutionRunning)
		passes := w.passes(trigger)
		w.change(trigger, func() { trigger.Spec.Trigger = "one too many" })
		Eventually(func() int { return w.passes(trigger) }).Should(BeNumerically(">", passes))
		Expect(fires(w)).To(Equal(10))
		By("one of them coming to its end")
		w.sim.Forget(trigger.Status.ExecutionID)
		Eventually(func() int { w.time.Advance(10 * time.Second); return fires(w) }).Should(Equal(11))
	})

	It("says when an execution fails, and starts it again as often as retry allows", func() {
		w, _ := withAccount(slowly)
		w.sim.SetOutcome("sync-deals", simulator.Outcome{Status: "failed"})
		trigger := w.trigger("fire", of("acme"), func(obj *v1alpha1.EventTrigger) {
			obj.Spec.Retry = &v1alpha1.RetryPolicy{Limit: 2, Backoff: "30s"}
		})
		w.create(trigger)
		until(w, trigger, time.Second, metav1.ConditionFalse, v1alpha1.ReasonRetrying)
		message := until(w, trigger, time.Second, metav1.ConditionFalse, v1alpha1.ReasonExecutionFailed)
		Expect(stalledNow(trigger)).To(BeTrue())
		Expect(message).To(Equal("execution " + trigger.Status.ExecutionID + " ended as failed: see to the cause, then change spec.trigger to start it again"))
		Expect(fires(w)).To(Equal(3))
		Expect(trigger.Status.Failed).To(Equal(int64(3)))
		Expect(trigger.Status.Attempt).To(Equal(int32(3)))
		w.pass(trigger, syncInterval)
		Expect(fires(w)).To(Equal(3))
		By("readyWhen Accepted: the failure shows in the status alone")
		w.change(trigger, func() { trigger.Spec.ReadyWhen = v1alpha1.ReadyWhenAccepted })
		w.settled(trigger, metav1.ConditionTrue, v1alpha1.ReasonAccepted)
		Expect(trigger.Status.Phase).To(Equal(v1alpha1.PhaseFailed))
		Expect(fires(w)).To(Equal(3))
	})

	It("is followed on after a restart, and after an outage", func() {
		w, _ := withAccount(slowly)
		trigger := w.trigger("fire", of("acme"))
		w.create(trigger)
		w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonExecutionRunning)
		fired := trigger.Status.FiredAt.Time
		w.restart()
		w.sim.Inject(simulator.Fault{Operation: "getExecutionById", Status: 502, Times: 2})
		until(w, trigger, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
		Expect(w.time.Since(fired)).To(BeNumerically("<", 5*time.Minute))
		Expect(fires(w)).To(Equal(1))
	})

	It("times out what takes too long, whatever word Cobalt has for it", func() {
		w, _ := withAccount(slowly)
		w.sim.SetOutcome("sync-deals", simulator.Outcome{Status: "pondering"})
		trigger := w.trigger("fire", of("acme"), func(obj *v1alpha1.EventTrigger) { obj.Spec.ExecutionTimeout = "5m" })
		w.create(trigger)
		w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonExecutionRunning)
		until(w, trigger, 10*time.Second, metav1.ConditionFalse, v1alpha1.ReasonExecutionFailed)
		Expect(trigger.Status.Phase).To(Equal(v1alpha1.PhaseTimedOut))
		Expect(w.sim.Calls()["getExecutionById"]).To(BeNumerically("<", 30), "polling slows down")
	})

	It("is not over before somebody has looked, and so not started again", func() {
		w, _ := withAccount(slowly)
		trigger := w.trigger("fire", of("acme"), func(obj *v1alpha1.EventTrigger) {
			obj.Spec.ExecutionTimeout, obj.Spec.Retry = "5m", &v1alpha1.RetryPolicy{Limit: 3}
		})
		w.create(trigger)
		w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonExecutionRunning)
		w.stop()
		w.time.Advance(72 * time.Hour)
		w.sim.Inject(simulator.Fault{Operation: "getExecutionById", HangUp: simulator.HangUpBefore, Times: 2})
		w.start()
		until(w, trigger, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
		Expect(fires(w)).To(Equal(1))
	})

	It("is over when nobody can look at its execution, and is not started again for that", func() {
		w, acme := withAccount(slowly)
		trigger := w.trigger("fire", of("acme"), func(obj *v1alpha1.EventTrigger) {
			obj.Spec.ExecutionTimeout, obj.Spec.Retry = "5m", &v1alpha1.RetryPolicy{Limit: 3}
		})
		w.create(trigger)
		w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonExecutionRunning)
		w.sim.Inject(simulator.Fault{Operation: "getExecutionById", Status: 403})
		message := until(w, trigger, 10*time.Second, metav1.ConditionFalse, v1alpha1.ReasonExecutionFailed)
		Expect(message).To(ContainSubstring("cannot be looked at, so how it ended cannot be told: getExecutionById: 403"))
		Expect(stalledNow(trigger)).To(BeTrue())
		Expect(fires(w)).To(Equal(1))

		By("its account being deleted meanwhile")
		w.sim.ClearFaults()
		w.change(trigger, func() { trigger.Spec.Trigger = "again" })
		w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonExecutionRunning)
		w.remove(acme)
		Eventually(func(g Gomega) {
			w.time.Advance(10 * time.Second)
			g.Expect(client.IgnoreNotFound(w.Get(w.ctx, client.ObjectKeyFromObject(acme), acme))).To(Succeed())
			g.Expect(w.remote("acme")).To(BeNil())
		}).Should(Succeed())
		Expect(fires(w)).To(Equal(2))
	})

	It("goes on although a gateway says once that its execution is not there", func() {
		w, _ := withAccount(func(o *simulator.Options) { o.Running = 10 * time.Minute })
		trigger := w.trigger("fire", of("acme"), func(obj *v1alpha1.EventTrigger) { obj.Spec.Retry = &v1alpha1.RetryPolicy{Limit: 3} })
		w.create(trigger)
		w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonExecutionRunning)
		w.time.Advance(2 * time.Minute)
		w.sim.Inject(simulator.Fault{Operation: "getExecutionById", Status: 404, ContentType: "text/plain", Body: "404 page not found", Times: 1})
		until(w, trigger, 10*time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
		Expect(w.sim.Calls()).To(HaveKeyWithValue("listExecutions", 1))
		Expect(fires(w)).To(Equal(1))
	})

	It("is accepted where Cobalt names no execution", func() {
		w, _ := withAccount(slowly)
		w.sim.SetOutcome("sync-deals", simulator.Outcome{Untracked: true})
		trigger := w.trigger("fire", of("acme"))
		w.create(trigger)
		w.settled(trigger, metav1.ConditionTrue, v1alpha1.ReasonAcceptedUntracked)
		Expect(trigger.Status.Phase).To(Equal(v1alpha1.PhaseAccepted))
		w.request(trigger, "now")
		Expect(fires(w)).To(Equal(1))
	})

	It("keeps the end of an execution that Cobalt forgets, and says so if it never saw one", func() {
		w, _ := withAccount(slowly)
		trigger := w.trigger("fire", of("acme"))
		w.create(trigger)
		until(w, trigger, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
		w.sim.Forget(trigger.Status.ExecutionID)
		w.request(trigger, "now")
		w.settled(trigger, metav1.ConditionTrue, v1alpha1.ReasonCompleted)

		w.sim.SetOutcome("sync-deals", simulator.Outcome{Status: "running"})
		w.change(trigger, func() { trigger.Spec.Trigger, trigger.Spec.Retry = "again", &v1alpha1.RetryPolicy{Limit: 3} })
		w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonExecutionRunning)
		w.sim.Forget(trigger.Status.ExecutionID)
		message := until(w, trigger, 10*time.Second, metav1.ConditionFalse, v1alpha1.ReasonExecutionFailed)
		Expect(message).To(ContainSubstring("Cobalt no longer knows execution"))
		Expect(stalledNow(trigger)).To(BeTrue(), "it may have completed, so it is not started again")
		Expect(fires(w)).To(Equal(2))
	})

	It("executes the workflow that its PublicWorkflow describes now, not the one that an operator starts with the sight of", func() {
		w, _ := withAccount()
		flow := w.publicWorkflow("flow", of("acme"))
		w.create(flow)
		w.ready(flow)
		was := copyOf(flow)
		w.stop()
		w.change(flow, func() { flow.Spec.Description = "another" })
		trigger := w.trigger("fire", of("acme"), func(obj *v1alpha1.EventTrigger) {
			obj.Spec.Event, obj.Spec.Workflow = nil, &v1alpha1.WorkflowReference{Ref: &v1alpha1.PublicWorkflowReference{Name: "flow"}}
		})
		w.create(trigger)
		w.succeed(longAgo, was, copyOf(flow))
		until(w, trigger, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
		w.ready(flow)
		Expect(workflowIDs(w)).To(HaveLen(2))
		Expect(w.sim.State("test").Executions).To(ConsistOf(HaveField("WorkflowID", flow.Status.ID)))
	})

	It("tells what Cobalt does not have", func() {
		w, _ := withAccount(slowly)
		event := w.trigger("event", of("acme"), func(obj *v1alpha1.EventTrigger) { obj.Spec.Event.Slug = "no-such-event" })
		flow := w.trigger("flow", of("acme"), executing("no-such-workflow"))
		w.create(event, flow)
		w.settled(event, metav1.ConditionFalse, v1alpha1.ReasonEventNotFound)
		w.settled(flow, metav1.ConditionFalse, v1alpha1.ReasonWorkflowNotFound)
		calls := fires(w)
		w.restart()
		Eventually(func() int { return w.passes(event) }).Should(BeNumerically(">", 0))
		Expect(fires(w)).To(Equal(calls))
		w.change(event, func() { event.Spec.Event.Slug = "deal-created" })
		until(w, event, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
	})

	It("waits for its account, its workflow and its config", func() {
		w := newWorld(slowly)
		w.connected()
		flow := w.trigger("flow", of("acme"), func(obj *v1alpha1.EventTrigger) {
			obj.Spec.Event, obj.Spec.Workflow = nil, &v1alpha1.WorkflowReference{Ref: &v1alpha1.PublicWorkflowReference{Name: "sync"}}
		})
		event := w.trigger("event", of("acme"), func(obj *v1alpha1.EventTrigger) {
			obj.Spec.ConfigRef = &v1alpha1.IntegrationConfigReference{Name: "hubspot"}
		})
		w.create(flow, event)
		w.settled(flow, metav1.ConditionFalse, v1alpha1.ReasonLinkedAccountNotReady)
		w.create(w.account("acme"))
		w.settled(flow, metav1.ConditionFalse, v1alpha1.ReasonWorkflowNotReady)
		w.settled(event, metav1.ConditionFalse, v1alpha1.ReasonConfigNotReady)
		Expect(fires(w)).To(BeZero())
		w.create(w.publicWorkflow("sync", of("acme")), w.config("hubspot", of("acme")))
		until(w, flow, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
		until(w, event, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
	})

	It("is deleted some time after it has ended", func() {
		w, _ := withAccount(slowly)
		trigger := w.trigger("fire", of("acme"), func(obj *v1alpha1.EventTrigger) { obj.Spec.TTLAfterFinished = "1h" })
		w.create(trigger)
		until(w, trigger, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
		Eventually(w.time.Idle).Should(BeTrue()) // its end is planned
		w.time.Advance(time.Hour)
		w.gone(trigger)
	})

	It("does not hold its account back once it has ended", func() {
		w, acme := withAccount(slowly)
		trigger := w.trigger("fire", of("acme"))
		w.create(trigger)
		until(w, trigger, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
		w.remove(acme)
		w.gone(acme)
	})
})
