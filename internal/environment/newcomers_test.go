package environment

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

// TestNewcomers: an environment that is to go takes nobody in, and waits for those that were let in before.
func TestNewcomers(t *testing.T) {
	t.Parallel()
	n, unheld := &Newcomers{}, map[types.UID]bool{"a": true, "b": true, "c": true}
	if !n.Enter("a") || !n.Enter("b") || !n.Enter("c") {
		t.Fatal("the environment is to stay")
	}
	n.Leave("c") // nothing came of it
	n.Admit(false)
	if n.Enter("d") {
		t.Error("the environment is to go")
	}
	if delete(unheld, "a"); !n.Await(unheld) { // it was given the finalizer, and counts by itself
		t.Error("b may be given the finalizer at any time")
	}
	if delete(unheld, "b"); n.Await(unheld) {
		t.Error("nobody is on the way any more")
	}
	if n.Admit(true); !n.Enter("d") {
		t.Error("another environment of that name has come")
	}
}
