package object

import (
	"testing"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

func TestMayDelete(t *testing.T) {
	t.Parallel()
	const unset, del, orphan = v1alpha1.DeletionPolicy(""), v1alpha1.DeletionPolicyDelete, v1alpha1.DeletionPolicyOrphan
	const unknown, created, adopted = v1alpha1.Origin(""), v1alpha1.OriginCreated, v1alpha1.OriginAdopted
	for _, tc := range []struct {
		policy           v1alpha1.DeletionPolicy
		origin           v1alpha1.Origin
		allowed, nowhere bool // whether it may be deleted while the environment may be used, and when no longer
	}{
		{unset, created, true, true}, {unset, adopted, false, false}, {unset, unknown, false, false},
		{del, created, true, true}, {del, adopted, true, false}, {del, unknown, false, false},
		{orphan, created, false, false}, {orphan, adopted, false, false}, {orphan, unknown, false, false},
	} {
		for allowed, want := range map[bool]bool{true: tc.allowed, false: tc.nowhere} {
			if got := MayDelete(tc.policy, tc.origin, allowed); got != want {
				t.Errorf("policy %q, origin %q, allowed %t: %t, want %t", tc.policy, tc.origin, allowed, got, want)
			}
		}
	}
}
