package managed

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// conflicting returns the other objects that stand for the same thing in Cobalt as obj
// does, with the same identity and in the same endpoint, and that count.
func (r *Reconciler[T, R]) conflicting(ctx context.Context, obj T, account string) ([]object.Managed, error) {
	if obj.CommonSpec().ManagementPolicy == v1alpha1.ManagementPolicyReadOnly {
		return nil, nil
	}
	alike, err := r.sameIdentity(ctx, obj, account)
	var conflicting []object.Managed
	admissions := r.Environments.Admissions()
	for _, other := range alike {
		access, err := admissions.Of(ctx, other, account)
		if err != nil {
			return nil, err
		}
		leaves := !obj.GetDeletionTimestamp().IsZero() && object.EnvironmentOf(obj) == object.EnvironmentOf(other)
		if leaves && access == object.Missing {
			access = object.Granted // nobody can tell, and what is deleted under it is lost
		}
		if !object.Counts(other, object.Rival, access) {
			continue
		}
		same, err := r.Environments.SameEndpoint(ctx, object.EnvironmentOf(obj), object.EnvironmentOf(other))
		if err != nil {
			return nil, err
		}
		if id := r.Resource.UniqueID(obj); id != "" && id == r.Resource.UniqueID(other) {
			same = true // by another key of the same environment
		}
		if same {
			conflicting = append(conflicting, other)
		}
	}
	return conflicting, err
}

// sameIdentity returns the other objects of an identity, whatever their environment.
func (r *Reconciler[T, R]) sameIdentity(ctx context.Context, obj T, account string) ([]T, error) {
	if account == "" {
		return nil, nil
	}
	var alike []T
	for _, identity := range r.Resource.Identities(obj) {
		keys, err := r.Accounts.IdentityKeys(ctx, obj, account, identity)
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			list := r.List.DeepCopyObject().(client.ObjectList)
			bucket := client.MatchingFields{object.IdentityIndex: object.IdentityBucket(key)}
			if err := r.Client.List(ctx, list, bucket, client.UnsafeDisableDeepCopy); err != nil {
				return nil, fmt.Errorf("list objects of the same identity: %w", err)
			}
			_ = meta.EachListItem(list, func(item runtime.Object) error { // the function never fails
				other := item.(T)
				known := func(seen T) bool { return seen.GetUID() == other.GetUID() }
				if slices.Contains(r.identityKeys(other), key) && !known(obj) && !slices.ContainsFunc(alike, known) {
					alike = append(alike, other)
				}
				return nil
			})
		}
	}
	return alike, nil
}

// IndexIdentities lets objects of the same identity be found.
func (r *Reconciler[T, R]) IndexIdentities(ctx context.Context, indexer client.FieldIndexer) error {
	return indexer.IndexField(ctx, r.Prototype, object.IdentityIndex, func(obj client.Object) []string {
		var buckets []string
		for _, key := range r.identityKeys(obj.(T)) {
			buckets = append(buckets, object.IdentityBucket(key))
		}
		return buckets
	})
}

// identityKeys are those of what obj stands for.
func (r *Reconciler[T, R]) identityKeys(obj T) (keys []string) {
	for _, identity := range r.Resource.Identities(obj) {
		keys = append(keys, object.IdentityKey(obj.Account(), obj.GetNamespace(), identity))
	}
	return keys
}

// older orders objects of one identity: the first of them is the one that counts.
func older(a, b object.Managed) int {
	return cmp.Or(a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time), cmp.Compare(a.GetUID(), b.GetUID()))
}

// conflict tells that first counts and obj does not. It is read in obj's namespace, and
// names nothing of others.
func conflict(obj, first object.Managed) error {
	if obj.GetNamespace() != first.GetNamespace() {
		return condition.StalledBy(v1alpha1.ReasonConflict,
			"an older object in another namespace stands for the same in Cobalt: delete this one, or have that one deleted")
	}
	return condition.StalledBy(v1alpha1.ReasonConflict,
		"%s is older and stands for the same in Cobalt: delete one of the two objects", client.ObjectKeyFromObject(first))
}

// oldest is the one of several live objects of one identity that counts.
func oldest(obj object.Managed, conflicting []object.Managed) object.Managed {
	return slices.MinFunc(append([]object.Managed{obj}, conflicting...), older)
}

// wakeConflicting has those looked at that stand for the same as an object that has not counted among them before.
func (r *Reconciler[T, R]) wakeConflicting(run *Run[T]) {
	for _, other := range run.conflicting {
		r.Waker.Wake(ctrl.Request{NamespacedName: client.ObjectKeyFromObject(other)}, 0)
	}
}

// RequestsForConflicting finds the objects of the same identity as one that has changed.
func (r *Reconciler[T, R]) RequestsForConflicting(ctx context.Context, changed client.Object) []reconcile.Request {
	account, _ := r.Accounts.Of(ctx, changed.(T))
	alike, err := r.sameIdentity(ctx, changed.(T), account.ID)
	if err != nil {
		return nil // only a cache that is stopping fails
	}
	var requests []reconcile.Request
	for _, other := range alike {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(other)})
	}
	return requests
}
