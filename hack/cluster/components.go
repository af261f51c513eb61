package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"k8s.io/apimachinery/pkg/util/wait"
)

// component is a process of the node. Its paths are those of mountAll.
type component struct {
	name string
	args []string
}

var controlPlane = []component{
	{"/run/assets/etcd", []string{"--data-dir=/run/state/etcd", "--unsafe-no-fsync"}},
	{"/run/assets/kube-apiserver", []string{
		"--etcd-servers=http://127.0.0.1:2379",
		"--bind-address=0.0.0.0",
		"--advertise-address=" + nodeAddress,
		"--service-cluster-ip-range=10.96.0.0/16",
		"--tls-cert-file=/run/state/apiserver.crt",
		"--tls-private-key-file=/run/state/apiserver.key",
		"--token-auth-file=/run/state/tokens.csv",
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=/run/state/accounts.key",
		"--service-account-signing-key-file=/run/state/accounts.key",
		"--kubelet-preferred-address-types=InternalIP",
		"--allow-privileged",
	}},
	{"/run/debian/usr/bin/containerd", []string{"--config=/run/state/containerd.toml"}},
}

// others need an API server that answers.
func others(cgroup string) []component {
	return []component{
		{"/run/assets/kube-controller-manager", []string{
			"--kubeconfig=/run/state/kube-controller-manager.kubeconfig",
			"--use-service-account-credentials",
			"--service-account-private-key-file=/run/state/accounts.key",
			"--root-ca-file=/run/state/apiserver.crt",
			"--leader-elect=false",
		}},
		{"/run/assets/kube-scheduler", []string{"--kubeconfig=/run/state/kube-scheduler.kubeconfig", "--leader-elect=false"}},
		{"/run/assets/kubelet", []string{
			"--config=/run/state/kubelet.yaml",
			"--kubeconfig=/run/state/kubelet.kubeconfig",
			"--root-dir=/run/state/kubelet",
			"--cgroup-root=/" + cgroup,
			"--hostname-override=" + nodeName,
			"--node-ip=" + nodeAddress,
		}},
		{"/run/assets/kube-proxy", []string{"--config=/run/state/kube-proxy.yaml", "--hostname-override=" + nodeName}},
		{"/run/bin/coredns", []string{"-conf=/run/state/Corefile"}},
	}
}

// runComponents returns when one of them has ended, or ctx has.
func runComponents(ctx context.Context, cgroup string) error {
	ended := make(chan error, 1)
	for _, c := range controlPlane {
		if err := c.start(ended); err != nil {
			return err
		}
	}
	if err := answering(ctx, ended); err != nil {
		return err
	}
	if err := makeCgroup(cgroup); err != nil {
		return err
	}
	for _, c := range others(cgroup) {
		if err := c.start(ended); err != nil {
			return err
		}
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case err := <-ended:
		return err
	}
}

// start runs the component with its output in a log named after it. The first that ends says so.
func (c component) start(ended chan<- error) error {
	name := filepath.Base(c.name)
	log, err := os.Create(filepath.Join("/run/state/logs", name+".log"))
	if err != nil {
		return err
	}
	cmd := exec.Command(c.name, c.args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = environment()
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		state := cmd.Wait()
		select {
		case ended <- fmt.Errorf("%s ended (%v); the end of its log:\n%s", name, state, tail(log.Name())):
		default: // another one was first
		}
	}()
	return nil
}

// environment has the node find Debian's packages before what the machine may have of them.
func environment() []string {
	libraries, _ := filepath.Glob("/run/debian/usr/lib/*-linux-gnu*") // the pattern is valid
	env := []string{"PATH=/run/debian/usr/sbin:/run/debian/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	if len(libraries) > 0 {
		env = append(env, "LD_LIBRARY_PATH="+libraries[0], "XTABLES_LIBDIR="+filepath.Join(libraries[0], "xtables"))
	}
	return env
}

// answering waits until the API server is ready.
func answering(ctx context.Context, ended <-chan error) error {
	client, err := clientOf("/run/state/kube-scheduler.kubeconfig")
	if err != nil {
		return err
	}
	err = wait.PollUntilContextTimeout(ctx, poll, startTimeout, true, func(ctx context.Context) (bool, error) {
		select {
		case err := <-ended:
			return false, err
		default:
			return ready(ctx, client), nil
		}
	})
	if wait.Interrupted(err) {
		return fmt.Errorf("the API server was not ready after %s; the end of its log:\n%s", startTimeout, tail("/run/state/logs/kube-apiserver.log"))
	}
	return err
}
