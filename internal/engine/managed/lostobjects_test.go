package managed

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object/objecttest"
)

// heldHook is version 5 of a webhook, with the finalizer.
func heldHook(uid types.UID) *v1alpha1.Webhook {
	return &v1alpha1.Webhook{ObjectMeta: metav1.ObjectMeta{
		Namespace: "team", Name: "hook", UID: uid, ResourceVersion: "5", Finalizers: []string{v1alpha1.Finalizer},
	}}
}

// TestObjectsAreLostWhateverWasSeenOfThem: the API server may be at their deletion from before they had the finalizer.
func TestObjectsAreLostWhateverWasSeenOfThem(t *testing.T) {
	t.Parallel()
	deleted := heldHook("1")
	deleted.DeletionTimestamp = &metav1.Time{Time: time.Now()}
	without := func(version string) *v1alpha1.Webhook {
		hook := heldHook("1")
		hook.Finalizers, hook.ResourceVersion = nil, version
		return hook
	}
	for name, tc := range map[string]struct {
		reason string
		// seen is what the cache shows before it shows that the object is gone.
		seen []*v1alpha1.Webhook
		want bool
	}{
		"AtOnce":   {"it was deleted in the moment in which it was given the finalizer", nil, true},
		"Seen":     {"and its finalizer was seen in between", []*v1alpha1.Webhook{heldHook("1")}, true},
		"Replaced": {"another has its name by now", []*v1alpha1.Webhook{heldHook("1"), heldHook("2")}, true},
		"Behind":   {"the cache was behind", []*v1alpha1.Webhook{without("4")}, true},
		"Deleted":  {"its deletion has waited until its finalizer was taken off", []*v1alpha1.Webhook{deleted}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lost := newLostObjects[*v1alpha1.Webhook](objecttest.CacheOf(t), clocktesting.NewFakeClock(time.Now()))
			lost.put(heldHook("1"))
			got := false
			for _, seen := range append(tc.seen, &v1alpha1.Webhook{}) {
				obj, is, err := lost.lost(t.Context(), client.ObjectKeyFromObject(heldHook("1")), seen)
				if err != nil {
					t.Fatal(err)
				}
				if got = got || is; is && (obj.UID != "1" || obj.DeletionTimestamp.IsZero()) {
					t.Errorf("it is %s, deleted at %s", obj.UID, obj.DeletionTimestamp)
				}
			}
			if got != tc.want {
				t.Errorf("%s: lost is %t, want %t", tc.reason, got, tc.want)
			}
		})
	}
}

// TestObjectsAreRememberedAsLongAsTheyCanBeLost: and no longer, unless they are.
func TestObjectsAreRememberedAsLongAsTheyCanBeLost(t *testing.T) {
	t.Parallel()
	now := clocktesting.NewFakeClock(time.Now())
	lost := newLostObjects[*v1alpha1.Webhook](objecttest.CacheOf(t), now)
	other := heldHook("2")
	other.Name = "other"
	lost.put(heldHook("1"))
	now.Step(deletionTakes - 1)
	lost.put(other)
	if len(lost.objects) != 2 {
		t.Error("it is forgotten although the API server may be at its deletion")
	}
	if _, is, _ := lost.lost(t.Context(), client.ObjectKeyFromObject(other), &v1alpha1.Webhook{}); !is {
		t.Error("the other one is not lost")
	}
	now.Step(deletionTakes)
	another := heldHook("3")
	another.Name = "another"
	lost.put(another)
	if _, ok := lost.get(client.ObjectKeyFromObject(heldHook("1"))); ok {
		t.Error("it is remembered although nothing can happen to it any more")
	}
	if held, ok := lost.get(client.ObjectKeyFromObject(other)); !ok || held.UID != "2" {
		t.Error("what the other one stands for is still to be deleted, and it is forgotten")
	}
}
