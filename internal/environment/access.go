package environment

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/breaker"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// Find returns the environment that obj refers to. While there is none, or it
// may not be used, it returns an error that says so, and w does not wait for it any
// more: a watch tells when that may have changed. An environment that may not be used
// is returned as well: it still serves deletions.
func (p *Pool) Find(ctx context.Context, obj object.Object, account string, w breaker.Waiter) (object.Environment, error) {
	key := object.EnvironmentOf(obj)
	if key.Kind == v1alpha1.KindClusterEnvironment && p.namespaced {
		return nil, condition.StalledBy(v1alpha1.ReasonClusterEnvironmentsDisabled,
			"%s cannot be used, as this operator watches single namespaces only: delete this object and create it again with an Environment", key)
	}
	env, err := p.get(ctx, key)
	switch {
	case apierrors.IsNotFound(err):
		p.Of(key).Breaker.Quit(w)
		return nil, condition.WaitingFor(v1alpha1.ReasonEnvironmentNotReady, "%s does not exist: create it, or delete this object", key)
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	if cluster, ok := env.(*v1alpha1.ClusterEnvironment); ok {
		if err := p.allowed(ctx, cluster, obj.GetNamespace(), account); err != nil {
			p.Of(key).Breaker.Quit(w)
			return env, err
		}
	}
	return env, nil
}

// Lags tells whether env, from the cache, may not be what the API server has.
func (p *Pool) Lags(obj object.Object, env object.Environment) bool {
	versions := &p.Of(object.EnvironmentOf(obj)).Versions
	return versions.Unseen() || versions.Lags(env)
}

// SameEndpoint tells whether two environments lead to the same place with the same
// key. It goes by what the other has recorded when it was last accepted, so that
// it is known even while the other's Secret is missing.
func (p *Pool) SameEndpoint(ctx context.Context, a, b object.EnvironmentKey) (bool, error) {
	if a == b {
		return true, nil
	}
	if p.namespaced && b.Kind == v1alpha1.KindClusterEnvironment {
		return false, nil // its objects cannot act here
	}
	own := p.Of(a).Clients.Load()
	other, err := p.get(ctx, b)
	if own == nil || other == nil || err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return own.Endpoint.Spelled(other.Settings().BaseURL).Is(other.EnvironmentStatus().Realm), nil
}

// Places are the names of where an environment leads: its own and, once that is known, that of its endpoint, which others
// may have as well.
func (p *Pool) Places(key object.EnvironmentKey) []string {
	places := []string{key.String()}
	if made := p.Of(key).Clients.Load(); made != nil {
		places = append(places, made.Endpoint.ID)
	}
	return places
}

// IsGoing tells whether an environment is being deleted.
func (p *Pool) IsGoing(ctx context.Context, key object.EnvironmentKey) bool {
	env, err := p.get(ctx, key)
	return err == nil && !env.GetDeletionTimestamp().IsZero()
}

// get reads an environment from the cache.
func (p *Pool) get(ctx context.Context, key object.EnvironmentKey) (object.Environment, error) {
	var env object.Environment = &v1alpha1.Environment{}
	if key.Kind == v1alpha1.KindClusterEnvironment {
		env = &v1alpha1.ClusterEnvironment{}
	}
	if err := p.Cache.Get(ctx, key.NamespacedName, env); err != nil {
		return nil, err
	}
	return env, nil
}

// TrustFor is how long a list proves that an environment is the one it was.
const TrustFor = time.Minute

// Trusted tells whether an environment was found to be the one it was, lately.
func (p *Pool) Trusted(key object.EnvironmentKey) bool {
	return p.Of(key).verifiedWithin(TrustFor)
}

// Connect returns the client for obj once its environment lets it through;
// until then it returns waiting, and w is woken when that changes.
func (p *Pool) Connect(obj object.Object, env object.Environment, w breaker.Waiter, wanted bool) (*Remote, error) {
	key := object.EnvironmentOf(obj)
	conn := p.Of(key)
	reason, ok := conn.Breaker.Pass(w, wanted)
	switch {
	case !env.GetDeletionTimestamp().IsZero():
		return nil, condition.WaitingFor(v1alpha1.ReasonEnvironmentNotReady,
			"%s is being deleted, so its objects can only be deleted as well", key)
	case !ok && reason == "" && object.SaysMissing(obj, key.String()):
		return nil, condition.WaitingFor(v1alpha1.ReasonEnvironmentNotReady, "%s is not Ready yet: its API has not answered", key)
	case !ok && reason == "":
		return nil, condition.ErrWait
	case !ok:
		return nil, condition.WaitingFor(v1alpha1.ReasonEnvironmentNotReady, "%s is not Ready: %s", key, reason)
	}
	return conn.View(), nil
}

// ConnectToDelete is Connect for an object that is being deleted: the last
// client that worked will do if the Secret or the environment went first.
// env is nil if it does not exist. Then nobody can tell whom a ClusterEnvironment allowed, so
// that its last client serves only those who have created what they delete.
func (p *Pool) ConnectToDelete(obj object.Object, env object.Environment, w breaker.Waiter, created bool) (*Remote, error) {
	key := object.EnvironmentOf(obj)
	conn := p.Of(key)
	served := env != nil || key.Kind == v1alpha1.KindEnvironment || created
	reason, ok := conn.Breaker.Pass(w, true)
	if ok && served {
		return conn.View(), nil
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
