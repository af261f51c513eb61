package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// EventTriggerSpec says what to start for an account, and when. Without schedule
// it starts once, and once more after each change of the target, of the payload or
// of trigger.
// +kubebuilder:validation:XValidation:rule="has(self.event) != has(self.workflow)",message="set exactly one of event and workflow"
// +kubebuilder:validation:XValidation:rule="!has(self.configRef) || !has(self.configID)",message="set at most one of configRef and configID"
// +kubebuilder:validation:XValidation:rule="has(self.event) || !(has(self.configRef) || has(self.configID))",message="configRef and configID go with event: a workflow is executed without a config"
// +kubebuilder:validation:XValidation:rule="has(self.schedule) || !(has(self.timeZone) || has(self.concurrencyPolicy) || has(self.startingDeadline))",message="timeZone, concurrencyPolicy and startingDeadline go with schedule"
// +kubebuilder:validation:XValidation:rule="!has(self.schedule) || !has(self.ttlAfterFinished)",message="a schedule never finishes: leave out ttlAfterFinished"
type EventTriggerSpec struct {
	MemberSpec       `json:",inline"`
	AccountReference `json:",inline"`
	// event to fire. Set this or workflow.
	// +optional
	Event *EventReference `json:"event,omitempty"`
	// workflow to execute. Set this or event.
	// +optional
	Workflow *WorkflowReference `json:"workflow,omitempty"`
	// configRef names an IntegrationConfig in the object's namespace, of the same
	// account, whose config the event is for. The object waits until that config is
	// in Cobalt. Empty, with configID empty, means Cobalt's choice.
	// +optional
	ConfigRef *IntegrationConfigReference `json:"configRef,omitempty"`
	// configID is the id of a config in Cobalt that need not be kept by an
	// IntegrationConfig.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]([ -~]*[!-~])?$')",message="configID must be printable ASCII without outer spaces"
	ConfigID string `json:"configID,omitempty"`
	// payload handed to the workflows that start, a JSON object. Empty means none.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	// +kubebuilder:validation:Type=object
	// +kubebuilder:validation:MaxProperties=100
	Payload *runtime.RawExtension `json:"payload,omitempty"`
	// payloadFrom lists JSON objects that are merged over payload, the later over
	// the earlier.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	PayloadFrom []ValueSource `json:"payloadFrom,omitempty"`
	// delivery says what to do when a call gets no answer, so that nobody knows
	// whether it worked. AtMostOnce never makes it again and tells you; AtLeastOnce
	// makes it again, and what it starts may run twice. Empty means AtMostOnce.
	// +optional
	// +kubebuilder:default=AtMostOnce
	Delivery Delivery `json:"delivery,omitempty"`
	// readyWhen says when the object is Ready: Accepted, once Cobalt has taken the
	// call, or Completed, once the execution has ended well. With schedule it is
	// Ready while the schedule is armed. Empty means Completed.
	// +optional
	// +kubebuilder:default=Completed
	ReadyWhen ReadyWhen `json:"readyWhen,omitempty"`
	// executionTimeout is how long an execution is followed, 1s to 720h; then it
	// counts as failed, though it may go on in Cobalt. If Cobalt cannot be asked then,
	// it is followed until it can. Empty means 1h.
	// +optional
	// +kubebuilder:default="1h"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="executionTimeout must be between 1s and 720h"
	ExecutionTimeout Duration `json:"executionTimeout,omitempty"`
	// retry says whether to start again what has failed. Empty means no.
	// +optional
	Retry *RetryPolicy `json:"retry,omitempty"`
	// schedule starts it again and again, in the five fields of cron: minute, hour,
	// day of month, month, day of week, such as 0 9 * * 1. While the operator is
	// down runs are missed; the last of them is made up for. A time of day that the
	// clocks skip runs when they jump, and one that they show twice runs once;
	// schedules for every hour (* in the second field) run by the time that passes.
	// With schedule, changing trigger starts a run as well, and no other change does.
	// Empty means no schedule.
	// +optional
	// +kubebuilder:validation:MinLength=9
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^ *[0-9A-Za-z*?/,-]+( +[0-9A-Za-z*?/,-]+){4} *$')",message="schedule must have the five fields of cron, such as 0 9 * * 1; @every, other words with @ and TZ= are not understood: use timeZone"
	Schedule string `json:"schedule,omitempty"`
	// timeZone of the schedule, such as Europe/Berlin. Empty means UTC.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$') && self != 'Local'",message="timeZone must be a name of the IANA database, such as Europe/Berlin"
	TimeZone string `json:"timeZone,omitempty"`
	// concurrencyPolicy says what happens when the time of a run has come while an
	// earlier one goes on: Forbid starts it after that, and only the last if several
	// times have come; Allow starts it at once, with at most 10 at the same time.
	// Empty means Forbid.
	// +optional
	ConcurrencyPolicy ConcurrencyPolicy `json:"concurrencyPolicy,omitempty"`
	// startingDeadline is how late a run may start, at least 10s; one that is later
	// is left out. Empty means any time.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10s')",message="startingDeadline must be at least 10s"
	StartingDeadline Duration `json:"startingDeadline,omitempty"`
	// trigger is any text: changing it starts once more.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Trigger string `json:"trigger,omitempty"`
	// logs says whether the last entries that an execution logged go into status, at
	// most 4 KiB: None or Tail. They hold your customers' data. Empty means None.
	// +optional
	// +kubebuilder:default=None
	Logs LogPolicy `json:"logs,omitempty"`
	// historyLimit is how many ended runs status.history keeps, 0 to 20. Empty means 10.
	// +optional
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=20
	HistoryLimit *int32 `json:"historyLimit,omitempty"`
	// ttlAfterFinished deletes this object so long after it has ended, well or not. It
	// is for objects made with generateName or by a hook: one that is kept in Git would
	// be created again, and would start again. Empty means that the object stays.
	// +optional
	TTLAfterFinished Duration `json:"ttlAfterFinished,omitempty"`
}

// EventReference names an event of your application in Cobalt.
type EventReference struct {
	// slug of the event.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]([ -~]*[!-~])?$') && !self.matches('[/\\\\\\\\%?#]') && !(self in ['.', '..', 'trigger'])",message="slug must be printable ASCII without outer spaces and without / \\ % ? #, and none of: . .. trigger"
	Slug string `json:"slug"`
	// name of the event, such as Deal Created. Upper and lower case differ.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Name string `json:"name"`
}

// WorkflowReference names a workflow: exactly one of its fields is set.
// +kubebuilder:validation:XValidation:rule="has(self.ref) != has(self.id)",message="set exactly one of ref and id"
type WorkflowReference struct {
	// ref names a PublicWorkflow in the object's namespace, of the same account. The
	// object waits until that workflow is in Cobalt; when it becomes another one
	// there, that alone starts nothing.
	// +optional
	Ref *PublicWorkflowReference `json:"ref,omitempty"`
	// id of a workflow in Cobalt.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]([ -~]*[!-~])?$') && !self.matches('[/\\\\\\\\%?#]') && !(self in ['.', '..', 'enabled', 'versions'])",message="id must be printable ASCII without outer spaces and without / \\ % ? #, and none of: . .. enabled versions"
	ID string `json:"id,omitempty"`
}

// PublicWorkflowReference names a PublicWorkflow in the object's namespace.
type PublicWorkflowReference struct {
	// name of the PublicWorkflow.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// IntegrationConfigReference names an IntegrationConfig in the object's namespace.
type IntegrationConfigReference struct {
	// name of the IntegrationConfig.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// Delivery says what to do about a call whose outcome is unknown.
// +kubebuilder:validation:Enum=AtMostOnce;AtLeastOnce
type Delivery string

// The deliveries.
const (
	// DeliveryAtMostOnce never repeats a call that may have worked.
	DeliveryAtMostOnce Delivery = "AtMostOnce"
	// DeliveryAtLeastOnce repeats a call that may not have worked.
	DeliveryAtLeastOnce Delivery = "AtLeastOnce"
)

// ReadyWhen says what an EventTrigger without schedule needs to be Ready.
// +kubebuilder:validation:Enum=Accepted;Completed
type ReadyWhen string

// When it is Ready.
const (
	// ReadyWhenAccepted: once Cobalt has taken the call.
	ReadyWhenAccepted ReadyWhen = "Accepted"
	// ReadyWhenCompleted: once the execution has ended well.
	ReadyWhenCompleted ReadyWhen = "Completed"
)

// ConcurrencyPolicy says whether runs of a schedule may overlap.
// +kubebuilder:validation:Enum=Forbid;Allow
type ConcurrencyPolicy string

// The concurrency policies.
const (
	// ConcurrencyForbid starts a run after the one before has ended.
	ConcurrencyForbid ConcurrencyPolicy = "Forbid"
	// ConcurrencyAllow starts a run when its time has come.
	ConcurrencyAllow ConcurrencyPolicy = "Allow"
)

// LogPolicy says how much of an execution's logs goes into status.
// +kubebuilder:validation:Enum=None;Tail
type LogPolicy string

// The log policies.
const (
	// LogsNone keeps nothing of them.
	LogsNone LogPolicy = "None"
	// LogsTail keeps the last entries.
	LogsTail LogPolicy = "Tail"
)

// RetryPolicy says how often to start again what has failed.
type RetryPolicy struct {
	// limit is how often, 0 to 10. Empty means 0.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10
	Limit int32 `json:"limit,omitempty"`
	// backoff is the pause before it is started again, 1s to 1h; each further pause
	// is twice as long, up to 1h. Empty means 30s.
	// +optional
	// +kubebuilder:default="30s"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('1h')",message="backoff must be between 1s and 1h"
	Backoff Duration `json:"backoff,omitempty"`
}

// EventTrigger fires an event for a customer's account, or executes a workflow of
// it, and follows what it starts.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=cet,categories=cobalt
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Last Run",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Fired",type=date,JSONPath=`.status.firedAt`
// +kubebuilder:printcolumn:name="Next",type=string,JSONPath=`.status.nextScheduleTime`
// +kubebuilder:printcolumn:name="Account",type=string,JSONPath=`.status.linkedAccountID`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Execution",type=string,priority=1,JSONPath=`.status.executionID`
// +kubebuilder:printcolumn:name="Succeeded",type=integer,priority=1,JSONPath=`.status.succeeded`
// +kubebuilder:printcolumn:name="Failed",type=integer,priority=1,JSONPath=`.status.failed`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type EventTrigger struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec says what to start, and when.
	// +required
	Spec EventTriggerSpec `json:"spec,omitzero"`
	// status says what was started, and what became of it.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status EventTriggerStatus `json:"status,omitzero"`
}

// EventTriggerList is a list of EventTriggers.
// +kubebuilder:object:root=true
type EventTriggerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []EventTrigger `json:"items"`
}

// Account says which account the trigger belongs to.
func (t *EventTrigger) Account() AccountReference { return t.Spec.AccountReference }

// MemberSpec gives the part of the spec that every object of an environment has.
func (t *EventTrigger) MemberSpec() *MemberSpec { return &t.Spec.MemberSpec }

// MemberStatus gives the part of the status that every object of an environment has.
func (t *EventTrigger) MemberStatus() *MemberStatus { return &t.Status.MemberStatus }

// WholeStatus is for comparing it.
func (t *EventTrigger) WholeStatus() any { return &t.Status }
