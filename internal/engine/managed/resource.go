package managed

import (
	"context"
	"time"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/drift"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// Resource is what one kind teaches the shared flow: T is the custom resource,
// R what it stands for in Cobalt. An implementation holds no state of a run.
type Resource[T object.Managed, R any] interface {
	// Identities names what obj stands for within its account. Two objects of the
	// kind that share an identity, account and environment are in conflict. It is pure.
	Identities(obj T) []string
	// UniqueID is Cobalt's id of what obj stands for, if nothing else in any
	// environment can have the same; otherwise empty. It is pure.
	UniqueID(obj T) string
	// Uses names what spec uses of Secrets and ConfigMaps. It is pure.
	Uses(obj T) []inputs.Use
	// Desired builds what spec asks for. Values from Secrets and ConfigMaps
	// must be read through inputs.
	Desired(ctx context.Context, inputs *inputs.Reader, obj T) (*R, error)
	// Observe returns what Cobalt has, or nil if there is nothing. It may go by a
	// list unless api is live. What was never created need not be looked for, if
	// Create takes what is there.
	Observe(ctx context.Context, api *environment.Remote, obj T) (*R, error)
	// Diff lists where remote is not as desired, in an order that stays. It is pure.
	Diff(desired, remote *R) []drift.Difference
	// Annotations names the annotations that obj must carry before anything is written to
	// Cobalt, beside its account and its origin. remote is nil if there is nothing yet. It is pure.
	Annotations(obj T, remote *R) map[string]string
	// Remembered are more annotations that obj must carry, by what its status knows. It is pure.
	Remembered(obj T) map[string]string
	// Origin tells where remote came from, by what obj has recorded and by when
	// Cobalt says that it was created; empty if that cannot be told. It is pure.
	Origin(obj T, remote *R) v1alpha1.Origin
	// Create makes it, and returns what Cobalt answered; beside an error, what there
	// is nevertheless, or may be.
	Create(ctx context.Context, api *environment.Remote, desired *R) (*R, error)
	// Update corrects it, and returns what there is now, also beside an error, and
	// whether Cobalt's answer told so. remote was observed live.
	Update(ctx context.Context, api *environment.Remote, desired, remote *R) (now *R, told bool, err error)
	// Publish copies into the status what users should see, and what has to be
	// known the next time. It is also called before Update. It is pure.
	Publish(obj T, desired, remote *R)
	// Extend does what can only be written and not be compared, such as
	// credentials or output Secrets, and the reads that spec asks for beyond the
	// object itself. It is called after Publish, must make no call for what is
	// done already, and must only read under managementPolicy ReadOnly. It returns
	// when the next run is needed, if that is before the sync interval is over.
	Extend(ctx context.Context, api *environment.Remote, inputs *inputs.Reader, obj T) (wake time.Time, err error)
	// Due tells when obj needs a run for the sake of what Extend does, although
	// nothing else asks for one: past if it needs one now, such as after an output
	// Secret was deleted, zero if never. It must cost no request, and must not
	// rely on the status of obj, which may lag behind.
	Due(ctx context.Context, obj T) time.Time
	// Delete removes it, if its origin may be deleted: condition.ErrNotOurs says that it may not.
	// It must need nothing but obj and its account: what else obj refers to may be
	// gone by now. A miss is returned as Cobalt told it.
	Delete(ctx context.Context, api *environment.Remote, obj T, may func(v1alpha1.Origin) bool) error
	// Find asks Cobalt itself for what Delete has missed, and returns its answer.
	Find(ctx context.Context, api *environment.Remote, obj T) error
}

// Plain is what a kind need not say that has nothing special to it.
type Plain[T object.Managed, R any] struct{}

// UniqueID is none.
func (Plain[T, R]) UniqueID(T) string { return "" }

// Uses nothing.
func (Plain[T, R]) Uses(T) []inputs.Use { return nil }

// Annotations are none.
func (Plain[T, R]) Annotations(T, *R) map[string]string { return nil }

// Remembered are none.
func (Plain[T, R]) Remembered(T) map[string]string { return nil }

// Due never.
func (Plain[T, R]) Due(context.Context, T) time.Time { return time.Time{} }

// Extend does nothing.
func (Plain[T, R]) Extend(context.Context, *environment.Remote, *inputs.Reader, T) (time.Time, error) {
	return time.Time{}, nil
}
