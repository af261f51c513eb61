package controller

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// Object is a custom resource of this API group that keeps a state in Cobalt.
type Object interface {
	client.Object
	AccountID() string
	CommonSpec() *v1alpha1.CommonSpec
	CommonStatus() *v1alpha1.CommonStatus
}

// Resource is what one kind teaches the shared flow: T is the custom resource,
// R what it stands for in Cobalt. An implementation holds no state of a pass.
type Resource[T Object, R any] interface {
	// Identity names what obj stands for within its environment. Two objects of
	// the kind with the same identity and environment are in conflict. It is pure.
	Identity(obj T) string
	// References names the Secrets and ConfigMaps that spec refers to. It is pure.
	References(obj T) []Reference
	// Desired builds what spec asks for. Values from Secrets and ConfigMaps
	// must be read through inputs.
	Desired(ctx context.Context, inputs *Inputs, obj T) (*R, error)
	// Observe returns what Cobalt has, or nil if there is nothing. It must find
	// what it once created even when the status of obj is empty.
	Observe(ctx context.Context, api *cobalt.Client, obj T) (*R, error)
	// Diff lists where remote is not as desired. It is pure.
	Diff(desired, remote *R) []v1alpha1.Drift
	// Marks names the annotations that obj must carry before anything is
	// written to Cobalt. remote is nil if there is nothing yet. It is pure.
	Marks(obj T, remote *R) map[string]string
	// Create makes it, and returns what Cobalt answered.
	Create(ctx context.Context, api *cobalt.Client, desired *R) (*R, error)
	// Update corrects it, and returns what Cobalt answered.
	Update(ctx context.Context, api *cobalt.Client, desired, remote *R) (*R, error)
	// Publish copies what users should see into the status. It is pure.
	Publish(obj T, desired, remote *R)
	// Extend does what can only be written and not be compared, such as
	// credentials or output Secrets, and the reads that spec asks for beyond the
	// object itself. It is called after Publish, never under ReadOnly, and must
	// make no call for what is done already. It returns when the next pass is
	// needed, if that is before the sync interval is over.
	Extend(ctx context.Context, api *cobalt.Client, inputs *Inputs, obj T) (wake time.Time, err error)
	// Due tells when obj needs a pass for the sake of what Extend does, although
	// nothing else asks for one: past if it needs one now, such as after an output
	// Secret was deleted, zero if never. It must cost no request, and must not
	// rely on the status of obj, which may lag behind.
	Due(ctx context.Context, obj T) time.Time
	// DeletionPolicy is the policy in force: spec's, or what empty means.
	DeletionPolicy(obj T) v1alpha1.DeletionPolicy
	// Delete removes it. It must need nothing but obj: what obj refers to may be
	// gone by now. A not-found error counts as done.
	Delete(ctx context.Context, api *cobalt.Client, obj T) error
}
