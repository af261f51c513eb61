package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// WebhookSpec is the subscription of one account as it should be in Cobalt. An
// account has one.
type WebhookSpec struct {
	CommonSpec       `json:",inline"`
	AccountReference `json:",inline"`
	// url that Cobalt calls: https, or http only where one of the operator's
	// --allowed-api-origins is plain http as well.
	// +required
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[^\\\\s/?#@]+([/?][^\\\\s#]*)?$') && isURL(self) && url(self).getHostname() != ''",message="url must be an http or https URL with a host and without user name or fragment"
	URL string `json:"url"`
	// events to be told of, such as Workflow Completed. What is not listed is
	// unsubscribed from.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	Events []string `json:"events"`
}

// WebhookStatus is what the operator knows of a subscription.
type WebhookStatus struct {
	CommonStatus `json:",inline"`
}

// Webhook is the subscription of a customer's account to events.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=cwh,categories=cobalt
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="ID",type=string,JSONPath=`.status.id`
// +kubebuilder:printcolumn:name="Account",type=string,JSONPath=`.status.linkedAccountID`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type Webhook struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the subscription as it should be.
	// +required
	Spec WebhookSpec `json:"spec,omitzero"`
	// status is the subscription as it is.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status WebhookStatus `json:"status,omitzero"`
}

// WebhookList is a list of Webhooks.
// +kubebuilder:object:root=true
type WebhookList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []Webhook `json:"items"`
}

// Account says which account the subscription belongs to.
func (w *Webhook) Account() AccountReference { return w.Spec.AccountReference }

// MemberSpec gives the part of the spec that every object of an environment has.
func (w *Webhook) MemberSpec() *MemberSpec { return &w.Spec.MemberSpec }

// MemberStatus gives the part of the status that every object of an environment has.
func (w *Webhook) MemberStatus() *MemberStatus { return &w.Status.MemberStatus }

// CommonSpec gives the shared flow its part of the spec.
func (w *Webhook) CommonSpec() *CommonSpec { return &w.Spec.CommonSpec }

// CommonStatus gives the shared flow its part of the status.
func (w *Webhook) CommonStatus() *CommonStatus { return &w.Status.CommonStatus }

// WholeStatus is for comparing it.
func (w *Webhook) WholeStatus() any { return &w.Status }
