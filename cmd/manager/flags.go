package main

import (
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/spf13/pflag"
	"go.uber.org/zap/zapcore"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// options are the flags of the manager.
type options struct {
	metricsAddress          string
	metricsSecure           bool
	metricsCertDir          string
	healthAddress           string
	pprofAddress            string
	election                election
	gracePeriod             time.Duration
	watchNamespaces         []string
	maxConcurrentReconciles int
	syncInterval            time.Duration
	progressDeadline        time.Duration
	allowedAPIOrigins       []string
	version                 bool
	log                     zap.Options
}

// parse reads the command line.
func parse(args []string) (*options, error) {
	o := &options{}
	flags := pflag.NewFlagSet("manager", pflag.ContinueOnError)
	o.bind(flags)
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o, o.validate()
}

func (o *options) bind(flags *pflag.FlagSet) {
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", ":8443", "Address of the metrics endpoint; 0 turns it off.")
	flags.BoolVar(&o.metricsSecure, "metrics-secure", true, "Serve metrics over HTTPS, to authenticated and authorized clients only.")
	flags.StringVar(&o.metricsCertDir, "metrics-cert-dir", "",
		"Folder with tls.crt and tls.key for the metrics endpoint; empty has the operator sign a certificate itself.")
	flags.StringVar(&o.healthAddress, "health-probe-bind-address", ":8081", "Address of /healthz and /readyz; 0 turns them off.")
	flags.StringVar(&o.pprofAddress, "pprof-bind-address", "",
		"Address for profiles of the operator, unprotected: one on the loopback interface; empty turns them off.")
	o.election.bind(flags)
	flags.DurationVar(&o.gracePeriod, "grace-period", 30*time.Second,
		"How long it takes until the process is killed that was told to stop (terminationGracePeriodSeconds of the pod); "+
			"calls under way that change something may take 5s less.")
	flags.StringSliceVar(&o.watchNamespaces, "watch-namespaces", nil,
		"Namespaces to watch, separated by commas; empty is all. When set, ClusterEnvironments cannot be used.")
	flags.IntVar(&o.maxConcurrentReconciles, "max-concurrent-reconciles", 16, "How many objects of a kind are worked on at a time.")
	flags.DurationVar(&o.syncInterval, "sync-interval", 10*time.Minute,
		"How often drift is looked for where neither object nor environment says; 0 is never.")
	flags.DurationVar(&o.progressDeadline, "progress-deadline", 15*time.Minute, "How long an object may fail before it is Stalled.")
	flags.StringSliceVar(&o.allowedAPIOrigins, "allowed-api-origins", []string{"https://api.gocobalt.io", "https://app.refold.ai"},
		"Origins (scheme://host[:port]) that environments may point at, separated by commas.")
	flags.BoolVar(&o.version, "version", false, "Print the version and exit.")
	o.log.ZapOpts = append(o.log.ZapOpts, lazyLogging)
	o.log.StacktraceLevel = zapcore.DPanicLevel // of a failed reconcile, it would always be that of the work queue
	logs := flag.NewFlagSet("log", flag.ContinueOnError)
	o.log.BindFlags(logs)
	flags.AddGoFlagSet(logs)
}

// validate says what is wrong with the options, and normalises the origins.
func (o *options) validate() error {
	var errs []error
	for i, text := range o.allowedAPIOrigins {
		origin, err := cobalt.Origin(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("--allowed-api-origins: %q: %w", text, err))
		}
		o.allowedAPIOrigins[i] = origin
	}
	if o.maxConcurrentReconciles < 1 {
		errs = append(errs, errors.New("--max-concurrent-reconciles must be at least 1"))
	}
	if o.syncInterval != 0 && o.syncInterval < 30*time.Second {
		errs = append(errs, errors.New("--sync-interval must be 0 (never) or at least 30s"))
	}
	if o.progressDeadline <= 0 {
		errs = append(errs, errors.New("--progress-deadline must be longer than 0"))
	}
	if o.gracePeriod < 0 {
		errs = append(errs, errors.New("--grace-period must not be negative"))
	}
	return errors.Join(append(errs, o.election.validate())...)
}
