package cobalt

import (
	"context"
	"net/http"
)

// Bounds say which calls a process may make, and for how long.
type Bounds interface {
	// Reading returns the context of a call that only reads, and of waiting for a turn.
	Reading(context.Context) (context.Context, context.CancelFunc)
	// Changing returns the context of a call that changes something, or why none may begin.
	Changing(context.Context) (context.Context, context.CancelFunc, error)
	// MaySend returns why nothing of a call that changes something may be sent now,
	// although it has begun.
	MaySend() error
}

// boundless bounds nothing.
type boundless struct{}

func (boundless) Reading(ctx context.Context) (context.Context, context.CancelFunc) {
	return ctx, func() {}
}

func (boundless) Changing(ctx context.Context) (context.Context, context.CancelFunc, error) {
	return ctx, func() {}, nil
}

func (boundless) MaySend() error { return nil }

// reads reports whether the call changes nothing.
func (q request) reads() bool { return q.method == http.MethodGet }

// bound returns the context of a call that is about to be made, or why it must not be.
func (c *Client) bound(ctx context.Context, q request) (context.Context, context.CancelFunc, error) {
	if q.reads() {
		ctx, end := c.bounds.Reading(ctx)
		return ctx, end, nil
	}
	return c.bounds.Changing(ctx)
}
