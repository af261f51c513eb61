package engine

import (
	"testing"
	"time"
)

// TestTogether: looks come at the same time, hardly earlier than they would.
func TestTogether(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	cases := map[string]struct {
		reason               string
		now, after, interval time.Duration
		want                 time.Duration
	}{
		"Usual":  {"at a whole second", 300 * time.Millisecond, 9*time.Minute + 900*time.Millisecond, 10 * time.Minute, 9*time.Minute + time.Second},
		"Whole":  {"not earlier than it must be", 0, 10 * time.Minute, 10 * time.Minute, 10 * time.Minute},
		"Minute": {"a short interval is kept more exactly", 30 * time.Millisecond, 50*time.Second + 90*time.Millisecond, time.Minute, 50*time.Second + 100*time.Millisecond},
		"Long":   {"and a long one to the second", 0, 23*time.Hour + 1900*time.Millisecond, 24 * time.Hour, 23*time.Hour + time.Second},
		"Soon":   {"what is due at once is not overdue", 500 * time.Millisecond, 100 * time.Millisecond, 10 * time.Minute, 600 * time.Millisecond},
		"Now":    {"nor is an interval too short to share", 5, 7, 100, 12},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := tc.now + Together(start.Add(tc.now), tc.after, tc.interval)
			if got != tc.want {
				t.Errorf("%s: due after %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}
