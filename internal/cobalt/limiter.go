package cobalt

import (
	"context"
	"math"
	"time"
)

// Limiter paces the calls of all who share an API key. It must be safe for concurrent use.
type Limiter interface {
	// Wait returns nil once the call of ctx may be made. It returns a *ThrottledError if that
	// takes long, or the error of ctx.
	Wait(ctx context.Context) error
	// SitOut waits until a call that was held back may be tried again, unless that takes long,
	// and tells whether it came to the end of that.
	SitOut(ctx context.Context, held *ThrottledError) bool
	// Overtake counts a call that goes before all that wait. It returns a *ThrottledError if
	// the API has asked for a pause.
	Overtake() error
	// Throttled and Pause are told that the API has refused a call as one too many, or wants
	// none for a while, Succeeded that it has done what it was asked for.
	Throttled(retryAfter time.Duration)
	Pause(d time.Duration)
	Succeeded()
	// Rate returns how many calls per second pass now, and how many at most.
	Rate() (now, limit float64)
	// Burst returns how many calls can go in a row.
	Burst() int
}

// unlimited lets everyone pass.
type unlimited struct{}

func (unlimited) Wait(ctx context.Context) error               { return ctx.Err() }
func (unlimited) SitOut(context.Context, *ThrottledError) bool { return false }
func (unlimited) Overtake() error                              { return nil }
func (unlimited) Throttled(time.Duration)                      {}
func (unlimited) Pause(time.Duration)                          {}
func (unlimited) Succeeded()                                   {}
func (unlimited) Rate() (now, limit float64)                   { return 0, 0 }
func (unlimited) Burst() int                                   { return math.MaxInt }
