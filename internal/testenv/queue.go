package testenv

import (
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/util/workqueue"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
)

// Time is the time of one operator: a clock that only tests move, and the work
// queues whose delays it measures.
type Time struct {
	*clocktesting.FakeClock

	mu     sync.Mutex
	queues map[string]*queue
	held   atomic.Bool
}

// NewTime returns a time that stands still.
func NewTime(start time.Time) *Time {
	return &Time{FakeClock: clocktesting.NewFakeClock(start), queues: map[string]*queue{}}
}

// Queue makes the work queue of a controller; it is a controller.Options.Queue.
func (t *Time) Queue(name string, limiter workqueue.TypedRateLimiter[ctrl.Request]) workqueue.TypedRateLimitingInterface[ctrl.Request] {
	q := &queue{
		PriorityQueue: priorityqueue.New[ctrl.Request](name), clock: t.FakeClock, exact: &t.held, limiter: limiter,
		held: map[ctrl.Request]held{}, passes: map[ctrl.Request]int{}, active: map[ctrl.Request]bool{},
		priorities: map[ctrl.Request]int{},
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queues[name] = q
	return q
}

// Reset forgets the queues of an operator that was stopped.
func (t *Time) Reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.queues)
}

// Advance moves the clock and hands out what has become due.
func (t *Time) Advance(d time.Duration) {
	t.Step(d)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, q := range t.queues {
		q.release()
	}
}

// Hold has workers sleep until Advance, as they do in real time, and while they do
// nothing else happens. Otherwise they go on at once. What a queue is to hand out within
// moments then waits for Advance as well.
func (t *Time) Hold() { t.held.Store(true) }

// After lets a worker that sleeps for a moment go on at once: the moment passes.
func (t *Time) After(d time.Duration) <-chan time.Time {
	if t.held.Load() {
		return t.FakeClock.After(d)
	}
	t.Advance(d)
	over := make(chan time.Time, 1)
	over <- t.Now()
	return over
}

// Passes tells how often a controller of this time has looked at an object.
func (t *Time) Passes(controller string, request ctrl.Request) int {
	t.mu.Lock()
	q := t.queues[controller]
	t.mu.Unlock()
	if q == nil {
		return 0
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.passes[request]
}

// Seen tells whether a controller has begun to look at an object.
func (t *Time) Seen(controller string, request ctrl.Request) bool {
	t.mu.Lock()
	q := t.queues[controller]
	t.mu.Unlock()
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.active[request] || q.passes[request] > 0
}

// Delay tells in how long a controller looks at an object again; false if it
// does not, or is looking at it.
func (t *Time) Delay(controller string, request ctrl.Request) (time.Duration, bool) {
	t.mu.Lock()
	q := t.queues[controller]
	t.mu.Unlock()
	if q == nil {
		return 0, false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	item, ok := q.held[request]
	return item.due.Sub(q.clock.Now()), ok && !q.active[request]
}

// Priority is the one with which an object was handed out last, zero if it never was.
func (t *Time) Priority(controller string, request ctrl.Request) int {
	t.mu.Lock()
	q := t.queues[controller]
	t.mu.Unlock()
	if q == nil {
		return 0
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.priorities[request]
}

// queue is a priority queue whose delays pass on a fake clock.
type queue struct {
	priorityqueue.PriorityQueue[ctrl.Request]
	clock   *clocktesting.FakeClock
	exact   *atomic.Bool
	limiter workqueue.TypedRateLimiter[ctrl.Request]

	mu     sync.Mutex
	held   map[ctrl.Request]held
	passes map[ctrl.Request]int
	active map[ctrl.Request]bool
	// priorities are those with which items were handed out last.
	priorities map[ctrl.Request]int
}

// shortDelay is from which length delays pass on the fake clock. Shorter ones
// only let a cache catch up, which happens in real time; so short are all where time is held.
const (
	shortDelay = 500 * time.Millisecond
	exactDelay = 60 * time.Millisecond
)

func (q *queue) shortest() time.Duration {
	if q.exact.Load() {
		return exactDelay
	}
	return shortDelay
}

type held struct {
	due  time.Time
	opts priorityqueue.AddOpts
}

var _ priorityqueue.PriorityQueue[ctrl.Request] = &queue{}

func (q *queue) AddWithOpts(opts priorityqueue.AddOpts, items ...ctrl.Request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, item := range items {
		opts := opts
		if opts.RateLimited {
			opts.After, opts.RateLimited = max(opts.After, q.limiter.When(item)), false
		}
		if opts.After < q.shortest() {
			delete(q.held, item) // as in the real queue, an item waits once
			q.PriorityQueue.AddWithOpts(opts, item)
			continue
		}
		due := q.clock.Now().Add(opts.After)
		opts.After = 0
		if before, ok := q.held[item]; !ok || due.Before(before.due) {
			q.held[item] = held{due: due, opts: opts}
		}
	}
}

func (q *queue) Add(item ctrl.Request) { q.AddWithOpts(priorityqueue.AddOpts{}, item) }

func (q *queue) AddAfter(item ctrl.Request, after time.Duration) {
	q.AddWithOpts(priorityqueue.AddOpts{After: after}, item)
}

func (q *queue) AddRateLimited(item ctrl.Request) {
	q.AddWithOpts(priorityqueue.AddOpts{RateLimited: true}, item)
}

func (q *queue) Forget(item ctrl.Request) { q.limiter.Forget(item) }

func (q *queue) NumRequeues(item ctrl.Request) int { return q.limiter.NumRequeues(item) }

func (q *queue) GetWithPriority() (item ctrl.Request, priority int, shutdown bool) {
	item, priority, shutdown = q.PriorityQueue.GetWithPriority()
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.held, item) // what was asked for while it stood in line is one with this
	q.active[item], q.priorities[item] = !shutdown, priority
	return item, priority, shutdown
}

func (q *queue) Done(item ctrl.Request) {
	q.PriorityQueue.Done(item)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.passes[item]++
	delete(q.active, item)
}

func (q *queue) release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for item, h := range q.held {
		if !h.due.After(q.clock.Now()) {
			delete(q.held, item)
			q.PriorityQueue.AddWithOpts(h.opts, item)
		}
	}
}

// Asleep tells whether whatever controllers have begun waits for the clock to move.
func (t *Time) Asleep() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	active := 0
	for _, q := range t.queues {
		q.mu.Lock()
		active += len(q.active)
		q.mu.Unlock()
	}
	return active == t.Waiters()
}

// Idle tells whether no controller has anything to do before the clock moves.
func (t *Time) Idle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, q := range t.queues {
		q.mu.Lock()
		busy := q.Len() > 0 || len(q.active) > 0
		q.mu.Unlock()
		if busy {
			return false
		}
	}
	return true
}
