package object

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

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

// natureOf has a row for each kind.
func natureOf(obj runtime.Object) nature {
	switch obj.(type) {
	case *v1alpha1.Environment, *v1alpha1.ClusterEnvironment:
		return place
	case *v1alpha1.LinkedAccount, *v1alpha1.IntegrationConfig, *v1alpha1.Webhook:
		return keeper
	case *v1alpha1.PublicWorkflow, *v1alpha1.EventTrigger:
		return actor
	}
	return unknown
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
			return fmt.Errorf("nobody has said what objects of kind %s count for: it needs a row in internal/object", kind)
		}
	}
	return nil
}
