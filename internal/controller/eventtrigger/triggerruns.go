package eventtrigger

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
	"github.com/cobalt-operator/cobalt-operator/internal/redact"
)

// What the status holds of runs; see EventTriggerStatus.
const (
	mostOpenRuns    = 10
	usualHistory    = 10
	mostLogs        = 50
	mostLogBytes    = 4 << 10
	longestLog      = 1000
	longestRunNote  = 128
	longestMessage  = 512
	longestStatus   = 64
	statusAccepted  = "Accepted"
	statusTimedOut  = "TimedOut"
	statusUnknown   = "Unknown"
	statusForgotten = "Forgotten"
	statusUnseen    = "Unseen"
)

// lastRun is the run that was started last, or nil.
func lastRun(obj *v1alpha1.EventTrigger) *v1alpha1.TriggerRun {
	if len(obj.Status.History) == 0 {
		return nil
	}
	return &obj.Status.History[0]
}

// shownStatus is a status in Cobalt's words, without secrets. Words that say that an
// execution is over are none, and it is by them that this is known.
func shownStatus(reader *inputs.Reader, status string) string {
	if cobalt.OutcomeOf(status) != cobalt.Open {
		return redact.CutCharacters(status, longestStatus)
	}
	return redact.CutCharacters(reader.Redact(status), longestStatus)
}

// begun takes a run into the status that an intent has led to.
func begun(t *triggerRun, intent *v1alpha1.TriggerIntent, id, status string) *v1alpha1.TriggerRun {
	s := &t.Obj.Status
	run := v1alpha1.TriggerRun{ExecutionID: id, Status: shownStatus(t.Inputs, status), FiredAt: intent.Time, Attempt: intent.Attempt}
	s.History = append([]v1alpha1.TriggerRun{run}, s.History...)
	s.Intent = nil
	if intent.ScheduledTime != nil {
		s.LastScheduleTime = intent.ScheduledTime
	} else {
		s.FiredHash = intent.Hash
	}
	s.Phase, s.ExecutionID, s.ExecutionStatus, s.Attempt = v1alpha1.PhaseRunning, id, run.Status, run.Attempt
	s.FiredAt, s.StartedAt, s.CompletedAt, s.Message, s.Logs = new(intent.Time), nil, nil, "", nil
	forgetRuns(t.Obj) // however this run ends: the API server refuses a status with more than it has room for
	return &s.History[0]
}

// ended is how a run has ended.
type ended struct {
	phase   v1alpha1.TriggerPhase
	status  string
	message string
	at      metav1.Time
	started metav1.Time
	logs    []string
}

// end takes the end of a run into the status, and tells of it.
func end(t *triggerRun, run *v1alpha1.TriggerRun, how ended) {
	s, last := &t.Obj.Status, run == lastRun(t.Obj)
	how.message = t.Inputs.Redact(how.message)
	run.Status, run.CompletedAt = redact.CutCharacters(how.status, longestStatus), new(how.at)
	run.Message = redact.CutCharacters(how.message, longestRunNote)
	run.InputsVersion = ""
	switch how.phase {
	case v1alpha1.PhaseCompleted, v1alpha1.PhaseAccepted:
		s.Succeeded++
	case v1alpha1.PhaseFailed, v1alpha1.PhaseTimedOut:
		s.Failed++
	}
	if last {
		s.Phase, s.ExecutionStatus, s.Message, s.Logs = how.phase, run.Status, redact.CutCharacters(how.message, longestMessage), how.logs
		s.CompletedAt = new(how.at)
		if !how.started.IsZero() {
			s.StartedAt = new(how.started)
		}
	}
	t.Later(func() { metrics.ExecutionsEnded.WithLabelValues(string(how.phase)).Inc() })
	switch {
	case how.phase == v1alpha1.PhaseCompleted:
		t.Event(corev1.EventTypeNormal, "Completed", "Follow", "execution "+run.ExecutionID+" has completed")
	case how.phase != v1alpha1.PhaseAccepted:
		t.Event(corev1.EventTypeWarning, "RunFailed", "Follow", how.message)
	}
}

// phaseOf is how far the run is that was started last.
func phaseOf(obj *v1alpha1.EventTrigger) v1alpha1.TriggerPhase {
	run := lastRun(obj)
	switch {
	case run == nil:
		return ""
	case run.CompletedAt == nil:
		return v1alpha1.PhaseRunning
	}
	switch run.Status {
	case statusAccepted:
		return v1alpha1.PhaseAccepted
	case statusTimedOut:
		return v1alpha1.PhaseTimedOut
	case statusUnknown:
		return v1alpha1.PhaseUnknown
	}
	if cobalt.OutcomeOf(run.Status) == cobalt.Completed {
		return v1alpha1.PhaseCompleted
	}
	return v1alpha1.PhaseFailed
}

// forgetRuns keeps as many ended runs as spec wants, and the last in any case,
// by which it is known that it is over.
func forgetRuns(obj *v1alpha1.EventTrigger) {
	limit, kept, index := int(ptr.Deref(obj.Spec.HistoryLimit, usualHistory)), 0, -1
	obj.Status.History = slices.DeleteFunc(obj.Status.History, func(run v1alpha1.TriggerRun) bool {
		index++
		if run.CompletedAt == nil || index == 0 {
			return false
		}
		kept++
		return kept > limit
	})
}

// retryAt is when a run that failed is started again; zero if it is not, as if nobody
// can tell that it has failed.
func retryAt(obj *v1alpha1.EventTrigger) time.Time {
	run, retry := lastRun(obj), obj.Spec.Retry
	if run == nil || run.CompletedAt == nil || retry == nil || run.Attempt > retry.Limit {
		return time.Time{}
	}
	if run.Status == statusForgotten || run.Status == statusUnseen {
		return time.Time{}
	}
	if phase := phaseOf(obj); phase != v1alpha1.PhaseFailed && phase != v1alpha1.PhaseTimedOut {
		return time.Time{}
	}
	pause := retry.Backoff.Value(30 * time.Second)
	for range run.Attempt - 1 {
		pause = min(2*pause, time.Hour)
	}
	return run.CompletedAt.Add(pause)
}
