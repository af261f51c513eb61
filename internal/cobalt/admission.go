package cobalt

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

type admissionKey struct{}

// Admit waits for the turn of one call. The next call under the returned context
// goes at once, so that what has to be done right before it is not done in vain.
// Its errors are those of a call that was held back.
func (c *Client) Admit(ctx context.Context) (context.Context, error) {
	if err := c.turn(ctx); err != nil {
		return ctx, fmt.Errorf("admission: %w", err)
	}
	admission := &atomic.Bool{}
	admission.Store(true)
	return context.WithValue(ctx, admissionKey{}, admission), nil
}

// AtOnce has the next call under the returned context go without waiting for its turn: a
// probe must not stand in line with those that wait for what it says. Its error is that of
// a call that was held back, because the API has asked for a pause.
func (c *Client) AtOnce(ctx context.Context) (context.Context, error) {
	if err := c.limiter.Overtake(); err != nil {
		return ctx, fmt.Errorf("admission: %w", err)
	}
	admission := &atomic.Bool{}
	admission.Store(true)
	return context.WithValue(ctx, admissionKey{}, admission), nil
}

// turn waits until the limiter lets a call through, and tells if it does not.
func (c *Client) turn(ctx context.Context) error {
	ctx, end := c.bounds.Reading(ctx)
	defer end()
	err := c.limiter.Wait(ctx)
	if throttled, ok := errors.AsType[*ThrottledError](err); ok && c.heldBack != nil {
		c.heldBack(throttled.After)
	}
	return err
}

// admitted tells whether a call was admitted already, and takes the admission.
func admitted(ctx context.Context) bool {
	admission, ok := ctx.Value(admissionKey{}).(*atomic.Bool)
	return ok && admission.Swap(false)
}
