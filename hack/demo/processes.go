package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"time"

	"github.com/cobalt-operator/cobalt-operator/hack/children"
)

const startTimeout = 15 * time.Second

var listening = regexp.MustCompile(`listening on (http://[0-9.]+:\d+)`)

// startSimulator returns the origin (scheme, host, port) at which the simulator answers.
func startSimulator(ctx context.Context, group *children.Group, binary string) (string, error) {
	child, err := group.Start(ctx, "simulator", nil, binary,
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
		text, err := os.ReadFile(child.Log)
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
func startOperator(ctx context.Context, group *children.Group, binary, kubeconfig, origin string) error {
	_, err := group.Start(ctx, "operator", []string{"KUBECONFIG=" + kubeconfig}, binary,
		"--leader-elect=false", "--metrics-bind-address=0", "--health-probe-bind-address=0", "--allowed-api-origins="+origin)
	return err
}
