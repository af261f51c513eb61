package eventtrigger

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// workflowID is the workflow to execute; empty if an event is to be fired. It
// returns waiting while the PublicWorkflow that is referred to is not in Cobalt.
func (e action) workflowID(ctx context.Context, t *triggerRun, reader client.Reader) (string, error) {
	target := t.Obj.Spec.Workflow
	if target == nil || target.Ref == nil {
		if target == nil {
			return "", nil
		}
		return target.ID, nil
	}
	workflow := &v1alpha1.PublicWorkflow{}
	if err := referred(ctx, t, reader, target.Ref.Name, workflow, "PublicWorkflow", v1alpha1.ReasonWorkflowNotReady); err != nil {
		return "", err
	}
	if workflow.Status.ID == "" || !object.ConditionsOf(workflow).IsReady(workflow.Generation) {
		return "", condition.WaitingFor(v1alpha1.ReasonWorkflowNotReady,
			"PublicWorkflow %s is not in Cobalt yet, see its status", client.ObjectKeyFromObject(workflow))
	}
	return workflow.Status.ID, nil
}

// configID is the config that an event is for; empty for Cobalt's choice. It
// returns waiting while the IntegrationConfig that is referred to is not in Cobalt.
func (e action) configID(ctx context.Context, t *triggerRun, reader client.Reader) (string, error) {
	if t.Obj.Spec.ConfigRef == nil {
		return t.Obj.Spec.ConfigID, nil
	}
	config := &v1alpha1.IntegrationConfig{}
	if err := referred(ctx, t, reader, t.Obj.Spec.ConfigRef.Name, config, "IntegrationConfig", v1alpha1.ReasonConfigNotReady); err != nil {
		return "", err
	}
	if config.Status.ID == "" {
		return "", condition.WaitingFor(v1alpha1.ReasonConfigNotReady,
			"IntegrationConfig %s is not in Cobalt yet, see its status", client.ObjectKeyFromObject(config))
	}
	return config.Status.ID, nil
}

// referred reads an object that a trigger refers to, which must be of the same account.
func referred(
	ctx context.Context, t *triggerRun, reader client.Reader, name string, into object.Object, kind, missing string,
) error {
	key := client.ObjectKey{Namespace: t.Obj.Namespace, Name: name}
	err := reader.Get(ctx, key, into)
	switch {
	case apierrors.IsNotFound(err):
		return condition.WaitingFor(missing, "%s %s does not exist: create it, or correct the reference", kind, key)
	case err != nil:
		return fmt.Errorf("read %s %s: %w", kind, key, err)
	}
	account := into.MemberStatus().LinkedAccountID
	if object.EnvironmentOf(into) != object.EnvironmentOf(t.Obj) || account != "" && account != t.Account.ID {
		return condition.StalledBy(v1alpha1.ReasonDifferentAccount,
			"%s %s belongs to another account or environment: refer to one of the same", kind, key)
	}
	return nil
}
