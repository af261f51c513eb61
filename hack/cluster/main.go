// Command cluster runs a Kubernetes cluster of one node on this machine, in namespaces and a folder of its own.
// cluster.sh builds what it needs and calls it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// layout is where things are on the machine.
type layout struct {
	home   string // everything of this command
	assets string // etcd and what is built from the Kubernetes module
}

// state is what a running node writes; it goes when the node goes.
func (l layout) state() string { return filepath.Join(l.home, "node") }

// kubeconfig is the administrator's.
func (l layout) kubeconfig() string { return filepath.Join(l.state(), "kubeconfig") }

func main() {
	var l layout
	flag.StringVar(&l.home, "home", "bin/cluster", "folder for everything")
	flag.StringVar(&l.assets, "assets", "", "folder that `hack/controlplane/assets.sh node` prints")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, l, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, l layout, args []string) (err error) {
	if len(args) == 0 {
		return errors.New("say up, load or down")
	}
	if l.home, err = filepath.Abs(l.home); err != nil {
		return err
	}
	switch args[0] {
	case "up":
		return up(ctx, l)
	case "load":
		return load(ctx, l, args[1:]...)
	case "down":
		return down(l)
	case inside:
		return runNode(ctx, l)
	default:
		return fmt.Errorf("%q is neither up, load nor down", args[0])
	}
}
