package stories

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// armed creates a trigger with a schedule and waits until it is armed.
func armed(w *world, trigger *v1alpha1.EventTrigger) {
	GinkgoHelper()
	w.create(trigger)
	w.settled(trigger, metav1.ConditionTrue, v1alpha1.ReasonArmed)
	Expect(trigger.Status.NextScheduleTime).NotTo(BeNil())
	over(w, trigger)
}

// clockChanges are the noons of the days of a year on which the clocks of a place are changed.
func clockChanges(year int, place *time.Location) []time.Time {
	var changes []time.Time
	noon := time.Date(year, time.January, 1, 12, 0, 0, 0, place)
	for noon.Year() == year {
		before := noon
		noon = noon.AddDate(0, 0, 1)
		if noon.Sub(before) != 24*time.Hour {
			changes = append(changes, noon)
		}
	}
	return changes
}

// over waits until the turn is over in which a trigger got its status: before, it
// would take a jump of the clock for the time that the turn took.
func over(w *world, trigger *v1alpha1.EventTrigger) {
	GinkgoHelper()
	Eventually(func() bool { _, planned := w.delay(trigger); return planned }).Should(BeTrue())
}

// next lets time pass until the next run of a schedule is due and ended, in whatever way.
func next(w *world, trigger *v1alpha1.EventTrigger) {
	GinkgoHelper()
	runs := trigger.Status.Succeeded + trigger.Status.Failed
	over(w, trigger)
	w.time.Advance(trigger.Status.NextScheduleTime.Sub(w.time.Now()))
	Eventually(func() int64 {
		w.time.Advance(time.Second)
		w.read(trigger)
		return trigger.Status.Succeeded + trigger.Status.Failed
	}).Should(Equal(runs + 1))
}

var _ = Describe("A schedule", func() {
	It("runs every day at the hour that the clocks of its zone show, also when they are changed", func() {
		w, _ := withAccount()
		berlin, err := time.LoadLocation("Europe/Berlin")
		Expect(err).NotTo(HaveOccurred())
		const atLast = "0 0 31 12 *"
		trigger := w.trigger("daily", of("acme"), every(atLast, "Europe/Berlin"))
		armed(w, trigger)
		next(w, trigger)
		days, odd := map[string]bool{}, []string{}
		for _, change := range clockChanges(w.time.Now().Year()+1, berlin) {
			w.time.Advance(change.AddDate(0, 0, -2).Sub(w.time.Now()))
			w.change(trigger, func() { trigger.Spec.Schedule = "30 2 * * *" }) // which is skipped once and comes twice once
			w.settled(trigger, metav1.ConditionTrue, v1alpha1.ReasonArmed)
			for range 5 {
				next(w, trigger)
				local := trigger.Status.LastScheduleTime.In(berlin)
				days[local.Format(time.DateOnly)] = true
				if local.Format(time.TimeOnly) != "02:30:00" {
					odd = append(odd, local.Format(time.TimeOnly))
				}
			}
			w.change(trigger, func() { trigger.Spec.Schedule = atLast })
			w.settled(trigger, metav1.ConditionTrue, v1alpha1.ReasonArmed)
		}
		Expect(days).To(HaveLen(10))
		Expect(odd).To(Equal([]string{"03:00:00"}), "the day on which there is no half past two")
		Expect(fires(w)).To(Equal(11))
		Expect(w.sim.State("test").Executions).To(HaveLen(11))
	})

	It("keeps the status small over fifty runs that all fail with much to say", func() {
		w, _ := withAccount()
		w.sim.SetOutcome("sync-deals", simulator.Outcome{Status: "failed", Logs: []string{strings.Repeat("ü", 5000), strings.Repeat("x", 900)}})
		trigger := w.trigger("often", of("acme"), every("*/5 * * * *", ""), func(obj *v1alpha1.EventTrigger) {
			obj.Spec.HistoryLimit, obj.Spec.Logs = new(int32(20)), v1alpha1.LogsTail
		})
		armed(w, trigger)
		for range 50 {
			next(w, trigger)
		}
		Expect(trigger.Status.Failed).To(Equal(int64(50)))
		text, err := json.Marshal(trigger.Status)
		Expect(err).NotTo(HaveOccurred())
		Expect(len(text)).To(BeNumerically("<", 32<<10))
		Expect(trigger.Status.History).To(HaveLen(21), "the last, and as many before as historyLimit says")
		Expect(reasons(trigger)).To(Equal([]string{v1alpha1.ReasonArmed}), "runs show in the status")
		Expect(trigger.Status.Message).To(ContainSubstring("ended as failed"))
	})

	It("keeps the status small while one of its executions cannot be looked at", func() {
		w, _ := withAccount(slowly)
		trigger := w.trigger("often", of("acme"), executing("sync-deals"), every("* * * * *", ""), func(obj *v1alpha1.EventTrigger) {
			obj.Spec.HistoryLimit, obj.Spec.ConcurrencyPolicy = new(int32(20)), v1alpha1.ConcurrencyAllow
			obj.Spec.ExecutionTimeout = "24h"
		})
		w.sim.Inject(simulator.Fault{Operation: "getExecutionById", Status: 500})
		w.create(trigger)
		Eventually(func() int { w.time.Advance(10 * time.Second); return fires(w) }).Should(Equal(1))
		w.sim.Inject(simulator.Fault{Operation: "executeWorkflow", ContentType: "application/json", Body: `{"message":"taken"}`})
		Eventually(func() int64 {
			w.time.Advance(10 * time.Second)
			w.read(trigger)
			return trigger.Status.Succeeded
		}).WithTimeout(time.Minute).Should(BeNumerically(">=", 40))
		Expect(len(trigger.Status.History)).To(BeNumerically("<=", 22), "the last, the open one, and as many before as historyLimit says")
		Expect(fires(w)).To(BeNumerically("<=", trigger.Status.Succeeded+2), "each of them is in the status")
	})

	It("makes up for one run after downtime, a clock that jumps, or a suspension, and for none after startingDeadline", func() {
		w, _ := withAccount()
		hourly := w.trigger("hourly", of("acme"), every("0 * * * *", ""))
		strict := w.trigger("strict", of("acme"), every("0 * * * *", ""), func(obj *v1alpha1.EventTrigger) { obj.Spec.StartingDeadline = "1m" })
		armed(w, hourly)
		armed(w, strict)
		w.stop()
		w.time.Advance(30*24*time.Hour - time.Duration(w.time.Now().Minute()-30)*time.Minute) // half past
		w.start()
		Eventually(func() int { w.time.Advance(time.Second); return fires(w) }).Should(Equal(1))
		Eventually(func() int64 { w.time.Advance(time.Second); w.read(hourly); return hourly.Status.Succeeded }).Should(Equal(int64(1)))
		w.read(strict)
		Expect(strict.Status.FiredAt).To(BeNil())

		By("suspending it")
		over(w, hourly)
		w.change(hourly, func() { hourly.Spec.Suspend = true })
		w.time.Advance(3 * time.Hour)
		w.change(hourly, func() { hourly.Spec.Suspend = false })
		Eventually(func() int64 { w.time.Advance(time.Second); w.read(hourly); return hourly.Status.Succeeded }).Should(Equal(int64(2)))
		w.settled(hourly, metav1.ConditionTrue, v1alpha1.ReasonArmed)
		Expect(hourly.Status.NextScheduleTime.Time).To(BeTemporally(">", w.time.Now()))
	})

	It("runs once more when trigger changes, and not for what trigger says from the beginning", func() {
		w, _ := withAccount()
		trigger := w.trigger("daily", of("acme"), every("0 9 * * *", ""), func(obj *v1alpha1.EventTrigger) { obj.Spec.Trigger = "first" })
		armed(w, trigger)
		Expect(fires(w)).To(BeZero())
		w.change(trigger, func() { trigger.Spec.Payload = nil; trigger.Spec.Trigger = "second" })
		Eventually(func() int64 { w.time.Advance(time.Second); w.read(trigger); return trigger.Status.Succeeded }).Should(Equal(int64(1)))
		w.change(trigger, func() { payload(`{"a":1}`)(trigger) })
		w.settled(trigger, metav1.ConditionTrue, v1alpha1.ReasonArmed)
		Expect(fires(w)).To(Equal(1), "another payload is for the next run")
	})

	It("does not take for missed what another schedule, or none, would have started", func() {
		w, _ := withAccount()
		trigger := w.trigger("rarely", of("acme"), every("0 0 29 2 *", ""))
		armed(w, trigger)
		w.time.Advance(34*time.Hour - time.Duration(w.time.Now().UTC().Hour())*time.Hour) // past ten
		w.change(trigger, func() { every("0 9 * * *", "")(trigger) })
		w.settled(trigger, metav1.ConditionTrue, v1alpha1.ReasonArmed)
		Expect(trigger.Status.NextScheduleTime.Time).To(BeTemporally(">", w.time.Now()))
		over(w, trigger)
		w.time.Advance(5 * time.Hour) // past three, and so past nine in New York
		w.change(trigger, func() { every("0 9 * * *", "America/New_York")(trigger) })
		w.settled(trigger, metav1.ConditionTrue, v1alpha1.ReasonArmed)
		Expect(fires(w)).To(BeZero())

		By("taking it off for a while")
		over(w, trigger)
		w.change(trigger, func() { trigger.Spec.Schedule, trigger.Spec.TimeZone = "", "" })
		until(w, trigger, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
		w.time.Advance(48 * time.Hour)
		w.change(trigger, func() { every("0 9 * * *", "America/New_York")(trigger) })
		w.settled(trigger, metav1.ConditionTrue, v1alpha1.ReasonArmed)
		Expect(fires(w)).To(Equal(1))
	})

	It("goes on where it was when its status is lost, and begins when it is put on what was fired before", func() {
		w, _ := withAccount()
		trigger := w.trigger("hourly", of("acme"), every("0 * * * *", ""))
		armed(w, trigger)
		next(w, trigger)
		over(w, trigger)
		w.read(trigger)
		trigger.Status = v1alpha1.EventTriggerStatus{}
		Expect(w.Status().Update(w.ctx, trigger)).To(Succeed())
		w.request(trigger, "after the wipe")
		w.settled(trigger, metav1.ConditionTrue, v1alpha1.ReasonArmed)
		Expect(fires(w)).To(Equal(1))

		once := w.trigger("once", of("acme"))
		w.create(once)
		until(w, once, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
		w.time.Advance(5 * time.Hour)
		calls := w.sim.Calls()["triggerEvent"]
		w.change(once, func() { every("0 9 1 1 *", "")(once) })
		w.settled(once, metav1.ConditionTrue, v1alpha1.ReasonArmed)
		w.change(once, func() { once.Spec.Suspend = true })
		Eventually(func() *metav1.Time { w.read(once); return once.Status.NextScheduleTime }).Should(BeNil(), "nothing is next while suspended")
		Expect(w.sim.Calls()["triggerEvent"]-calls).To(BeNumerically("<=", 1), "none but what the hour has brought")
	})

	It("goes on although an execution cannot be looked at, which is given up in time", func() {
		w, _ := withAccount()
		w.sim.Inject(simulator.Fault{Operation: "getExecutionById", Status: 403})
		w.sim.Inject(simulator.Fault{Operation: "listExecutions", Status: 403})
		trigger := w.trigger("hourly", of("acme"), every("0 * * * *", ""), func(obj *v1alpha1.EventTrigger) { obj.Spec.ExecutionTimeout = "5m" })
		armed(w, trigger)
		w.time.Advance(trigger.Status.NextScheduleTime.Sub(w.time.Now()))
		Eventually(func() int64 { w.time.Advance(time.Minute); w.read(trigger); return trigger.Status.Failed }).Should(BeNumerically(">=", 2))
		Expect(trigger.Status.History[len(trigger.Status.History)-1].Status).To(Equal("Unseen"))
	})

	DescribeTable("says whether runs may overlap", func(policy v1alpha1.ConcurrencyPolicy, want int) {
		w, _ := withAccount(func(o *simulator.Options) { o.Running = 150 * time.Minute })
		trigger := w.trigger("hourly", of("acme"), every("0 * * * *", ""), func(obj *v1alpha1.EventTrigger) {
			obj.Spec.ConcurrencyPolicy, obj.Spec.ExecutionTimeout = policy, "10h"
		})
		armed(w, trigger)
		w.time.Advance(trigger.Status.NextScheduleTime.Sub(w.time.Now()))
		Eventually(func() int { return fires(w) }).Should(Equal(1))
		for range 2 {
			over(w, trigger)
			before := w.passes(trigger)
			w.time.Advance(time.Hour)
			Eventually(func() int { return w.passes(trigger) }).Should(BeNumerically(">", before))
		}
		Eventually(func() int { w.time.Advance(10 * time.Second); return fires(w) }).Should(Equal(want))
		By("the first coming to its end")
		Eventually(func() int64 { w.time.Advance(time.Minute); w.read(trigger); return trigger.Status.Succeeded }).Should(BeNumerically(">=", 1))
		Eventually(func() int { w.time.Advance(time.Second); return fires(w) }).Should(BeNumerically(">=", want))
	},
		Entry("Forbid", v1alpha1.ConcurrencyForbid, 1),
		Entry("nothing, which is Forbid", v1alpha1.ConcurrencyPolicy(""), 1),
		Entry("Allow", v1alpha1.ConcurrencyAllow, 3),
	)

	It("that cannot be understood says why", func() {
		w, _ := withAccount()
		trigger := w.trigger("never", of("acme"), every("0 9 30 2 *", ""))
		w.create(trigger)
		Expect(w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonInvalidSchedule)).To(ContainSubstring("never comes"))
		w.change(trigger, func() { every("0 9 1 * *", "Europe/Atlantis")(trigger) })
		Eventually(func() string { return w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonInvalidSchedule) }).Should(ContainSubstring("Europe/Atlantis"))
		w.change(trigger, func() { trigger.Spec.TimeZone = "Europe/Berlin" })
		w.settled(trigger, metav1.ConditionTrue, v1alpha1.ReasonArmed)
	})
})

var _ = Describe("A call whose answer is lost", func() {
	// lost has a trigger fire and the answer get lost, before or after the event has arrived.
	lost := func(when simulator.HangUp, options ...func(*v1alpha1.EventTrigger)) (*world, *v1alpha1.EventTrigger) {
		GinkgoHelper()
		w, _ := withAccount()
		w.sim.Inject(simulator.Fault{Operation: "triggerEvent", HangUp: when, Times: 1})
		trigger := w.trigger("fire", of("acme"), options...)
		w.create(trigger)
		w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonDeliveryUnknown)
		return w, trigger
	}

	It("is not made again, and not told from what else has started", func() {
		w, trigger := lost(simulator.HangUpBefore)
		w.sim.Start("test", "acme", "sync-deals") // by somebody else
		message := w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonDeliveryUnknown)
		Expect(stalledNow(trigger)).To(BeTrue())
		Expect(message).To(HavePrefix("the call had no clear end (triggerEvent: no answer: the connection was closed), so the call may"))
		Expect(message).To(HaveSuffix("look in Cobalt for one of " + trigger.Status.FiredAt.UTC().Format(time.RFC3339) +
			" and, if there is none, change spec.trigger"))
		Expect(trigger.Status.ExecutionID).To(BeEmpty())
		w.restart()
		w.pass(trigger, syncInterval)
		w.request(trigger, "now")
		w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonDeliveryUnknown)
		Expect(fires(w)).To(Equal(1))

		By("the user saying that nothing was started")
		w.change(trigger, func() { trigger.Spec.Trigger = "again" })
		until(w, trigger, 5*time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
		Expect(fires(w)).To(Equal(2))
	})

	It("is not in the way of what spec says meanwhile", func() {
		w, trigger := lost(simulator.HangUpAfter, func(obj *v1alpha1.EventTrigger) { obj.Spec.Delivery = v1alpha1.DeliveryAtLeastOnce })
		w.change(trigger, func() { payload(`{"deal":43}`)(trigger) })
		until(w, trigger, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
		Eventually(func() bool {
			w.time.Advance(time.Second)
			for _, run := range w.sim.State("test").Executions {
				if run.Payload["deal"] != nil {
					return true
				}
			}
			return false
		}).Should(BeTrue(), "what spec says now was fired")
	})

	It("is repeated ever more slowly while Cobalt answers nothing but errors", func() {
		w, _ := withAccount()
		w.sim.Inject(simulator.Fault{Operation: "triggerEvent", Status: 500, WorkDone: true})
		trigger := w.trigger("fire", of("acme"), func(obj *v1alpha1.EventTrigger) { obj.Spec.Delivery = v1alpha1.DeliveryAtLeastOnce })
		w.create(trigger)
		w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonDeliveryUnknown)
		start := w.time.Now()
		Eventually(func() time.Duration { w.time.Advance(5 * time.Second); return w.time.Since(start) }).Should(BeNumerically(">", 30*time.Minute))
		Expect(fires(w)).To(BeNumerically("<", 20))
	})

	It("is made again under AtLeastOnce", func() {
		w, trigger := lost(simulator.HangUpAfter, func(obj *v1alpha1.EventTrigger) { obj.Spec.Delivery = v1alpha1.DeliveryAtLeastOnce })
		w.request(trigger, "before it is time")
		Expect(w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonDeliveryUnknown)).To(Equal(
			"the call had no clear end (triggerEvent: no answer: the connection was closed): the call is made again, as delivery AtLeastOnce says"))
		until(w, trigger, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
		Expect(fires(w)).To(Equal(2))
	})

	DescribeTable("is not told from the execution of another trigger that died with it", func(arrived int) {
		w, _ := withAccount()
		var triggers []*v1alpha1.EventTrigger
		for i := range 2 {
			fault := simulator.Fault{Operation: "triggerEvent", HangUp: simulator.HangUpBefore, Times: 1}
			if i < arrived {
				fault.HangUp = simulator.HangUpAfter
			}
			w.sim.Inject(fault)
		}
		for i := range 2 {
			triggers = append(triggers, w.trigger(fmt.Sprintf("fire-%d", i), of("acme"), payload(fmt.Sprintf(`{"n":%d}`, i))))
			w.create(triggers[i])
		}
		Eventually(func() int { return fires(w) }).Should(Equal(2))
		w.restart()
		for _, trigger := range triggers {
			Eventually(func() bool { w.time.Advance(5 * time.Second); w.read(trigger); return stalledNow(trigger) }).Should(BeTrue())
			w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonDeliveryUnknown)
			Expect(trigger.Status.ExecutionID).To(BeEmpty())
		}
		Expect(executionIDs(w)).To(HaveLen(arrived))
		Expect(fires(w)).To(Equal(2))
	},
		Entry("both calls had arrived", 2),
		Entry("one of them had", 1),
		Entry("neither had", 0),
	)
})

var _ = Describe("Many executions of an account", func() {
	It("are looked up in one list", func() {
		w, _ := withAccount(func(o *simulator.Options) { o.Running = time.Minute })
		var triggers []*v1alpha1.EventTrigger
		for i := range 10 {
			triggers = append(triggers, w.trigger(fmt.Sprintf("fire-%d", i), of("acme"), payload(fmt.Sprintf(`{"n":%d}`, i))))
			w.create(triggers[i])
		}
		for _, trigger := range triggers {
			w.settled(trigger, metav1.ConditionFalse, v1alpha1.ReasonExecutionRunning)
		}
		w.sim.ResetCalls()
		for _, trigger := range triggers {
			until(w, trigger, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
		}
		Expect(w.sim.Calls()["listExecutions"]).To(BeNumerically(">", 0))
		Expect(w.sim.Calls()["getExecutionById"]).To(BeNumerically("<", 10), "%v", w.sim.Calls())
	})
})
