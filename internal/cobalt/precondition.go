package cobalt

import "context"

type preconditionKey struct{}

// WithPrecondition has check asked before each call under the returned context
// that changes something. If it fails, the call is not made, and fails with the
// same error. Calls that only read are made without it.
func WithPrecondition(ctx context.Context, check func(context.Context) error) context.Context {
	return context.WithValue(ctx, preconditionKey{}, check)
}

// mayBeMade asks whether a call may be made.
func mayBeMade(ctx context.Context, q request) error {
	check, ok := ctx.Value(preconditionKey{}).(func(context.Context) error)
	if !ok || q.reads() {
		return nil
	}
	return check(ctx)
}
