// Package condition has the errors of steps that know who acts next, tells what any error means, and writes that into the
// conditions of a status.
package condition

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/lifetime"
)

// WaitingError is the error of a step that cannot go on before something else happens.
type WaitingError struct {
	Reason, Message string
	// After is when to come back; zero leaves it to whoever is waited for.
	After time.Duration
	// Soon tells that nobody will say when it can: it is tried again with growing pauses.
	Soon bool
}

func (w *WaitingError) Error() string { return w.Message }

// StalledError is the error of a step that cannot go on before a person acts.
type StalledError struct{ Reason, Message string }

func (s *StalledError) Error() string { return s.Message }

// ErrWait is the error of a step that cannot go on for a moment.
var ErrWait = errors.New("not yet")

// ErrStale is the error of a step after which all is to be looked at anew, as it
// has seen what changes the steps before it.
var ErrStale = errors.New("again")

// LaterError is the error of a step that cannot go on before it is woken, or so much later at the
// latest.
type LaterError struct{ After time.Duration }

func (l *LaterError) Error() string { return "not yet" }

// ErrNotOurs is the error of a deletion that leaves what there is, as others have made it.
var ErrNotOurs = errors.New("made by others")

// WaitingFor returns the error of a step that waits for somebody else, who tells when it can go on.
func WaitingFor(reason, format string, args ...any) error {
	return &WaitingError{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// StalledBy returns the error of a step that waits for the user.
func StalledBy(reason, format string, args ...any) error {
	return &StalledError{reason, fmt.Sprintf(format, args...)}
}

// First returns the first of two errors that there is.
func First(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// HeldBack tells whether a call was not made for now, which is no failure.
func HeldBack(err error) bool {
	_, throttled := errors.AsType[*cobalt.ThrottledError](err)
	return throttled || GivenUp(err) || errors.Is(err, lifetime.ErrLeaseOld) || errors.Is(err, ErrStale)
}

// GivenUp tells whether err is of a call that was given up, or not made, as the operator ends.
func GivenUp(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, lifetime.ErrStopping) || errors.Is(err, lifetime.ErrLeaseLost)
}
