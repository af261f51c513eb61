package object

import (
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// MayDelete tells whether deleting an object may delete in Cobalt what it stands for, which has this origin: what it
// created, unless that is to stay, and what it adopted only if its spec says so and it may still use its environment. What
// has no known origin was only looked at, or may be somebody else's, and stays; so does what only calls have made.
func MayDelete(obj client.Object, origin v1alpha1.Origin, allowed bool) bool {
	if natureOf(obj) != keeper || looksOnly(obj) {
		return false
	}
	policy := obj.(Managed).CommonSpec().DeletionPolicy
	switch {
	case policy == v1alpha1.DeletionPolicyOrphan:
		return false
	case origin == v1alpha1.OriginCreated:
		return true
	}
	return origin == v1alpha1.OriginAdopted && policy == v1alpha1.DeletionPolicyDelete && allowed
}
