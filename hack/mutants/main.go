// Command mutants breaks the operator on purpose, one rule after the other, and fails unless the stories that must see
// it turn red: a test that cannot fail proves nothing. Nothing in the checkout is changed.
//
//	go run ./hack/mutants [-only TEXT] [-procs 8]
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// mutant is a rule that is broken, in one place of one file.
type mutant struct {
	rule       string
	file       string
	text, with string
	// stories is what the names of the stories match that must see it.
	stories string
	// inMemory is the test without an API server that must see it as well; empty for none.
	inMemory string
}

func main() {
	only := flag.String("only", "", "take only the mutants whose rule contains this text")
	procs := flag.Int("procs", 4*runtime.NumCPU(), "processes that share the stories")
	flag.Parse()
	if err := run(os.Stdout, *only, *procs); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, only string, procs int) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	scratch, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	alive := 0
	for _, m := range mutants {
		if !strings.Contains(m.rule, only) {
			continue
		}
		overlay, err := m.overlay(scratch)
		if err != nil {
			return fmt.Errorf("%s: %w", m.rule, err)
		}
		begun := time.Now()
		seen, output, err := m.tell(ctx, overlay, procs)
		if err == nil && seen && m.inMemory != "" {
			seen, output, err = m.test(ctx, overlay)
		}
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", m.rule, err, output)
		}
		verdict := "seen"
		if !seen {
			verdict = "NOT SEEN"
			alive++
		}
		if _, err := fmt.Fprintf(out, "%-9s %5.0f s  %s\n", verdict, time.Since(begun).Seconds(), m.rule); err != nil {
			return err
		}
	}
	if alive > 0 {
		return fmt.Errorf("no story, or no test in memory, sees %d of them", alive)
	}
	return nil
}

// overlay makes the argument of -overlay that puts the broken file in the place of the right one.
func (m mutant) overlay(scratch string) (string, error) {
	right, err := os.ReadFile(m.file)
	if err != nil {
		return "", err
	}
	if count := strings.Count(string(right), m.text); count != 1 {
		return "", fmt.Errorf("%s has %q %d times, and must have it once: bring the mutant up to date", m.file, m.text, count)
	}
	broken := filepath.Join(scratch, "broken.go")
	if err := os.WriteFile(broken, []byte(strings.Replace(string(right), m.text, m.with, 1)), 0o600); err != nil {
		return "", err
	}
	path, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {path: broken}})
	if err != nil {
		return "", err
	}
	name := filepath.Join(scratch, "overlay.json")
	return name, os.WriteFile(name, overlay, 0o600)
}

// tell has the stories told, and tells whether one of them has seen the mutant.
func (m mutant) tell(ctx context.Context, overlay string, procs int) (seen bool, output string, err error) {
	command := exec.CommandContext(ctx, "go", "tool", "ginkgo", "run", "--no-color", "--keep-going",
		fmt.Sprintf("--procs=%d", procs), "--focus="+m.stories, "./test/stories")
	command.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -overlay="+overlay)
	told, err := command.CombinedOutput()
	var exit *exec.ExitError
	switch output = string(told); {
	case strings.Contains(output, "Ran 0 of"):
		return false, output, errors.New("there is no such story")
	case strings.Contains(output, "[FAIL]"):
		return true, output, nil
	case errors.As(err, &exit):
		return false, output, errors.New("it could not be told")
	}
	return false, output, err
}

// test runs the test in memory, and tells whether it has seen the mutant.
func (m mutant) test(ctx context.Context, overlay string) (seen bool, output string, err error) {
	command := exec.CommandContext(ctx, "go", "test", "-overlay="+overlay, "-count=1", "-run=^"+m.inMemory+"$", "./test/inmemory")
	told, err := command.CombinedOutput()
	var exit *exec.ExitError
	switch output = string(told); {
	case strings.Contains(output, "no tests to run"):
		return false, output, errors.New("there is no such test")
	case strings.Contains(output, "--- FAIL"):
		return true, output, nil
	case errors.As(err, &exit):
		return false, output, errors.New("it could not be run")
	}
	return false, output, err
}
