// Package lifetime says how long what this process does may go on. Once it is told to
// stop, it begins no call any more, and gives up those that only read; what is under way
// and changes something has most of the grace period to end, and its result a little
// longer to be written. With the lease all ends at once: another may be at work.
package lifetime

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

var (
	// ErrStopping is why nothing begins, and why what is under way ends at last, in a
	// process that was told to stop.
	ErrStopping = errors.New("the operator was told to stop")
	// ErrLeaseOld is why nothing that changes something begins for now: the lease was not
	// renewed for a while, as after a pause of this process.
	ErrLeaseOld = errors.New("the lease of the operator was not renewed lately")
	// ErrLeaseLost is why all has ended: the lease may be another's by now.
	ErrLeaseLost = errors.New("the operator has lost its lease")
)

// How long before the end of the grace period all must be over.
const (
	// callMargin is left when calls under way are given up: for noting what came of them,
	// and for giving the lease back.
	callMargin = 5 * time.Second
	// workMargin is left when that has to be over as well.
	workMargin = 2 * time.Second
)

// Options are the settings of a Lifetime.
type Options struct {
	// Grace is the time between being told to stop and being killed.
	Grace time.Duration
	// Lease is how long nobody else takes the lease after it was renewed; 0 without a lease.
	Lease time.Duration
	// Young is how long ago the lease must have been renewed at most when a call begins
	// that changes something.
	Young time.Duration
	// Wall is the time of day, which jumps when a machine was paused; nil: the real one.
	Wall clock.PassiveClock
	// Steady is a clock that nobody sets, but that may stand still while a machine is
	// paused; nil: the real one.
	Steady clock.WithDelayedExecution
}

// Lifetime is that of one process. It is safe for concurrent use.
type Lifetime struct {
	options Options
	// told ends when the process is told to stop, calls when calls under way must have
	// ended, and work when all must have.
	told, calls, work context.Context
	endCalls, endWork context.CancelCauseFunc

	mu      sync.Mutex
	renewed moment
	// expiry ends all when the lease may be another's.
	expiry clock.Timer
}

// New returns the lifetime of a process that is told to stop by the end of told.
func New(told context.Context, options Options) *Lifetime {
	if options.Wall == nil {
		options.Wall = clock.RealClock{}
	}
	if options.Steady == nil {
		options.Steady = clock.RealClock{}
	}
	l := &Lifetime{options: options, told: told}
	l.work, l.endWork = context.WithCancelCause(context.WithoutCancel(told))
	l.calls, l.endCalls = context.WithCancelCause(l.work)
	context.AfterFunc(told, l.runOut)
	return l
}

// runOut has what is under way end with the grace period.
func (l *Lifetime) runOut() {
	l.options.Steady.AfterFunc(max(l.options.Grace-callMargin, 0), func() { l.endCalls(ErrStopping) })
	l.options.Steady.AfterFunc(max(l.options.Grace-workMargin, 0), func() { l.endWork(ErrStopping) })
}

// End ends all at once.
func (l *Lifetime) End(cause error) { l.endWork(cause) }

// Ended is closed when all has ended.
func (l *Lifetime) Ended() <-chan struct{} { return l.work.Done() }

// Lost reports whether all has ended with the lease.
func (l *Lifetime) Lost() bool { return errors.Is(context.Cause(l.work), ErrLeaseLost) }

// Stopping reports whether nothing begins any more.
func (l *Lifetime) Stopping() bool { return l.told.Err() != nil || l.work.Err() != nil }

// Working returns the context of work that is to be finished although the process is told
// to stop. If ctx ends for another cause than that, so does the work.
func (l *Lifetime) Working(ctx context.Context) (context.Context, context.CancelFunc) {
	working, cancel := within(context.WithoutCancel(ctx), l.work)
	release := context.AfterFunc(ctx, func() {
		if l.told.Err() == nil {
			cancel(context.Cause(ctx))
		}
	})
	return working, func() {
		release()
		cancel(nil)
	}
}

// Reading returns the context of what is given up when the process is told to stop.
func (l *Lifetime) Reading(ctx context.Context) (context.Context, context.CancelFunc) {
	reading, cancel := within(ctx, l.told)
	return reading, func() { cancel(nil) }
}

// Changing returns the context of a call that changes something, or why none may begin.
func (l *Lifetime) Changing(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if err := l.MayBegin(); err != nil {
		return nil, nil, err
	}
	changing, cancel := within(ctx, l.calls)
	return changing, func() { cancel(nil) }, nil
}

// MayBegin returns why no call that changes something may begin; nil if one may.
func (l *Lifetime) MayBegin() error {
	if l.told.Err() != nil {
		return ErrStopping
	}
	return l.MaySend()
}

// MaySend returns why nothing that changes something may be sent, although its call has
// begun; nil if it may. It has to be asked right before.
func (l *Lifetime) MaySend() error {
	switch {
	case l.work.Err() != nil:
		return context.Cause(l.work)
	case l.options.Lease > 0 && l.age() > l.options.Young:
		return ErrLeaseOld
	}
	return nil
}

// within returns ctx, which now ends with another as well.
func within(ctx, other context.Context) (context.Context, context.CancelCauseFunc) {
	both, cancel := context.WithCancelCause(ctx)
	release := context.AfterFunc(other, func() { cancel(context.Cause(other)) })
	return both, func(cause error) {
		release()
		cancel(cause)
	}
}
