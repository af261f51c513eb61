package account

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

func TestAccountIsNotMadeAgainUnderACall(t *testing.T) {
	t.Parallel()
	r, key := NewRemade(), types.NamespacedName{Namespace: "team", Name: "acme"}
	old := Owner{ID: "acme", Made: "1", Linked: key}
	release, ok := r.Use(old)
	if !ok {
		t.Fatal("an account that is there cannot be used")
	}
	if r.Vanish(key, "1") {
		t.Error("an account is made again while a call for it is under way")
	}
	if !r.Vanish(types.NamespacedName{Namespace: "team", Name: "ben"}, "1") {
		t.Error("a call for one account keeps another from being made again")
	}
	release()
	if !r.Vanish(key, "1") {
		t.Error("an account is not made again although no call is under way")
	}
	if _, ok := r.Use(old); ok || !r.IsGone(key, "1") {
		t.Error("an account is used that is gone")
	}
	if _, ok := r.Use(Owner{ID: "acme", Made: "2", Linked: key}); !ok || r.IsGone(key, "2") {
		t.Error("the account that was made again cannot be used")
	}
	if _, ok := r.Use(Owner{ID: "acme"}); !ok {
		t.Error("an account that is given by its id cannot be used")
	}
	r.Found(key, "1")
	if r.IsGone(key, "1") || r.IsGone(key, "") {
		t.Error("an account that was found is gone")
	}
}
