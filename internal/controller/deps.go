package controller

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

// deps are what the reconcilers of all kinds share.
type deps struct {
	client client.Client
	// live reads from the API server and not from the cache.
	live         client.Reader
	events       events.EventRecorder
	clock        clock.Clock
	environments *environment.Pool
	accounts     account.Finder
	inputs       inputs.Store
	settings     settings
}

// settings are the times that all reconcilers keep.
type settings struct {
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
