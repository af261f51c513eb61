package environment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
	"github.com/cobalt-operator/cobalt-operator/internal/ratelimit"
)

// keyGrace is how long a refused key that replaced a working one may still be
// on its way to every server of the API.
const keyGrace = 2 * time.Minute

// load reads the API key and the CA bundle and makes a client of them, unless
// the client in use was made from the same versions.
func (r *Reconciler[T]) load(ctx context.Context, env T, conn *environment.Connection, state *probeState) error {
	settings := env.Settings()
	origin, err := cobalt.Origin(settings.BaseURL)
	if err != nil {
		return condition.StalledBy(v1alpha1.ReasonNotAllowed, "baseURL: %s", err)
	}
	if !slices.Contains(r.options.AllowedAPIOrigins, origin) {
		return condition.StalledBy(v1alpha1.ReasonNotAllowed,
			"baseURL: %s is not among the origins that this operator may call (--allowed-api-origins: %s)",
			origin, strings.Join(r.options.AllowedAPIOrigins, ", "))
	}
	uses := usesOf(env)
	used, err := r.Inputs.Compare(ctx, uses, state.inputs)
	if err != nil {
		return err
	}
	state.inputs = used
	version := fmt.Sprint(used.Edition, uses, " ", cobalt.Canonical(settings.BaseURL), " ", settings.RequestTimeout)
	if state.version == version {
		return nil
	}
	unload(conn, state) // until it is known what to use instead
	reader := r.Inputs.Open()
	key, err := reader.Value(ctx, uses[0].Reference, uses[0].Key)
	if err != nil {
		return err
	}
	var bundle []byte
	if ca := env.CABundle(); ca != nil {
		if bundle, err = reader.Value(ctx, uses[1].Reference, uses[1].Key); err != nil {
			return err
		}
	}
	state.inputs.Learn(uses, reader, true)
	return r.replace(env, conn, state, version, strings.TrimSpace(string(key)), bundle)
}

// unload notes that what the clients were made from is not to be found. Deletions still call with the key that worked.
func unload(conn *environment.Connection, state *probeState) {
	state.version = ""
	conn.ServeDeletions(state.worked)
}

// replace puts a client of these contents in place, unless the one in use was
// made of the same.
func (r *Reconciler[T]) replace(env T, conn *environment.Connection, state *probeState, version, key string, bundle []byte) error {
	settings, apiKey := env.Settings(), env.APIKey()
	if key == "" {
		return condition.StalledBy(v1alpha1.ReasonAuthenticationFailed,
			"Secret %s/%s, key %s is empty: put the API key there", apiKey.Namespace, apiKey.Name, apiKey.Key)
	}
	if err := cobalt.ValidateAPIKey(key); err != nil {
		return condition.StalledBy(v1alpha1.ReasonAuthenticationFailed,
			"the API key in Secret %s/%s, key %s %s: put a valid key there", apiKey.Namespace, apiKey.Name, apiKey.Key, err)
	}
	where := environment.EndpointOf(settings.BaseURL, key)
	digest := sha256.Sum256([]byte(strings.Join([]string{where.BaseURL, string(settings.RequestTimeout), key, string(bundle)}, "\x00")))
	identity := hex.EncodeToString(digest[:])
	if state.identity == identity {
		state.version = version
		conn.ServeDeletions(nil)
		return nil
	}
	breaker, all, id := conn.Breaker, r.Environments, r.keyOf(client.ObjectKeyFromObject(env))
	epoch := breaker.NewEpoch()
	api, err := cobalt.New(cobalt.Options{
		BaseURL: where.BaseURL, APIKey: key, CABundle: bundle, Limiter: r.limiter(env, where),
		Timeout: settings.RequestTimeout.Value(0), UserAgent: r.options.UserAgent, Now: r.Clock.Now,
		Begun:  conn.Share.Begun,
		Bounds: r.Settings.Lifetime,
		Observe: func(ctx context.Context, call cobalt.Call) {
			breaker.Saw(epoch, call)
			engine.TraceCall(ctx, r.options.Tracer, call)
			all.Count(id, conn, func(environment string) { metrics.Called(environment, call) })
		},
		HeldBack: func(wait time.Duration) {
			all.Count(id, conn, func(environment string) { metrics.HeldBack(environment, wait) })
		},
	})
	if err != nil {
		return condition.StalledBy(v1alpha1.ReasonInvalidCABundle, "caBundleRef: %s", err)
	}
	conn.Use(&environment.Clients{API: api, Snapshots: environment.NewSnapshots(id, api, r.Client, r.Clock), Endpoint: where})
	state.uses(version, identity)
	return nil
}

// limiter is what paces the calls of an environment.
func (r *Reconciler[T]) limiter(env T, where *environment.Endpoint) *ratelimit.Limiter {
	key := r.keyOf(client.ObjectKeyFromObject(env))
	return r.Environments.Limiters.For(key.String(), where.ID, env.Settings().RateLimit)
}

// refused is what a 401 to the key means.
func refused(env object.Environment, state *probeState, now time.Time) error {
	key := env.APIKey()
	message := fmt.Sprintf("the API refused the key in Secret %s/%s, key %s (401)", key.Namespace, key.Name, key.Key)
	if !state.replaced.IsZero() && now.Sub(state.replaced) < keyGrace {
		return condition.WaitingFor(v1alpha1.ReasonAuthenticationFailed, "%s: it is new and may take a moment to be known", message)
	}
	return condition.StalledBy(v1alpha1.ReasonAuthenticationFailed, "%s: put a valid key there", message)
}

// usesOf is what the client of an environment is made from.
func usesOf(env object.Environment) []inputs.Use {
	key := env.APIKey()
	uses := []inputs.Use{{Reference: inputs.Reference{Kind: inputs.KindSecret, Namespace: key.Namespace, Name: key.Name}, Key: key.Key}}
	if ca := env.CABundle(); ca != nil {
		uses = append(uses, inputs.Use{Reference: inputs.Reference{Kind: string(ca.Kind), Namespace: ca.Namespace, Name: ca.Name}, Key: ca.Key})
	}
	return uses
}
