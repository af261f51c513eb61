package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// EnvironmentSettings is what Environment and ClusterEnvironment have in common.
type EnvironmentSettings struct {
	// baseURL of the Cobalt API. Its origin must be one that the operator allows
	// (--allowed-api-origins). Empty means Cobalt's production API.
	// +optional
	// +kubebuilder:default="https://api.gocobalt.io/api/v2"
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^https?://[^/?#@\s]+(/[^?#\s]*)?$`
	// +kubebuilder:validation:XValidation:rule="isURL(self)",message="baseURL must be an absolute http or https URL without user, query or fragment"
	BaseURL string `json:"baseURL,omitempty"`
	// rateLimit bounds the calls made with this API key. Empty means half of what
	// the vendor allows, as your own backend uses the same allowance.
	// +optional
	// +kubebuilder:default={requestsPerSecond: 10, burst: 4}
	RateLimit RateLimit `json:"rateLimit,omitzero"`
	// requestTimeout bounds one call, from sending it to the last byte of the
	// answer: 1s to 5m. Empty means 30s.
	// +optional
	// +kubebuilder:default="30s"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('5m')",message="requestTimeout must be between 1s and 5m"
	RequestTimeout Duration `json:"requestTimeout,omitempty"`
	// syncInterval is how often drift is looked for in objects that do not say
	// otherwise: 0s for never, or at least 30s. Empty means the operator's --sync-interval.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) == duration('0s') || duration(self) >= duration('30s')",message="syncInterval must be 0s (never) or at least 30s"
	SyncInterval Duration `json:"syncInterval,omitempty"`
	// deletionPolicy Orphan releases every object of this environment without a
	// call when it is deleted, whatever the object says: the way out when the
	// key is lost. It may be set while objects are being deleted. Empty means
	// that each object decides.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self == 'Orphan'",message="deletionPolicy of an environment can only be Orphan: leave it out to let each object decide"
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// RateLimit bounds the calls made with one API key.
type RateLimit struct {
	// requestsPerSecond on average. Empty means 10.
	// +optional
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	RequestsPerSecond int32 `json:"requestsPerSecond,omitempty"`
	// burst is how many calls may be made at once, at least 4: that is what one
	// object may need in a row. Empty means 4.
	// +optional
	// +kubebuilder:default=4
	// +kubebuilder:validation:Minimum=4
	// +kubebuilder:validation:Maximum=1000
	Burst int32 `json:"burst,omitempty"`
}

// CABundleKind is where a CA bundle is kept.
// +kubebuilder:validation:Enum=ConfigMap;Secret
type CABundleKind string

// The kinds that can hold a CA bundle.
const (
	CABundleConfigMap CABundleKind = "ConfigMap"
	CABundleSecret    CABundleKind = "Secret"
)

// APIKeyReference names the Secret that holds the API key, in the Environment's namespace.
type APIKeyReference struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// key inside the Secret. Empty means api-key.
	// +optional
	// +kubebuilder:default=api-key
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key,omitempty"`
}

// CABundleReference names PEM certificates to trust instead of the system's.
type CABundleReference struct {
	// kind is ConfigMap or Secret. Empty means ConfigMap.
	// +optional
	// +kubebuilder:default=ConfigMap
	Kind CABundleKind `json:"kind,omitempty"`
	// name of the ConfigMap or Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// key inside it. Empty means ca.crt.
	// +optional
	// +kubebuilder:default=ca.crt
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key,omitempty"`
}

// EnvironmentSpec says how to reach one Cobalt environment. A Cobalt API key is
// an environment: test or production.
type EnvironmentSpec struct {
	EnvironmentSettings `json:",inline"`
	// apiKeySecretRef names the Secret that holds the API key.
	// +required
	APIKeySecretRef APIKeyReference `json:"apiKeySecretRef"`
	// caBundleRef names the certificates that the API's certificate is checked
	// against. Empty means the system's.
	// +optional
	CABundleRef *CABundleReference `json:"caBundleRef,omitempty"`
}

// EnvironmentStatus says whether an environment can be used.
type EnvironmentStatus struct {
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
	// lastHandledReconcileAt echoes the last value of the annotation
	// cobalt.gocobalt.io/reconcile-requested-at that was acted on.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`
	// realm stands for the baseURL and API key that were last accepted, as a salted
	// digest: with it a change of either is noticed, and two environments that lead
	// to the same place are recognised.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Realm string `json:"realm,omitempty"`
	// challenge is what the value of annotation cobalt.gocobalt.io/accept-environment
	// is made from, which accepts an environment in which most accounts are
	// missing. Empty while there is nothing to accept.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Challenge string `json:"challenge,omitempty"`
}

// Environment is a Cobalt API endpoint and API key for the objects of its namespace.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=cenv,categories=cobalt
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.spec.baseURL`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type Environment struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec says how to reach the environment.
	// +required
	Spec EnvironmentSpec `json:"spec"`
	// status says whether it can be used.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status EnvironmentStatus `json:"status,omitzero"`
}

// EnvironmentList is a list of Environments.
// +kubebuilder:object:root=true
type EnvironmentList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []Environment `json:"items"`
}

// Settings gives what both kinds of environment have in common.
func (e *Environment) Settings() *EnvironmentSettings { return &e.Spec.EnvironmentSettings }

// EnvironmentStatus gives the status.
func (e *Environment) EnvironmentStatus() *EnvironmentStatus { return &e.Status }

// APIKey names the API key with its namespace.
func (e *Environment) APIKey() NamespacedAPIKeyReference {
	return NamespacedAPIKeyReference{Namespace: e.Namespace, APIKeyReference: e.Spec.APIKeySecretRef}
}

// CABundle names the CA bundle with its namespace; nil for the system's.
func (e *Environment) CABundle() *NamespacedCABundleReference {
	if e.Spec.CABundleRef == nil {
		return nil
	}
	return &NamespacedCABundleReference{Namespace: e.Namespace, CABundleReference: *e.Spec.CABundleRef}
}
