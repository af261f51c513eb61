package environment

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cobalt-operator/cobalt-operator/internal/breaker"
)

// TestWaitsAreToldCoarsely: an environment says that objects wait once one has for a minute, and its words change only with
// the order of how many and how long, and not when these go up and down around a step.
func TestWaitsAreToldCoarsely(t *testing.T) {
	t.Parallel()
	type state struct {
		many int
		long time.Duration
	}
	cases := map[string]struct {
		reason string
		states []state
		want   []string // the words of each, without what is always there
	}{
		"Nobody":  {"a quiet environment says nothing", []state{{0, 0}}, []string{""}},
		"Moments": {"a burst is no news", []state{{500, 59 * time.Second}}, []string{""}},
		"Steps": {
			"orders of magnitude",
			[]state{{1, time.Minute}, {11, 9 * time.Minute}, {100, 11 * time.Minute}, {101, time.Hour}, {5000, 9 * time.Hour}, {1, 11 * time.Hour}},
			[]string{"10, 10 minutes", "100, 10 minutes", "100, an hour", "1000, an hour", "10000, 10 hours", "10, 100 hours"},
		},
		"Around": {
			"up and down around a step",
			[]state{{99, 9 * time.Minute}, {101, 11 * time.Minute}, {99, 9 * time.Minute}, {51, 6 * time.Minute}, {50, 5 * time.Minute}, {99, time.Minute}},
			[]string{"100, 10 minutes", "1000, an hour", "1000, an hour", "1000, an hour", "100, 10 minutes", "100, 10 minutes"},
		},
		"Fewer": {"well below", []state{{900, time.Hour}, {9, 31 * time.Second}}, []string{"1000, an hour", "10, 10 minutes"}},
		"Over": {
			"it has been said, and goes on until it is well below a minute",
			[]state{{5, time.Minute}, {5, 31 * time.Second}, {5, 29 * time.Second}, {5, 59 * time.Second}},
			[]string{"10, 10 minutes", "10, 10 minutes", "", ""},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var w Waits
			start := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
			var got []string
			for _, s := range tc.states {
				clear(w.since)
				for i := range s.many {
					w.Note(waiterNamed(strconv.Itoa(i)), true, start.Add(-s.long))
				}
				said := w.Say(start)
				said, _, _ = strings.Cut(strings.TrimPrefix(said, "; up to "), " now")
				got = append(got, strings.ReplaceAll(said, " objects wait for their turn to call, for up to", ","))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func waiterNamed(name string) breaker.Waiter {
	request := ctrl.Request{}
	request.Name = name
	return breaker.Waiter{Request: request}
}

// TestWaitsBeginAndEnd: the environment is woken once, when the first object begins to wait, and looks again until all that it said is
// said no more. How long an object has waited counts from its first try.
func TestWaitsBeginAndEnd(t *testing.T) {
	t.Parallel()
	var w Waits
	begun, now := 0, time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	w.OnBegin(func() { begun++ })
	a, b := waiterNamed("a"), waiterNamed("b")
	const interval = time.Hour
	if w.Pause(interval) != interval {
		t.Error("nobody waits, so there is nothing to look at")
	}
	w.Note(a, true, now)
	w.Note(a, true, now.Add(30*time.Second))
	w.Note(b, true, now.Add(40*time.Second))
	if many, long := w.now(now.Add(time.Minute)); many != 2 || long != time.Minute {
		t.Errorf("%d wait for up to %s, want 2 for a minute", many, long)
	}
	if begun != 1 || w.Pause(interval) != WorthAWord {
		t.Errorf("the environment was woken %d times and looks again in %s", begun, w.Pause(interval))
	}
	if w.Say(now.Add(time.Minute)) == "" {
		t.Error("a has waited for a minute")
	}
	w.Note(a, false, now)
	w.Note(b, false, now)
	if w.Pause(interval) != WorthAWord {
		t.Error("what was said is no longer true, so it is looked at again")
	}
	if said := w.Say(now.Add(2 * time.Minute)); said != "" || w.Pause(interval) != interval {
		t.Errorf("nobody waits, and it says %q and looks again in %s", said, w.Pause(interval))
	}
}
