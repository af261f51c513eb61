// Package testenv runs a real kube-apiserver with the CRDs of this project for
// tests, and has what their stories share: a work queue on an injected clock,
// the rules that every status must keep to, and a count of writes.
package testenv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	kruntime "k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// Cluster is a control plane: an API server and its store, without nodes or controllers.
type Cluster struct {
	Config *rest.Config
	Scheme *kruntime.Scheme
	// Client reads and writes without a cache.
	Client client.Client

	environment *envtest.Environment
}

// Start starts a cluster with the CRDs installed. Stop stops it.
func Start() (*Cluster, error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return nil, fmt.Errorf("KUBEBUILDER_ASSETS is not set: run make test, or set it to what hack/controlplane/assets.sh prints")
	}
	_, file, _, _ := runtime.Caller(0)
	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join(filepath.Dir(file), "..", "..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	if _, err := environment.Start(); err != nil {
		return nil, fmt.Errorf("start the control plane: %w", err)
	}
	cluster, err := Join(environment.KubeConfig)
	if err != nil {
		return nil, errors.Join(err, environment.Stop())
	}
	cluster.environment = environment
	return cluster, nil
}

// KubeConfig is what other processes need to Join a cluster that this one has started.
func (c *Cluster) KubeConfig() []byte { return c.environment.KubeConfig }

// Join connects to a cluster that another process has started, and that it stops.
func Join(kubeConfig []byte) (*Cluster, error) {
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeConfig)
	if err != nil {
		return nil, fmt.Errorf("read the address of the control plane: %w", err)
	}
	config.QPS = -1 // tests are not to be slowed down by their own client
	scheme := kruntime.NewScheme()
	for _, add := range []func(*kruntime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	return &Cluster{Config: config, Scheme: scheme, Client: c}, nil
}

// Stop stops a cluster that this process has started.
func (c *Cluster) Stop() error { return c.environment.Stop() }
