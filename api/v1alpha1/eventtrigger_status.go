package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// TriggerPhase is how far a run is, or how it ended.
// +kubebuilder:validation:Enum=Firing;Running;Retrying;Accepted;Completed;Failed;TimedOut;Unknown
type TriggerPhase string

// The phases. Until something was started there is none.
const (
	// PhaseFiring: the call is being made; whether it works is not known yet.
	PhaseFiring TriggerPhase = "Firing"
	// PhaseRunning: the execution has not ended.
	PhaseRunning TriggerPhase = "Running"
	// PhaseRetrying: it failed, and is started again after a pause.
	PhaseRetrying TriggerPhase = "Retrying"
	// PhaseAccepted: Cobalt took the call and named no execution to follow.
	PhaseAccepted TriggerPhase = "Accepted"
	// PhaseCompleted: the execution ended well.
	PhaseCompleted TriggerPhase = "Completed"
	// PhaseFailed: the call was refused, or the execution ended otherwise than well.
	PhaseFailed TriggerPhase = "Failed"
	// PhaseTimedOut: the execution took longer than executionTimeout.
	PhaseTimedOut TriggerPhase = "TimedOut"
	// PhaseUnknown: the call got no answer, so that nobody knows whether it worked.
	PhaseUnknown TriggerPhase = "Unknown"
)

// EventTriggerStatus is what the operator knows of the runs of a trigger. Its
// bounds keep it below 32 KiB.
type EventTriggerStatus struct {
	MemberStatus `json:",inline"`
	InputsStatus `json:",inline"`

	// phase of the last run: Firing, Running, Retrying, Accepted, Completed, Failed,
	// TimedOut or Unknown. Empty before the first.
	// +optional
	Phase TriggerPhase `json:"phase,omitempty"`
	// executionID is Cobalt's id of the last run. Empty if it did not tell one.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	ExecutionID string `json:"executionID,omitempty"`
	// executionStatus of the last run, in Cobalt's words.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ExecutionStatus string `json:"executionStatus,omitempty"`
	// attempt is 1 for a run and one more for each time that it was started again
	// because it failed.
	// +optional
	Attempt int32 `json:"attempt,omitempty"`
	// firedAt is when the call for the last run was made.
	// +optional
	FiredAt *metav1.Time `json:"firedAt,omitempty"`
	// startedAt is when the last run started, as Cobalt tells it.
	// +optional
	StartedAt *metav1.Time `json:"startedAt,omitempty"`
	// completedAt is when the last run ended, well or not.
	// +optional
	CompletedAt *metav1.Time `json:"completedAt,omitempty"`
	// message says in a sentence how the last run ended.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Message string `json:"message,omitempty"`
	// logs are the last entries that the last run logged, the oldest first, at most
	// 4 KiB together. Only with logs Tail in spec.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MaxLength=1024
	Logs []string `json:"logs,omitempty"`

	// history are the runs before and the last one, the newest first: those that
	// go on, at most 10, and of those that ended as many as historyLimit says.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=30
	History []TriggerRun `json:"history,omitempty"`
	// succeeded counts the runs that completed, and those that Cobalt accepted
	// without naming an execution.
	// +optional
	Succeeded int64 `json:"succeeded,omitempty"`
	// failed counts the runs that failed or timed out, each attempt by itself.
	// +optional
	Failed int64 `json:"failed,omitempty"`

	// nextScheduleTime is when the schedule has the next run. Empty without
	// schedule, and while suspended.
	// +optional
	NextScheduleTime *metav1.Time `json:"nextScheduleTime,omitempty"`
	// schedule is what nextScheduleTime and lastScheduleTime are of, with its time zone.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Schedule string `json:"schedule,omitempty"`
	// lastScheduleTime is the time in the schedule that the last run was for,
	// although it may have started later; before the first, and after the schedule
	// was changed, since when it counts.
	// +optional
	LastScheduleTime *metav1.Time `json:"lastScheduleTime,omitempty"`

	// intent is a call whose outcome is not known, or not yet.
	// +optional
	Intent *TriggerIntent `json:"intent,omitempty"`
	// firedHash stands for what was started last, so that it is not started again.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	FiredHash string `json:"firedHash,omitempty"`
}

// TriggerIntent is a call that starts a run.
type TriggerIntent struct {
	Intent `json:",inline"`
	// attempt is 1, or one more for each time that the run was started again
	// because it failed.
	// +optional
	Attempt int32 `json:"attempt,omitempty"`
	// scheduledTime is the time in the schedule that the run is for. Empty if it is
	// not for one.
	// +optional
	ScheduledTime *metav1.Time `json:"scheduledTime,omitempty"`
	// repeats is how often the call was made before for the same run, each time
	// without a known outcome. Only with delivery AtLeastOnce.
	// +optional
	Repeats int32 `json:"repeats,omitempty"`
}

// TriggerRun is one run of a trigger.
type TriggerRun struct {
	// executionID is Cobalt's id of the run. Empty if it did not tell one.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	ExecutionID string `json:"executionID,omitempty"`
	// status of the run in Cobalt's words, or Accepted, TimedOut, Unknown, Forgotten (by
	// Cobalt) or Unseen (as nobody can look at it) where it has none for it.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Status string `json:"status,omitempty"`
	// firedAt is when the call for it was made.
	// +required
	FiredAt metav1.Time `json:"firedAt"`
	// completedAt is when it ended, well or not. Empty while it goes on.
	// +optional
	CompletedAt *metav1.Time `json:"completedAt,omitempty"`
	// attempt is 1, or one more for each time that it was started again because it
	// failed.
	// +optional
	Attempt int32 `json:"attempt,omitempty"`
	// message says in a few words why it did not end well.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Message string `json:"message,omitempty"`
	// inputsVersion stands for the versions of the Secrets and ConfigMaps that the
	// payload came from, while the run goes on.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	InputsVersion string `json:"inputsVersion,omitempty"`
}

// OpenRuns are the runs that have not ended, the newest first. What they point to is in the status.
func (s *EventTriggerStatus) OpenRuns() []*TriggerRun {
	var open []*TriggerRun
	for i := range s.History {
		if run := &s.History[i]; run.CompletedAt == nil {
			open = append(open, run)
		}
	}
	return open
}

// RenameInputs gives another name to a version of the inputs that the runs which go on were started with.
func (s *EventTriggerStatus) RenameInputs(from, to string) {
	for _, run := range s.OpenRuns() {
		if run.InputsVersion == from {
			run.InputsVersion = to
		}
	}
}
