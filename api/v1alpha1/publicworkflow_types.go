package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// PublicWorkflowSpec is a workflow as it should be in Cobalt. Workflows there can
// neither be changed nor deleted: another name, description or nodes make another
// workflow, and the old one stays.
type PublicWorkflowSpec struct {
	MemberSpec       `json:",inline"`
	AccountReference `json:",inline"`
	// name shown for the workflow. It need not be unique.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Name string `json:"name"`
	// description of the workflow. Empty means none.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	Description string `json:"description,omitempty"`
	// nodes are the steps of the workflow, in order.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	Nodes []WorkflowNode `json:"nodes"`
}

// WorkflowNode is one step of a workflow.
type WorkflowNode struct {
	// type of the step, such as start or ai_code_executor.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Type string `json:"type"`
	// config are the settings of the step, a JSON object. Empty means none.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	// +kubebuilder:validation:Type=object
	// +kubebuilder:validation:MaxProperties=100
	Config *runtime.RawExtension `json:"config,omitempty"`
}

// PublicWorkflowStatus is what the operator knows of a workflow.
type PublicWorkflowStatus struct {
	MemberStatus `json:",inline"`
	// id that Cobalt gave to the workflow. Empty while there is none for what spec says.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	ID string `json:"id,omitempty"`
	// hash of the account and the content that the workflow of that id has.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Hash string `json:"hash,omitempty"`
	// intent is a creation whose outcome is not known, or not yet. Without id and
	// for longer than a call takes, it needs you: the Ready condition says for what.
	// +optional
	Intent *Intent `json:"intent,omitempty"`
	// previousWorkflows are those that this object made before, the newest first
	// and at most 20. They are still in Cobalt; one whose content comes back is
	// used again.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=20
	PreviousWorkflows []PreviousWorkflow `json:"previousWorkflows,omitempty"`
}

// PreviousWorkflow is a workflow that an object made for an earlier spec.
type PreviousWorkflow struct {
	// id that Cobalt gave to it.
	// +required
	// +kubebuilder:validation:MaxLength=256
	ID string `json:"id"`
	// hash of the account and the content that it has.
	// +required
	// +kubebuilder:validation:MaxLength=64
	Hash string `json:"hash"`
}

// PublicWorkflow is a workflow of a customer's account. Deleting it leaves the
// workflow in Cobalt, where it can only be removed by hand.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=cpw,categories=cobalt
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="ID",type=string,JSONPath=`.status.id`
// +kubebuilder:printcolumn:name="Account",type=string,JSONPath=`.status.linkedAccountID`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type PublicWorkflow struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the workflow as it should be.
	// +required
	Spec PublicWorkflowSpec `json:"spec,omitzero"`
	// status is the workflow as it is.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status PublicWorkflowStatus `json:"status,omitzero"`
}

// PublicWorkflowList is a list of PublicWorkflows.
// +kubebuilder:object:root=true
type PublicWorkflowList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []PublicWorkflow `json:"items"`
}

// Account says which account the workflow belongs to.
func (w *PublicWorkflow) Account() AccountReference { return w.Spec.AccountReference }

// MemberSpec gives the part of the spec that every object of an environment has.
func (w *PublicWorkflow) MemberSpec() *MemberSpec { return &w.Spec.MemberSpec }

// MemberStatus gives the part of the status that every object of an environment has.
func (w *PublicWorkflow) MemberStatus() *MemberStatus { return &w.Status.MemberStatus }

// WholeStatus is for comparing it.
func (w *PublicWorkflow) WholeStatus() any { return &w.Status }
