// Package docs does what the documentation tells its readers to do: on a real API server with the operator and a
// simulator of Cobalt, in the state that readers have when they come to each command. It also holds each promise of
// docs/security.md to the test that attacks it.
package docs

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
	"github.com/cobalt-operator/cobalt-operator/internal/controller"
	"github.com/cobalt-operator/cobalt-operator/internal/testenv"
)

const root = "../.."

// What readers know of the simulator, which the chart puts beside the operator.
const (
	origin = "http://cobalt-operator-simulator.cobalt-operator-system.svc"
	oldKey = "demo-key"
	newKey = "a-key-that-replaces-it"
)

var (
	cluster *testenv.Cluster
	sim     = simulator.New(simulator.Options{Keys: map[string]string{oldKey: "test", newKey: "test"}})
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		stop, err := start()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer stop()
		return m.Run()
	}())
}

// start starts a control plane, the simulator and an operator. The operator finds the simulator under the name that it
// has in a cluster, since it honours HTTP_PROXY.
func start() (stop func(), err error) {
	log.SetLogger(log.Log.WithSink(nil))
	api := httptest.NewServer(sim)
	for name, value := range map[string]string{"HTTP_PROXY": api.URL, "NO_PROXY": "", "no_proxy": ""} {
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	if cluster, err = testenv.Start(); err != nil {
		return nil, err
	}
	mgr, err := ctrl.NewManager(cluster.Config, ctrl.Options{
		Scheme: cluster.Scheme, Cache: controller.CacheOptions(nil),
		Metrics:        metricsserver.Options{BindAddress: "0"},
		MapperProvider: func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return controller.Mapper(), nil },
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	options := controller.Options{AllowedAPIOrigins: []string{origin}, UserAgent: "docs", Metrics: prometheus.NewRegistry()}
	if err := controller.Setup(ctx, mgr, options); err != nil {
		cancel()
		return nil, err
	}
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil && !strings.Contains(err.Error(), "context canceled") {
			fmt.Fprintln(os.Stderr, err)
		}
		api.Close()
		_ = cluster.Stop()
	}, nil
}
