package controller

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/account"
	"github.com/cobalt-operator/cobalt-operator/internal/controller/eventtrigger"
	"github.com/cobalt-operator/cobalt-operator/internal/controller/integrationconfig"
	"github.com/cobalt-operator/cobalt-operator/internal/controller/linkedaccount"
	"github.com/cobalt-operator/cobalt-operator/internal/controller/publicworkflow"
	"github.com/cobalt-operator/cobalt-operator/internal/controller/webhook"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/lifetime"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// Options are the settings of all controllers.
type Options struct {
	// SyncInterval is how often drift is looked for where nothing else is said; 0 for never.
	SyncInterval time.Duration
	// ProgressDeadline is how long an object may fail before it is Stalled.
	ProgressDeadline time.Duration
	// AllowedAPIOrigins are the origins (scheme://host[:port]) that environments may point at.
	AllowedAPIOrigins []string
	// Namespaced operators watch single namespaces and have no cluster kinds.
	Namespaced bool
	// ConflictPause is what the cache needs to catch up with a write that it has not seen; 0 means 200 ms.
	ConflictPause time.Duration
	// SpareWorkers are how many workers of a kind there are beside those that environments share: for as many environments
	// whose calls are under way for long before anybody can know; 0 means 64.
	SpareWorkers int
	// UserAgent names the operator to the API.
	UserAgent string
	// Lifetime says when all is to end; nil: when the context of Setup ends.
	Lifetime *lifetime.Lifetime

	// Tracer makes the spans of reconciles and calls; nil makes none.
	Tracer trace.Tracer

	// Metrics, Clock, Steady, Jitter, Spread and Queue are for tests; nil means real ones.
	Metrics prometheus.Registerer
	Clock   clock.Clock
	// Steady is a clock that nobody sets; Clock is compared with it.
	Steady clock.WithTicker
	// Jitter varies an interval a little, so that objects do not march in step.
	Jitter func(time.Duration) time.Duration
	// Spread picks a point within an interval.
	Spread func(time.Duration) time.Duration
	// workers is how many workers of a kind environments share.
	workers int
	// Queue makes the work queue of a controller.
	Queue func(name string, limiter workqueue.TypedRateLimiter[ctrl.Request]) workqueue.TypedRateLimitingInterface[ctrl.Request]
}

// +kubebuilder:rbac:groups=cobalt.gocobalt.io,resources=environments;clusterenvironments;linkedaccounts;integrationconfigs;webhooks;publicworkflows;eventtriggers,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=cobalt.gocobalt.io,resources=environments/status;clusterenvironments/status;linkedaccounts/status;integrationconfigs/status;webhooks/status;publicworkflows/status;eventtriggers/status,verbs=patch
// +kubebuilder:rbac:groups=cobalt.gocobalt.io,resources=eventtriggers,verbs=delete
// +kubebuilder:rbac:groups="",resources=secrets;configmaps,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=create;update;delete
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Setup adds the controllers of all kinds to a manager.
func Setup(ctx context.Context, mgr ctrl.Manager, options Options) error {
	if err := object.Complete(mgr.GetScheme()); err != nil {
		return err
	}
	s := newSetup(ctx, mgr, options)
	if err := s.index(ctx); err != nil {
		return err
	}
	if err := s.kinds(ctx); err != nil {
		return err
	}
	if err := mgr.Add(s.jumps); err != nil {
		return fmt.Errorf("watch the clock: %w", err)
	}
	return s.collect()
}

const (
	usualConflictPause = 200 * time.Millisecond
	usualSpareWorkers  = 64
)

// setup is what the controllers share.
type setup struct {
	engine.Deps
	mgr     ctrl.Manager
	options Options
	jumps   *jumps
	// reconciled are the kinds that have a controller.
	reconciled []string
}

// index lets objects and Secrets be found.
func (s *setup) index(ctx context.Context) error {
	if err := linkedaccount.IndexOutputs(ctx, s.mgr.GetFieldIndexer()); err != nil {
		return fmt.Errorf("set up output Secrets: %w", err)
	}
	for _, index := range object.Indexes() {
		if err := s.mgr.GetFieldIndexer().IndexField(ctx, index.Object, index.Name, index.Keys); err != nil {
			return fmt.Errorf("set up index %s of %T: %w", index.Name, index.Object, err)
		}
	}
	return nil
}

// kinds adds the controllers of all kinds; a kind joins with one line.
func (s *setup) kinds(ctx context.Context) error {
	cluster := func() error {
		if s.options.Namespaced {
			return nil
		}
		return setupEnvironments(ctx, s, &v1alpha1.ClusterEnvironment{})
	}
	for _, add := range []func() error{
		func() error { return setupEnvironments(ctx, s, &v1alpha1.Environment{}) },
		cluster,
		func() error {
			return setupManaged(ctx, s, linkedaccount.New(s.Deps, eventtrigger.IsFinished), s.watchDependents)
		},
		func() error { return setupManaged(ctx, s, integrationconfig.New(s.Deps), s.watchAccounts) },
		func() error {
			return setupManaged(ctx, s, webhook.New(s.Deps, s.options.AllowedAPIOrigins), s.watchAccounts)
		},
		func() error { return setupOnce(ctx, s, publicworkflow.New(s.Deps), s.watchAccounts) },
		func() error { return setupOnce(ctx, s, eventtrigger.New(s.Deps), s.watchAccounts, s.watchTargets) },
	} {
		if err := add(); err != nil {
			return err
		}
	}
	return s.lacksNone()
}

// lacksNone makes sure that each kind has a controller: an operator without one would leave its objects lying in silence.
func (s *setup) lacksNone() error {
	for _, kind := range s.watched() {
		if !slices.Contains(s.reconciled, kind.Name) {
			return fmt.Errorf("nobody reconciles objects of kind %s: it needs a line in setup.go", kind.Name)
		}
	}
	return nil
}

// watched are the kinds that this operator watches.
func (s *setup) watched() []object.Kind {
	return slices.DeleteFunc(slices.Clone(object.Kinds), func(k object.Kind) bool { return s.options.Namespaced && isOfCluster(k) })
}

func newSetup(ctx context.Context, mgr ctrl.Manager, options Options) *setup {
	if options.Lifetime == nil {
		options.Lifetime = lifetime.New(ctx, lifetime.Options{})
	}
	if options.Tracer == nil {
		options.Tracer = noop.NewTracerProvider().Tracer("")
	}
	if options.Metrics == nil {
		options.Metrics = metrics.Registry
	}
	if options.Clock == nil {
		options.Clock = clock.RealClock{}
	}
	if options.Steady == nil {
		options.Steady = clock.RealClock{}
	}
	if options.Jitter == nil {
		options.Jitter = func(d time.Duration) time.Duration {
			return engine.Together(options.Clock.Now(), d-d/10+rand.N(d/5+1), d)
		}
	}
	if options.Spread == nil {
		options.Spread = func(d time.Duration) time.Duration { return engine.Together(options.Clock.Now(), rand.N(d+1), d) }
	}
	if options.ConflictPause == 0 {
		options.ConflictPause = usualConflictPause
	}
	if options.SpareWorkers == 0 {
		options.SpareWorkers = usualSpareWorkers
	}
	options.workers = max(1, mgr.GetControllerOptions().MaxConcurrentReconciles)
	return &setup{
		mgr: mgr, options: options, jumps: &jumps{clock: options.Clock, steady: options.Steady},
		Deps: engine.Deps{
			Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Events: notes{mgr.GetEventRecorder(recorder)}, Clock: options.Clock,
			Environments: environment.NewPool(mgr.GetClient(), options.Clock, options.workers, options.Namespaced),
			Accounts:     account.NewFinder(mgr.GetClient()),
			Inputs:       inputs.NewStore(mgr.GetClient(), mgr.GetAPIReader()),
			Settings: engine.Settings{
				SyncInterval: options.SyncInterval, ProgressDeadline: options.ProgressDeadline, ConflictPause: options.ConflictPause,
				Jitter: options.Jitter, Spread: options.Spread, Lifetime: options.Lifetime,
			},
		},
	}
}
