package controller

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// lag is since when the cache is behind what was seen of an object, and when the API server
// is asked whether that will ever end: one that was restored from a backup counts its
// versions from there again.
type lag struct{ since, askAt time.Time }

// longestLag is what a cache needs at most, as a rule.
const longestLag = 5 * time.Second

// olderThan tells whether a version of an object comes before the one that was seen.
func olderThan(obj client.Object, seen string) bool {
	if seen == "" {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(obj.GetResourceVersion(), seen)
	return err == nil && order < 0
}

// asks tells whether it is time to ask. Each pause is as long as all before it.
func (l *lag) asks(now time.Time) bool {
	switch {
	case l.since.IsZero():
		l.since, l.askAt = now, now.Add(longestLag)
		return false
	case now.Before(l.askAt):
		return false
	}
	l.askAt = now.Add(now.Sub(l.since))
	return true
}

// catchUp returns the version that the API server has of obj, if that is older than the
// one that was seen there, and what was seen otherwise.
func catchUp(ctx context.Context, live client.Reader, obj client.Object, seen string) (string, error) {
	now := obj.DeepCopyObject().(client.Object)
	if err := live.Get(ctx, client.ObjectKeyFromObject(obj), now); err != nil {
		return seen, client.IgnoreNotFound(err)
	}
	if olderThan(now, seen) {
		return now.GetResourceVersion(), nil
	}
	return seen, nil
}

// lags tells whether obj, from the cache, is older than what this operator has seen of it.
func (d *memories) lags(ctx context.Context, live client.Reader, obj client.Object, now time.Time) (bool, error) {
	key := client.ObjectKeyFromObject(obj)
	last := d.get(key, obj.GetUID())
	if !last.lags(obj) {
		if last.lag != (lag{}) {
			last.lag = lag{}
			d.set(key, last)
		}
		return false, nil
	}
	var err error
	if last.lag.asks(now) {
		last.seen, err = catchUp(ctx, live, obj, last.seen)
	}
	d.set(key, last)
	return last.lags(obj), err
}
