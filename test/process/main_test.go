// Package process does to the operator's program what clusters do to it: it is told to stop, killed, paused and goes on, while
// another stands by. The API server is a real one, Cobalt the simulator, and each operator has a way of its own there.
package process

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/cobalt-operator/cobalt-operator/internal/testenv"
)

var (
	cluster *testenv.Cluster
	// binary is the operator's program.
	binary string
	// kubeconfig is the file by which it finds the cluster.
	kubeconfig string
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		folder, err := os.MkdirTemp("", "process-")
		if err != nil {
			log.Print(err)
			return 1
		}
		defer func() { _ = os.RemoveAll(folder) }()
		if err := start(folder); err != nil {
			log.Print(err)
			return 1
		}
		defer func() { _ = cluster.Stop() }()
		return m.Run()
	}())
}

func start(folder string) (err error) {
	binary, kubeconfig = filepath.Join(folder, "manager"), filepath.Join(folder, "kubeconfig")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", binary, "../../cmd/manager")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the operator: %w: %s", err, output)
	}
	if cluster, err = testenv.Start(); err != nil {
		return err
	}
	return os.WriteFile(kubeconfig, cluster.KubeConfig(), 0o600)
}
