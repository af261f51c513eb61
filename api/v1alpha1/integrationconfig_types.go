package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// IntegrationConfigSpec is one application's set-up for one account as it should
// be in Cobalt.
// +kubebuilder:validation:XValidation:rule="has(self.configID) == has(oldSelf.configID) && (!has(self.configID) || self.configID == oldSelf.configID)",message="configID cannot be changed, set or removed later: delete this object and create it again with the other id"
type IntegrationConfigSpec struct {
	CommonSpec       `json:",inline"`
	AccountReference `json:",inline"`
	// application is the slug of the application. It cannot be changed.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]([ -~]*[!-~])?$') && !self.matches('[/\\\\\\\\%?#]') && !(self in ['.', '..'])",message="application must be printable ASCII without outer spaces and without / \\ % ? #, and not . or .."
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="application cannot be changed: delete this object and create it again for the other application"
	Application string `json:"application"`
	// configID is the id of the config in Cobalt. Empty means that Cobalt chooses;
	// status.id tells. It cannot be changed.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]([ -~]*[!-~])?$') && !self.matches('[/\\\\\\\\%?#]') && !(self in ['.', '..', 'all'])",message="configID must be printable ASCII without outer spaces and without / \\ % ? #, and none of: . .. all"
	ConfigID string `json:"configID,omitempty"`
	// fields of the config, each with an id and exactly one of value and valueFrom.
	// Only those listed are managed; one that is removed here is unset in Cobalt once.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=100
	Fields []ConfigField `json:"fields,omitempty"`
	// workflows to switch on or off. Only those listed are managed; one that is
	// removed here stays as it is.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=100
	Workflows []WorkflowSwitch `json:"workflows,omitempty"`
}

// Rules in CEL do not see value, as it has no type. To count properties has the same
// effect: id is required, and a null counts as none.

// ConfigField is the value of one field: exactly one of value and valueFrom is set.
// +kubebuilder:validation:MinProperties=2
// +kubebuilder:validation:MaxProperties=2
type ConfigField struct {
	// id of the field, which need not be its name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]([ -~]*[!-~])?$') && !self.matches('[/\\\\\\\\%?#]') && !(self in ['.', '..'])",message="id must be printable ASCII without outer spaces and without / \\ % ? #, and not . or .."
	ID string `json:"id"`
	// value of the field: any JSON but null.
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Value *runtime.RawExtension `json:"value,omitempty"`
	// valueFrom reads the value, a text, from a key of a Secret or ConfigMap.
	// +optional
	ValueFrom *ValueSource `json:"valueFrom,omitempty"`
}

// WorkflowSwitch switches one workflow of a config.
type WorkflowSwitch struct {
	// id of the workflow.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]([ -~]*[!-~])?$')",message="id must be printable ASCII without outer spaces"
	ID string `json:"id"`
	// enabled is whether the workflow runs.
	// +required
	Enabled bool `json:"enabled"`
}

// IntegrationConfigStatus is what the operator knows of a config.
type IntegrationConfigStatus struct {
	CommonStatus `json:",inline"`
	// fields are the ids of the fields that this object set.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=200
	Fields []string `json:"fields,omitempty"`
	// hiddenFields are those of them whose value once came from a Secret or ConfigMap:
	// it is not shown.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=200
	HiddenFields []string `json:"hiddenFields,omitempty"`
}

// IntegrationConfig is the set-up of one application for one customer.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=cic,categories=cobalt
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="ID",type=string,JSONPath=`.status.id`
// +kubebuilder:printcolumn:name="Account",type=string,JSONPath=`.status.linkedAccountID`
// +kubebuilder:printcolumn:name="Application",type=string,JSONPath=`.spec.application`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type IntegrationConfig struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the config as it should be.
	// +required
	Spec IntegrationConfigSpec `json:"spec,omitzero"`
	// status is the config as it is.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status IntegrationConfigStatus `json:"status,omitzero"`
}

// IntegrationConfigList is a list of IntegrationConfigs.
// +kubebuilder:object:root=true
type IntegrationConfigList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []IntegrationConfig `json:"items"`
}

// Account says which account the config belongs to.
func (c *IntegrationConfig) Account() AccountReference { return c.Spec.AccountReference }

// MemberSpec gives the part of the spec that every object of an environment has.
func (c *IntegrationConfig) MemberSpec() *MemberSpec { return &c.Spec.MemberSpec }

// MemberStatus gives the part of the status that every object of an environment has.
func (c *IntegrationConfig) MemberStatus() *MemberStatus { return &c.Status.MemberStatus }

// CommonSpec gives the shared flow its part of the spec.
func (c *IntegrationConfig) CommonSpec() *CommonSpec { return &c.Spec.CommonSpec }

// CommonStatus gives the shared flow its part of the status.
func (c *IntegrationConfig) CommonStatus() *CommonStatus { return &c.Status.CommonStatus }

// WholeStatus is for comparing it.
func (c *IntegrationConfig) WholeStatus() any { return &c.Status }
