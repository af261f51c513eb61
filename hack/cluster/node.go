package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// inside is the argument with which the command starts itself as the first process of the node.
const inside = "node"

const (
	nodeName       = "node"
	nodeAddress    = "10.100.0.1" // on a bridge without ports, as Kubernetes refuses loopback addresses
	serviceAddress = "10.96.0.1"  // of the Service kubernetes
)

// Descriptors that the first process inherits.
const (
	lockFD     = 3 // held as long as it lives
	listenerFD = 4 // the API server's, on the machine's loopback
)

// runNode is the first process of the node: when it ends, the kernel ends all others, then drops their mounts,
// interfaces and rules.
func runNode(ctx context.Context, l layout) error {
	syscall.CloseOnExec(lockFD)
	syscall.CloseOnExec(listenerFD)
	listener, err := net.FileListener(os.NewFile(listenerFD, "listener"))
	if err != nil {
		return err
	}
	if err := mountAll(l); err != nil {
		return err
	}
	if err := connect(); err != nil {
		return err
	}
	go forward(listener, "127.0.0.1:6443")
	return runComponents(ctx, cgroupOf(l))
}

// mountAll gives the node a /proc of its own and short, constant paths in /run, and keeps its writes from the machine's
// folders.
func mountAll(l layout) error {
	run := filepath.Join(l.state(), "run")
	binds := map[string]string{
		"state": l.state(), "assets": l.assets, "bin": filepath.Join(l.home, "bin"), "debian": filepath.Join(l.home, "debian"),
	}
	if err := errors.Join(
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		os.MkdirAll(run, 0o755),
		unix.Mount("tmpfs", run, "tmpfs", 0, "mode=0755"),
	); err != nil {
		return err
	}
	for name, source := range binds {
		if err := bind(source, filepath.Join(run, name)); err != nil {
			return err
		}
	}
	if err := errors.Join(
		unix.Mount(run, "/run", "", unix.MS_BIND|unix.MS_REC, ""),
		unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""),
		unix.Mount("/run/state/lib", "/var/lib", "", unix.MS_BIND, ""),
		unix.Mount("/run/state/log", "/var/log", "", unix.MS_BIND, ""),
	); err != nil {
		return err
	}
	if err := hideSettings(); err != nil {
		return err
	}
	return unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, "") // so that volumes reach the pods
}

func bind(source, target string) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	return nil
}

// hideSettings has the kubelet change files instead of the kernel it shares with the machine.
func hideSettings() error {
	for _, name := range []string{
		"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
	} {
		setting, copied := filepath.Join("/proc/sys", name), filepath.Join("/run/settings", name)
		value, err := os.ReadFile(setting)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(copied), 0o755), os.WriteFile(copied, value, 0o644)); err != nil {
			return err
		}
		if err := unix.Mount(copied, setting, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("%s: %w", setting, err)
		}
	}
	return nil
}

// connect sets up the node's network, from which no route leads out of it.
func connect() error {
	loopback, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	address, err := netlink.ParseAddr(nodeAddress + "/32")
	if err != nil {
		return err
	}
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "node"}}
	if err := errors.Join(netlink.LinkSetUp(loopback), netlink.LinkAdd(bridge), netlink.AddrAdd(bridge, address), netlink.LinkSetUp(bridge)); err != nil {
		return err
	}
	// Services have addresses on no interface: without a route, nothing would be sent that kube-proxy could redirect.
	everything := &net.IPNet{IP: net.IPv4zero, Mask: net.CIDRMask(0, 32)}
	if err := netlink.RouteAdd(&netlink.Route{LinkIndex: bridge.Index, Dst: everything, Scope: netlink.SCOPE_LINK}); err != nil {
		return err
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644) // each network has one of its own
}

// forward hands what comes in from the machine to address, inside.
func forward(listener net.Listener, address string) {
	for {
		outer, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer outer.Close()
			inner, err := net.Dial("tcp", address)
			if err != nil {
				return // the client sees its connection closed, as from a server that is not up
			}
			defer inner.Close()
			go func() {
				_, _ = io.Copy(inner, outer)
				_ = inner.(*net.TCPConn).CloseWrite()
			}()
			_, _ = io.Copy(outer, inner)
		}()
	}
}

// startNode runs the command itself as the first process of new namespaces. It inherits the lock and the listener.
func startNode(l layout, lock, listener, log *os.File) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "-home="+l.home, "-assets="+l.assets, inside)
	cmd.ExtraFiles = []*os.File{lock, listener} // lockFD, listenerFD
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid:     true, // Ctrl-C is for whoever ran `up`
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
	}
	return cmd, cmd.Start()
}
