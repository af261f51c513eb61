package controller

import (
	"context"
	"sync"
	"time"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cobalt-operator/cobalt-operator/internal/breaker"
)

// jumps wakes what is due after the clock has jumped, as it does when a machine was paused
// or its time was wrong: work queues go by the time that passes, and schedules and
// tokens by the clock.
type jumps struct {
	clock clock.PassiveClock
	// steady is a clock that nobody sets.
	steady  clock.WithTicker
	planned []*planned

	// wall and since are what the clocks showed at the last look.
	wall, since time.Time
}

var _ manager.Runnable = &jumps{}

const (
	// jumpPause is how often the clocks are compared.
	jumpPause = 30 * time.Second
	// smallestJump is how far apart they are then at least, if that is a jump.
	smallestJump = 30 * time.Second
)

// Start compares the clocks until ctx ends.
func (j *jumps) Start(ctx context.Context) error {
	ticker := j.steady.NewTicker(jumpPause)
	defer ticker.Stop()
	for j.look(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C():
		}
		if by := j.look(); by.Abs() > smallestJump {
			ctrl.LoggerFrom(ctx).Info("the clock has jumped: what is due by now is looked at", "by", by.String())
			j.wakeDue()
		}
	}
}

// look tells how far the clock has gone beside the time that has passed since the last look.
func (j *jumps) look() time.Duration {
	wall, steady := j.clock.Now().Round(0), j.steady.Now() // Round leaves the time of day alone, which can be set
	by := wall.Sub(j.wall) - steady.Sub(j.since)
	j.wall, j.since = wall, steady
	return by
}

func (j *jumps) wakeDue() {
	for _, p := range j.planned {
		p.wakeDue(j.wall)
	}
}

// planned remembers when a controller is to look at its objects next, by the clock.
type planned struct {
	reconcile.Reconciler
	clock clock.PassiveClock
	waker *breaker.Waker

	mu    sync.Mutex
	times map[ctrl.Request]plannedTime
}

// plannedTime is small, as there is one for each object.
type plannedTime struct {
	at         int64 // in nanoseconds since 1970
	background bool
}

// remembering has the clock watched for a controller that is woken by a waker.
func (s *setup) remembering(r reconcile.Reconciler, waker *breaker.Waker) *planned {
	p := &planned{Reconciler: r, clock: s.options.Clock, waker: waker, times: map[ctrl.Request]plannedTime{}}
	s.jumps.planned = append(s.jumps.planned, p)
	return p
}

// Reconcile reconciles, and remembers when that is to be done again.
func (p *planned) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	result, err := p.Reconciler.Reconcile(ctx, request)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil || result.RequeueAfter == 0 {
		delete(p.times, request)
		return result, err
	}
	p.times[request] = plannedTime{p.clock.Now().Add(result.RequeueAfter).UnixNano(), result.Priority != nil}
	return result, err
}

// wakeDue wakes the objects whose time has come.
func (p *planned) wakeDue(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for request, next := range p.times {
		switch {
		case next.at > now.UnixNano():
		case next.background:
			p.waker.WakeBackground(request, 0)
		default:
			p.waker.Wake(request, 0)
		}
	}
}
