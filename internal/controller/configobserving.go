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
	before, now := obj.Status.Observed, &v1alpha1.ConfigObserved{}
	if before == nil {
		before = &v1alpha1.ConfigObserved{}
	}
	obj.Status.Observed = now
	var problem error
	for _, wish := range obj.Spec.Observe {
		if err := readOf(ctx, api, obj, wish, now, before); err != nil {
			problem = firstError(problem, fmt.Errorf("observe %s: %w", wish, err))
		}
	}
	return problem
}

// readOf reads one thing into now, or takes it over from before.
func readOf(ctx context.Context, api *View, obj *v1alpha1.IntegrationConfig, wish v1alpha1.ConfigObservation, now, before *v1alpha1.ConfigObserved) (err error) {
	switch wish {
	case v1alpha1.ConfigObserveConnection:
		if now.Connected, err = isConnected(ctx, api, obj.Spec.Application); err != nil {
			now.Connected = before.Connected
		}
	case v1alpha1.ConfigObserveFieldNames:
		if now.FieldNames, err = fieldNames(ctx, api, obj.Status.ID); err != nil {
			now.FieldNames = before.FieldNames
		}
	case v1alpha1.ConfigObserveDatastores:
		if now.Datastores, err = datastores(ctx, api, obj.Status.ID); err != nil {
			now.Datastores = before.Datastores
		}
	case v1alpha1.ConfigObserveRuleEngineOptions:
		if now.RuleEngineOptions, err = ruleEngineOptions(ctx, api, obj.Status.ID); err != nil {
			now.RuleEngineOptions = before.RuleEngineOptions
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
	if _, err := decodeJSON(options); err != nil || len(options) > mostOptions {
		return nil, nil // nothing that status could hold
	}
	return &runtime.RawExtension{Raw: options}, nil
}
