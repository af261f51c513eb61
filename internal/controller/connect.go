package controller

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
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
)

// keyGrace is how long a refused key that replaced a working one may still be
// on its way to every server of the API.
const keyGrace = 2 * time.Minute

// load reads the API key and the CA bundle and makes a client of them, unless
// the client in use was made from the same versions.
func (r *EnvironmentReconciler[T]) load(ctx context.Context, env T, conn *connection) error {
	settings := env.Settings()
	origin, err := cobalt.Origin(settings.BaseURL)
	if err != nil {
		return stalledBy(v1alpha1.ReasonNotAllowed, "baseURL: %s", err)
	}
	if !slices.Contains(r.options.AllowedAPIOrigins, origin) {
		return stalledBy(v1alpha1.ReasonNotAllowed,
			"baseURL: %s is not among the origins that this operator may call (--allowed-api-origins: %s)",
			origin, strings.Join(r.options.AllowedAPIOrigins, ", "))
	}
	uses := environmentUses(env)
	used, err := r.inputs.compare(ctx, uses, conn.inputs)
	if err != nil {
		return err
	}
	conn.inputs = used
	version := fmt.Sprint(used.edition, uses, " ", cobalt.Canonical(settings.BaseURL), " ", settings.RequestTimeout)
	if conn.madeFrom(version) {
		return nil
	}
	conn.unload() // until it is known what to use instead
	inputs := r.inputs.open()
	key, err := inputs.Value(ctx, uses[0].Reference, uses[0].Key)
	if err != nil {
		return err
	}
	var bundle []byte
	if ca := env.CABundle(); ca != nil {
		if bundle, err = inputs.Value(ctx, uses[1].Reference, uses[1].Key); err != nil {
			return err
		}
	}
	conn.inputs.learn(uses, inputs, true)
	return r.replace(env, conn, version, strings.TrimSpace(string(key)), bundle)
}

// replace puts a client of these contents in place, unless the one in use was
// made of the same.
func (r *EnvironmentReconciler[T]) replace(env T, conn *connection, version, key string, bundle []byte) error {
	settings, apiKey := env.Settings(), env.APIKey()
	if key == "" {
		return stalledBy(v1alpha1.ReasonAuthenticationFailed,
			"Secret %s/%s, key %s is empty: put the API key there", apiKey.Namespace, apiKey.Name, apiKey.Key)
	}
	if err := cobalt.ValidateAPIKey(key); err != nil {
		return stalledBy(v1alpha1.ReasonAuthenticationFailed,
			"the API key in Secret %s/%s, key %s %s: put a valid key there", apiKey.Namespace, apiKey.Name, apiKey.Key, err)
	}
	where := endpointOf(settings.BaseURL, key)
	digest := sha256.Sum256([]byte(strings.Join([]string{where.baseURL, string(settings.RequestTimeout), key, string(bundle)}, "\x00")))
	identity := hex.EncodeToString(digest[:])
	if conn.same(identity, version) {
		return nil
	}
	gate, all, id := conn.gate, r.environments.connections, environmentKey{r.kind, client.ObjectKeyFromObject(env)}
	epoch := gate.NewEpoch()
	api, err := cobalt.New(cobalt.Options{
		BaseURL: where.baseURL, APIKey: key, CABundle: bundle, Limiter: r.limiter(env, where),
		Timeout: settings.RequestTimeout.Value(0), UserAgent: r.options.UserAgent, Now: r.clock.Now,
		Begun:  conn.share.Begun,
		Bounds: r.options.Lifetime,
		Observe: func(ctx context.Context, call cobalt.Call) {
			gate.Saw(epoch, call)
			traceCall(ctx, r.options.Tracer, call)
			all.count(id, conn, func(environment string) { metrics.Called(environment, call) })
		},
		HeldBack: func(wait time.Duration) {
			all.count(id, conn, func(environment string) { metrics.HeldBack(environment, wait) })
		},
	})
	if err != nil {
		return stalledBy(v1alpha1.ReasonInvalidCABundle, "caBundleRef: %s", err)
	}
	conn.use(api, newLists(id, api, r.client, r.clock), where, version, identity)
	return nil
}

// limiter is what paces the calls of an environment.
func (r *EnvironmentReconciler[T]) limiter(env T, where *endpoint) *cobalt.Limiter {
	key := environmentKey{r.kind, client.ObjectKeyFromObject(env)}
	return r.environments.connections.pacemaker.Limiter(key.String(), where.digest("pace"), env.Settings().RateLimit)
}

// refused is what a 401 to the key means.
func refused(env EnvironmentObject, conn *connection, now time.Time) error {
	key := env.APIKey()
	message := fmt.Sprintf("the API refused the key in Secret %s/%s, key %s (401)", key.Namespace, key.Name, key.Key)
	if replaced := conn.keyReplaced(); !replaced.IsZero() && now.Sub(replaced) < keyGrace {
		return waitingFor(v1alpha1.ReasonAuthenticationFailed, "%s: it is new and may take a moment to be known", message)
	}
	return stalledBy(v1alpha1.ReasonAuthenticationFailed, "%s: put a valid key there", message)
}

// environmentUses is what an environment is made from.
func environmentUses(env EnvironmentObject) []Use {
	key := env.APIKey()
	uses := []Use{{Reference{kindSecret, key.Namespace, key.Name}, key.Key}}
	if ca := env.CABundle(); ca != nil {
		uses = append(uses, Use{Reference{string(ca.Kind), ca.Namespace, ca.Name}, ca.Key})
	}
	return uses
}
