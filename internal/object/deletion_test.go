package object_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// TestMayDelete is the table: by kind, whether it may be deleted while the environment may be used, and when no longer.
func TestMayDelete(t *testing.T) {
	t.Parallel()
	const unset, del, orphan = v1alpha1.DeletionPolicy(""), v1alpha1.DeletionPolicyDelete, v1alpha1.DeletionPolicyOrphan
	const unknown, created, adopted = v1alpha1.Origin(""), v1alpha1.OriginCreated, v1alpha1.OriginAdopted
	const others = " -- -- -- --" // workflows, triggers and environments leave what there is
	const always, whileAllowed, never = "ar ar ar" + others, "a- a- a-" + others, "-- -- --" + others
	for _, tc := range []struct {
		policy v1alpha1.DeletionPolicy
		origin v1alpha1.Origin
		want   string
		// looked is what may be deleted that was only looked at, whatever is recorded of its origin.
		looked string
	}{
		{unset, created, always, never}, {unset, adopted, never, never}, {unset, unknown, never, never},
		{del, created, always, never}, {del, adopted, whileAllowed, never}, {del, unknown, never, never},
		{orphan, created, never, never}, {orphan, adopted, never, never}, {orphan, unknown, never, never},
	} {
		for looked, want := range map[bool]string{false: tc.want, true: tc.looked} {
			var got []string
			for _, kind := range kinds {
				obj := made(t, kind)
				common(func(spec *v1alpha1.CommonSpec) { spec.DeletionPolicy = tc.policy })(obj)
				if looked {
					readOnly(obj)
				}
				text := []byte("--")
				if object.MayDelete(obj, tc.origin, true) {
					text[0] = 'a'
				}
				if object.MayDelete(obj, tc.origin, false) {
					text[1] = 'r'
				}
				got = append(got, string(text))
			}
			if diff := cmp.Diff(strings.Fields(want), got); diff != "" {
				t.Errorf("policy %q, origin %q, only looked at: %t, by kind (-want +got):\n%s", tc.policy, tc.origin, looked, diff)
			}
		}
	}
}
