// Package ratelimit shares out the calls that an API key may make: who goes, when, and in whose turn.
package ratelimit

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

const (
	maxSleep       = 100 * time.Millisecond // of a caller inside Wait
	rounding       = time.Microsecond       // added to estimates, lest a token be short of whole
	maxEstimate    = 30 * time.Second       // so that nobody sleeps through a raised rate
	ticketLife     = 10 * time.Second       // of a ticket past its time
	defaultPause   = time.Second            // after a 429 without Retry-After
	recovery       = time.Minute            // from nothing to the full rate
	recoveryStep   = 10 * time.Second       // that one success can account for
	lowestFraction = 32                     // of the limit, however often it is halved
)

// Clock tells the time. k8s.io/utils/clock has one for tests.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

type realClock struct{}

func (realClock) Now() time.Time                         { return time.Now() }
func (realClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Limiter shares out the calls that an API key may make. It never makes a
// caller sleep for long: who cannot go within 100 ms gets a ticket and is told
// when to come back. A token bucket alone decides how many may go; the tickets
// decide who.
//
// It slows down by half when the API throttles, and recovers with success. It is safe for
// concurrent use.
type Limiter struct {
	clock Clock

	mu      sync.Mutex
	limit   float64 // calls per second, as configured
	rate    float64 // calls per second, as the API bears at present
	burst   int
	bucket  *rate.Limiter
	touched time.Time // when the bucket last changed hands
	stopped time.Time // nobody goes before
	grown   time.Time // when success last raised the rate
	queue   queue
}

// New returns a limiter for requestsPerSecond calls, of which burst may
// come at once. A caller can count on burst calls in a row once it is its turn,
// so burst should be what one pass of work needs. A nil clock is the real one.
func New(requestsPerSecond float64, burst int, clock Clock) *Limiter {
	if clock == nil {
		clock = realClock{}
	}
	limit, burst := atLeast(requestsPerSecond, burst)
	return &Limiter{
		clock: clock, limit: limit, rate: limit, burst: burst,
		bucket: rate.NewLimiter(rate.Limit(limit), burst),
		queue:  queue{tickets: map[place]*ticket{}, next: map[crowd]int{}},
	}
}

func atLeast(requestsPerSecond float64, burst int) (float64, int) {
	return max(requestsPerSecond, 0.01), max(burst, 1)
}

// SetLimit changes the configured rate and burst. A rate that is lowered at
// present stays lowered in proportion.
func (l *Limiter) SetLimit(requestsPerSecond float64, burst int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit, burst := atLeast(requestsPerSecond, burst)
	if limit == l.limit && burst == l.burst {
		return
	}
	now := l.clock.Now()
	l.bucket.SetBurstAt(l.opening(now), burst)
	l.setRate(now, l.rate/l.limit*limit)
	l.limit, l.burst = limit, burst
}

// Rate returns how many calls per second pass now, and how many at most.
func (l *Limiter) Rate() (now, limit float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rate, l.limit
}

// Burst returns how many calls can go in a row.
func (l *Limiter) Burst() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.burst
}

// Throttled halves the rate and lets nobody pass for retryAfter, or for a
// second if that is 0. Calls that were under way together count once.
func (l *Limiter) Throttled(retryAfter time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := l.clock.Now(); !now.Before(l.stopped) {
		l.setRate(now, max(l.rate/2, l.limit/lowestFraction))
	}
	if retryAfter <= 0 {
		retryAfter = defaultPause
	}
	l.pause(retryAfter)
}

// Pause lets nobody pass for d.
func (l *Limiter) Pause(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pause(d)
}

func (l *Limiter) pause(d time.Duration) {
	until := l.clock.Now().Add(min(d, cobalt.MaxRetryAfter))
	if !until.After(l.stopped) {
		return
	}
	// Empty the bucket down to one call, so that the end of the pause is no burst.
	spare := int(l.bucket.TokensAt(until)) - 1
	l.bucket.AllowN(until, max(spare, 0))
	l.stopped, l.touched, l.grown = until, until, until
}

// Succeeded raises a lowered rate by the time that has passed in success.
func (l *Limiter) Succeeded() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	step := min(now.Sub(l.grown), recoveryStep)
	if l.rate >= l.limit || step <= 0 {
		return
	}
	l.grown = now
	l.setRate(now, min(l.rate+l.limit*step.Seconds()/recovery.Seconds(), l.limit))
}

func (l *Limiter) setRate(now time.Time, callsPerSecond float64) {
	l.rate = callsPerSecond
	l.bucket.SetLimitAt(l.opening(now), rate.Limit(callsPerSecond))
}

// opening is now, or the end of the pause. The bucket must never be asked to
// change at a time before it.
func (l *Limiter) opening(now time.Time) time.Time {
	if now.Before(l.stopped) {
		return l.stopped
	}
	return now
}

// Wait returns nil once the caller named by WithCaller may make a call. It
// returns a *ThrottledError if that takes more than 100 ms, or the error of ctx.
func (l *Limiter) Wait(ctx context.Context) error {
	c := callerOf(ctx)
	for patience := maxSleep + rounding; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		after, held := l.turn(c, patience)
		switch {
		case held != nil:
			return held
		case after == 0:
			return nil
		}
		patience -= after
		select {
		case <-ctx.Done():
		case <-l.clock.After(after):
		}
	}
}

// SitOut waits until a call that was held back may be tried again, and tells whether it came to
// the end of that. It does not wait for longer than turns take at most.
func (l *Limiter) SitOut(ctx context.Context, held *cobalt.ThrottledError) bool {
	if held.After > maxEstimate {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case <-l.clock.After(held.After):
		return true
	}
}

// Overtake lets a caller go before all that wait, unless the API has asked for a pause.
// The call counts, but is not held back if nothing is left of the rate.
func (l *Limiter) Overtake() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	if now.Before(l.stopped) {
		return &cobalt.ThrottledError{After: l.stopped.Sub(now), Reason: cobalt.RetryAfterHeader}
	}
	l.bucket.AllowN(now, 1)
	l.touched = now
	return nil
}

// turn lets the caller go (0), wait (how long), or come back later.
func (l *Limiter) turn(c *caller, patience time.Duration) (time.Duration, *cobalt.ThrottledError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	t := l.queue.ticket(c, now)
	due, all := l.queue.ahead(t, now)
	if l.mayGo(t, due, now) {
		l.bucket.AllowN(now, 1)
		l.touched = now
		l.queue.redeem(t, c)
		return 0, nil
	}
	after := l.estimate(t, all, now)
	if after <= patience {
		t.comeAt(now.Add(after))
		return after, nil
	}
	// Whoever is sent away in the middle of a pass starts it again: next time,
	// its earlier calls and this one must find their tokens together.
	t.wants(min(max(t.need, c.calls+1), l.burst))
	pause, reason := l.opening(now).Sub(now), "rate limit"
	if pause > 0 {
		reason = cobalt.RetryAfterHeader
	}
	after = l.estimate(t, all, now) - pause
	if after > maxEstimate { // somewhere in its second half, so that they do not come in a crowd
		after = maxEstimate/2 + after%(maxEstimate/2)
	}
	t.comeAt(now.Add(pause + after))
	return 0, &cobalt.ThrottledError{After: pause + after, Reason: reason}
}

// mayGo reports whether there are tokens for t beside those that are kept for
// tickets ahead whose time has come. To those who do not turn up, a full bucket
// gives no more.
func (l *Limiter) mayGo(t *ticket, due demand, now time.Time) bool {
	if now.Before(l.stopped) {
		return false
	}
	kept := min(l.queue.before(t, due), max(l.burst-t.need, 1))
	if l.bucket.TokensAt(now) >= float64(t.need+kept) {
		return true
	}
	lately := now.Add(-maxSleep)
	return !lately.Before(l.touched) && l.bucket.TokensAt(lately) >= float64(l.burst)
}

// estimate returns how long it takes until all tickets ahead and t have had
// their tokens.
func (l *Limiter) estimate(t *ticket, all demand, now time.Time) time.Duration {
	start := l.opening(now)
	missing := float64(t.need+l.queue.before(t, all)) - l.bucket.TokensAt(start)
	seconds := math.Min(max(missing, 0)/l.rate, cobalt.MaxRetryAfter.Seconds()) // bounds what overflows
	return start.Sub(now) + time.Duration(seconds*float64(time.Second)) + rounding
}
