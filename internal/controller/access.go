package controller

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/breaker"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
	"github.com/cobalt-operator/cobalt-operator/internal/ratelimit"
)

// environments finds the environment of an object and connects to it.
type environments struct {
	cache    client.Reader
	clock    clock.Clock
	limiters *ratelimit.Limiters
	workers  *breaker.Workers
	// kinds are those whose objects refer to environments.
	kinds []object.Kind
	// namespaced operators watch single namespaces and cannot see cluster kinds.
	namespaced bool

	mu    sync.Mutex
	byKey map[object.EnvironmentKey]*connection
}

// find returns the environment that obj refers to. While there is none, or it
// may not be used, it returns an error that says so, and w does not wait for it any
// more: a watch tells when that may have changed. An environment that may not be used
// is returned as well: it still serves deletions.
func (e *environments) find(ctx context.Context, obj object.Object, account string, w breaker.Waiter) (object.Environment, error) {
	key := object.EnvironmentOf(obj)
	if key.Kind == v1alpha1.KindClusterEnvironment && e.namespaced {
		return nil, condition.StalledBy(v1alpha1.ReasonClusterEnvironmentsDisabled,
			"%s cannot be used, as this operator watches single namespaces only: delete this object and create it again with an Environment", key)
	}
	env, err := e.get(ctx, key)
	switch {
	case apierrors.IsNotFound(err):
		e.of(key).breaker.Quit(w)
		return nil, condition.WaitingFor(v1alpha1.ReasonEnvironmentNotReady, "%s does not exist: create it, or delete this object", key)
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	if cluster, ok := env.(*v1alpha1.ClusterEnvironment); ok {
		if err := e.allowed(ctx, cluster, obj.GetNamespace(), account); err != nil {
			e.of(key).breaker.Quit(w)
			return env, err
		}
	}
	return env, nil
}

// lags tells whether env, from the cache, may not be what the API server has.
func (e *environments) lags(obj object.Object, env object.Environment) bool {
	versions := &e.of(object.EnvironmentOf(obj)).versions
	return versions.unseen() || versions.lags(env)
}

// sameEndpoint tells whether two environments lead to the same place with the same
// key. It goes by what the other has recorded when it was last accepted, so that
// it is known even while the other's Secret is missing.
func (e *environments) sameEndpoint(ctx context.Context, a, b object.EnvironmentKey) (bool, error) {
	if a == b {
		return true, nil
	}
	if e.namespaced && b.Kind == v1alpha1.KindClusterEnvironment {
		return false, nil // its objects cannot act here
	}
	own := e.of(a).clients.Load()
	other, err := e.get(ctx, b)
	if own == nil || other == nil || err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return own.endpoint.spelled(other.Settings().BaseURL).is(other.EnvironmentStatus().Realm), nil
}

// get reads an environment from the cache.
func (e *environments) get(ctx context.Context, key object.EnvironmentKey) (object.Environment, error) {
	var env object.Environment = &v1alpha1.Environment{}
	if key.Kind == v1alpha1.KindClusterEnvironment {
		env = &v1alpha1.ClusterEnvironment{}
	}
	if err := e.cache.Get(ctx, key.NamespacedName, env); err != nil {
		return nil, err
	}
	return env, nil
}

// trustFor is how long a list proves that an environment is the one it was.
const trustFor = time.Minute

// trusted tells whether an environment was found to be the one it was, lately.
func (e *environments) trusted(key object.EnvironmentKey) bool {
	return e.of(key).verifiedWithin(trustFor)
}

// connect returns the client for obj once its environment lets it through;
// until then it returns waiting, and w is woken when that changes.
func (e *environments) connect(obj object.Object, env object.Environment, w breaker.Waiter, wanted bool) (*remoteView, error) {
	key := object.EnvironmentOf(obj)
	conn := e.of(key)
	reason, ok := conn.breaker.Pass(w, wanted)
	switch {
	case !env.GetDeletionTimestamp().IsZero():
		return nil, condition.WaitingFor(v1alpha1.ReasonEnvironmentNotReady, "%s is being deleted, so its objects can only be deleted as well", key)
	case !ok && reason == "" && object.SaysMissing(obj, key.String()):
		return nil, condition.WaitingFor(v1alpha1.ReasonEnvironmentNotReady, "%s is not Ready yet: its API has not answered", key)
	case !ok && reason == "":
		return nil, condition.ErrWait
	case !ok:
		return nil, condition.WaitingFor(v1alpha1.ReasonEnvironmentNotReady, "%s is not Ready: %s", key, reason)
	}
	return conn.view(), nil
}

// connectToDelete is connect for an object that is being deleted: the last
// client that worked will do if the Secret or the environment went first.
// env is nil if it does not exist. Then nobody can tell whom a ClusterEnvironment allowed, so
// that its last client serves only those who have created what they delete.
func (e *environments) connectToDelete(obj object.Object, env object.Environment, w breaker.Waiter, created bool) (*remoteView, error) {
	key := object.EnvironmentOf(obj)
	conn := e.of(key)
	served := env != nil || key.Kind == v1alpha1.KindEnvironment || created
	reason, ok := conn.breaker.Pass(w, true)
	if ok && served {
		return conn.view(), nil
	}
	if api := conn.lastResort(); api != nil && served {
		return api, nil
	}
	if reason == "" && env != nil {
		return nil, condition.ErrWait
	}
	remedy := "or set deletionPolicy: Orphan on this object, or on the environment for all its objects, to leave them in Cobalt"
	if env == nil {
		return nil, condition.WaitingFor(v1alpha1.ReasonEnvironmentNotReady,
			"cannot delete in Cobalt: %s does not exist; create it again, %s", key, remedy)
	}
	return nil, condition.WaitingFor(v1alpha1.ReasonEnvironmentNotReady,
		"cannot delete in Cobalt: %s is not Ready: %s; repair it, %s", key, reason, remedy)
}
