package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// LinkedAccountSpec is a customer as spec wants it in Cobalt.
// +kubebuilder:validation:XValidation:rule="has(self.linkedAccountID) == has(oldSelf.linkedAccountID) && (!has(self.linkedAccountID) || self.linkedAccountID == oldSelf.linkedAccountID)",message="linkedAccountID cannot be changed, set or removed later: delete this object and create it again with the other id"
type LinkedAccountSpec struct {
	CommonSpec `json:",inline"`
	// linkedAccountID is the customer's id in Cobalt. Empty means metadata.name.
	// It cannot be changed.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]([ -~]*[!-~])?$') && !self.matches('[/\\\\\\\\%?#]') && !(self in ['.', '..', 'upsert', 'integration'])",message="linkedAccountID must be printable ASCII without outer spaces and without / \\ % ? #, and none of: . .. upsert integration"
	LinkedAccountID string `json:"linkedAccountID,omitempty"`
	// name shown for the account. Empty means that its name is left alone.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Name string `json:"name,omitempty"`
	// yourApp is your own metadata about the account, a JSON object. Only the keys
	// listed are managed; one that is removed here is cleared in Cobalt once.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	// +kubebuilder:validation:Type=object
	// +kubebuilder:validation:MaxProperties=100
	YourApp *runtime.RawExtension `json:"yourApp,omitempty"`
	// yourAppFrom lists JSON objects that are merged over yourApp, the later over
	// the earlier.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	YourAppFrom []ValueSource `json:"yourAppFrom,omitempty"`
	// credentials to migrate into Cobalt, one entry per application. They are sent
	// once, and again only when the Secret or the account is another.
	// +optional
	// +listType=map
	// +listMapKey=application
	// +kubebuilder:validation:MaxItems=50
	Credentials []ApplicationCredentials `json:"credentials,omitempty"`
	// sessionToken writes a session token of the account into a Secret and keeps it fresh.
	// +optional
	SessionToken *SessionTokenSecret `json:"sessionToken,omitempty"`
	// observe lists what else to read from Cobalt into status, at creation and once
	// per sync interval: Applications.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1
	Observe []LinkedAccountObservation `json:"observe,omitempty"`
}

// LinkedAccountObservation is something that can be read of a linked account.
// +kubebuilder:validation:Enum=Applications
type LinkedAccountObservation string

// LinkedAccountObserveApplications reads the applications the customer has connected.
const LinkedAccountObserveApplications LinkedAccountObservation = "Applications"

// ApplicationCredentials are a customer's credentials of one application.
type ApplicationCredentials struct {
	// application is the slug of the application.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]([ -~]*[!-~])?$') && !self.matches('[/\\\\\\\\%?#]') && !(self in ['.', '..'])",message="application must be printable ASCII without outer spaces and without / \\ % ? #, and not . or .."
	Application string `json:"application"`
	// secretRef names the Secret that holds the credentials.
	// +required
	SecretRef CredentialsReference `json:"secretRef"`
}

// CredentialsReference names a Secret with credentials in the object's namespace.
type CredentialsReference struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// key that holds a JSON object. Empty means that each key of the Secret is one
	// property of the credentials.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key,omitempty"`
}

// SessionTokenSecret is a Secret with a session token that the operator writes.
type SessionTokenSecret struct {
	// secretName is the Secret to write: keys token, linked-account-id, expires-at
	// and portal-url. A Secret that is not this object's is never overwritten.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	SecretName string `json:"secretName"`
	// refreshBefore is how long before its expiry a token is renewed; after a
	// third of its life at the earliest, and never sooner than 10s after it was
	// issued. Empty means 4h.
	// +optional
	// +kubebuilder:default="4h"
	// +kubebuilder:validation:XValidation:rule="duration(self) > duration('0s')",message="refreshBefore must be longer than 0s"
	RefreshBefore Duration `json:"refreshBefore,omitempty"`
	// hostedPortal also creates a hosted portal URL and writes it to key
	// portal-url. Empty means false.
	// +optional
	HostedPortal bool `json:"hostedPortal,omitempty"`
}

// LinkedAccountStatus is what the operator knows of a customer's account.
type LinkedAccountStatus struct {
	CommonStatus `json:",inline"`
	// yourAppKeys are the keys of your_app that this object set.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	YourAppKeys []string `json:"yourAppKeys,omitempty"`
	// yourAppSecretKeys are those of them whose value once came from a Secret: it
	// is not shown.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	YourAppSecretKeys []string `json:"yourAppSecretKeys,omitempty"`
	// credentials are those that Cobalt has from this object, one entry per application.
	// +optional
	// +listType=map
	// +listMapKey=application
	// +kubebuilder:validation:MaxItems=50
	Credentials []MigratedCredentials `json:"credentials,omitempty"`
	// sessionToken is the Secret with a session token. Empty while there is none.
	// +optional
	SessionToken *SessionTokenStatus `json:"sessionToken,omitempty"`
	// applications that the customer has connected, the first 50 by slug. Only
	// with Applications in spec.observe.
	// +optional
	// +listType=map
	// +listMapKey=slug
	// +kubebuilder:validation:MaxItems=50
	Applications []ConnectedApplication `json:"applications,omitempty"`
}

// MigratedCredentials are credentials that Cobalt has.
type MigratedCredentials struct {
	// application is the slug of the application.
	// +required
	// +kubebuilder:validation:MaxLength=256
	Application string `json:"application"`
	// hash tells whether the credentials or the account are others since: a random
	// salt, a colon and the SHA-256 of both, in hex. The credentials cannot be
	// read from it.
	// +required
	// +kubebuilder:validation:MaxLength=128
	Hash string `json:"hash"`
}

// SessionTokenStatus is what can be said of a session token.
type SessionTokenStatus struct {
	// secretName is the Secret that holds the token.
	// +required
	// +kubebuilder:validation:MaxLength=253
	SecretName string `json:"secretName"`
	// expiresAt is when the token ends.
	// +required
	ExpiresAt metav1.Time `json:"expiresAt"`
	// renewAt is when the operator asks for another one.
	// +required
	RenewAt metav1.Time `json:"renewAt"`
	// secretVersion is the version of the Secret that was written.
	// +required
	// +kubebuilder:validation:MaxLength=128
	SecretVersion string `json:"secretVersion"`
}

// ConnectedApplication is an application that a customer has connected.
type ConnectedApplication struct {
	// slug of the application.
	// +required
	// +kubebuilder:validation:MaxLength=256
	Slug string `json:"slug"`
	// name of the application, shortened. Empty if Cobalt tells none.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Name string `json:"name,omitempty"`
}

// LinkedAccount is a customer of yours in Cobalt.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=cla,categories=cobalt
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="ID",type=string,JSONPath=`.status.id`
// +kubebuilder:printcolumn:name="Environment",type=string,JSONPath=`.status.environment`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:validation:XValidation:rule="has(self.spec.linkedAccountID) || !(self.metadata.name in ['upsert', 'integration'])",message="upsert and integration cannot be account ids: set spec.linkedAccountID or choose another name"
type LinkedAccount struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the account as it should be.
	// +optional
	// +kubebuilder:default={}
	Spec LinkedAccountSpec `json:"spec,omitzero"`
	// status is the account as it is.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status LinkedAccountStatus `json:"status,omitzero"`
}

// LinkedAccountList is a list of LinkedAccounts.
// +kubebuilder:object:root=true
type LinkedAccountList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []LinkedAccount `json:"items"`
}

// AccountID is the customer's id in Cobalt that spec asks for.
func (a *LinkedAccount) AccountID() string {
	if a.Spec.LinkedAccountID != "" {
		return a.Spec.LinkedAccountID
	}
	return a.Name
}

// Account is the account itself.
func (a *LinkedAccount) Account() AccountReference {
	return AccountReference{LinkedAccountID: a.AccountID()}
}

// MemberSpec gives the part of the spec that every object of an environment has.
func (a *LinkedAccount) MemberSpec() *MemberSpec { return &a.Spec.MemberSpec }

// MemberStatus gives the part of the status that every object of an environment has.
func (a *LinkedAccount) MemberStatus() *MemberStatus { return &a.Status.MemberStatus }

// CommonSpec gives the shared flow its part of the spec.
func (a *LinkedAccount) CommonSpec() *CommonSpec { return &a.Spec.CommonSpec }

// CommonStatus gives the shared flow its part of the status.
func (a *LinkedAccount) CommonStatus() *CommonStatus { return &a.Status.CommonStatus }

// WholeStatus is for comparing it.
func (a *LinkedAccount) WholeStatus() any { return &a.Status }
