//go:build !linux

package children

import "syscall"

// childAttributes keep Ctrl-C from a child, which the parent stops in its own order. Only Linux can also end a child
// with a parent that is killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

func bound(_, binary string) (string, error) { return binary, nil }

// BecomeBound does nothing here.
func BecomeBound() error { return nil }
