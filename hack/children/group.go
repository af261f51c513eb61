// Package children runs a Kubernetes control plane and other programs as processes that end with their parent, for
// programs that need a whole operator on one machine.
package children

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	stopTimeout = 10 * time.Second // from SIGTERM to SIGKILL
	logTail     = 15               // lines
)

// Group are processes that run until their context ends; one that ends before calls Fail. Their logs are in Dir.
type Group struct {
	Dir  string
	Fail context.CancelCauseFunc

	running sync.WaitGroup
}

// Child is a process that was started.
type Child struct {
	PID int
	Log string // a file

	cancel context.CancelFunc
	over   chan struct{}
}

// Stop ends the process and returns when it is gone.
func (c *Child) Stop() {
	c.cancel()
	<-c.over
}

// Start runs binary with its output in a log named after it.
func (g *Group) Start(ctx context.Context, name string, env []string, binary string, args ...string) (*Child, error) {
	log, err := os.Create(filepath.Join(g.Dir, name+".log"))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = childAttributes()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTimeout
	if err := cmd.Start(); err != nil {
		cancel()
		_ = log.Close() // nothing was written
		return nil, fmt.Errorf("the %s does not start: %w", name, err)
	}
	child := &Child{PID: cmd.Process.Pid, Log: log.Name(), cancel: cancel, over: make(chan struct{})}
	g.running.Go(func() {
		defer close(child.over)
		defer cancel()
		defer log.Close()
		err := cmd.Wait()
		if ctx.Err() == nil {
			g.Fail(&endedError{name: name, log: log.Name(), tail: tail(log.Name()), err: err})
		}
	})
	return child, nil
}

// Wait returns when no process is left.
func (g *Group) Wait() {
	g.running.Wait()
}

// endedError says that a process which should have gone on ended.
type endedError struct {
	name, log, tail string
	err             error // nil for status 0
}

func (e *endedError) Error() string {
	how := "status 0"
	if e.err != nil {
		how = e.err.Error()
	}
	return fmt.Sprintf("the %s ended (%s); the end of %s:\n%s", e.name, how, filepath.Base(e.log), e.tail)
}

func (e *endedError) Unwrap() error { return e.err }

// WithLog adds the last lines of a log to err.
func WithLog(err error, log string) error {
	if text := tail(log); text != "" {
		return fmt.Errorf("%w\nthe end of %s:\n%s", err, filepath.Base(log), text)
	}
	return err
}

// tail returns the last lines of a log, indented, or nothing if there are none.
func tail(log string) string {
	text, _ := os.ReadFile(log) // no log, no lines
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) == 1 && lines[0] == "" {
		return ""
	}
	lines = lines[max(0, len(lines)-logTail):]
	return "  " + strings.Join(lines, "\n  ")
}
