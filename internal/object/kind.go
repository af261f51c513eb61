package object

import (
	"reflect"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// Kind is one of our kinds.
type Kind struct {
	Name   string
	Object client.Object
	List   client.ObjectList
}

// Dependents are the kinds whose objects belong to an account, Users those that refer to
// environments; a kind joins with one line.
var (
	Dependents = []Kind{
		{"IntegrationConfig", &v1alpha1.IntegrationConfig{}, &v1alpha1.IntegrationConfigList{}},
		{"Webhook", &v1alpha1.Webhook{}, &v1alpha1.WebhookList{}},
		{"PublicWorkflow", &v1alpha1.PublicWorkflow{}, &v1alpha1.PublicWorkflowList{}},
		{"EventTrigger", &v1alpha1.EventTrigger{}, &v1alpha1.EventTriggerList{}},
	}
	Users = append([]Kind{{"LinkedAccount", &v1alpha1.LinkedAccount{}, &v1alpha1.LinkedAccountList{}}}, Dependents...)
)

// KindOf names the kind of an object that refers to an environment.
func KindOf(obj client.Object) string {
	index := slices.IndexFunc(Users, func(k Kind) bool { return reflect.TypeOf(k.Object) == reflect.TypeOf(obj) })
	return Users[index].Name
}
