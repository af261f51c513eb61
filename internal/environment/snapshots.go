package environment

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
	"github.com/cobalt-operator/cobalt-operator/internal/account"
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

// ExecutionsIdle is how long a list of executions is kept that nobody asks for. Nobody who
// follows an execution looks at it less often.
const ExecutionsIdle = 30 * time.Second

// Snapshots are what the objects of an environment share of what its key sees.
type Snapshots struct {
	clock        clock.PassiveClock
	environment  object.EnvironmentKey
	API          *cobalt.Client
	cache        client.Reader
	Accounts     *snapshot.List[cobalt.LinkedAccount]
	Applications *snapshot.List[cobalt.Application]
	singles      *rate.Limiter
	Sessions     *Sessions
	// heard is set once the API was seen to hear which account a call is about.
	heard atomic.Bool
	// Dated is set once the API was seen to tell when an account was created.
	Dated atomic.Bool

	mu sync.Mutex
	// configs and executions are those of one account each.
	configs    map[string]*snapshot.List[cobalt.Config]
	executions map[string]*snapshot.List[cobalt.Execution]
}

// NewSnapshots returns what objects share of what api sees, with nothing read yet. cache tells what they refer to.
func NewSnapshots(environment object.EnvironmentKey, api *cobalt.Client, cache client.Reader, c clock.PassiveClock) *Snapshots {
	return &Snapshots{
		clock: c, environment: environment, API: api, cache: cache, configs: map[string]*snapshot.List[cobalt.Config]{},
		Sessions: newSessions(c), executions: map[string]*snapshot.List[cobalt.Execution]{},
		singles: rate.NewLimiter(rate.Every(singlePause), fewSingles),
		Accounts: snapshot.New(c, snapshot.Source[cobalt.LinkedAccount]{
			Load: api.ListLinkedAccounts,
			Key:  func(a cobalt.LinkedAccount) string { return a.LinkedAccountID },
			Keep: func(id string) bool {
				linked, err := account.Named(context.Background(), cache, id)
				return err != nil || len(linked) > 0
			},
			Personal: cobalt.IsThrottled,
		}),
		Applications: snapshot.New(c, snapshot.Source[cobalt.Application]{
			Load:     func(ctx context.Context) iter.Seq2[cobalt.Application, error] { return api.ListApplications(ctx, "") },
			Key:      func(a cobalt.Application) string { return a.Slug },
			Keep:     func(string) bool { return false }, // it matters only that they are there
			Personal: cobalt.IsThrottled,
		}),
	}
}

// ConfigsOf is the list of the configs of an account.
func (s *Snapshots) ConfigsOf(owner string) *snapshot.List[cobalt.Config] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.configs[owner] == nil {
		s.configs[owner] = snapshot.New(s.clock, snapshot.Source[cobalt.Config]{
			Load:     func(ctx context.Context) iter.Seq2[cobalt.Config, error] { return s.API.ListConfigs(ctx, owner) },
			Key:      func(c cobalt.Config) string { return c.ID },
			Keep:     func(id string) bool { return s.RefersTo(owner, id) },
			Personal: cobalt.IsThrottled,
		})
	}
	return s.configs[owner]
}

// ExecutionsOf is the list of the executions of an account.
func (s *Snapshots) ExecutionsOf(owner string) *snapshot.List[cobalt.Execution] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.executions[owner] == nil {
		s.executions[owner] = snapshot.New(s.clock, snapshot.Source[cobalt.Execution]{
			Load: func(ctx context.Context) iter.Seq2[cobalt.Execution, error] {
				return s.API.ListExecutions(ctx, owner)
			},
			Key:      func(e cobalt.Execution) string { return e.ID },
			Keep:     func(id string) bool { return s.follows(id) },
			Wanted:   func() []string { return s.followed(owner) },
			Personal: condition.HeldBack, // an answer is for all, who then ask for theirs alone
		})
	}
	return s.executions[owner]
}

// follows tells whether an object follows an execution.
func (s *Snapshots) follows(id string) bool {
	list := &v1alpha1.EventTriggerList{}
	key := client.MatchingFields{object.ExecutionIndex: id}
	err := s.cache.List(context.Background(), list, key, client.UnsafeDisableDeepCopy, client.Limit(1))
	return err != nil || len(list.Items) > 0
}

// followed names the executions of an account that objects follow.
func (s *Snapshots) followed(owner string) []string {
	list := &v1alpha1.EventTriggerList{}
	key := client.MatchingFields{object.TriggerAccountIndex: object.TriggerAccountKey(s.environment, owner)}
	if err := s.cache.List(context.Background(), list, key, client.UnsafeDisableDeepCopy); err != nil {
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

// RefersTo tells whether an object stands for a config.
func (s *Snapshots) RefersTo(owner, id string) bool {
	list := &v1alpha1.IntegrationConfigList{}
	key := client.MatchingFields{object.RemoteIndex: object.RemoteKey(owner, id)}
	err := s.cache.List(context.Background(), list, key, client.UnsafeDisableDeepCopy, client.Limit(1))
	return err != nil || len(list.Items) > 0
}

// Sweep forgets what nobody has asked for lately.
func (s *Snapshots) Sweep(interval time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for account, configs := range s.configs {
		if configs.Idle(max(2*interval, longListAge)) {
			delete(s.configs, account)
		}
	}
	for account, executions := range s.executions {
		if executions.Idle(ExecutionsIdle) {
			delete(s.executions, account)
		}
	}
	s.Sessions.sweep(s.clock.Now())
}
