// Command demo runs the whole operator on one machine, without a cluster, root or an account: a Kubernetes control
// plane, a simulator of the Cobalt API and the operator, each a process on loopback ports of its own. It applies the
// samples, shows them becoming Ready, and stays for its user to try things until it is interrupted.
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
	"time"

	"github.com/cobalt-operator/cobalt-operator/hack/children"
)

type options struct {
	children.Sources

	manager   string
	simulator string
	samples   string
	once      bool
}

func main() {
	if err := children.BecomeBound(); err != nil {
		exit(err)
	}
	var o options
	o.Bind(flag.CommandLine)
	flag.StringVar(&o.manager, "manager", "bin/manager", "the operator's binary")
	flag.StringVar(&o.simulator, "simulator", "bin/cobalt-simulator", "the simulator's binary")
	flag.StringVar(&o.samples, "samples", "config/samples", "folder of the manifests to apply")
	flag.BoolVar(&o.once, "once", false, "end when every sample is Ready, or with status 1 if that takes over 2 minutes")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop)   // a second Ctrl-C ends the demo at once
	signal.Ignore(syscall.SIGPIPE) // a write fails instead, and the console ends the demo in order
	ctx, cancel := context.WithCancel(ctx)
	if err := run(ctx, o, &console{File: os.Stdout, closed: cancel}); err != nil {
		exit(err)
	}
}

// console is where the user reads. Once nobody does any more, as in `make demo | head`, it calls closed.
type console struct {
	*os.File

	closed func()
}

func (c *console) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(c.File, format, args...); err != nil {
		c.closed()
	}
}

func exit(err error) {
	fmt.Fprintln(os.Stderr, "demo:", err)
	os.Exit(1)
}

// run is the demo from its first file to the removal of its last.
func run(ctx context.Context, o options, out *console) (err error) {
	samples, err := readSamples(o.samples) // first, because a mistake there should cost nobody a minute
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "cobalt-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	out.printf("Starting a Kubernetes control plane, the Cobalt simulator and the operator …\n")
	plane, err := children.StartControlPlane(dir, o.Sources)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plane.Stop()) }()

	d := &demo{
		options: o, out: out, plane: plane, dir: dir,
		watcher: &watcher{client: plane.Client, samples: samples, table: newTable(out)},
	}
	err = d.play(ctx)
	out.printf("Cleaning up …\n")
	if ctx.Err() != nil && !o.once {
		return nil // Ctrl-C is how it is meant to end
	}
	return err
}

// demo is what play needs.
type demo struct {
	options options
	out     *console
	plane   *children.ControlPlane
	dir     string
	watcher *watcher
}

// play runs the simulator and the operator, applies the samples and shows what becomes of them.
func (d *demo) play(ctx context.Context) error {
	ctx, fail := context.WithCancelCause(ctx)
	group := &children.Group{Dir: d.dir, Fail: fail}
	defer group.Wait()
	defer fail(nil)

	start := time.Now()
	origin, err := startSimulator(ctx, group, d.options.simulator)
	if err != nil {
		return cause(ctx, err)
	}
	if err := startOperator(ctx, group, d.options.manager, d.plane.OperatorConfig, origin); err != nil {
		return cause(ctx, err)
	}
	redirect(d.out, d.watcher.samples, origin)
	if err := apply(ctx, d.plane.Client, d.watcher.samples); err != nil {
		return cause(ctx, err)
	}
	err = d.watcher.settle(ctx)
	var late *lateError
	switch {
	case errors.As(err, &late):
		err = children.WithLog(err, filepath.Join(d.dir, "operator.log"))
		if d.options.once {
			return err
		}
		d.out.printf("\n%v\n", err)
	case err != nil:
		return err
	default:
		d.out.printf("\nAll samples are as expected after %.1f s.\n", time.Since(start).Seconds())
		if err := outputs(ctx, d.plane.Client, d.out); err != nil {
			return cause(ctx, err)
		}
	}
	if d.options.once {
		return nil
	}
	d.hint(origin)
	d.watcher.table.settle()
	return d.watcher.stay(ctx)
}

// cause returns why ctx ended early, if it did, in place of the err this led to.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// hint tells the user how to look around.
func (d *demo) hint(origin string) {
	d.out.printf(`
Try, in another terminal:

  export KUBECONFIG=%[1]s
  %[2]s get cobalt -A
  %[2]s describe linkedaccount acme
  %[2]s patch linkedaccount acme --type merge -p '{"spec":{"name":"Acme Corporation"}}'

The simulator is at %[3]s, all logs are in %[4]s. Ctrl-C ends the demo and removes everything.

`, d.plane.Kubeconfig, d.plane.Kubectl, origin, d.dir)
}
