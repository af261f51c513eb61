package v1alpha1

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Annotations that people and tools set on objects of this group.
const (
	// ReconcileRequestAnnotation asks for a sync now: set it to a value it did
	// not have before, usually the time. status.lastHandledReconcileAt echoes
	// the value once the sync was tried.
	ReconcileRequestAnnotation = "cobalt.gocobalt.io/reconcile-requested-at"
	// AcceptEnvironmentAnnotation confirms that an environment leads to another
	// Cobalt environment than before; its value is the one that the status names.
	AcceptEnvironmentAnnotation = "cobalt.gocobalt.io/accept-environment"
	// AdoptWorkflowAnnotation tells a PublicWorkflow that a creation whose outcome
	// is unknown worked: its value is the id of the workflow in Cobalt.
	AdoptWorkflowAnnotation = "cobalt.gocobalt.io/adopt-workflow"
	// RetryCreateAnnotation tells a PublicWorkflow that a creation whose outcome is
	// unknown did not work: its value is the attempt id that the status names.
	RetryCreateAnnotation = "cobalt.gocobalt.io/retry-create"
)

// Finalizer holds an object until what it stands for in Cobalt is removed or
// released, and an Environment until no object of it needs its key any more.
const Finalizer = "cobalt.gocobalt.io/finalizer"

// Duration is a length of time as typed, such as 30s, 10m or 1h30m.
// +kubebuilder:validation:MaxLength=16
// +kubebuilder:validation:Pattern=`^([0-9]{1,6}(\.[0-9]{1,3})?(ms|s|m|h))+$`
type Duration string

// DeletionPolicy says what deleting an object does to what it stands for in Cobalt.
// +kubebuilder:validation:Enum=Delete;Orphan
type DeletionPolicy string

// The deletion policies.
const (
	// DeletionPolicyDelete removes it from Cobalt as well.
	DeletionPolicyDelete DeletionPolicy = "Delete"
	// DeletionPolicyOrphan leaves it in Cobalt as it is, without a call.
	DeletionPolicyOrphan DeletionPolicy = "Orphan"
)

// ManagementPolicy says whether the operator writes to Cobalt.
// +kubebuilder:validation:Enum=Manage;ReadOnly
type ManagementPolicy string

// The management policies.
const (
	// ManagementPolicyManage creates, repairs and deletes in Cobalt.
	ManagementPolicyManage ManagementPolicy = "Manage"
	// ManagementPolicyReadOnly reads and reports status.drift, and never writes to Cobalt.
	ManagementPolicyReadOnly ManagementPolicy = "ReadOnly"
)

// EnvironmentKind is the kind of an environment that an object refers to.
// +kubebuilder:validation:Enum=Environment;ClusterEnvironment
type EnvironmentKind string

// The kinds of environment.
const (
	// KindEnvironment is an Environment in the namespace of the object.
	KindEnvironment EnvironmentKind = "Environment"
	// KindClusterEnvironment is a ClusterEnvironment that allows the namespace of the object.
	KindClusterEnvironment EnvironmentKind = "ClusterEnvironment"
)

// EnvironmentReference names the Environment or ClusterEnvironment an object belongs to.
type EnvironmentReference struct {
	// kind is Environment (in the object's own namespace) or ClusterEnvironment.
	// Empty means Environment.
	// +optional
	// +kubebuilder:default=Environment
	Kind EnvironmentKind `json:"kind,omitempty"`
	// name of the Environment or ClusterEnvironment. Empty means default.
	// +optional
	// +kubebuilder:default=default
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
}

// SecretKeyReference names one key of a Secret in the object's namespace.
type SecretKeyReference struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// key inside the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key"`
}

// ConfigMapKeyReference names one key of a ConfigMap in the object's namespace.
type ConfigMapKeyReference struct {
	// name of the ConfigMap.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// key inside the ConfigMap.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key"`
}

// ValueSource says where a value is read from: exactly one of its fields is set.
// +kubebuilder:validation:XValidation:rule="has(self.secretKeyRef) != has(self.configMapKeyRef)",message="set exactly one of secretKeyRef and configMapKeyRef"
type ValueSource struct {
	// secretKeyRef reads the value from a key of a Secret. Values from Secrets
	// never appear in status, events or logs.
	// +optional
	SecretKeyRef *SecretKeyReference `json:"secretKeyRef,omitempty"`
	// configMapKeyRef reads the value from a key of a ConfigMap.
	// +optional
	ConfigMapKeyRef *ConfigMapKeyReference `json:"configMapKeyRef,omitempty"`
}

// AccountReference says which account an object belongs to: exactly one of its
// fields is set, and neither can be changed.
// +kubebuilder:validation:XValidation:rule="has(self.linkedAccountRef) != has(self.linkedAccountID)",message="set exactly one of linkedAccountRef and linkedAccountID"
// +kubebuilder:validation:XValidation:rule="has(self.linkedAccountRef) == has(oldSelf.linkedAccountRef) && (!has(self.linkedAccountRef) || self.linkedAccountRef == oldSelf.linkedAccountRef) && has(self.linkedAccountID) == has(oldSelf.linkedAccountID) && (!has(self.linkedAccountID) || self.linkedAccountID == oldSelf.linkedAccountID)",message="linkedAccountRef and linkedAccountID cannot be changed: delete this object and create it again for the other account"
type AccountReference struct {
	// linkedAccountRef names a LinkedAccount in the object's namespace. The object
	// waits until that account is in Cobalt. It cannot be changed.
	// +optional
	LinkedAccountRef *LinkedAccountReference `json:"linkedAccountRef,omitempty"`
	// linkedAccountID is the id of an account in Cobalt that need not be kept by a
	// LinkedAccount. It cannot be changed.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]([ -~]*[!-~])?$') && !self.matches('[/\\\\\\\\%?#]') && !(self in ['.', '..', 'upsert', 'integration'])",message="linkedAccountID must be printable ASCII without outer spaces and without / \\ % ? #, and none of: . .. upsert integration"
	LinkedAccountID string `json:"linkedAccountID,omitempty"`
}

// LinkedAccountReference names a LinkedAccount in the object's namespace.
type LinkedAccountReference struct {
	// name of the LinkedAccount.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// MemberSpec is what every object that belongs to an environment has.
type MemberSpec struct {
	// environmentRef names the environment whose endpoint and API key are used.
	// Empty means the Environment named default in the same namespace. It cannot be changed.
	// +optional
	// +kubebuilder:default={kind: Environment, name: default}
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="environmentRef cannot be changed: delete this object and create it again with the other environment"
	EnvironmentRef EnvironmentReference `json:"environmentRef,omitzero"`
	// suspend stops all calls for this object while true; deleting it still
	// works. Empty means false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// CommonSpec is what the kinds that keep a state in Cobalt have in common.
type CommonSpec struct {
	MemberSpec `json:",inline"`
	// deletionPolicy says what deleting this object does in Cobalt: Delete removes
	// it there too, Orphan leaves it. Empty means: delete what this object created,
	// keep what it adopted (status.origin).
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
	// managementPolicy is Manage or ReadOnly. ReadOnly never writes to Cobalt and
	// reports in status.drift what Manage would change. Empty means Manage.
	// +optional
	// +kubebuilder:default=Manage
	ManagementPolicy ManagementPolicy `json:"managementPolicy,omitempty"`
	// syncInterval is how often drift is looked for: 0s for never, or at least
	// 30s. Empty means the environment's syncInterval.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) == duration('0s') || duration(self) >= duration('30s')",message="syncInterval must be 0s (never) or at least 30s"
	SyncInterval Duration `json:"syncInterval,omitempty"`
}

// MemberStatus is what every object that belongs to an environment reports.
type MemberStatus struct {
	// conditions: Ready always; Reconciling and Stalled only while True, never both.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation of the spec that the conditions speak
	// of; -1 before the first report.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// environment is the environment in use, as Kind/name, for display.
	// +optional
	// +kubebuilder:validation:MaxLength=300
	Environment string `json:"environment,omitempty"`
	// linkedAccountID is the account in Cobalt that this object belongs to, once it
	// is known.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	LinkedAccountID string `json:"linkedAccountID,omitempty"`
	// lastHandledReconcileAt echoes the last value of the annotation
	// cobalt.gocobalt.io/reconcile-requested-at that was acted on.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`
}

// CommonStatus is what the kinds that keep a state in Cobalt report in common.
type CommonStatus struct {
	MemberStatus `json:",inline"`
	// id that Cobalt gave to what this object stands for. Empty while there is none.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	ID string `json:"id,omitempty"`
	// origin is created if this object created what it stands for, and adopted if
	// that was in Cobalt before. Empty while it is not known.
	// +optional
	Origin Origin `json:"origin,omitempty"`
	// drift lists where Cobalt differs from spec and has not been corrected: under
	// managementPolicy ReadOnly, or while correcting fails.
	// +optional
	// +listType=map
	// +listMapKey=path
	// +kubebuilder:validation:MaxItems=20
	Drift        []Drift `json:"drift,omitempty"`
	InputsStatus `json:",inline"`
}

// Origin says where what an object stands for came from.
// +kubebuilder:validation:Enum=created;adopted
type Origin string

// The origins.
const (
	// OriginCreated: this object created it in Cobalt.
	OriginCreated Origin = "created"
	// OriginAdopted: it was in Cobalt before this object.
	OriginAdopted Origin = "adopted"
)

// Intent is a call that must not be made twice. It is written before the call and
// taken away once its outcome is known, so that one that is found tells of a call
// that may or may not have worked.
type Intent struct {
	// hash of what the call asks for.
	// +required
	// +kubebuilder:validation:MaxLength=64
	Hash string `json:"hash"`
	// attemptID names this one attempt.
	// +required
	// +kubebuilder:validation:MaxLength=64
	AttemptID string `json:"attemptID"`
	// time before the call.
	// +required
	Time metav1.Time `json:"time"`
}

// Drift is one place where Cobalt differs from spec.
type Drift struct {
	// path of the field, such as name or yourApp.tier.
	// +required
	// +kubebuilder:validation:MaxLength=256
	Path string `json:"path"`
	// desired is the value in spec as JSON, shortened; empty if it should not be
	// there. Values from Secrets read [redacted].
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Desired string `json:"desired,omitempty"`
	// observed is the value in Cobalt as JSON, shortened; empty if it is not there.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Observed string `json:"observed,omitempty"`
}

// Value is d as a length of time, or fallback if d is empty. Admission has
// checked that anything else can be parsed.
func (d Duration) Value(fallback time.Duration) time.Duration {
	value, err := time.ParseDuration(string(d))
	if err != nil {
		return fallback
	}
	return value
}
