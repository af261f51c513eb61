package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/gate"
	"github.com/cobalt-operator/cobalt-operator/internal/lifetime"
	"github.com/cobalt-operator/cobalt-operator/internal/redact"
)

// waiting is the error of a step that cannot go on before something else happens.
type waiting struct {
	reason, message string
	// after is when to come back; zero leaves it to whoever is waited for.
	after time.Duration
	// soon tells that nobody will say when it can: it is tried again with growing pauses.
	soon bool
}

func (w *waiting) Error() string { return w.message }

// longestSentence is how many bytes are looked at of a text that is shown, whatever is left of
// it then.
const longestSentence = 4 << 10

// stalled is the error of a step that cannot go on before a person acts.
type stalled struct{ reason, message string }

func (s *stalled) Error() string { return s.message }

// errWait is the error of a step that cannot go on for a moment.
var errWait = errors.New("not yet")

// errStale is the error of a step after which all is to be looked at anew, as it
// has seen what changes the steps before it.
var errStale = errors.New("again")

// errBusy is the error of a step for which no worker is left.
var errBusy = errors.New("no worker is left")

// errNotOurs is the error of a deletion that leaves what there is, as others have made it.
var errNotOurs = errors.New("made by others")

func waitingFor(reason, format string, args ...any) error {
	return &waiting{reason: reason, message: fmt.Sprintf(format, args...)}
}

func stalledBy(reason, format string, args ...any) error {
	return &stalled{reason, fmt.Sprintf(format, args...)}
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// leasePause is the time after which the lease may have been renewed that was old.
const leasePause = time.Second

// class is who acts next.
type class int

const (
	ready       class = iota // nobody
	reconciling              // the operator, somebody else, or time
	stuck                    // the user
	silent                   // the operator, so soon that it is not worth a word
)

// outcome is what one run came to, in the words of the status and of the queue.
type outcome struct {
	class           class
	reason, message string
	// after is when to come back at the earliest; zero leaves it to the sync interval.
	after time.Duration
	// again is to come back as soon as the cache may have caught up.
	again bool
	// conflict is the same with growing pauses: somebody else goes on writing.
	conflict bool
	// inLine tells that a call waits for its turn at the limiter.
	inLine bool
	// err is for the queue alone: it asks for growing pauses, the first not before after.
	err error
}

// fails tells whether it was Cobalt or Kubernetes that put the run to an end, so that
// the next try comes after a growing pause.
func (o outcome) fails() bool {
	return o.err != nil || o.reason == v1alpha1.ReasonThrottled
}

// goesOn tells whether Cobalt does what was asked of it: all is well, or time has to pass.
func (o outcome) goesOn() bool {
	return o.class == ready || o.class == reconciling && (o.reason == v1alpha1.ReasonExecutionRunning || o.reason == v1alpha1.ReasonRetrying)
}

// eventType is that of the event about an outcome, which the Ready condition gives as
// reason: Normal while something is waited for that may be there in a moment, Warning
// about what fails, needs somebody, or was waited for too long.
func (o outcome) eventType(reason string) string {
	_, waits := errors.AsType[*waiting](o.err)
	if o.class == reconciling && (o.err == nil || waits) && reason == o.reason {
		return corev1.EventTypeNormal
	}
	return corev1.EventTypeWarning
}

// classify gives the error of a run its meaning. It is the only place that does.
func classify(err error) outcome {
	var (
		wait      *waiting
		stop      *stalled
		throttled *cobalt.ThrottledError
	)
	switch {
	case err == nil:
		return outcome{class: ready, reason: v1alpha1.ReasonSynced, message: "Cobalt is as spec says"}
	case errors.As(err, &wait):
		o := outcome{class: reconciling, reason: wait.reason, message: wait.message, after: wait.after}
		if wait.soon {
			o.err = err
		}
		return o
	case errors.As(err, &stop):
		return outcome{class: stuck, reason: stop.reason, message: stop.message}
	case errors.Is(err, errWait), givenUp(err):
		return outcome{class: silent}
	case errors.Is(err, errBusy):
		return outcome{class: silent, after: gate.WorkerPause}
	case errors.Is(err, lifetime.ErrLeaseOld): // it is renewed, or lost, in a moment
		return outcome{class: silent, after: leasePause}
	case errors.Is(err, errStale):
		return outcome{class: silent, again: true}
	case errors.As(err, &throttled):
		return outcome{class: silent, after: throttled.After, inLine: true}
	case apierrors.IsConflict(err), apierrors.IsNotFound(err): // another version is there, or none
		return outcome{class: silent, conflict: true}
	case cobalt.IsThrottled(err):
		return outcome{
			class: reconciling, reason: v1alpha1.ReasonThrottled, after: max(cobalt.RetryAfter(err), time.Second),
			message: "Cobalt asked to slow down: " + err.Error(),
		}
	case cobalt.IsUnauthorized(err):
		return outcome{
			class: reconciling, reason: v1alpha1.ReasonFailed,
			message: "Cobalt refused the API key for this call: unless the environment's status says that the key is refused, " +
				"ask Cobalt what the key may not do: " + err.Error(),
			err: err,
		}
	case cobalt.IsInvalidID(err):
		return outcome{class: stuck, reason: v1alpha1.ReasonRejected, message: err.Error()}
	case cobalt.IsUnknownApplication(err):
		return outcome{
			class: stuck, reason: v1alpha1.ReasonApplicationNotFound,
			message: "Cobalt does not offer the application: enable it there, or use another: " + err.Error(),
		}
	case cobalt.IsHeaderLost(err):
		return outcome{
			class: stuck, reason: v1alpha1.ReasonRejected,
			message: "Cobalt did not get the header linked_account_id, which was sent: have the proxy that drops headers with " +
				"underscores pass them on (nginx: underscores_in_headers on): " + err.Error(),
		}
	case cobalt.IsRejected(err):
		return outcome{class: stuck, reason: v1alpha1.ReasonRejected, message: "Cobalt refused: " + err.Error()}
	default:
		return outcome{class: reconciling, reason: v1alpha1.ReasonFailed, message: err.Error(), err: err, after: cobalt.RetryAfter(err)}
	}
}

// heldBack tells whether a call was not made for now, which is no failure.
func heldBack(err error) bool {
	_, throttled := errors.AsType[*cobalt.ThrottledError](err)
	return throttled || givenUp(err) || errors.Is(err, lifetime.ErrLeaseOld) || errors.Is(err, errStale)
}

// givenUp tells whether err is of a call that was given up, or not made, as the operator ends.
func givenUp(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, lifetime.ErrStopping) || errors.Is(err, lifetime.ErrLeaseLost)
}

// conditions is the part of a status that says what came of a run.
type conditions struct {
	list     *[]metav1.Condition
	observed *int64
}

// settled tells whether the last report, about this generation, left nothing
// for the operator to do by itself.
func (c conditions) settled(generation int64) bool {
	if *c.observed != generation {
		return false
	}
	stalled := meta.FindStatusCondition(*c.list, v1alpha1.ConditionStalled)
	return c.ready(generation) || stalled != nil && stalled.Reason != v1alpha1.ReasonProgressDeadlineExceeded
}

func (c conditions) ready(generation int64) bool {
	return *c.observed == generation && meta.IsStatusConditionTrue(*c.list, v1alpha1.ConditionReady)
}

// report writes an outcome about a generation into the conditions.
func (c conditions) report(o outcome, generation int64, now time.Time, deadline time.Duration) {
	if o.class == silent {
		return
	}
	if o.class == reconciling && c.overdue(o, generation, now, deadline) {
		o.class, o.reason = stuck, v1alpha1.ReasonProgressDeadlineExceeded
		o.message = fmt.Sprintf("no progress within %s: %s", deadline, o.message)
	}
	if !c.waitsLikeBefore(o, generation) {
		meta.RemoveStatusCondition(c.list, v1alpha1.ConditionReconciling)
	}
	*c.observed = generation
	c.set(v1alpha1.ConditionReady, o.class == ready, o, generation, now)
	for conditionType, present := range map[string]bool{
		v1alpha1.ConditionReconciling: o.class == reconciling,
		v1alpha1.ConditionStalled:     o.class == stuck,
	} {
		if present {
			c.set(conditionType, true, o, generation, now)
		} else {
			meta.RemoveStatusCondition(c.list, conditionType)
		}
	}
}

func (c conditions) set(conditionType string, isTrue bool, o outcome, generation int64, now time.Time) {
	status := metav1.ConditionFalse
	if isTrue {
		status = metav1.ConditionTrue
	}
	meta.SetStatusCondition(c.list, metav1.Condition{
		Type: conditionType, Status: status, Reason: o.reason, Message: redact.Shorten(o.message, longestSentence),
		ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(now),
	})
}

// overdue tells whether waiting has gone on for longer than the deadline: since
// the Reconciling condition came up, whose time starts anew with each spec and
// with each change between waiting that counts and waiting that does not.
func (c conditions) overdue(o outcome, generation int64, now time.Time, deadline time.Duration) bool {
	if *c.observed != generation || !countsAsFailing(o.reason) {
		return false
	}
	stalled := meta.FindStatusCondition(*c.list, v1alpha1.ConditionStalled)
	if stalled != nil && stalled.Reason == v1alpha1.ReasonProgressDeadlineExceeded {
		return true // until Ready or another spec
	}
	since := meta.FindStatusCondition(*c.list, v1alpha1.ConditionReconciling)
	return since != nil && countsAsFailing(since.Reason) && now.Sub(since.LastTransitionTime.Time) >= deadline
}

// deadline is when waiting will have gone on for too long; zero if it cannot.
func (c conditions) deadline(deadline time.Duration) time.Time {
	since := meta.FindStatusCondition(*c.list, v1alpha1.ConditionReconciling)
	if since == nil || !countsAsFailing(since.Reason) {
		return time.Time{}
	}
	return since.LastTransitionTime.Add(deadline)
}

func (c conditions) waitsLikeBefore(o outcome, generation int64) bool {
	since := meta.FindStatusCondition(*c.list, v1alpha1.ConditionReconciling)
	return since != nil && *c.observed == generation && countsAsFailing(since.Reason) == countsAsFailing(o.reason)
}

// countsAsFailing tells whether waiting for this reason may exceed the deadline.
func countsAsFailing(reason string) bool {
	switch reason {
	case v1alpha1.ReasonThrottled, v1alpha1.ReasonDeletionPending, v1alpha1.ReasonDependentsExist,
		v1alpha1.ReasonExecutionRunning, v1alpha1.ReasonRetrying:
		return false
	}
	return true
}
