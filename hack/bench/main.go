// Command bench measures the operator: the real binary as a process, on a real API server, against the simulator. It
// prints one table, and writes the figures as JSON and as a page for docs.
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

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/cobalt-operator/cobalt-operator/hack/children"
)

type options struct {
	children.Sources

	manager     string
	leaderRole  string
	few, many   int
	mixed, some int
	grown       int
	rounds      int
	window      time.Duration
	parts       string
	profiles    string
	json        string
	markdown    string
	readme      string
}

func main() {
	if err := children.BecomeBound(); err != nil {
		exit(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	ctrl.SetLogger(zap.New(zap.WriteTo(os.Stderr)))
	if len(os.Args) > 1 && os.Args[1] == bareCommand {
		if err := runBare(ctx, os.Args[2:]); err != nil {
			exit(err)
		}
		return
	}
	var o options
	o.bind(flag.CommandLine)
	flag.Parse()
	if err := run(ctx, o); err != nil {
		exit(err)
	}
}

func (o *options) bind(flags *flag.FlagSet) {
	o.Sources.Bind(flags)
	flags.StringVar(&o.manager, "manager", "bin/manager", "the operator's binary")
	flags.StringVar(&o.leaderRole, "leader-role", "config/rbac/leader_election_role.yaml", "the Role it elects leaders with")
	flags.IntVar(&o.few, "few", 1000, "LinkedAccounts in the comparison with the bare client")
	flags.IntVar(&o.many, "many", 10_000, "LinkedAccounts that are compared with few, and whose weight and restart are measured")
	flags.IntVar(&o.mixed, "mixed", 1000, "objects of each kind in the mixed set; 0 leaves it out")
	flags.IntVar(&o.grown, "grown", 30_000, "LinkedAccounts that come while the operator works; a tenth of them first")
	flags.IntVar(&o.some, "some", 300, "objects where the server's limit sets the pace")
	flags.IntVar(&o.rounds, "rounds", 3, "times that many accounts are compared with few, of which the mean counts")
	flags.DurationVar(&o.window, "window", time.Minute, "how long quiet is measured, and the sync interval then: at least 30s")
	flags.StringVar(&o.parts, "parts", "",
		"what to measure, separated by commas: compare, pace, storm, beside, mix, sweep, weigh, grow; empty is all")
	flags.StringVar(&o.profiles, "profiles", "", "folder for CPU and heap profiles of the operator; empty takes none")
	flags.StringVar(&o.json, "json", "dist/bench.json", "file for the figures")
	flags.StringVar(&o.markdown, "markdown", "dist/benchmark.md", "file for the figures as a page")
	flags.StringVar(&o.readme, "readme", "", "file whose headlines are replaced by new ones; empty replaces none")
}

func exit(err error) {
	fmt.Fprintln(os.Stderr, "bench:", err)
	os.Exit(1)
}

// run is the benchmark from its first file to the removal of its last. What was measured before an error is reported.
func run(ctx context.Context, o options) (err error) {
	about, err := describeMachine()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "cobalt-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, fail := context.WithCancelCause(ctx)
	group := &children.Group{Dir: dir, Fail: fail}
	defer group.Wait()
	defer fail(nil)
	b := &bench{options: o, group: group, report: &report{Machine: about, progress: os.Stderr}}
	err = b.measure(ctx)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	b.report.print(os.Stdout)
	return errors.Join(err, b.save())
}

func (b *bench) save() error {
	for path, write := range map[string]func(*os.File) error{
		b.options.json: b.report.writeJSON, b.options.markdown: b.report.writeMarkdown,
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		file, err := os.Create(path)
		if err != nil {
			return err
		}
		if err := errors.Join(write(file), file.Close()); err != nil {
			return err
		}
	}
	if b.options.readme == "" {
		return nil
	}
	return b.report.writeHeadlines(b.options.readme)
}
