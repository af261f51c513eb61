package stories

import (
	"fmt"
	"maps"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// crashCase is a kind of object whose calls must not be made twice.
type crashCase struct {
	make   func(w *world) object.Object
	change func(obj object.Object)
	// expire has it go by itself; nil if it only goes when it is deleted.
	expire func(w *world, obj object.Object)
	// effects are what its calls have brought about, by Cobalt's ids.
	effects func(w *world) []string
	// told is the effect that the status tells of.
	told func(obj object.Object) string
	// good and unknown are the reasons that it may have in the end.
	good, unknown string
	// repeats tells that a call may be made twice, but not never.
	repeats bool
	// mark is the annotation that is written last.
	mark string
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
		make: func(w *world) object.Object {
			return w.trigger("doomed", of("acme"), target, func(obj *v1alpha1.EventTrigger) { obj.Spec.Delivery = delivery })
		},
		change: func(obj object.Object) { payload(`{"deal":43}`)(obj.(*v1alpha1.EventTrigger)) },
		expire: func(w *world, obj object.Object) {
			w.change(obj, func() { obj.(*v1alpha1.EventTrigger).Spec.TTLAfterFinished = "1m" })
		},
		effects: executionIDs,
		told:    func(obj object.Object) string { return obj.(*v1alpha1.EventTrigger).Status.ExecutionID },
		good:    v1alpha1.ReasonCompleted, unknown: v1alpha1.ReasonDeliveryUnknown,
		repeats: delivery == v1alpha1.DeliveryAtLeastOnce, mark: "cobalt.gocobalt.io/fired",
	}
}

var crashCases = map[string]crashCase{
	"a PublicWorkflow": {
		make:    func(w *world) object.Object { return w.publicWorkflow("doomed", of("acme")) },
		change:  func(obj object.Object) { obj.(*v1alpha1.PublicWorkflow).Spec.Description = "another" },
		effects: workflowIDs,
		told:    func(obj object.Object) string { return obj.(*v1alpha1.PublicWorkflow).Status.ID },
		good:    v1alpha1.ReasonSynced, unknown: v1alpha1.ReasonCreateOutcomeUnknown, mark: "cobalt.gocobalt.io/workflow-id",
	},
	// What differs between an event and a workflow is the one call, so each delivery is told of one of them.
	"an event, AtMostOnce":    triggerCase(v1alpha1.DeliveryAtMostOnce, func(*v1alpha1.EventTrigger) {}),
	"a workflow, AtLeastOnce": triggerCase(v1alpha1.DeliveryAtLeastOnce, executing("sync-deals")),
}

// crash is one run of a case.
type crash struct {
	*world
	of  crashCase
	obj object.Object
	// marked, telling and effected are what there was before the phase in question.
	marked, telling string
	effected        []string
}

// do takes the object into a phase.
func (c *crash) do(p phase) {
	GinkgoHelper()
	c.marked, c.telling, c.effected = c.obj.GetAnnotations()[c.of.mark], c.of.told(c.obj), c.of.effects(c.world)
	if p.gone && c.of.expire != nil {
		c.of.expire(c.world, c.obj)
		return
	}
	p.do(c.world, c.obj, c.of.change)
	if p.gone {
		Expect(client.IgnoreNotFound(c.Get(c.ctx, client.ObjectKeyFromObject(c.obj), c.obj))).To(Succeed())
	}
}

// fresh are the effects of the phase.
func (c *crash) fresh() []string {
	return slices.DeleteFunc(c.of.effects(c.world), func(id string) bool { return slices.Contains(c.effected, id) })
}

// ends tells whether the object is gone, or has this reason at its generation.
func (c *crash) ends(p phase, with ...string) bool {
	err := c.Get(c.ctx, client.ObjectKeyFromObject(c.obj), c.obj)
	if p.gone {
		return apierrors.IsNotFound(err)
	}
	Expect(err).NotTo(HaveOccurred())
	has := reasons(c.obj)
	return c.obj.MemberStatus().ObservedGeneration == c.obj.GetGeneration() && len(has) == 1 && slices.Contains(with, has[0])
}

// goOn has time pass until the object is at the end of a phase, or the operator dead.
func (c *crash) goOn(p phase) {
	GinkgoHelper()
	Eventually(func() bool {
		c.time.Advance(time.Second)
		over := c.ends(p, c.of.good) && (p.gone || c.obj.GetAnnotations()[c.of.mark] != c.marked)
		return over || c.doom.isDead()
	}).Should(BeTrue())
}

// replace starts an operator in the place of the dead one. Its cache may be behind the versions that there were.
func (c *crash) replace(cache staleness, was, is client.Object) (versions int) {
	GinkgoHelper()
	c.stop()
	if err := c.Get(c.ctx, client.ObjectKeyFromObject(c.obj), c.obj); err == nil {
		c.doom.told = c.of.told(c.obj) != c.telling
	}
	return c.succeed(cache, was, is)
}

// judge checks that what came of it in the end is the truth.
func (c *crash) judge(p phase) {
	GinkgoHelper()
	Eventually(func() bool {
		c.time.Advance(5 * time.Second)
		return c.ends(p, c.of.good, c.of.unknown)
	}).Should(BeTrue())
	if p.gone {
		Expect(c.fresh()).To(BeEmpty())
		return
	}
	reason := reasons(c.obj)[0]
	Expect(meta.IsStatusConditionTrue(c.obj.MemberStatus().Conditions, v1alpha1.ConditionStalled)).To(Equal(reason == c.of.unknown))
	c.askAgain()
	effects := c.fresh()
	switch {
	case c.of.repeats:
		Expect(effects).NotTo(BeEmpty())
		Expect(reasons(c.obj)).To(Equal([]string{c.of.good}))
	default:
		Expect(len(effects)).To(BeNumerically("<=", 1))
	}
	if c.doom.told {
		Expect(reasons(c.obj)).To(Equal([]string{c.of.good}), "what the status told before was known, whatever the cache had")
	}
	if reasons(c.obj)[0] == c.of.good {
		Expect(effects).To(ContainElement(c.of.told(c.obj)), "what the status tells of is there")
	}
}

// askAgain asks for another look, and waits for it, whatever pause the object has come to.
func (c *crash) askAgain() {
	GinkgoHelper()
	c.change(c.obj, func() {
		annotations := maps.Clone(c.obj.GetAnnotations())
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[v1alpha1.ReconcileRequestAnnotation] = "once more"
		c.obj.SetAnnotations(annotations)
	})
	Eventually(func() string {
		c.time.Advance(time.Second)
		c.read(c.obj)
		return c.obj.MemberStatus().LastHandledReconcileAt
	}).Should(Equal("once more"))
}

// act takes an object through the phases before one, then has the operator die in
// that one, and another finish it.
func (tc crashCase) act(until int, cache staleness, of death) (all acts, versions int) {
	GinkgoHelper()
	w, _ := withAccount()
	defer func() { w.stop() }()
	c := &crash{world: w, of: tc, obj: tc.make(w)}
	for _, p := range phases[:until] {
		c.do(p)
		c.goOn(p)
	}
	p := phases[until]
	if cache != fresh {
		w.muddle()
	}
	was := copyOf(c.obj)
	w.doom.arm(of)
	c.do(p)
	is := copyOf(c.obj)
	c.goOn(p)
	all = w.doom.counted()
	if w.doom.died() {
		versions = c.replace(cache, was, is)
	} else if !p.gone {
		Expect(c.fresh()).To(HaveLen(1))
	}
	c.judge(p)
	return all, versions
}

var _ = Describe("An operator that dies, or cannot write,", enumeration, func() {
	for name, tc := range crashCases {
		for until, p := range phases {
			act := func(of death) acts {
				all, _ := tc.act(until, fresh, of)
				return all
			}
			It(fmt.Sprintf("does nothing twice and tells the truth, whichever write fails (%s, %s)", name, p.name), func() { atEveryWrite(act) })
			It(fmt.Sprintf("does nothing twice and tells the truth, whenever it dies (%s, %s)", name, p.name), func() { atEveryPoint(act) })
			It(fmt.Sprintf("does nothing twice and tells the truth, whatever its successor sees (%s, %s)", name, p.name), func() {
				atEveryChange(func(of death, cache staleness) (acts, int) { return tc.act(until, cache, of) })
			})
		}
	}
})
