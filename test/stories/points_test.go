package stories

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// phase is one stretch of an object's life.
type phase struct {
	name string
	do   func(w *world, obj object.Object, change func(object.Object))
	gone bool
}

var phases = []phase{
	{name: "created", do: func(w *world, obj object.Object, _ func(object.Object)) { w.create(obj) }},
	{
		name: "changed",
		do: func(w *world, obj object.Object, change func(object.Object)) {
			w.change(obj, func() { change(obj) })
		},
	},
	{name: "deleted", do: func(w *world, obj object.Object, _ func(object.Object)) { w.remove(obj) }, gone: true},
}

// enumeration labels the stories that go through all cases of something, such as the points at which an operator can die: they
// run one thing after the other, or the same for many objects, or each time again, and so without the race detector.
var enumeration = Label("enumeration")

// pointsEntry is where the report of a story says at how many points operators have died.
const pointsEntry = "points"

// acts are what an operator has done: its writes to the API server, and its calls to
// Cobalt with whether each may have changed something there.
type acts struct {
	writes int
	calls  []bool
}

// points are those at which an operator that does all this can die so that it matters:
// after each of its writes, and at each of its calls before it comes to anything and when
// it has. Before a write is after the one before it, or after a call. A call that only
// reads leaves behind the same in both cases.
func (a acts) points() []death {
	points := a.changes()
	for call := range a.calls {
		points = append(points, death{atCall: call + 1})
	}
	return points
}

// changes are the points at which something has just changed, which a cache can be behind
// of. Before a call that comes to nothing, the same has changed as at the point before.
func (a acts) changes() []death {
	var points []death
	for write := range a.writes {
		points = append(points, death{afterWrite: write + 1})
	}
	for call, changes := range a.calls {
		if changes {
			points = append(points, death{atCall: call + 1, worked: true})
		}
	}
	return points
}

// atEveryPoint runs something once in which nobody dies, and then once for every point at
// which the operator can.
func atEveryPoint(run func(of death) acts) {
	GinkgoHelper()
	before := deaths.Load()
	all := run(death{})
	for _, of := range all.points() {
		By(fmt.Sprintf("dying of %+v, of all that is done: %+v", of, all))
		run(of)
	}
	// A run may need a write less than the one that was counted, and end before it.
	AddReportEntry(pointsEntry, deaths.Load()-before, ReportEntryVisibilityFailureOrVerbose)
}

// atEveryChange runs something once in which nobody dies, and then for every point at which
// something has changed: with a successor that sees what was a write before, and with one
// that sees what was before all of them, where that is not the same.
func atEveryChange(run func(of death, cache staleness) (all acts, versions int)) {
	GinkgoHelper()
	before := deaths.Load()
	all, _ := run(death{}, behind)
	for _, of := range all.changes() {
		By(fmt.Sprintf("dying of %+v, of all that is done: %+v, cache: %s", of, all, behind))
		if _, versions := run(of, behind); versions > 2 {
			By(fmt.Sprintf("dying of %+v, of all that is done: %+v, cache: %s", of, all, longAgo))
			run(of, longAgo)
		}
	}
	AddReportEntry(pointsEntry, deaths.Load()-before, ReportEntryVisibilityFailureOrVerbose)
}

// atEveryWrite runs something once for every write and for every way in which that can
// fail without anybody dying.
func atEveryWrite(run func(of death) acts) {
	GinkgoHelper()
	writes := run(death{}).writes
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

// succeed starts an operator in the place of one that died after an object that was like this had become like that. Its
// cache may be behind for some seconds, in which the operator does what it can. It returns how many versions there were.
func (w *world) succeed(cache staleness, was, is client.Object) int {
	GinkgoHelper()
	w.doom.spare()
	versions := w.doom.versions(was, is)
	if cache == fresh {
		w.start()
		return len(versions)
	}
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
	return len(versions)
}
