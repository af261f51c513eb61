package stories

import (
	"context"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/cobalt-operator/cobalt-operator/internal/lifetime"
)

// lock is a lease that is always given.
type lock struct{ resourcelock.Interface }

func (lock) Identity() string { return "" }

func (lock) Update(context.Context, resourcelock.LeaderElectionRecord) error { return nil }

// changes are how many calls have been made that change something.
func changes(w *world) int {
	sum := 0
	for operation, calls := range w.sim.Calls() {
		if !strings.HasPrefix(operation, "get") && !strings.HasPrefix(operation, "list") {
			sum += calls
		}
	}
	return sum
}

var _ = Describe("An operator whose lease was not renewed lately", func() {
	It("changes nothing in Cobalt and says nothing of it, until the lease is renewed", func() {
		w := newWorld()
		w.stop()
		steady := clocktesting.NewFakeClock(time.Now())
		w.options.Lifetime = lifetime.New(w.ctx, lifetime.Options{Lease: 15 * time.Second, Young: 10 * time.Second, Wall: steady, Steady: steady})
		renew := func() {
			Expect(w.options.Lifetime.Lock(lock{}).Update(w.ctx, resourcelock.LeaderElectionRecord{})).To(Succeed())
		}
		renew()
		w.start()
		w.connected()
		acme := w.account("acme")
		w.create(acme)
		w.ready(acme)

		steady.Step(11 * time.Second)
		trigger, workflow, globex := w.trigger("once", of("acme")), w.publicWorkflow("workflow", of("acme")), w.account("globex")
		made, written := changes(w), w.writes(everyKind...)
		w.create(trigger, workflow, globex)
		Eventually(func() bool { return w.passes(trigger) > 0 && w.passes(workflow) > 0 && w.passes(globex) > 0 }).Should(BeTrue())
		for range 3 {
			Eventually(w.time.Idle).MustPassRepeatedly(5).Should(BeTrue())
			w.time.Advance(time.Second)
		}
		Eventually(w.time.Idle).MustPassRepeatedly(5).Should(BeTrue(), "one that is still at it would put it off from here, beyond the time that passes below")
		Expect(changes(w)).To(Equal(made))
		Expect(w.writes(everyKind...)-written).To(BeNumerically("<=", 3), "a finalizer each, and no intent")

		renew()
		w.time.Advance(time.Second)
		w.ready(globex)
		w.ready(workflow)
		Eventually(func() []string { return executionIDs(w) }).Should(HaveLen(1))
	})
})
