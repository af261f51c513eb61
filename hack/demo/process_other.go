//go:build !linux

package main

import "syscall"

// childAttributes keep Ctrl-C from a child, which the demo stops in its own order. Only Linux can also end a child
// with a parent that is killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

func bound(_, binary string) (string, error) { return binary, nil }

func becomeBound() error { return nil }
