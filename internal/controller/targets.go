package controller

import (
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// watchTargets has triggers looked at when what they refer to gets to Cobalt.
func (s *setup) watchTargets(b *builder.Builder, list client.ObjectList) {
	for _, target := range []struct {
		object client.Object
		index  string
	}{{&v1alpha1.PublicWorkflow{}, object.WorkflowRefIndex}, {&v1alpha1.IntegrationConfig{}, object.ConfigRefIndex}} {
		find := s.find(list, func(obj client.Object) client.ListOption {
			return client.MatchingFields{target.index: object.ByName(obj.GetNamespace(), obj.GetName())}
		})
		b.Watches(target.object, handler.EnqueueRequestsFromMapFunc(find), builder.WithPredicates(becameReady))
	}
}

// becameReady lets through that an object becomes Ready, or another one.
var becameReady = predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
	before, after := e.ObjectOld.(object.Object), e.ObjectNew.(object.Object)
	return object.ConditionsOf(before).IsReady(before.GetGeneration()) != object.ConditionsOf(after).IsReady(after.GetGeneration()) ||
		object.ID(before) != object.ID(after)
}}
