package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/gate"
)

// EnvironmentObject is an Environment or a ClusterEnvironment.
type EnvironmentObject interface {
	client.Object
	Settings() *v1alpha1.EnvironmentSettings
	EnvironmentStatus() *v1alpha1.EnvironmentStatus
	APIKey() v1alpha1.NamespacedAPIKeyReference
	CABundle() *v1alpha1.NamespacedCABundleReference
}

// environmentKey names an Environment or, without a namespace, a ClusterEnvironment.
type environmentKey struct {
	kind v1alpha1.EnvironmentKind
	types.NamespacedName
}

func (k environmentKey) String() string {
	return string(k.kind) + " " + strings.TrimPrefix(k.NamespacedName.String(), "/")
}

func environmentOf(obj Object) environmentKey {
	ref := obj.MemberSpec().EnvironmentRef
	key := environmentKey{v1alpha1.KindEnvironment, types.NamespacedName{Namespace: obj.GetNamespace(), Name: ref.Name}}
	if ref.Kind == v1alpha1.KindClusterEnvironment {
		key.kind, key.Namespace = v1alpha1.KindClusterEnvironment, ""
	}
	return key
}

// environments finds the environment of an object and connects to it.
type environments struct {
	cache       client.Reader
	connections *connections
	// namespaced operators watch single namespaces and cannot see cluster kinds.
	namespaced bool
}

// find returns the environment that obj refers to. While there is none, or it
// may not be used, it returns an error that says so, and w is woken once that
// may have changed. An environment that may not be used is returned as well: it
// still serves deletions.
func (e *environments) find(ctx context.Context, obj Object, account string, w gate.Waiter) (EnvironmentObject, error) {
	key := environmentOf(obj)
	if key.kind == v1alpha1.KindClusterEnvironment && e.namespaced {
		return nil, stalledBy(v1alpha1.ReasonClusterEnvironmentsDisabled,
			"%s cannot be used, as this operator watches single namespaces only: delete this object and create it again with an Environment", key)
	}
	env, err := e.get(ctx, key)
	if apierrors.IsNotFound(err) { // it may come between the look and the wait
		e.connections.of(key).gate.Await(w)
		env, err = e.get(ctx, key)
	}
	switch {
	case apierrors.IsNotFound(err):
		return nil, waitingFor(v1alpha1.ReasonEnvironmentNotReady, "%s does not exist: create it, or delete this object", key)
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	if cluster, ok := env.(*v1alpha1.ClusterEnvironment); ok {
		if err := e.allowed(ctx, cluster, obj, account); err != nil {
			e.connections.of(key).gate.Await(w)
			return env, err
		}
	}
	return env, nil
}

// lags tells whether env, from the cache, may not be what the API server has.
func (e *environments) lags(obj Object, env EnvironmentObject) bool {
	conn := e.connections.of(environmentOf(obj))
	return conn.unseen() || conn.lags(env)
}

// sameRealm tells whether two environments lead to the same place with the same
// key. It goes by what the other has recorded when it was last accepted, so that
// it is known even while the other's Secret is missing.
func (e *environments) sameRealm(ctx context.Context, a, b environmentKey) (bool, error) {
	if a == b {
		return true, nil
	}
	if e.namespaced && b.kind == v1alpha1.KindClusterEnvironment {
		return false, nil // its objects cannot act here
	}
	own := e.connections.of(a).place()
	other, err := e.get(ctx, b)
	if own == nil || other == nil || err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return own.is(other.EnvironmentStatus().Realm), nil
}

// mayUse tells whether an object is allowed to use its environment: those that
// are not cannot claim anything.
func (e *environments) mayUse(ctx context.Context, obj Object, account string) bool {
	env, err := e.get(ctx, environmentOf(obj))
	if err != nil {
		return true // its environment may come back
	}
	cluster, ok := env.(*v1alpha1.ClusterEnvironment)
	return !ok || !notAllowed(e.allowed(ctx, cluster, obj, account))
}

// get reads an environment from the cache.
func (e *environments) get(ctx context.Context, key environmentKey) (EnvironmentObject, error) {
	var env EnvironmentObject = &v1alpha1.Environment{}
	if key.kind == v1alpha1.KindClusterEnvironment {
		env = &v1alpha1.ClusterEnvironment{}
	}
	if err := e.cache.Get(ctx, key.NamespacedName, env); err != nil {
		return nil, err
	}
	return env, nil
}

// trusted tells whether an environment was found to be the one it was, lately.
func (e *environments) trusted(key environmentKey) bool {
	return e.connections.of(key).verifiedWithin(trustFor)
}

// connect returns the client for obj once its environment lets it through;
// until then it returns waiting, and w is woken when that changes.
func (e *environments) connect(obj Object, env EnvironmentObject, w gate.Waiter, wanted bool) (*View, error) {
	key := environmentOf(obj)
	conn := e.connections.of(key)
	reason, open := conn.gate.Pass(w, wanted)
	switch {
	case !env.GetDeletionTimestamp().IsZero():
		return nil, waitingFor(v1alpha1.ReasonEnvironmentNotReady, "%s is being deleted, so its objects can only be deleted as well", key)
	case !open && reason == "" && saysMissing(obj, key):
		return nil, waitingFor(v1alpha1.ReasonEnvironmentNotReady, "%s is not Ready yet: its API has not answered", key)
	case !open && reason == "":
		return nil, errNotYet
	case !open:
		return nil, waitingFor(v1alpha1.ReasonEnvironmentNotReady, "%s is not Ready: %s", key, reason)
	}
	return conn.view(), nil
}

// saysMissing tells whether the status of obj says that its environment does not exist.
func saysMissing(obj Object, key environmentKey) bool {
	said := meta.FindStatusCondition(obj.MemberStatus().Conditions, v1alpha1.ConditionReady)
	return said != nil && strings.Contains(said.Message, key.String()+" does not exist")
}

// connectToDelete is connect for an object that is being deleted: the last
// client that worked will do if the Secret or the environment went first.
// env is nil if it does not exist.
func (e *environments) connectToDelete(obj Object, env EnvironmentObject, w gate.Waiter) (*View, error) {
	key := environmentOf(obj)
	conn := e.connections.of(key)
	reason, open := conn.gate.Pass(w, true)
	if open {
		return conn.view(), nil
	}
	if worked := conn.lastResort(); worked != nil {
		return &View{Client: worked, lists: conn.view().lists}, nil
	}
	if reason == "" && env != nil {
		return nil, errNotYet
	}
	remedy := "or set deletionPolicy: Orphan on this object, or on the environment for all its objects, to leave them in Cobalt"
	if env == nil {
		return nil, waitingFor(v1alpha1.ReasonEnvironmentNotReady,
			"cannot delete in Cobalt: %s does not exist; create it again, %s", key, remedy)
	}
	return nil, waitingFor(v1alpha1.ReasonEnvironmentNotReady,
		"cannot delete in Cobalt: %s is not Ready: %s; repair it, %s", key, reason, remedy)
}

// notAllowed tells whether an environment may not be used by who asks.
func notAllowed(err error) bool {
	var stop *stalled
	return errors.As(err, &stop) && stop.reason == v1alpha1.ReasonNotAllowed
}

// allowed tells whether a ClusterEnvironment may be used from obj's namespace,
// and for its account.
func (e *environments) allowed(ctx context.Context, env *v1alpha1.ClusterEnvironment, obj Object, account string) error {
	allowed := env.Spec.AllowedNamespaces
	selector, err := metav1.LabelSelectorAsSelector(&allowed.Selector)
	if err != nil {
		return stalledBy(v1alpha1.ReasonNotAllowed, "ClusterEnvironment %s: allowedNamespaces.selector: %s", env.Name, err)
	}
	if !selector.Empty() {
		namespace := &metav1.PartialObjectMetadata{}
		namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
		if err := e.cache.Get(ctx, types.NamespacedName{Name: obj.GetNamespace()}, namespace); err != nil {
			return fmt.Errorf("read Namespace %s: %w", obj.GetNamespace(), err)
		}
		if !selector.Matches(labels.Set(namespace.Labels)) {
			return stalledBy(v1alpha1.ReasonNotAllowed,
				"ClusterEnvironment %s does not allow namespace %s: its owner must add it to allowedNamespaces", env.Name, obj.GetNamespace())
		}
	}
	if len(allowed.AccountIDPrefixes) == 0 || account == "" { // without an account, it waits for one
		return nil
	}
	for _, prefix := range allowed.AccountIDPrefixes {
		if strings.HasPrefix(account, prefix) {
			return nil
		}
	}
	return stalledBy(v1alpha1.ReasonNotAllowed,
		"ClusterEnvironment %s does not allow account %q: ids must start with one of %q", env.Name, account, allowed.AccountIDPrefixes)
}
