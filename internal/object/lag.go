package object

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Lag is since when the cache is behind what was seen of an object, and when the API server
// is asked whether that will ever end: one that was restored from a backup counts its
// versions from there again.
type Lag struct{ since, askAt time.Time }

// LongestLag is what a cache needs at most, as a rule.
const LongestLag = 5 * time.Second

// OlderThan tells whether a version of an object comes before the one that was seen.
func OlderThan(obj client.Object, seen string) bool {
	if seen == "" {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(obj.GetResourceVersion(), seen)
	return err == nil && order < 0
}

// Asks tells whether it is time to ask. Each pause is as long as all before it.
func (l *Lag) Asks(now time.Time) bool {
	switch {
	case l.since.IsZero():
		l.since, l.askAt = now, now.Add(LongestLag)
		return false
	case now.Before(l.askAt):
		return false
	}
	l.askAt = now.Add(now.Sub(l.since))
	return true
}

// CatchUp returns the version that the API server has of obj, if that is older than the
// one that was seen there, and what was seen otherwise.
func CatchUp(ctx context.Context, live client.Reader, obj client.Object, seen string) (string, error) {
	now := obj.DeepCopyObject().(client.Object)
	if err := live.Get(ctx, client.ObjectKeyFromObject(obj), now); err != nil {
		return seen, client.IgnoreNotFound(err)
	}
	if OlderThan(now, seen) {
		return now.GetResourceVersion(), nil
	}
	return seen, nil
}
