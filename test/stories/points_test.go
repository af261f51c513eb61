package stories

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/controller"
)

// phase is one stretch of an object's life.
type phase struct {
	name string
	do   func(w *world, obj controller.Object, change func(controller.Object))
	gone bool
}

var phases = []phase{
	{name: "created", do: func(w *world, obj controller.Object, _ func(controller.Object)) { w.create(obj) }},
	{
		name: "changed",
		do: func(w *world, obj controller.Object, change func(controller.Object)) {
			w.change(obj, func() { change(obj) })
		},
	},
	{name: "deleted", do: func(w *world, obj controller.Object, _ func(controller.Object)) { w.remove(obj) }, gone: true},
}

// pointsEntry is where the report of a story says at how many points operators have died.
const pointsEntry = "points"

// atEveryPoint runs something once in which nobody dies, and then once for every
// point at which the operator can: after each of its writes, and at each of its calls
// before it comes to anything and when it has. Before a write is after the one before
// it, or after a call.
func atEveryPoint(run func(of death) (writes, calls int)) {
	GinkgoHelper()
	before := deaths.Load()
	writes, calls := run(death{})
	var points []death
	for point := 1; point <= writes; point++ {
		points = append(points, death{afterWrite: point})
	}
	for point := 1; point <= calls; point++ {
		points = append(points, death{atCall: point}, death{atCall: point, worked: true})
	}
	for _, of := range points {
		By(fmt.Sprintf("dying of %+v, with %d writes and %d calls in all", of, writes, calls))
		run(of)
	}
	// A run may need a write less than the one that was counted, and end before it.
	AddReportEntry(pointsEntry, deaths.Load()-before, ReportEntryVisibilityFailureOrVerbose)
}

// atEveryWrite runs something once for every write and for every way in which that can
// fail without anybody dying.
func atEveryWrite(run func(of death) (writes, calls int)) {
	GinkgoHelper()
	writes, _ := run(death{})
	for write := 1; write <= writes; write++ {
		for _, of := range []death{{refused: write}, {unanswered: write}} {
			By(fmt.Sprintf("living with %+v, with %d writes in all", of, writes))
			run(of)
		}
	}
}

func copyOf(obj client.Object) client.Object { return obj.DeepCopyObject().(client.Object) }

// staleness is how far behind the cache of an operator is that starts.
type staleness string

const (
	fresh     staleness = "fresh"
	behind    staleness = "a write behind"
	longAgo   staleness = "as it was before"
	staleTime           = 5 // seconds
)

var stalenesses = []staleness{fresh, behind, longAgo}

// succeed starts an operator in the place of one that died after an object that was like this had become like that. Its
// cache may be behind for some seconds, in which the operator does what it can.
func (w *world) succeed(cache staleness, was, is client.Object) {
	GinkgoHelper()
	w.doom.spare()
	if cache == fresh {
		w.start()
		return
	}
	versions := w.doom.versions(was, is)
	stale := copyOf(versions[0])
	if cache == behind {
		stale = copyOf(versions[max(len(versions)-2, 0)])
	}
	kind, err := w.GroupVersionKindFor(stale)
	Expect(err).NotTo(HaveOccurred())
	stale.GetObjectKind().SetGroupVersionKind(kind)
	truth := copyOf(stale)
	err = w.Get(w.ctx, client.ObjectKeyFromObject(stale), truth)
	past := err == nil && truth.GetDeletionTimestamp().IsZero() && truth.GetResourceVersion() != stale.GetResourceVersion()
	w.lag.Behind(stale)
	w.options.Spread = func(time.Duration) time.Duration { return 0 } // it looks at all of them meanwhile
	w.start()
	Eventually(func() int { return w.passes(stale) }).ShouldNot(BeZero())
	for range staleTime {
		Eventually(w.time.Idle).MustPassRepeatedly(5).Should(BeTrue())
		w.time.Advance(time.Second)
	}
	if past {
		Expect(w.doom.versions(was, is)).To(HaveLen(len(versions)), "nothing is written about what was")
	}
	w.lag.CatchUp()
}
