package controller

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

// TestNewcomers: an environment that is to go takes nobody in, and waits for those that were let in before.
func TestNewcomers(t *testing.T) {
	t.Parallel()
	n, unheld := &newcomers{}, map[types.UID]bool{"a": true, "b": true, "c": true}
	if !n.enter("a") || !n.enter("b") || !n.enter("c") {
		t.Fatal("the environment is to stay")
	}
	n.leave("c") // nothing came of it
	n.admit(false)
	if n.enter("d") {
		t.Error("the environment is to go")
	}
	if delete(unheld, "a"); !n.await(unheld) { // it was given the finalizer, and counts by itself
		t.Error("b may be given the finalizer at any time")
	}
	if delete(unheld, "b"); n.await(unheld) {
		t.Error("nobody is on the way any more")
	}
	if n.admit(true); !n.enter("d") {
		t.Error("another environment of that name has come")
	}
}
