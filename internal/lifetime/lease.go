package lifetime

import (
	"context"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// moment is what the clocks showed then; the zero moment was long ago.
type moment struct{ wall, steady time.Time }

func (l *Lifetime) now() moment {
	return moment{l.options.Wall.Now().Round(0), l.options.Steady.Now()} // Round leaves the time of day alone
}

// renew notes that the lease was asked for at that moment, and given.
func (l *Lifetime) renew(asked moment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.renewed = asked
	if l.expiry != nil {
		l.expiry.Stop()
	}
	left := l.options.Lease - l.options.Steady.Now().Sub(asked.steady)
	l.expiry = l.options.Steady.AfterFunc(max(left, 0), func() { l.expire(asked) })
}

// expire ends all, unless the lease was renewed after that moment.
func (l *Lifetime) expire(asked moment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.renewed == asked {
		l.End(ErrLeaseLost)
	}
}

// age is how long ago the lease was renewed, by the clock that shows more.
func (l *Lifetime) age() time.Duration {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(now.wall.Sub(l.renewed.wall), now.steady.Sub(l.renewed.steady))
}

// Lock returns lock, whose renewals are noted from now on. It is not given back when it
// may be another's: whoever elects may not have seen that yet, and would take it from them.
func (l *Lifetime) Lock(lock resourcelock.Interface) resourcelock.Interface { return noted{lock, l} }

type noted struct {
	resourcelock.Interface
	lifetime *Lifetime
}

// Create takes the lease that nobody has held yet.
func (n noted) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return n.write(ctx, record, n.Interface.Create)
}

// Update takes the lease, renews it, or gives it back.
func (n noted) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return n.write(ctx, record, n.Interface.Update)
}

func (n noted) write(
	ctx context.Context, record resourcelock.LeaderElectionRecord, write func(context.Context, resourcelock.LeaderElectionRecord) error,
) error {
	if n.lifetime.Lost() {
		return ErrLeaseLost
	}
	returns := record.HolderIdentity != n.Identity()
	if returns { // so others may be at work from now on
		if n.lifetime.age() >= n.lifetime.options.Lease {
			n.lifetime.End(ErrLeaseLost)
			return ErrLeaseLost
		}
		n.lifetime.End(ErrStopping)
	}
	asked := n.lifetime.now()
	if err := write(ctx, record); err != nil {
		return err
	}
	if !returns {
		n.lifetime.renew(asked)
	}
	return nil
}
