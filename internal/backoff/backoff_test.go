package backoff

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestPausesGrow: each pause is twice as long as the one before, within the limits.
func TestPausesGrow(t *testing.T) {
	t.Parallel()
	minutes := Limits{time.Second, 5 * time.Minute}
	cases := map[string]struct {
		reason   string
		limits   Limits
		failures int
		want     []time.Duration
	}{
		"Never":  {"what does not fail has no pause", minutes, 0, nil},
		"Usual":  {"from a second to five minutes", minutes, 11, seconds(1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300)},
		"Narrow": {"the longest pause is never exceeded", Limits{2 * time.Second, 3 * time.Second}, 3, seconds(2, 3, 3)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now, b := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC), Backoff{}
			var got []time.Duration
			for range tc.failures {
				b = b.Failed(now, tc.limits)
				got = append(got, b.Until().Sub(now))
				if !b.Failing() || !b.Pauses(now) || !b.Pauses(b.Until().Add(-1)) || b.Pauses(b.Until()) {
					t.Fatal("the pause lasts from the failure until its end, and not longer")
				}
				now = b.Until().Add(time.Hour) // however late the next try is
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: %s", tc.reason, diff)
			}
			if tc.failures == 0 && (b.Failing() || b.Pauses(now)) {
				t.Error(tc.reason)
			}
		})
	}
}

func seconds(counts ...int) []time.Duration {
	var all []time.Duration
	for _, n := range counts {
		all = append(all, time.Duration(n)*time.Second)
	}
	return all
}

// TestNotBefore: what the API asks for makes a pause longer, never shorter, and the next one none the longer.
func TestNotBefore(t *testing.T) {
	t.Parallel()
	now, limits := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC), Limits{time.Second, time.Minute}
	b := Backoff{}.Failed(now, limits).NotBefore(now.Add(time.Hour))
	if !b.Pauses(now.Add(59 * time.Minute)) {
		t.Error("the pause was to be an hour")
	}
	if b = b.NotBefore(now); !b.Pauses(now.Add(59 * time.Minute)) {
		t.Error("the pause has become shorter")
	}
	now = now.Add(time.Hour)
	if got := b.Failed(now, limits).Until().Sub(now); got != 2*time.Second {
		t.Errorf("the next pause is %s, want 2s", got)
	}
}
