package condition

import (
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/lifetime"
)

// leasePause is the time after which the lease may have been renewed that was old.
const leasePause = time.Second

// Class is who acts next.
type Class int

// The classes.
const (
	Ready       Class = iota // nobody
	Reconciling              // the operator, somebody else, or time
	Stuck                    // the user
	Silent                   // the operator, so soon that it is not worth a word
)

// Outcome is what one run came to, in the words of the status and of the queue.
type Outcome struct {
	Class           Class
	Reason, Message string
	// After is when to come back at the earliest; zero leaves it to the sync interval.
	After time.Duration
	// Again is to come back as soon as the cache may have caught up.
	Again bool
	// Conflict is the same with growing pauses: somebody else goes on writing.
	Conflict bool
	// InLine tells that a call waits for its turn at the limiter.
	InLine bool
	// Err is for the queue alone: it asks for growing pauses, the first not before After.
	Err error
}

// Fails tells whether it was Cobalt or Kubernetes that put the run to an end, so that
// the next try comes after a growing pause.
func (o Outcome) Fails() bool {
	return o.Err != nil || o.Reason == v1alpha1.ReasonThrottled
}

// GoesOn tells whether Cobalt does what was asked of it: all is well, or time has to pass.
func (o Outcome) GoesOn() bool {
	return o.Class == Ready || o.Class == Reconciling && (o.Reason == v1alpha1.ReasonExecutionRunning || o.Reason == v1alpha1.ReasonRetrying)
}

// EventType is that of the event about an outcome, which the Ready condition gives as
// reason: Normal while something is waited for that may be there in a moment, Warning
// about what fails, needs somebody, or was waited for too long.
func (o Outcome) EventType(reason string) string {
	_, waits := errors.AsType[*WaitingError](o.Err)
	if o.Class == Reconciling && (o.Err == nil || waits) && reason == o.Reason {
		return corev1.EventTypeNormal
	}
	return corev1.EventTypeWarning
}

// Classify gives the error of a run its meaning. It is the only place that does.
func Classify(err error) Outcome {
	var (
		wait      *WaitingError
		stop      *StalledError
		later     *LaterError
		throttled *cobalt.ThrottledError
	)
	switch {
	case err == nil:
		return Outcome{Class: Ready, Reason: v1alpha1.ReasonSynced, Message: "Cobalt is as spec says"}
	case errors.As(err, &wait):
		o := Outcome{Class: Reconciling, Reason: wait.Reason, Message: wait.Message, After: wait.After}
		if wait.Soon {
			o.Err = err
		}
		return o
	case errors.As(err, &stop):
		return Outcome{Class: Stuck, Reason: stop.Reason, Message: stop.Message}
	case errors.Is(err, ErrWait), GivenUp(err):
		return Outcome{Class: Silent}
	case errors.As(err, &later):
		return Outcome{Class: Silent, After: later.After}
	case errors.Is(err, lifetime.ErrLeaseOld): // it is renewed, or lost, in a moment
		return Outcome{Class: Silent, After: leasePause}
	case errors.Is(err, ErrStale):
		return Outcome{Class: Silent, Again: true}
	case errors.As(err, &throttled):
		return Outcome{Class: Silent, After: throttled.After, InLine: true}
	case apierrors.IsConflict(err), apierrors.IsNotFound(err): // another version is there, or none
		return Outcome{Class: Silent, Conflict: true}
	case cobalt.IsThrottled(err):
		return Outcome{
			Class: Reconciling, Reason: v1alpha1.ReasonThrottled, After: max(cobalt.RetryAfter(err), time.Second),
			Message: "Cobalt asked to slow down: " + err.Error(),
		}
	case cobalt.IsUnauthorized(err):
		return Outcome{
			Class: Reconciling, Reason: v1alpha1.ReasonFailed,
			Message: "Cobalt refused the API key for this call: unless the environment's status says that the key is refused, " +
				"ask Cobalt what the key may not do: " + err.Error(),
			Err: err,
		}
	case cobalt.IsInvalidID(err):
		return Outcome{Class: Stuck, Reason: v1alpha1.ReasonRejected, Message: err.Error()}
	case cobalt.IsUnknownApplication(err):
		return Outcome{
			Class: Stuck, Reason: v1alpha1.ReasonApplicationNotFound,
			Message: "Cobalt does not offer the application: enable it there, or use another: " + err.Error(),
		}
	case cobalt.IsHeaderLost(err):
		return Outcome{
			Class: Stuck, Reason: v1alpha1.ReasonRejected,
			Message: "Cobalt did not get the header linked_account_id, which was sent: have the proxy that drops headers with " +
				"underscores pass them on (nginx: underscores_in_headers on): " + err.Error(),
		}
	case cobalt.IsRejected(err):
		return Outcome{Class: Stuck, Reason: v1alpha1.ReasonRejected, Message: "Cobalt refused: " + err.Error()}
	default:
		return Outcome{Class: Reconciling, Reason: v1alpha1.ReasonFailed, Message: err.Error(), Err: err, After: cobalt.RetryAfter(err)}
	}
}
