package environment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// NotAllowed tells whether an environment may not be used by who asks.
func NotAllowed(err error) bool {
	var stop *condition.StalledError
	return errors.As(err, &stop) && stop.Reason == v1alpha1.ReasonNotAllowed
}

// allowed tells whether a ClusterEnvironment may be used from a namespace, and for
// an account. What it says is read in that namespace, and tells nothing of others.
func (p *Pool) allowed(ctx context.Context, env *v1alpha1.ClusterEnvironment, namespace, account string) error {
	if err := p.allowedIn(ctx, env, namespace); err != nil {
		return err
	}
	return allowedFor(env, namespace, account)
}

func (p *Pool) allowedIn(ctx context.Context, env *v1alpha1.ClusterEnvironment, name string) error {
	selector, err := metav1.LabelSelectorAsSelector(&env.Spec.AllowedNamespaces.Selector)
	if err != nil {
		return condition.StalledBy(v1alpha1.ReasonNotAllowed,
			"ClusterEnvironment %s allows no namespace: its owner must correct allowedNamespaces.selector", env.Name)
	}
	if selector.Empty() {
		return nil
	}
	namespace := &metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	if err := p.Cache.Get(ctx, types.NamespacedName{Name: name}, namespace); err != nil {
		return fmt.Errorf("read Namespace %s: %w", name, err)
	}
	if !selector.Matches(labels.Set(namespace.Labels)) {
		return condition.StalledBy(v1alpha1.ReasonNotAllowed,
			"ClusterEnvironment %s does not allow namespace %s: its owner must add it to allowedNamespaces", env.Name, name)
	}
	return nil
}

// ownNamespace stands for the namespace of the object in a prefix.
const ownNamespace = "{namespace}"

func allowedFor(env *v1alpha1.ClusterEnvironment, namespace, account string) error {
	prefixes := env.Spec.AllowedNamespaces.AccountIDPrefixes
	startsIt := func(prefix string) bool {
		return strings.HasPrefix(account, strings.ReplaceAll(prefix, ownNamespace, namespace))
	}
	if len(prefixes) == 0 || account == "" || slices.ContainsFunc(prefixes, startsIt) { // without an account, it waits for one
		return nil
	}
	return condition.StalledBy(v1alpha1.ReasonNotAllowed,
		"ClusterEnvironment %s does not allow account %q: name one whose id starts as its owner has agreed to, "+
			"or have the owner add a prefix to allowedNamespaces.accountIDPrefixes", env.Name, account)
}

// Admissions tell which objects may use their environments. They look up each environment
// and each namespace once, so they are made for one look at many objects.
type Admissions struct {
	environments *Pool
	found        map[object.EnvironmentKey]*admission
}

// admission is what one environment says.
type admission struct {
	access object.Access
	// cluster has a say of its own; nil for others.
	cluster    *v1alpha1.ClusterEnvironment
	namespaces map[string]error
}

// Admissions returns what tells which objects may use their environments.
func (p *Pool) Admissions() Admissions {
	return Admissions{p, map[object.EnvironmentKey]*admission{}}
}

// Of tells whether obj may use its environment, for an account if that is known.
func (a Admissions) Of(ctx context.Context, obj object.Object, account string) (object.Access, error) {
	asked, err := a.ask(ctx, object.EnvironmentOf(obj))
	if err != nil || asked.cluster == nil {
		return asked.access, err
	}
	err, known := asked.namespaces[obj.GetNamespace()]
	if !known {
		err = a.environments.allowedIn(ctx, asked.cluster, obj.GetNamespace())
		asked.namespaces[obj.GetNamespace()] = err
	}
	if err == nil && account == "" && len(asked.cluster.Spec.AllowedNamespaces.AccountIDPrefixes) > 0 {
		account = a.environments.AccountOf(ctx, obj)
	}
	if NotAllowed(condition.First(err, allowedFor(asked.cluster, obj.GetNamespace(), account))) {
		return object.Refused, nil
	}
	return object.Granted, nil
}

func (a Admissions) ask(ctx context.Context, key object.EnvironmentKey) (*admission, error) {
	if asked := a.found[key]; asked != nil {
		return asked, nil
	}
	asked := &admission{access: object.Granted, namespaces: map[string]error{}}
	if key.Kind == v1alpha1.KindClusterEnvironment && a.environments.namespaced { // nobody can use it here
		asked.access = object.Missing
		a.found[key] = asked
		return asked, nil
	}
	env, err := a.environments.get(ctx, key)
	switch {
	case apierrors.IsNotFound(err):
		asked.access = object.Missing
	case err != nil:
		return asked, fmt.Errorf("read %s: %w", key, err)
	}
	asked.cluster, _ = env.(*v1alpha1.ClusterEnvironment)
	a.found[key] = asked
	return asked, nil
}

// AccountOf is the id of obj's account, as far as it is known.
func (p *Pool) AccountOf(ctx context.Context, obj object.Object) string {
	account := obj.Account()
	if account.LinkedAccountRef == nil {
		return account.LinkedAccountID
	}
	if known := obj.MemberStatus().LinkedAccountID; known != "" {
		return known
	}
	linked := &v1alpha1.LinkedAccount{}
	key := types.NamespacedName{Namespace: obj.GetNamespace(), Name: account.LinkedAccountRef.Name}
	if err := p.Cache.Get(ctx, key, linked); err != nil {
		return "" // it waits for one
	}
	return linked.AccountID()
}
