package engine

import (
	"time"

	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/account"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/lifetime"
)

// Deps are what the reconcilers of all kinds share.
type Deps struct {
	Client client.Client
	// Live reads from the API server and not from the cache.
	Live         client.Reader
	Events       events.EventRecorder
	Clock        clock.Clock
	Environments *environment.Pool
	Accounts     account.Finder
	Inputs       inputs.Store
	Settings     Settings
}

// Settings are the times that all reconcilers keep.
type Settings struct {
	// SyncInterval is how often drift is looked for where nothing else is said; 0 for never.
	SyncInterval time.Duration
	// ProgressDeadline is how long an object may fail before it is Stalled.
	ProgressDeadline time.Duration
	// ConflictPause is what the cache needs to catch up with a write that it has not seen.
	ConflictPause time.Duration
	// Jitter varies an interval a little, so that objects do not march in step; Spread picks a
	// point within one.
	Jitter, Spread func(time.Duration) time.Duration
	// Lifetime says when all is to end.
	Lifetime *lifetime.Lifetime
}
