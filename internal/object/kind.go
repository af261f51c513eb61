package object

import (
	"fmt"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// Kind is one of our kinds. A kind joins with one line in Kinds: who goes through all kinds goes through these.
type Kind struct {
	Name   string
	Object client.Object
	List   client.ObjectList
	nature nature
	// Look is what looking at an object in the background takes.
	Look func(client.Object) Look
}

// nature is what the objects of a kind are.
type nature int

const (
	// unknown: nobody has thought about the kind.
	unknown nature = iota
	// place: they are environments, which stand for nothing in one.
	place
	// keeper: they keep a state in Cobalt, which deleting them may delete.
	keeper
	// actor: they make calls that end, and what those made cannot be deleted.
	actor
)

// Look is what looking at an object in the background takes of the calls that its environment has.
type Look struct {
	// Interval is that of its spec.
	Interval v1alpha1.Duration
	// Calls are those of its own, and Shared the list that it shares with others; empty for none.
	Calls  int
	Shared string
}

// Kinds are all of them. The first two are places, the third is what the kinds after it belong to.
var Kinds = []Kind{
	{"ClusterEnvironment", &v1alpha1.ClusterEnvironment{}, &v1alpha1.ClusterEnvironmentList{}, place, noLook},
	{"Environment", &v1alpha1.Environment{}, &v1alpha1.EnvironmentList{}, place, noLook},
	{"LinkedAccount", &v1alpha1.LinkedAccount{}, &v1alpha1.LinkedAccountList{}, keeper, lookAtAccount},
	{"IntegrationConfig", &v1alpha1.IntegrationConfig{}, &v1alpha1.IntegrationConfigList{}, keeper, lookAtConfig},
	{"Webhook", &v1alpha1.Webhook{}, &v1alpha1.WebhookList{}, keeper, lookAtWebhook},
	{"PublicWorkflow", &v1alpha1.PublicWorkflow{}, &v1alpha1.PublicWorkflowList{}, actor, noLook},
	{"EventTrigger", &v1alpha1.EventTrigger{}, &v1alpha1.EventTriggerList{}, actor, noLook},
}

var (
	// Users are the kinds whose objects refer to environments.
	Users = Kinds[2:]
	// Dependents are those whose objects belong to an account.
	Dependents = Kinds[3:]
)

func noLook(client.Object) Look { return Look{} }

func lookAtAccount(obj client.Object) Look {
	spec := obj.(*v1alpha1.LinkedAccount).Spec
	return Look{spec.SyncInterval, len(spec.Observe), "accounts"}
}

func lookAtConfig(obj client.Object) Look {
	config := obj.(*v1alpha1.IntegrationConfig)
	return Look{config.Spec.SyncInterval, 0, "configs of " + config.Status.LinkedAccountID}
}

func lookAtWebhook(obj client.Object) Look {
	return Look{obj.(*v1alpha1.Webhook).Spec.SyncInterval, 1, ""}
}

// KindOf is the kind of an object; false for what is none of ours.
func KindOf(obj any) (Kind, bool) {
	index := slices.IndexFunc(Kinds, func(k Kind) bool { return reflect.TypeOf(k.Object) == reflect.TypeOf(obj) })
	if index < 0 {
		return Kind{}, false
	}
	return Kinds[index], true
}

// natureOf is unknown for what is none of ours.
func natureOf(obj any) nature {
	kind, _ := KindOf(obj)
	return kind.nature
}

// Complete makes sure that it is known what the objects of each kind of the API group count for: an operator that does not
// know would take one for something else.
func Complete(scheme *runtime.Scheme) error {
	for kind := range scheme.KnownTypes(v1alpha1.GroupVersion) {
		obj, err := scheme.New(v1alpha1.GroupVersion.WithKind(kind))
		if err != nil {
			return err
		}
		if _, custom := obj.(client.Object); custom && !meta.IsListType(obj) && natureOf(obj) == unknown {
			return fmt.Errorf("nobody has said what objects of kind %s count for: it needs a line in Kinds of internal/object", kind)
		}
	}
	return nil
}
