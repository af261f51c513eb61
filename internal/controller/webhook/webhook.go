// Package webhook keeps the subscriptions to events in Cobalt.
package webhook

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/drift"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
	"github.com/cobalt-operator/cobalt-operator/internal/engine/managed"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// resource teaches the shared flow what a Webhook is.
type resource struct {
	managed.Plain[*v1alpha1.Webhook, cobalt.Webhook]
	// insecure tells that plain http is allowed: where the API itself is spoken to so.
	insecure bool
}

var _ managed.Resource[*v1alpha1.Webhook, cobalt.Webhook] = resource{}

// New returns the reconciler of Webhooks, for an operator that may call these origins.
func New(d engine.Deps, origins []string) *managed.Reconciler[*v1alpha1.Webhook, cobalt.Webhook] {
	kind := resource{insecure: slices.ContainsFunc(origins, isInsecure)}
	return managed.New(d, kind, &v1alpha1.Webhook{})
}

// isInsecure tells whether an origin is plain http.
func isInsecure(origin string) bool { return strings.HasPrefix(origin, "http://") }

// Identities has one: an account has one webhook.
func (resource) Identities(*v1alpha1.Webhook) []string { return []string{""} }

func (resource) UniqueID(obj *v1alpha1.Webhook) string { return obj.Status.ID }

func (w resource) Desired(_ context.Context, _ *inputs.Reader, obj *v1alpha1.Webhook) (*cobalt.Webhook, error) {
	if isInsecure(obj.Spec.URL) && !w.insecure {
		return nil, condition.StalledBy(v1alpha1.ReasonInsecureURL,
			"url is plain http, which would show the events to anybody on the way: use https")
	}
	return &cobalt.Webhook{URL: obj.Spec.URL, Events: obj.Spec.Events}, nil
}

// Observe also looks for what was never created: a webhook does not tell who made it, nor when.
func (resource) Observe(ctx context.Context, api *environment.Remote, _ *v1alpha1.Webhook) (*cobalt.Webhook, error) {
	return api.Webhook(ctx)
}

func (resource) Diff(desired, remote *cobalt.Webhook) []drift.Difference {
	var differences []drift.Difference
	if desired.URL != remote.URL {
		differences = append(differences, drift.Difference{Path: "url", Want: desired.URL, Have: remote.URL})
	}
	for _, event := range without(desired.Events, remote.Events) {
		differences = append(differences, drift.Difference{Path: "events[" + event + "]", Want: true})
	}
	for _, event := range without(remote.Events, desired.Events) {
		differences = append(differences, drift.Difference{Path: "events[" + event + "]", Have: true})
	}
	return differences
}

// without are the events of a that are not in b, each once and in a fixed order.
func without(a, b []string) []string {
	rest := slices.DeleteFunc(slices.Clone(a), func(event string) bool { return slices.Contains(b, event) })
	slices.Sort(rest)
	return slices.Compact(rest)
}

func (w resource) Create(ctx context.Context, api *environment.Remote, desired *cobalt.Webhook) (*cobalt.Webhook, error) {
	made, err := api.CreateWebhook(ctx, api.Account, cobalt.WebhookInput{URL: desired.URL, Events: desired.Events})
	switch {
	case cobalt.IsNotFound(err):
		return nil, api.AccountMissing(ctx)
	case err != nil:
		return nil, err
	}
	now, _, err := unsubscribe(ctx, api, desired, made)
	return now, err
}

// Update subscribes only if something is missing: some of the API's dialects make
// another webhook each time.
func (w resource) Update(ctx context.Context, api *environment.Remote, desired, remote *cobalt.Webhook) (*cobalt.Webhook, bool, error) {
	if desired.URL != remote.URL || len(without(desired.Events, remote.Events)) > 0 {
		made, err := api.CreateWebhook(ctx, api.Account, cobalt.WebhookInput{URL: desired.URL, Events: desired.Events})
		if err != nil {
			return nil, false, err
		}
		remote = made
	}
	return unsubscribe(ctx, api, desired, remote)
}

// unsubscribe ends the subscription to exactly the events that are not desired.
// That they are gone, the answer does not tell.
func unsubscribe(
	ctx context.Context, api *environment.Remote, desired, remote *cobalt.Webhook,
) (now *cobalt.Webhook, told bool, err error) {
	left := without(remote.Events, desired.Events)
	if len(left) == 0 {
		return remote, true, nil
	}
	kept := *remote
	if err := api.UnsubscribeWebhook(ctx, api.Account, left); err != nil {
		return &kept, false, err
	}
	kept.Events = without(remote.Events, left)
	return &kept, false, nil
}

func (resource) Publish(obj *v1alpha1.Webhook, _, remote *cobalt.Webhook) {
	if remote.ID != "" {
		obj.Status.ID = remote.ID
	}
}

// Origin goes by the look before the first subscription.
func (resource) Origin(obj *v1alpha1.Webhook, remote *cobalt.Webhook) v1alpha1.Origin {
	if remote == nil {
		return object.KnownOrigin(obj)
	}
	return object.OriginOf(obj, time.Time{}, v1alpha1.OriginCreated)
}

// Delete unsubscribes from whatever there is: the API has no other way.
func (w resource) Delete(ctx context.Context, api *environment.Remote, obj *v1alpha1.Webhook, may func(v1alpha1.Origin) bool) error {
	if obj.Status.ID == "" && object.WasRefused(obj) {
		return nil
	}
	remote, err := api.GetWebhook(ctx, api.Account)
	if err != nil || len(remote.Events) == 0 {
		return err
	}
	if object.KnownOrigin(obj) == "" && !may(w.Origin(obj, remote)) {
		return condition.ErrNotOurs
	}
	return api.UnsubscribeWebhook(ctx, api.Account, remote.Events)
}

// Find asks for the webhook.
func (resource) Find(ctx context.Context, api *environment.Remote, _ *v1alpha1.Webhook) error {
	_, err := api.GetWebhook(ctx, api.Account)
	return err
}
