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
	"github.com/cobalt-operator/cobalt-operator/internal/lifetime"
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
	kubeconfig, err := cluster()
	if err != nil {
		return err
	}
	life := o.lifetime(ctx)
	mgr, err := o.newManager(kubeconfig, life)
	if err != nil {
		return err
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
	settings.Tracer, settings.Lifetime = tracer, life
	if err := controller.Setup(ctx, mgr, settings); err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	if err := mgr.AddReadyzCheck("cache", cacheSynced(mgr)); err != nil {
		return err
	}
	return start(ctx, mgr, life)
}

// cluster is where the API server is.
func cluster() (*rest.Config, error) {
	kubeconfig, err := ctrl.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("find the cluster: %w", err)
	}
	// API Priority and Fairness shares out the API server; a second limit on
	// this side would only delay the operator.
	kubeconfig.QPS = -1
	return kubeconfig, nil
}

// start runs the operator until it is told to stop or has to. Nothing goes on afterwards.
func start(ctx context.Context, mgr ctrl.Manager, life *lifetime.Lifetime) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		<-life.Ended()
		cancel()
	}()
	err := mgr.Start(ctx)
	if life.Lost() {
		err = lifetime.ErrLeaseLost
	}
	life.End(lifetime.ErrStopping)
	return err
}

// lifetime says how long all may go on once ctx has ended, or the lease was lost.
func (o *options) lifetime(ctx context.Context) *lifetime.Lifetime {
	settings := lifetime.Options{Grace: o.gracePeriod}
	if o.election.enabled {
		settings.Lease, settings.Young = o.election.leaseDuration, o.election.renewDeadline
	}
	return lifetime.New(ctx, settings)
}

// newManager returns a manager whose lease, if there is one, life knows the age of.
func (o *options) newManager(kubeconfig *rest.Config, life *lifetime.Lifetime) (ctrl.Manager, error) {
	settings, events := o.manager(), &lateEvents{}
	if o.election.enabled {
		lock, err := o.election.lock(kubeconfig, events)
		if err != nil {
			return nil, fmt.Errorf("elect a leader: %w", err)
		}
		settings.LeaderElectionResourceLockInterface = life.Lock(lock)
	}
	mgr, err := ctrl.NewManager(kubeconfig, settings)
	if err != nil {
		return nil, fmt.Errorf("create the manager: %w", err)
	}
	events.Provider = mgr
	return mgr, nil
}

// garbage is how much of it there may be, in percent of what is in use, before it is
// collected: less than usual, as most of the memory holds the objects of customers, which
// hardly change: some CPU while thousands of them are new, for a quarter less memory ever
// after.
const garbage = 30

// stopMargin is what is left of the grace period when the manager waits no longer for what
// has ended by then: for giving the lease back.
const stopMargin = time.Second

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
		LeaderElection:                o.election.enabled,
		LeaderElectionID:              leaseName,
		LeaseDuration:                 &o.election.leaseDuration,
		RenewDeadline:                 &o.election.renewDeadline,
		RetryPeriod:                   &o.election.retryPeriod,
		LeaderElectionReleaseOnCancel: true, // after the last reconcile has ended
		GracefulShutdownTimeout:       new(max(o.gracePeriod-stopMargin, stopMargin)),
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
