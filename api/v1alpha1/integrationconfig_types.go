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
	// observe lists what else to read from Cobalt into status, at creation and once
	// per sync interval: Connection, FieldNames, Datastores, RuleEngineOptions. Each
	// costs a call.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=4
	Observe []ConfigObservation `json:"observe,omitempty"`
}

// Rules in CEL do not see value, as it has no type. To count properties has the same
// effect: id is required, and a null counts as none.

// ConfigField is the value of one field: exactly one of value and valueFrom is set.
// +kubebuilder:validation:MinProperties=2
// +kubebuilder:validation:MaxProperties=2
type ConfigField struct {
	// id of the field, which need not be its name: observe FieldNames shows both.
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

// ConfigObservation is something that can be read of a config.
// +kubebuilder:validation:Enum=Connection;FieldNames;Datastores;RuleEngineOptions
type ConfigObservation string

// What can be read of a config.
const (
	// ConfigObserveConnection reads whether the customer has connected the application.
	ConfigObserveConnection ConfigObservation = "Connection"
	// ConfigObserveFieldNames reads the names of the fields.
	ConfigObserveFieldNames ConfigObservation = "FieldNames"
	// ConfigObserveDatastores reads which datastores belong to the config.
	ConfigObserveDatastores ConfigObservation = "Datastores"
	// ConfigObserveRuleEngineOptions reads what rules of the config can refer to.
	ConfigObserveRuleEngineOptions ConfigObservation = "RuleEngineOptions"
)

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
	// observed is what spec.observe asks for.
	// +optional
	Observed *ConfigObserved `json:"observed,omitempty"`
}

// ConfigObserved is what was read of a config beside its values.
type ConfigObserved struct {
	// connected tells whether the customer has connected the application. Only with Connection.
	// +optional
	Connected *bool `json:"connected,omitempty"`
	// fieldNames are the first 100 fields. Only with FieldNames.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=100
	FieldNames []FieldName `json:"fieldNames,omitempty"`
	// datastores are the slugs of the first 50 datastores. Only with Datastores.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=50
	Datastores []string `json:"datastores,omitempty"`
	// ruleEngineOptions is what rules can refer to, as Cobalt answers it. Only with
	// RuleEngineOptions, and only up to 4 KiB.
	// +optional
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	RuleEngineOptions *runtime.RawExtension `json:"ruleEngineOptions,omitempty"`
}

// FieldName is the name of a field.
type FieldName struct {
	// id of the field.
	// +required
	// +kubebuilder:validation:MaxLength=256
	ID string `json:"id"`
	// name of the field, shortened.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Name string `json:"name,omitempty"`
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
