package engine

import (
	"time"

	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/handler"
)

// Never is the time between looks of an object whose syncInterval is 0s.
const Never = 100 * 365 * 24 * time.Hour

// UsualInterval is after how long an environment, a deletion, or a call that must not
// be made twice, is tried again that was refused, where drift is never looked for.
const UsualInterval = 10 * time.Minute

// Earlier returns the earlier of two times; zero is never.
func Earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// perInterval is how many times in an interval objects are looked at, several at a
// time: waking up for each of them costs more than looking at it.
const perInterval = 600

// Together is after, or so much less that others of the interval come at the same time.
func Together(now time.Time, after, interval time.Duration) time.Duration {
	grid := min(interval/perInterval, time.Second)
	if grid <= 0 || after < grid {
		return after
	}
	return after - time.Duration(now.Add(after).UnixNano()%int64(grid))
}

// Background is a result at the lowest priority: the queue would otherwise keep
// the priority of the change that an object was last looked at for.
func Background(after time.Duration) ctrl.Result {
	return ctrl.Result{RequeueAfter: Soon(after), Priority: ptr.To(handler.LowPriority)}
}

// Soon is after, or nothing at all if that is never. What is overdue by now
// comes at once.
func Soon(after time.Duration) time.Duration {
	if after > Never/2 {
		return 0
	}
	return max(after, time.Millisecond)
}
