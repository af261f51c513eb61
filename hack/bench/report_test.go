package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

func TestTableSaysWhatIsReached(t *testing.T) {
	t.Parallel()
	r := &report{progress: io.Discard}
	p := r.part("some")
	p.add("calls", 1.005, "", atMost(1.01))
	p.add("share", 0.5, "", atLeast(0.95))
	p.add("time", 17, "s", nil)
	var out strings.Builder
	r.print(&out)
	want := []string{
		"PART FIGURE MEASURED TARGET REACHED", "some calls 1.005 ≤ 1.010 yes", "some share 0.500 ≥ 0.950 no", "some time 17 s",
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the table (-want +got):\n%s", diff)
	}
}

// TestUsed: the burst is free, and what was refused is no use.
func TestUsed(t *testing.T) {
	t.Parallel()
	start := time.Now()
	calls := []simulator.Call{{Time: start, Status: 200}}
	for i := range 23 {
		calls = append(calls, simulator.Call{Time: start.Add(time.Duration(i) * 10 * time.Millisecond), Status: 200})
	}
	calls = append(calls, simulator.Call{Time: start.Add(time.Second), Status: 429}, simulator.Call{Time: start.Add(time.Second), Status: 200})
	if got := used(calls); got != 1 {
		t.Errorf("20 of 20 calls a second and a burst of 5 are all of it, not %v", got)
	}
}
