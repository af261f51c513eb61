package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	startTimeout = 3 * time.Minute // many times what it takes, for a machine that does other things as well
	poll         = 200 * time.Millisecond
	logTail      = 20 // lines
)

// up starts the node, unless one runs, and prints its kubeconfig.
func up(ctx context.Context, l layout) error {
	running, err := nodeOf(l)
	if err != nil {
		return err
	}
	if running != 0 {
		client, err := clientOf(l.kubeconfig())
		if err == nil && ready(ctx, client) {
			return say(l.kubeconfig())
		}
	}
	if err := down(l); err != nil { // what does not answer, and what a node left that was killed
		return err
	}
	if err := start(ctx, l); err != nil {
		return errors.Join(err, keepLogs(l), down(l))
	}
	return say(l.kubeconfig())
}

// keepLogs saves the logs of a node that did not start from being removed with it.
func keepLogs(l layout) error {
	kept := filepath.Join(l.home, "failed")
	err := errors.Join(os.RemoveAll(kept), os.Rename(filepath.Join(l.state(), "logs"), kept))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func say(text string) error {
	_, err := fmt.Fprintln(os.Stdout, text)
	return err
}

// start returns when pods can run.
func start(ctx context.Context, l layout) error {
	lock, err := takeLock(l)
	if err != nil {
		return err
	}
	defer lock.Close() // the node has it
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close()
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		return err
	}
	defer socket.Close()
	if err := writeFiles(l.state(), listener.Addr().String()); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(l.state(), "logs", "node.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	node, err := startNode(l, lock, socket, log)
	if err != nil {
		return err
	}
	if err := writePID(lock, node.Process.Pid); err != nil {
		return errors.Join(err, node.Process.Kill())
	}
	ended := make(chan struct{})
	go func() {
		_ = node.Wait() // its log says more
		close(ended)
	}()
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("the node was not Ready after %s", startTimeout))
	defer cancel()
	if err := settle(ctx, l, ended); err != nil {
		return fmt.Errorf("%w; logs are kept in %s, and the node's own ends:\n%s", err, filepath.Join(l.home, "failed"), tail(log.Name()))
	}
	return loadPause(ctx, l)
}

var errEnded = errors.New("the node ended")

// settle waits until the node is Ready, or has ended.
func settle(ctx context.Context, l layout, ended <-chan struct{}) error {
	client, err := clientOf(l.kubeconfig())
	if err != nil {
		return err
	}
	err = wait.PollUntilContextCancel(ctx, poll, true, func(ctx context.Context) (bool, error) {
		select {
		case <-ended:
			return false, errEnded
		default:
			return nodeReady(ctx, client), nil
		}
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// nodeReady says whether pods can be scheduled, and find the service account they run as.
func nodeReady(ctx context.Context, client kubernetes.Interface) bool {
	if _, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{}); err != nil {
		return false
	}
	node, err := client.CoreV1().Nodes().Get(ctx, nodeName, metav1.GetOptions{})
	if err != nil || len(node.Spec.Taints) > 0 {
		return false
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// ready says whether the API server is.
func ready(ctx context.Context, client kubernetes.Interface) bool {
	return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error() == nil
}

func clientOf(kubeconfig string) (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}

// tail returns the last lines of a log, indented.
func tail(log string) string {
	text, _ := os.ReadFile(log) // no log, no lines
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return "  " + strings.Join(lines[max(0, len(lines)-logTail):], "\n  ")
}

// load puts the images of OCI or Docker archives on the node.
func load(ctx context.Context, l layout, archives ...string) error {
	pid, err := nodeOf(l)
	if err != nil {
		return err
	}
	if pid == 0 {
		return errors.New("no node runs; start it with up")
	}
	for _, archive := range archives {
		ctr := exec.CommandContext(ctx, filepath.Join(l.home, "debian/usr/bin/ctr"),
			"--address", fmt.Sprintf("/proc/%d/root/run/containerd.sock", pid), "--namespace", "k8s.io", "images", "import", archive)
		if out, err := ctr.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", archive, err, out)
		}
	}
	return nil
}
