package main

import (
	"io"
	"os"
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

func TestHeadlinesReplaceThoseOfTheReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	r := &report{progress: io.Discard, Machine: machine{CPU: "a CPU", Cores: 2, MemoryGB: 24, Go: "go1", Date: "a day"}}
	p := r.part("some")
	p.headline("calls", 1.005, "", atMost(1.01))
	p.add("time", 17, "s", nil)
	once, err := r.withHeadlines(string(readme))
	if err != nil {
		t.Fatal(err)
	}
	want := "\nOn a CPU, 2 cores, 24 GB, go1, a day:\n\n| part | figure | measured | target | reached |\n|---|---|---|---|---|\n" +
		"| some | calls | 1.005 | ≤ 1.010 | yes |\n\n"
	_, rest, _ := strings.Cut(once, headlinesBegin)
	got, after, _ := strings.Cut(rest, headlinesEnd)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the headlines (-want +got):\n%s", diff)
	}
	if !strings.HasSuffix(string(readme), after) {
		t.Error("what follows the headlines is not what followed them")
	}
	again, err := r.withHeadlines(once)
	if err != nil || again != once {
		t.Errorf("headlines are not put in the place of headlines (%v)", err)
	}
	if _, err := r.withHeadlines("no place"); err == nil {
		t.Error("a README without a place for them is taken")
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
