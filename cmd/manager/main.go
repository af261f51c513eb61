// Command manager is the Cobalt operator.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"time"
	_ "time/tzdata" // schedules have time zones

	"github.com/spf13/pflag"
	_ "golang.org/x/crypto/x509roots/fallback" // the image holds nothing but this program
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/controller"
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
)

func main() {
	switch err := run(ctrl.SetupSignalHandler(), os.Args[1:]); {
	case errors.Is(err, pflag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "manager:", err)
		os.Exit(1)
	}
}

// run starts the operator and returns when ctx ends.
func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.version {
		_, err := fmt.Fprintln(os.Stdout, "cobalt-operator", version())
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&o.log)))
	metrics.Built(version())
	kubeconfig, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the cluster: %w", err)
	}
	// API Priority and Fairness shares out the API server; a second limit on
	// this side would only delay the operator.
	kubeconfig.QPS = -1
	mgr, err := ctrl.NewManager(kubeconfig, o.manager())
	if err != nil {
		return fmt.Errorf("create the manager: %w", err)
	}
	tracer, stopTracing, err := newTracer(ctx)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		stopTracing(ctx)
	}()
	settings := o.controller()
	settings.Tracer = tracer
	if err := controller.Setup(ctx, mgr, settings); err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	if err := mgr.AddReadyzCheck("cache", cacheSynced(mgr)); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// garbage is how much of it there may be, in percent of what is in use, before it is
// collected: less than usual, as most of the memory holds the objects of customers, which
// hardly change: some CPU while thousands of them are new, for a quarter less memory ever
// after.
const garbage = 30

func (o *options) manager() ctrl.Options {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			panic(err) // the kinds of this program: nothing a user could do
		}
	}
	endpoint := metricsserver.Options{BindAddress: o.metricsAddress, SecureServing: o.metricsSecure, CertDir: o.metricsCertDir}
	if o.metricsSecure {
		endpoint.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	return ctrl.Options{
		Scheme:                        scheme,
		Cache:                         controller.CacheOptions(o.watchNamespaces),
		MapperProvider:                knownKinds,
		Metrics:                       endpoint,
		HealthProbeBindAddress:        o.healthAddress,
		PprofBindAddress:              o.pprofAddress,
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              "cobalt-operator.gocobalt.io",
		LeaderElectionNamespace:       o.leaderElectionNamespace,
		LeaderElectionReleaseOnCancel: true, // run returns right after the manager stops
		Controller:                    config.Controller{MaxConcurrentReconciles: o.maxConcurrentReconciles},
	}
}

// knownKinds is a MapperProvider that asks nobody.
func knownKinds(*rest.Config, *http.Client) (meta.RESTMapper, error) { return controller.Mapper(), nil }

func (o *options) controller() controller.Options {
	return controller.Options{
		SyncInterval:      o.syncInterval,
		ProgressDeadline:  o.progressDeadline,
		AllowedAPIOrigins: o.allowedAPIOrigins,
		Namespaced:        len(o.watchNamespaces) > 0,
		UserAgent:         "cobalt-operator/" + version(),
	}
}

// cacheSynced is the readiness check: the operator has seen the cluster once.
func cacheSynced(mgr ctrl.Manager) healthz.Checker {
	return func(request *http.Request) error {
		if !mgr.GetCache().WaitForCacheSync(request.Context()) {
			return errors.New("the cache has not synced yet")
		}
		return nil
	}
}

// release is the version that `make build-all` links in.
var release string

// version is the release's, else the module's, as the Go tool recorded it.
func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
