package managed

import (
	"context"
	"time"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/drift"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// hooks is a resource that Cobalt always has as it is wanted.
type hooks struct {
	Plain[*v1alpha1.Webhook, cobalt.Webhook]
}

func (hooks) Identities(*v1alpha1.Webhook) []string { return []string{""} }

func (hooks) Desired(context.Context, *inputs.Reader, *v1alpha1.Webhook) (*cobalt.Webhook, error) {
	return &cobalt.Webhook{}, nil
}

func (hooks) Observe(context.Context, *environment.Remote, *v1alpha1.Webhook) (*cobalt.Webhook, error) {
	return &cobalt.Webhook{ID: "w1"}, nil
}

func (hooks) Diff(_, _ *cobalt.Webhook) []drift.Difference { return nil }

func (hooks) Origin(obj *v1alpha1.Webhook, _ *cobalt.Webhook) v1alpha1.Origin {
	return object.OriginOf(obj, time.Time{}, v1alpha1.OriginCreated)
}

func (hooks) Create(_ context.Context, _ *environment.Remote, desired *cobalt.Webhook) (*cobalt.Webhook, error) {
	return desired, nil
}

func (hooks) Update(_ context.Context, _ *environment.Remote, desired, _ *cobalt.Webhook) (*cobalt.Webhook, bool, error) {
	return desired, true, nil
}

func (hooks) Publish(obj *v1alpha1.Webhook, _, remote *cobalt.Webhook) { obj.Status.ID = remote.ID }

func (hooks) Delete(context.Context, *environment.Remote, *v1alpha1.Webhook, func(v1alpha1.Origin) bool) error {
	return nil
}

func (hooks) Find(context.Context, *environment.Remote, *v1alpha1.Webhook) error { return nil }
