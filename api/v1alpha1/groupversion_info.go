// Package v1alpha1 is the API of the Cobalt operator: the custom resources of
// group cobalt.gocobalt.io.
//
// +kubebuilder:object:generate=true
// +groupName=cobalt.gocobalt.io
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the group and version of every kind in this package.
var GroupVersion = schema.GroupVersion{Group: "cobalt.gocobalt.io", Version: "v1alpha1"}

// AddToScheme registers the kinds of this package with a scheme.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&Environment{}, &EnvironmentList{},
		&ClusterEnvironment{}, &ClusterEnvironmentList{},
		&LinkedAccount{}, &LinkedAccountList{},
		&IntegrationConfig{}, &IntegrationConfigList{},
		&Webhook{}, &WebhookList{},
		&PublicWorkflow{}, &PublicWorkflowList{},
		&EventTrigger{}, &EventTriggerList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
