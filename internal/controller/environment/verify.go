package environment

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
	"github.com/cobalt-operator/cobalt-operator/internal/snapshot"
)

// fewMissing accounts may go at once, under the same key, without suspicion.
const fewMissing = 2

// verify asks the API whether it is there and accepts the key, and, if the key
// or the URL is another than before or accounts have vanished, whether it is the
// same environment. A swapped test and production key, or an API that has lost
// its memory, must not have every customer made again elsewhere.
func (r *Reconciler[T]) verify(ctx context.Context, env T, conn *environment.Connection, state *probeState) error {
	status := env.EnvironmentStatus()
	record, same := state.recordOf(conn.Clients.Load().Endpoint, status.Realm)
	if same && !conn.Breaker.NeedsVerification() {
		err := answersAtOnce(ctx, conn.View())
		if err == nil {
			status.Realm = record
		}
		return err
	}
	known, err := r.knownAccounts(ctx, env)
	if err != nil {
		return err
	}
	if len(known) == 0 {
		err = answersAtOnce(ctx, conn.View())
	} else {
		err = r.compare(ctx, env, conn, known, same)
	}
	if err != nil {
		return err
	}
	conn.Verify()
	state.record = record
	status.Realm = record
	return nil
}

// probeTimeout is how long a probe may take: others wait for what it says.
const probeTimeout = 10 * time.Second

// answersAtOnce makes sure that the API answers and accepts the key, before all that wait
// for their turn.
func answersAtOnce(ctx context.Context, api *environment.Remote) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	ctx, err := api.AtOnce(ctx)
	if err != nil {
		return err
	}
	err = api.Snapshots.Applications.Load(ctx)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("listApplications: no answer within %s", probeTimeout)
	}
	return err
}

// compare looks for the accounts that objects have seen among those that there are.
func (r *Reconciler[T]) compare(ctx context.Context, env T, conn *environment.Connection, known map[string]string, same bool) error {
	if conn.Breaker.NeedsVerification() { // what has raised it may have happened after the list
		if err := conn.View().Snapshots.Accounts.Load(ctx); err != nil {
			return err
		}
	}
	total, missing := len(known), 0
	for account, id := range known {
		found, presence, err := conn.View().Snapshots.Accounts.Find(ctx, account, environment.TrustFor)
		if err != nil {
			return err
		}
		if presence == snapshot.Absent || id != "" && found.ID != id {
			missing++
		}
	}
	status := env.EnvironmentStatus()
	if 2*missing <= total || same && missing <= fewMissing {
		status.Challenge = ""
		return nil
	}
	if status.Challenge == "" {
		status.Challenge = rand.Text()
	}
	place, answer := conn.Clients.Load().Endpoint, env.GetAnnotations()[v1alpha1.AcceptEnvironmentAnnotation]
	value := place.Acceptance(status.Challenge)
	if answer == value || answer == place.AsTyped().Acceptance(status.Challenge) {
		return nil // and so it stays until most accounts are there again
	}
	return condition.StalledBy(v1alpha1.ReasonDifferentEnvironment,
		"%d of %d accounts that its objects had seen are not in Cobalt, so the key or baseURL seems to lead to another environment: "+
			"put it back, or annotate it with %s=%s to have them made again here",
		missing, total, v1alpha1.AcceptEnvironmentAnnotation, value)
}

// knownAccounts are the accounts that objects of env have seen and count on, with
// Cobalt's own ids, which another environment would not repeat.
func (r *Reconciler[T]) knownAccounts(ctx context.Context, env T) (map[string]string, error) {
	key := r.keyOf(client.ObjectKeyFromObject(env))
	list, byEnvironment := &v1alpha1.LinkedAccountList{}, client.MatchingFields{object.EnvironmentIndex: key.String()}
	if err := r.Client.List(ctx, list, byEnvironment, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the accounts of %s: %w", key, err)
	}
	known, admissions := map[string]string{}, r.Environments.Admissions()
	if err := r.namedAccounts(ctx, key, admissions, known); err != nil {
		return nil, err
	}
	for i := range list.Items {
		account := &list.Items[i]
		access, err := admissions.Of(ctx, account, account.AccountID())
		if err != nil {
			return nil, err
		}
		if object.Counts(account, object.Known, access) {
			known[account.AccountID()] = account.Status.ID
		}
	}
	return known, nil
}

// namedAccounts adds the accounts that objects name by id which have something
// there; Cobalt's own ids of them are not known.
func (r *Reconciler[T]) namedAccounts(
	ctx context.Context, key object.EnvironmentKey, admissions environment.Admissions, known map[string]string,
) error {
	byEnvironment := client.MatchingFields{object.EnvironmentIndex: key.String()}
	for _, dependent := range object.Dependents {
		list := dependent.List.DeepCopyObject().(client.ObjectList)
		if err := r.Client.List(ctx, list, byEnvironment, client.UnsafeDisableDeepCopy); err != nil {
			return fmt.Errorf("list the accounts of %s: %w", key, err)
		}
		err := meta.EachListItem(list, func(item runtime.Object) error {
			obj, ok := item.(object.Managed)
			if !ok || obj.Account().LinkedAccountID == "" {
				return nil
			}
			access, err := admissions.Of(ctx, obj, obj.Account().LinkedAccountID)
			if object.Counts(obj, object.Known, access) {
				known[obj.Account().LinkedAccountID] = ""
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
