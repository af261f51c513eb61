package controller

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

func TestAccountIsNotMadeAgainUnderACall(t *testing.T) {
	t.Parallel()
	r, key := newRemade(), types.NamespacedName{Namespace: "team", Name: "acme"}
	old := owner{id: "acme", made: "1", linked: key}
	release, ok := r.use(old)
	if !ok {
		t.Fatal("an account that is there cannot be used")
	}
	if r.vanish(key, "1") {
		t.Error("an account is made again while a call for it is under way")
	}
	if !r.vanish(types.NamespacedName{Namespace: "team", Name: "ben"}, "1") {
		t.Error("a call for one account keeps another from being made again")
	}
	release()
	if !r.vanish(key, "1") {
		t.Error("an account is not made again although no call is under way")
	}
	if _, ok := r.use(old); ok || !r.isGone(key, "1") {
		t.Error("an account is used that is gone")
	}
	if _, ok := r.use(owner{id: "acme", made: "2", linked: key}); !ok || r.isGone(key, "2") {
		t.Error("the account that was made again cannot be used")
	}
	if _, ok := r.use(owner{id: "acme"}); !ok {
		t.Error("an account that is given by its id cannot be used")
	}
	r.found(key, "1")
	if r.isGone(key, "1") || r.isGone(key, "") {
		t.Error("an account that was found is gone")
	}
}
