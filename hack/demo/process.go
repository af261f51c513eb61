package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	stopTimeout  = 10 * time.Second // from SIGTERM to SIGKILL
	startTimeout = 15 * time.Second
	logTail      = 15 // lines
)

// processes are the children of the demo. They run until their context ends; one that ends before calls fail.
type processes struct {
	dir     string
	fail    context.CancelCauseFunc
	running sync.WaitGroup
}

// start runs binary with its output in a log named after it, whose path it returns.
func (p *processes) start(ctx context.Context, name string, env []string, binary string, args ...string) (string, error) {
	log, err := os.Create(filepath.Join(p.dir, name+".log"))
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = childAttributes()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTimeout
	if err := cmd.Start(); err != nil {
		_ = log.Close() // nothing was written
		return "", fmt.Errorf("the %s does not start: %w", name, err)
	}
	p.running.Go(func() {
		defer log.Close()
		err := cmd.Wait()
		if ctx.Err() == nil {
			p.fail(&endedError{name: name, log: log.Name(), tail: tail(log.Name()), err: err})
		}
	})
	return log.Name(), nil
}

// wait returns when no process is left.
func (p *processes) wait() {
	p.running.Wait()
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

var listening = regexp.MustCompile(`listening on (http://[0-9.]+:\d+)`)

// startSimulator returns the origin (scheme, host, port) at which the simulator answers.
func startSimulator(ctx context.Context, children *processes, binary string) (string, error) {
	log, err := children.start(ctx, "simulator", nil, binary,
		"--listen", "127.0.0.1:0", "--api-key", "demo-key", "--pending", "1s", "--running", "2s")
	if err != nil {
		return "", err
	}
	late := fmt.Errorf("the simulator did not say within %s where it listens", startTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, late)
	defer cancel()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		text, err := os.ReadFile(log)
		if err != nil {
			return "", err
		}
		if found := listening.FindSubmatch(text); found != nil {
			return string(found[1]), nil
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-poll.C:
		}
	}
}

// startOperator starts the operator with the one Cobalt API it may talk to.
func startOperator(ctx context.Context, children *processes, binary, kubeconfig, origin string) error {
	_, err := children.start(ctx, "operator", []string{"KUBECONFIG=" + kubeconfig}, binary,
		"--leader-elect=false", "--metrics-bind-address=0", "--health-probe-bind-address=0", "--allowed-api-origins="+origin)
	return err
}

// withLog adds the last lines of a log to err.
func withLog(err error, log string) error {
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
