package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// NamespacedAPIKeyReference names the Secret that holds the API key, and its namespace.
type NamespacedAPIKeyReference struct {
	// namespace of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace       string `json:"namespace"`
	APIKeyReference `json:",inline"`
}

// NamespacedCABundleReference names PEM certificates to trust, and their namespace.
type NamespacedCABundleReference struct {
	// namespace of the ConfigMap or Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace         string `json:"namespace"`
	CABundleReference `json:",inline"`
}

// AllowedNamespaces says which namespaces may use a ClusterEnvironment, and for
// which accounts.
type AllowedNamespaces struct {
	// selector picks the namespaces by their labels; {} picks all.
	// +required
	Selector metav1.LabelSelector `json:"selector"`
	// accountIDPrefixes bounds the linked account ids that objects of those
	// namespaces may name: each id must start with one of them, in which {namespace}
	// stands for the object's namespace. Leave it out to allow any id.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	AccountIDPrefixes []string `json:"accountIDPrefixes,omitempty"`
}

// ClusterEnvironmentSpec is an EnvironmentSpec offered to other namespaces.
type ClusterEnvironmentSpec struct {
	EnvironmentSettings `json:",inline"`
	// apiKeySecretRef names the Secret that holds the API key.
	// +required
	APIKeySecretRef NamespacedAPIKeyReference `json:"apiKeySecretRef"`
	// caBundleRef names the certificates that the API's certificate is checked
	// against. Empty means the system's.
	// +optional
	CABundleRef *NamespacedCABundleReference `json:"caBundleRef,omitempty"`
	// allowedNamespaces says who may use this environment.
	// +required
	AllowedNamespaces AllowedNamespaces `json:"allowedNamespaces"`
}

// ClusterEnvironment is a Cobalt API endpoint and API key, offered to the
// namespaces it allows.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=ccenv,categories=cobalt
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.spec.baseURL`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type ClusterEnvironment struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec says how to reach the environment and who may use it.
	// +required
	Spec ClusterEnvironmentSpec `json:"spec"`
	// status says whether it can be used.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status EnvironmentStatus `json:"status,omitzero"`
}

// ClusterEnvironmentList is a list of ClusterEnvironments.
// +kubebuilder:object:root=true
type ClusterEnvironmentList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []ClusterEnvironment `json:"items"`
}

// Settings gives what both kinds of environment have in common.
func (e *ClusterEnvironment) Settings() *EnvironmentSettings { return &e.Spec.EnvironmentSettings }

// EnvironmentStatus gives the status.
func (e *ClusterEnvironment) EnvironmentStatus() *EnvironmentStatus { return &e.Status }

// APIKey names the API key with its namespace.
func (e *ClusterEnvironment) APIKey() NamespacedAPIKeyReference { return e.Spec.APIKeySecretRef }

// CABundle names the CA bundle with its namespace; nil for the system's.
func (e *ClusterEnvironment) CABundle() *NamespacedCABundleReference { return e.Spec.CABundleRef }
