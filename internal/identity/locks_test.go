package identity

import (
	"testing"
)

func TestClaims(t *testing.T) {
	t.Parallel()
	c := NewLocks()
	release, ok := c.Take("acme", []string{"hubspot", "hubspot/1"})
	if !ok {
		t.Fatal("nobody has it")
	}
	if _, ok := c.Take("acme", []string{"hubspot/1"}); ok {
		t.Error("two work on one config")
	}
	if _, ok := c.Take("other", []string{"hubspot/1"}); !ok {
		t.Error("the account is another one")
	}
	if _, ok := c.Take("", []string{"hubspot/1"}); !ok {
		t.Error("what has no account yet is nobody's")
	}
	release()
	if _, ok := c.Take("acme", []string{"hubspot/1"}); !ok {
		t.Error("it was released")
	}
}
