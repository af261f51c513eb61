package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
	lock "sigs.k8s.io/controller-runtime/pkg/leaderelection"
	"sigs.k8s.io/controller-runtime/pkg/recorder"
)

// leaseName is that of the lease, of which there is one in a namespace.
const leaseName = "cobalt-operator.gocobalt.io"

// election are the flags of leader election.
type election struct {
	enabled       bool
	namespace     string
	leaseDuration time.Duration
	renewDeadline time.Duration
	retryPeriod   time.Duration
}

func (e *election) bind(flags *pflag.FlagSet) {
	flags.BoolVar(&e.enabled, "leader-elect", false, "Elect a leader, so that several replicas can run and one works.")
	flags.StringVar(&e.namespace, "leader-election-namespace", "", "Namespace of the leader's lease; empty is the one the pod runs in.")
	flags.DurationVar(&e.leaseDuration, "leader-elect-lease-duration", 15*time.Second,
		"How long after its last renewal a lease is not taken by another replica.")
	flags.DurationVar(&e.renewDeadline, "leader-elect-renew-deadline", 10*time.Second,
		"How long the leader tries to renew its lease before it ends; with a lease older than that, it changes nothing in Cobalt.")
	flags.DurationVar(&e.retryPeriod, "leader-elect-retry-period", 2*time.Second,
		"How long replicas wait between tries to take or renew the lease.")
}

// validate says what client-go would only panic about, or what a lease cannot hold.
func (e *election) validate() error {
	var errs []error
	if e.leaseDuration < time.Second || e.leaseDuration%time.Second != 0 {
		errs = append(errs, errors.New("--leader-elect-lease-duration must be whole seconds, and at least 1s"))
	}
	if e.leaseDuration <= e.renewDeadline {
		errs = append(errs, errors.New("--leader-elect-lease-duration must be longer than --leader-elect-renew-deadline"))
	}
	if e.retryPeriod <= 0 || float64(e.renewDeadline) <= leaderelection.JitterFactor*float64(e.retryPeriod) {
		errs = append(errs, fmt.Errorf("--leader-elect-renew-deadline must be more than %g times "+
			"--leader-elect-retry-period, which must be longer than 0", leaderelection.JitterFactor))
	}
	return errors.Join(errs...)
}

// lock is the lease that replicas compete for.
func (e *election) lock(kubeconfig *rest.Config, events recorder.Provider) (resourcelock.Interface, error) {
	return lock.NewResourceLock(kubeconfig, events, lock.Options{
		LeaderElection: true, LeaderElectionID: leaseName, LeaderElectionNamespace: e.namespace, RenewDeadline: e.renewDeadline,
	})
}

// lateEvents are those of a manager that is made only after its lock.
type lateEvents struct{ recorder.Provider }

// GetEventRecorderFor returns a recorder that is not used before the manager has started.
func (l *lateEvents) GetEventRecorderFor(name string) record.EventRecorder {
	return lateRecorder{l, name}
}

type lateRecorder struct {
	events *lateEvents
	name   string
}

func (l lateRecorder) now() record.EventRecorder {
	return l.events.Provider.GetEventRecorderFor(l.name) //nolint:staticcheck // the lock knows no other events
}

// Event records an event.
func (l lateRecorder) Event(object runtime.Object, eventType, reason, message string) {
	l.now().Event(object, eventType, reason, message)
}

// Eventf records an event with a format.
func (l lateRecorder) Eventf(object runtime.Object, eventType, reason, format string, args ...any) {
	l.now().Eventf(object, eventType, reason, format, args...)
}

// AnnotatedEventf records an event with a format and annotations.
func (l lateRecorder) AnnotatedEventf(
	object runtime.Object, annotations map[string]string, eventType, reason, format string, args ...any,
) {
	l.now().AnnotatedEventf(object, annotations, eventType, reason, format, args...)
}
