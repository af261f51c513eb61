package controller

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// What status can hold of applications.
const (
	mostApplications = 50
	longestText      = 256
)

// observeApplications puts the applications that the customer has connected
// into the status, if spec asks for it. A call that fails leaves there what was
// seen before.
func observeApplications(ctx context.Context, api *cobalt.Client, obj *v1alpha1.LinkedAccount) error {
	if !slices.Contains(obj.Spec.Observe, v1alpha1.LinkedAccountObserveApplications) {
		obj.Status.Applications = nil
		return nil
	}
	var seen []cobalt.Application
	for application, err := range api.ListApplications(ctx, obj.AccountID()) {
		if err != nil {
			return fmt.Errorf("observe applications: %w", err)
		}
		seen = append(seen, application)
	}
	obj.Status.Applications = connected(seen)
	return nil
}

// connected are the connected ones among applications, in an order that does
// not depend on the API's.
func connected(applications []cobalt.Application) []v1alpha1.ConnectedApplication {
	var list []v1alpha1.ConnectedApplication
	for _, a := range applications {
		if a.Connected != nil && *a.Connected && a.Slug != "" && len(a.Slug) <= longestText {
			list = append(list, v1alpha1.ConnectedApplication{Slug: a.Slug, Name: cut(a.Name, longestText)})
		}
	}
	slices.SortStableFunc(list, func(a, b v1alpha1.ConnectedApplication) int { return cmp.Compare(a.Slug, b.Slug) })
	list = slices.CompactFunc(list, func(a, b v1alpha1.ConnectedApplication) bool { return a.Slug == b.Slug })
	return list[:min(len(list), mostApplications)]
}
