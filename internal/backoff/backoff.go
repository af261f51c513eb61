// Package backoff says how long to wait before something is tried again that fails.
package backoff

import "time"

// Limits are the pauses after the first failure, and after many.
type Limits struct{ Shortest, Longest time.Duration }

// Backoff is the pause of one thing that fails: twice as long after each failure. The
// zero value is that of a thing that does not fail.
type Backoff struct {
	pause time.Duration
	until time.Time
}

// Failed is b after another failure at now.
func (b Backoff) Failed(now time.Time, limits Limits) Backoff {
	pause := min(max(2*b.pause, limits.Shortest), limits.Longest)
	return Backoff{pause, now.Add(pause)}
}

// NotBefore is b with a pause that lasts until at, if it would end before.
func (b Backoff) NotBefore(at time.Time) Backoff {
	if at.After(b.until) {
		b.until = at
	}
	return b
}

// Failing tells whether the last try has failed.
func (b Backoff) Failing() bool { return b.pause > 0 }

// Until is when the pause ends, which may be past.
func (b Backoff) Until() time.Time { return b.until }

// Pauses tells whether now is too early for another try.
func (b Backoff) Pauses(now time.Time) bool { return now.Before(b.until) }
