package cobalt

import (
	"net/http"
	"testing"
	"time"
)

// TestServerClock: when something was begun is told by the API's clock, whatever ours does between two answers.
func TestServerClock(t *testing.T) {
	t.Parallel()
	theirs := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		reason string
		age    string
		later  time.Duration // by our clock
		want   time.Duration // after the Date
	}{
		"Goes":   {"as ours", "", 20 * time.Second, 20 * time.Second},
		"Back":   {"ours was set back: what was there before must not become our own", "", -3 * time.Hour, 0},
		"Cached": {"the answer is as old as the cache says", "50", 10 * time.Second, time.Minute},
		"NoAge":  {"what is no number says nothing", "x", 0, 0},
		"OldAge": {"what is too large adds nothing that overflows", "99999999999", 0, longestAge * time.Second},
	} {
		now := theirs.Add(-time.Hour)
		c := &serverClock{now: func() time.Time { return now }}
		if got := c.time(); !got.Equal(now) {
			t.Errorf("%s: before any answer it is %s, and not ours", name, got)
		}
		c.saw(http.Header{"Date": {theirs.Format(http.TimeFormat)}, "Age": {tc.age}})
		now = now.Add(tc.later)
		if got := c.time().Sub(theirs); got != tc.want {
			t.Errorf("%s: %s: %s after the Date, want %s", name, tc.reason, got, tc.want)
		}
	}
}
