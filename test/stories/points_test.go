package stories

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"

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
	writes, calls := run(death{})
	var deaths []death
	for point := 1; point <= writes; point++ {
		deaths = append(deaths, death{afterWrite: point})
	}
	for point := 1; point <= calls; point++ {
		deaths = append(deaths, death{atCall: point}, death{atCall: point, worked: true})
	}
	for _, of := range deaths {
		By(fmt.Sprintf("dying of %+v, with %d writes and %d calls in all", of, writes, calls))
		run(of)
	}
	AddReportEntry(pointsEntry, len(deaths), ReportEntryVisibilityFailureOrVerbose)
}
