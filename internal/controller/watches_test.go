package controller

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

func TestAccountChanged(t *testing.T) {
	t.Parallel()
	told := func(uid types.UID, id string) *v1alpha1.LinkedAccount {
		obj := &v1alpha1.LinkedAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "acme", UID: uid}}
		obj.Status.ID = id
		obj.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady}}
		return obj
	}
	marked := told("a", "1")
	object.SetAnnotation(marked, object.VanishedAnnotation, "1")
	silent := told("a", "")
	silent.Status.Conditions = nil
	renamed := told("a", "1")
	renamed.Spec.Name = "Acme Inc"
	for name, tc := range map[string]struct {
		before, after *v1alpha1.LinkedAccount
		want          bool
	}{
		"another name is nothing to wait for": {told("a", "1"), renamed, false},
		"it came to Cobalt":                   {told("a", ""), told("a", "1"), true},
		"it was made again":                   {told("a", "1"), told("a", "2"), true},
		"another object has its name":         {told("a", "1"), told("b", "1"), true},
		"it is heard of for the first time":   {silent, told("a", ""), true},
		"it vanished":                         {told("a", "1"), marked, false},
		"it came back":                        {marked, told("a", "1"), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := accountChanged.Update(event.UpdateEvent{ObjectOld: tc.before, ObjectNew: tc.after}); got != tc.want {
				t.Errorf("let through: %t, want %t", got, tc.want)
			}
		})
	}
	if !accountChanged.Create(event.CreateEvent{Object: told("a", "1")}) {
		t.Error("a new account wakes nobody")
	}
	if accountChanged.Create(event.CreateEvent{Object: told("a", "1"), IsInInitialList: true}) {
		t.Error("an account that was there when the operator started wakes everybody once more")
	}
}
