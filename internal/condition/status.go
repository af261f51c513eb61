package condition

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/redact"
)

// LongestSentence is how many bytes are looked at of a text that is shown, whatever is left of
// it then.
const LongestSentence = 4 << 10

// Status is the part of a status that says what came of a run.
type Status struct {
	Conditions         *[]metav1.Condition
	ObservedGeneration *int64
}

// Settled tells whether the last report, about this generation, left nothing
// for the operator to do by itself.
func (s Status) Settled(generation int64) bool {
	if *s.ObservedGeneration != generation {
		return false
	}
	stalled := meta.FindStatusCondition(*s.Conditions, v1alpha1.ConditionStalled)
	return s.IsReady(generation) || stalled != nil && stalled.Reason != v1alpha1.ReasonProgressDeadlineExceeded
}

// IsReady tells whether the last report, about this generation, was that all is well.
func (s Status) IsReady(generation int64) bool {
	return *s.ObservedGeneration == generation && meta.IsStatusConditionTrue(*s.Conditions, v1alpha1.ConditionReady)
}

// Report writes an outcome about a generation into the conditions.
func (s Status) Report(o Outcome, generation int64, now time.Time, deadline time.Duration) {
	if o.Class == Silent {
		return
	}
	if o.Class == Reconciling && s.overdue(o, generation, now, deadline) {
		o.Class, o.Reason = Stuck, v1alpha1.ReasonProgressDeadlineExceeded
		o.Message = fmt.Sprintf("no progress within %s: %s", deadline, o.Message)
	}
	if !s.waitsLikeBefore(o, generation) {
		meta.RemoveStatusCondition(s.Conditions, v1alpha1.ConditionReconciling)
	}
	*s.ObservedGeneration = generation
	s.set(v1alpha1.ConditionReady, o.Class == Ready, o, generation, now)
	for conditionType, present := range map[string]bool{
		v1alpha1.ConditionReconciling: o.Class == Reconciling,
		v1alpha1.ConditionStalled:     o.Class == Stuck,
	} {
		if present {
			s.set(conditionType, true, o, generation, now)
		} else {
			meta.RemoveStatusCondition(s.Conditions, conditionType)
		}
	}
}

func (s Status) set(conditionType string, isTrue bool, o Outcome, generation int64, now time.Time) {
	status := metav1.ConditionFalse
	if isTrue {
		status = metav1.ConditionTrue
	}
	meta.SetStatusCondition(s.Conditions, metav1.Condition{
		Type: conditionType, Status: status, Reason: o.Reason, Message: redact.Shorten(o.Message, LongestSentence),
		ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(now),
	})
}

// overdue tells whether waiting has gone on for longer than the deadline: since
// the Reconciling condition came up, whose time starts anew with each spec and
// with each change between waiting that counts and waiting that does not.
func (s Status) overdue(o Outcome, generation int64, now time.Time, deadline time.Duration) bool {
	if *s.ObservedGeneration != generation || !countsAsFailing(o.Reason) {
		return false
	}
	stalled := meta.FindStatusCondition(*s.Conditions, v1alpha1.ConditionStalled)
	if stalled != nil && stalled.Reason == v1alpha1.ReasonProgressDeadlineExceeded {
		return true // until Ready or another spec
	}
	since := meta.FindStatusCondition(*s.Conditions, v1alpha1.ConditionReconciling)
	return since != nil && countsAsFailing(since.Reason) && now.Sub(since.LastTransitionTime.Time) >= deadline
}

// Deadline is when waiting will have gone on for too long; zero if it cannot.
func (s Status) Deadline(deadline time.Duration) time.Time {
	since := meta.FindStatusCondition(*s.Conditions, v1alpha1.ConditionReconciling)
	if since == nil || !countsAsFailing(since.Reason) {
		return time.Time{}
	}
	return since.LastTransitionTime.Add(deadline)
}

func (s Status) waitsLikeBefore(o Outcome, generation int64) bool {
	since := meta.FindStatusCondition(*s.Conditions, v1alpha1.ConditionReconciling)
	return since != nil && *s.ObservedGeneration == generation && countsAsFailing(since.Reason) == countsAsFailing(o.Reason)
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
