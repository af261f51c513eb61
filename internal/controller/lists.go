package controller

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
	"github.com/cobalt-operator/cobalt-operator/internal/snapshot"
)

// fewSingles are the new accounts that are asked for one by one before a list
// is cheaper, and singlePause is when another one may be.
const (
	fewSingles  = 3
	singlePause = 20 * time.Second
)

// executionsIdle is how long a list of executions is kept that nobody asks for. Nobody who
// follows an execution looks at it less often.
const executionsIdle = 30 * time.Second

// lists are what the objects of an environment share of what its key sees.
type lists struct {
	clock        clock.PassiveClock
	environment  object.EnvironmentKey
	api          *cobalt.Client
	cache        client.Reader
	accounts     *snapshot.List[cobalt.LinkedAccount]
	applications *snapshot.List[cobalt.Application]
	singles      *rate.Limiter
	sessions     *sessions
	// heard is set once the API was seen to hear which account a call is about.
	heard atomic.Bool
	// dated is set once the API was seen to tell when an account was created.
	dated atomic.Bool

	mu sync.Mutex
	// configs and executions are those of one account each.
	configs    map[string]*snapshot.List[cobalt.Config]
	executions map[string]*snapshot.List[cobalt.Execution]
}

func newLists(environment object.EnvironmentKey, api *cobalt.Client, cache client.Reader, c clock.PassiveClock) *lists {
	return &lists{
		clock: c, environment: environment, api: api, cache: cache, configs: map[string]*snapshot.List[cobalt.Config]{},
		sessions: newSessions(c), executions: map[string]*snapshot.List[cobalt.Execution]{},
		singles: rate.NewLimiter(rate.Every(singlePause), fewSingles),
		accounts: snapshot.New(c, snapshot.Source[cobalt.LinkedAccount]{
			Load: api.ListLinkedAccounts,
			Key:  func(a cobalt.LinkedAccount) string { return a.LinkedAccountID },
			Keep: func(id string) bool {
				linked, err := named(context.Background(), cache, id)
				return err != nil || len(linked) > 0
			},
			Personal: cobalt.IsThrottled,
		}),
		applications: snapshot.New(c, snapshot.Source[cobalt.Application]{
			Load:     func(ctx context.Context) iter.Seq2[cobalt.Application, error] { return api.ListApplications(ctx, "") },
			Key:      func(a cobalt.Application) string { return a.Slug },
			Keep:     func(string) bool { return false }, // it matters only that they are there
			Personal: cobalt.IsThrottled,
		}),
	}
}

// configsOf is the list of the configs of an account.
func (l *lists) configsOf(account string) *snapshot.List[cobalt.Config] {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.configs[account] == nil {
		l.configs[account] = snapshot.New(l.clock, snapshot.Source[cobalt.Config]{
			Load:     func(ctx context.Context) iter.Seq2[cobalt.Config, error] { return l.api.ListConfigs(ctx, account) },
			Key:      func(c cobalt.Config) string { return c.ID },
			Keep:     func(id string) bool { return l.refersTo(account, id) },
			Personal: cobalt.IsThrottled,
		})
	}
	return l.configs[account]
}

// executionsOf is the list of the executions of an account.
func (l *lists) executionsOf(account string) *snapshot.List[cobalt.Execution] {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.executions[account] == nil {
		l.executions[account] = snapshot.New(l.clock, snapshot.Source[cobalt.Execution]{
			Load: func(ctx context.Context) iter.Seq2[cobalt.Execution, error] {
				return l.api.ListExecutions(ctx, account)
			},
			Key:      func(e cobalt.Execution) string { return e.ID },
			Keep:     func(id string) bool { return l.follows(id) },
			Wanted:   func() []string { return l.followed(account) },
			Personal: condition.HeldBack, // an answer is for all, who then ask for theirs alone
		})
	}
	return l.executions[account]
}

// follows tells whether an object follows an execution.
func (l *lists) follows(id string) bool {
	list := &v1alpha1.EventTriggerList{}
	err := l.cache.List(context.Background(), list, client.MatchingFields{object.ExecutionIndex: id}, client.UnsafeDisableDeepCopy, client.Limit(1))
	return err != nil || len(list.Items) > 0
}

// followed names the executions of an account that objects follow.
func (l *lists) followed(account string) []string {
	list := &v1alpha1.EventTriggerList{}
	key := client.MatchingFields{object.TriggerAccountIndex: object.TriggerAccountKey(l.environment, account)}
	if err := l.cache.List(context.Background(), list, key, client.UnsafeDisableDeepCopy); err != nil {
		return nil // only a cache that is stopping fails
	}
	var ids []string
	for i := range list.Items {
		for _, run := range list.Items[i].Status.OpenRuns() {
			ids = append(ids, run.ExecutionID)
		}
	}
	return ids
}

// refersTo tells whether an object stands for a config.
func (l *lists) refersTo(account, id string) bool {
	list := &v1alpha1.IntegrationConfigList{}
	key := client.MatchingFields{object.RemoteIndex: object.RemoteKey(account, id)}
	err := l.cache.List(context.Background(), list, key, client.UnsafeDisableDeepCopy, client.Limit(1))
	return err != nil || len(list.Items) > 0
}

// sweep forgets what nobody has asked for lately.
func (l *lists) sweep(interval time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for account, configs := range l.configs {
		if configs.Idle(max(2*interval, longListAge)) {
			delete(l.configs, account)
		}
	}
	for account, executions := range l.executions {
		if executions.Idle(executionsIdle) {
			delete(l.executions, account)
		}
	}
	l.sessions.sweep(l.clock.Now())
}
