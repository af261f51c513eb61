package stories

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/controller"
)

// copyInto makes one object look like another of its kind.
func copyInto(from, to client.Object) {
	reflect.ValueOf(to).Elem().Set(reflect.ValueOf(from).Elem())
}

// crashCase is a kind of object whose calls must not be made twice.
type crashCase struct {
	make func(w *world) controller.Object
	// effects are what its calls have brought about, by Cobalt's ids.
	effects func(w *world) []string
	// told is the effect that the status tells of.
	told func(obj controller.Object) string
	// good and unknown are the reasons that it may have in the end.
	good, unknown string
	// repeats tells that a call may be made twice, but not never.
	repeats bool
	// marks are the annotations that come before the call.
	marks int
}

func executionIDs(w *world) []string {
	var ids []string
	for _, run := range w.sim.State("test").Executions {
		ids = append(ids, run.ID)
	}
	return ids
}

func triggerCase(delivery v1alpha1.Delivery, target func(*v1alpha1.EventTrigger)) crashCase {
	return crashCase{
		make: func(w *world) controller.Object {
			return w.trigger("doomed", of("acme"), target, func(obj *v1alpha1.EventTrigger) { obj.Spec.Delivery = delivery })
		},
		effects: executionIDs,
		told:    func(obj controller.Object) string { return obj.(*v1alpha1.EventTrigger).Status.ExecutionID },
		good:    v1alpha1.ReasonCompleted, unknown: v1alpha1.ReasonDeliveryUnknown,
		repeats: delivery == v1alpha1.DeliveryAtLeastOnce,
	}
}

var _ = Describe("An operator that dies", func() {
	// run makes the object, and lets the operator die of what doom says, if anything.
	run := func(tc crashCase, lags bool, afterWrite, atCall int, worked bool) (w *world, obj controller.Object) {
		GinkgoHelper()
		w, _ = withAccount()
		w.doom.arm(afterWrite, atCall, worked)
		obj = tc.make(w)
		w.create(obj)
		asCreated := obj.DeepCopyObject().(client.Object)
		Eventually(func() bool {
			w.time.Advance(time.Second)
			w.read(obj)
			marked := len(obj.GetAnnotations()) > tc.marks // the last that it writes
			return w.doom.isDead() || marked && slices.Contains(reasons(obj), tc.good)
		}).Should(BeTrue())
		if w.doom.isDead() {
			w.stop()
			w.read(obj)
			w.doom.told = tc.told(obj) != ""
			reads := 0
			if lags {
				reads = 3
			}
			w.doom.spare(w.doom.before(asCreated), reads)
			w.start()
		}
		return w, obj
	}
	// judge checks that what came of it in the end is the truth.
	judge := func(tc crashCase, w *world, obj controller.Object) {
		GinkgoHelper()
		Eventually(func(g Gomega) {
			w.time.Advance(5 * time.Second)
			w.read(obj)
			g.Expect(reasons(obj)).To(Or(Equal([]string{tc.good}), Equal([]string{tc.unknown})))
			if reasons(obj)[0] == tc.unknown {
				g.Expect(meta.IsStatusConditionTrue(obj.MemberStatus().Conditions, v1alpha1.ConditionStalled)).To(BeTrue())
			}
		}).Should(Succeed())
		w.change(obj, func() {
			annotations := maps.Clone(obj.GetAnnotations())
			if annotations == nil {
				annotations = map[string]string{}
			}
			annotations[v1alpha1.ReconcileRequestAnnotation] = "once more"
			obj.SetAnnotations(annotations)
		})
		Eventually(func() string { // whatever pause it has come to
			w.time.Advance(time.Second)
			w.read(obj)
			return obj.MemberStatus().LastHandledReconcileAt
		}).Should(Equal("once more"))
		effects := tc.effects(w)
		switch {
		case tc.repeats:
			Expect(effects).NotTo(BeEmpty())
			Expect(reasons(obj)).To(Equal([]string{tc.good}))
		default:
			Expect(len(effects)).To(BeNumerically("<=", 1))
		}
		if w.doom.told {
			Expect(reasons(obj)).To(Equal([]string{tc.good}), "what the status told before was known, whatever the cache had")
		}
		if reasons(obj)[0] == tc.good {
			Expect(effects).To(ContainElement(tc.told(obj)), "what the status tells of is there")
		}
	}

	for name, tc := range map[string]crashCase{
		"a PublicWorkflow": {
			make:    func(w *world) controller.Object { return w.publicWorkflow("doomed", of("acme")) },
			effects: workflowIDs,
			told:    func(obj controller.Object) string { return obj.(*v1alpha1.PublicWorkflow).Status.ID },
			good:    v1alpha1.ReasonSynced, unknown: v1alpha1.ReasonCreateOutcomeUnknown, marks: 1,
		},
		"an event, AtMostOnce":    triggerCase(v1alpha1.DeliveryAtMostOnce, func(*v1alpha1.EventTrigger) {}),
		"an event, AtLeastOnce":   triggerCase(v1alpha1.DeliveryAtLeastOnce, func(*v1alpha1.EventTrigger) {}),
		"a workflow, AtMostOnce":  triggerCase(v1alpha1.DeliveryAtMostOnce, executing("sync-deals")),
		"a workflow, AtLeastOnce": triggerCase(v1alpha1.DeliveryAtLeastOnce, executing("sync-deals")),
	} {
		for _, lags := range []bool{false, true} {
			It(fmt.Sprintf("does nothing twice and tells the truth, whenever it dies (%s, cache lags: %t)", name, lags), func() {
				w, obj := run(tc, lags, 0, 0, false)
				judge(tc, w, obj)
				Expect(tc.effects(w)).To(HaveLen(1))
				writes, calls := w.doom.counted()
				w.stop()
				points := 0
				for point := 1; point <= writes; point++ {
					By(fmt.Sprintf("dying after write %d", point))
					w, obj := run(tc, lags, point, 0, false)
					judge(tc, w, obj)
					w.stop()
					points++
				}
				for point := 1; point <= calls; point++ {
					for _, worked := range []bool{false, true} {
						By(fmt.Sprintf("dying at call %d, worked: %t", point, worked))
						w, obj := run(tc, lags, 0, point, worked)
						judge(tc, w, obj)
						w.stop()
						points++
					}
				}
				AddReportEntry("points", points)
			})
		}
	}
})
