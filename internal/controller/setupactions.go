package controller

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/controller/eventtrigger"
	"github.com/cobalt-operator/cobalt-operator/internal/controller/publicworkflow"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// setupActions adds the controllers of the kinds whose calls must not be made twice.
func setupActions(ctx context.Context, s *setup) error {
	workflows, workflowList := &v1alpha1.PublicWorkflow{}, &v1alpha1.PublicWorkflowList{}
	if err := setupAction(ctx, s, publicworkflow.Action{}, workflows, workflowList, func(*builder.Builder) {}); err != nil {
		return fmt.Errorf("set up PublicWorkflow: %w", err)
	}
	triggers, triggerList := &v1alpha1.EventTrigger{}, &v1alpha1.EventTriggerList{}
	if err := setupAction(ctx, s, eventtrigger.New(s.Client), triggers, triggerList, s.watchTargets); err != nil {
		return fmt.Errorf("set up EventTrigger: %w", err)
	}
	return nil
}

// setupAction adds the controller of such a kind.
func setupAction[T object.Object](
	ctx context.Context, s *setup, action engine.Action[T], prototype T, list client.ObjectList, watch func(*builder.Builder),
) error {
	if err := indexInputs(ctx, s, prototype, action.Uses); err != nil {
		return err
	}
	r := engine.NewOnce(s.Deps, action, prototype)
	b := s.controller(prototype, list, r.Waker, r.Memories)
	s.watchEnvironments(b, list)
	s.watchAccounts(b, list)
	watch(b)
	return b.Complete(s.complete(r, r.Kind, r.Waker))
}

// watchTargets has triggers looked at when what they refer to gets to Cobalt.
func (s *setup) watchTargets(b *builder.Builder) {
	for _, target := range []struct {
		object client.Object
		index  string
	}{{&v1alpha1.PublicWorkflow{}, object.WorkflowRefIndex}, {&v1alpha1.IntegrationConfig{}, object.ConfigRefIndex}} {
		find := s.find(&v1alpha1.EventTriggerList{}, func(obj client.Object) client.ListOption {
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
