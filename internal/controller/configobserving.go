package controller

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/jsonvalue"
)

// observeConfig puts into the status what spec asks to be read of a config
// beside its values. What a call that fails would have told stays as it was.
func observeConfig(ctx context.Context, api *View, inputs *Inputs, obj *v1alpha1.IntegrationConfig) error {
	if len(obj.Spec.Observe) == 0 {
		obj.Status.Observed = nil
		return nil
	}
	obj.Status.Observed = only(obj.Status.Observed, obj.Spec.Observe)
	var problem error
	for _, wish := range obj.Spec.Observe {
		if api.read[string(wish)] { // before this pass had to be put off
			continue
		}
		err := readOf(ctx, api, inputs, obj, wish)
		switch {
		case cobalt.IsThrottled(err):
			return err
		case err != nil:
			problem = firstError(problem, fmt.Errorf("observe %s: %w", wish, err))
		default:
			api.read[string(wish)] = true
		}
	}
	return problem
}

// only is what was known before, as far as it is still asked for.
func only(before *v1alpha1.ConfigObserved, wishes []v1alpha1.ConfigObservation) *v1alpha1.ConfigObserved {
	now := &v1alpha1.ConfigObserved{}
	if before == nil {
		return now
	}
	for _, wish := range wishes {
		switch wish {
		case v1alpha1.ConfigObserveConnection:
			now.Connected = before.Connected
		case v1alpha1.ConfigObserveFieldNames:
			now.FieldNames = before.FieldNames
		case v1alpha1.ConfigObserveDatastores:
			now.Datastores = before.Datastores
		case v1alpha1.ConfigObserveRuleEngineOptions:
			now.RuleEngineOptions = before.RuleEngineOptions
		}
	}
	return now
}

// readOf reads one thing. If that fails, what was known stays.
func readOf(
	ctx context.Context, api *View, inputs *Inputs, obj *v1alpha1.IntegrationConfig, wish v1alpha1.ConfigObservation,
) error {
	now := obj.Status.Observed
	switch wish {
	case v1alpha1.ConfigObserveConnection:
		return keepOnError(&now.Connected, func() (*bool, error) { return isConnected(ctx, api, obj.Spec.Application) })
	case v1alpha1.ConfigObserveFieldNames:
		return keepOnError(&now.FieldNames, func() ([]v1alpha1.FieldName, error) { return fieldNames(ctx, api, inputs, obj.Status.ID) })
	case v1alpha1.ConfigObserveDatastores:
		return keepOnError(&now.Datastores, func() ([]string, error) { return datastores(ctx, api, obj.Status.ID) })
	default:
		return keepOnError(&now.RuleEngineOptions, func() (*runtime.RawExtension, error) { return ruleEngineOptions(ctx, api, inputs, obj.Status.ID) })
	}
}

// keepOnError puts what read returns in its place, unless it fails.
func keepOnError[V any](place *V, read func() (V, error)) error {
	value, err := read()
	if err == nil {
		*place = value
	}
	return err
}

func isConnected(ctx context.Context, api *View, slug string) (*bool, error) {
	application, err := api.GetApplication(ctx, api.account, slug)
	if err != nil {
		return nil, err
	}
	return &application.Connected, nil
}

func fieldNames(ctx context.Context, api *View, inputs *Inputs, id string) ([]v1alpha1.FieldName, error) {
	names := few[v1alpha1.FieldName]{most: mostFieldNames, key: func(n v1alpha1.FieldName) string { return n.ID }}
	for field, err := range api.ListConfigFields(ctx, api.account, id) {
		switch {
		case err != nil:
			return nil, err
		case field.ID != "" && len(field.ID) <= longestText:
			names.add(v1alpha1.FieldName{ID: field.ID, Name: cut(inputs.Redact(field.Name), longestName)})
		}
	}
	return names.kept, nil
}

func datastores(ctx context.Context, api *View, id string) ([]string, error) {
	slugs := few[string]{most: mostDatastores, key: func(slug string) string { return slug }}
	for store, err := range api.ListDatastores(ctx, api.account) {
		switch {
		case err != nil:
			return nil, err
		case store.ConfigID == id && store.Slug != "" && len(store.Slug) <= longestText:
			slugs.add(store.Slug)
		}
	}
	return slugs.kept, nil
}

func ruleEngineOptions(ctx context.Context, api *View, inputs *Inputs, id string) (*runtime.RawExtension, error) {
	options, err := api.GetRuleEngineOptions(ctx, api.account, id)
	if err != nil {
		return nil, err
	}
	value, isObject := jsonvalue.Decode(options).(map[string]any)
	if !isObject || len(options) > mostOptions {
		return nil, nil // nothing that status could hold
	}
	stored := storedJSON(inputs.redactLeaves(value))
	if stored == nil || len(stored) > mostOptions {
		return nil, nil
	}
	return &runtime.RawExtension{Raw: stored}, nil
}
