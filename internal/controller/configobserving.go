package controller

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// What status can hold of what is read of a config; see ConfigObserved.
const (
	mostFieldNames = 100
	mostDatastores = 50
	longestName    = 64
	mostOptions    = 4 << 10
)

// observeConfig puts into the status what spec asks to be read of a config
// beside its values. What a call that fails would have told stays as it was.
func observeConfig(ctx context.Context, api *View, obj *v1alpha1.IntegrationConfig) error {
	if len(obj.Spec.Observe) == 0 {
		obj.Status.Observed = nil
		return nil
	}
	seen := observation{before: obj.Status.Observed, now: &v1alpha1.ConfigObserved{}}
	if seen.before == nil {
		seen.before = &v1alpha1.ConfigObserved{}
	}
	obj.Status.Observed = seen.now
	var problem error
	for _, wish := range obj.Spec.Observe {
		if err := seen.read(ctx, api, obj, wish); err != nil {
			problem = firstError(problem, fmt.Errorf("observe %s: %w", wish, err))
		}
	}
	return problem
}

// observation is what was known of a config before, and what is now.
type observation struct{ before, now *v1alpha1.ConfigObserved }

// read reads one thing, or takes it over from before.
func (o observation) read(
	ctx context.Context, api *View, obj *v1alpha1.IntegrationConfig, wish v1alpha1.ConfigObservation,
) (err error) {
	switch wish {
	case v1alpha1.ConfigObserveConnection:
		if o.now.Connected, err = isConnected(ctx, api, obj.Spec.Application); err != nil {
			o.now.Connected = o.before.Connected
		}
	case v1alpha1.ConfigObserveFieldNames:
		if o.now.FieldNames, err = fieldNames(ctx, api, obj.Status.ID); err != nil {
			o.now.FieldNames = o.before.FieldNames
		}
	case v1alpha1.ConfigObserveDatastores:
		if o.now.Datastores, err = datastores(ctx, api, obj.Status.ID); err != nil {
			o.now.Datastores = o.before.Datastores
		}
	case v1alpha1.ConfigObserveRuleEngineOptions:
		if o.now.RuleEngineOptions, err = ruleEngineOptions(ctx, api, obj.Status.ID); err != nil {
			o.now.RuleEngineOptions = o.before.RuleEngineOptions
		}
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

func fieldNames(ctx context.Context, api *View, id string) ([]v1alpha1.FieldName, error) {
	var names []v1alpha1.FieldName
	for field, err := range api.ListConfigFields(ctx, api.account, id) {
		switch {
		case err != nil:
			return nil, err
		case len(names) == mostFieldNames:
			return names, nil
		case field.ID != "" && len(field.ID) <= longestText:
			names = append(names, v1alpha1.FieldName{ID: field.ID, Name: cut(field.Name, longestName)})
		}
	}
	return names, nil
}

func datastores(ctx context.Context, api *View, id string) ([]string, error) {
	var slugs []string
	for store, err := range api.ListDatastores(ctx, api.account) {
		switch {
		case err != nil:
			return nil, err
		case store.ConfigID == id && store.Slug != "" && len(store.Slug) <= longestText && !slices.Contains(slugs, store.Slug):
			slugs = append(slugs, store.Slug)
		}
	}
	slices.Sort(slugs)
	return slugs[:min(len(slugs), mostDatastores)], nil
}

func ruleEngineOptions(ctx context.Context, api *View, id string) (*runtime.RawExtension, error) {
	options, err := api.GetRuleEngineOptions(ctx, api.account, id)
	if err != nil {
		return nil, err
	}
	if _, isObject := decodeAny(options).(map[string]any); !isObject || len(options) > mostOptions {
		return nil, nil // nothing that status could hold
	}
	return &runtime.RawExtension{Raw: options}, nil
}
