package controller

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// observeApplications puts the applications that the customer has connected
// into the status, if spec asks for it. A call that fails leaves there what was
// seen before.
func observeApplications(ctx context.Context, api *cobalt.Client, inputs *Inputs, obj *v1alpha1.LinkedAccount) error {
	if !slices.Contains(obj.Spec.Observe, v1alpha1.LinkedAccountObserveApplications) {
		obj.Status.Applications = nil
		return nil
	}
	seen, err := connected(inputs, api.ListApplications(ctx, obj.AccountID()))
	if err != nil {
		return fmt.Errorf("observe applications: %w", err)
	}
	obj.Status.Applications = seen
	return nil
}

// connected are the connected ones among applications.
func connected(inputs *Inputs, applications iter.Seq2[cobalt.Application, error]) ([]v1alpha1.ConnectedApplication, error) {
	list := few[v1alpha1.ConnectedApplication]{most: mostApplications, key: func(a v1alpha1.ConnectedApplication) string { return a.Slug }}
	for a, err := range applications {
		switch {
		case err != nil:
			return nil, err
		case a.Connected != nil && *a.Connected && a.Slug != "" && len(a.Slug) <= longestText:
			list.add(v1alpha1.ConnectedApplication{Slug: a.Slug, Name: cut(inputs.Redact(a.Name), longestText)})
		}
	}
	return list.kept, nil
}
