package environment

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/account"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/snapshot"
)

// NewsAge is how old a list may be for an object that somebody waits for.
const NewsAge = time.Minute

// Remote is what one run sees Cobalt through: its calls, and the lists that it
// shares with other objects of the environment.
type Remote struct {
	*cobalt.Client
	Snapshots *Snapshots
	// Account that the object belongs to.
	Account string
	// MaxAge of a list.
	MaxAge time.Duration
	// Awaited is set where somebody waits for the run.
	Awaited bool
	// Miss is what the last look was told that found nothing; nil if a list said so.
	Miss error
	// Live is set where Cobalt itself was asked, or is to be, and not a list.
	Live bool
}

// LinkedAccount returns the account, or nil if there is none.
func (r *Remote) LinkedAccount(ctx context.Context) (*cobalt.LinkedAccount, error) {
	if !r.Live && !r.Single() {
		found, presence, err := r.Snapshots.Accounts.Find(ctx, r.Account, r.MaxAge)
		if err != nil || presence != snapshot.Unknown && len(found.ID) <= longestID { // or the account itself is refused in words
			return ifPresent(&found, presence), err
		}
	}
	r.Live = true
	found, err := r.GetLinkedAccount(ctx, r.Account)
	found, err = UnlessMissing(r, found, err)
	if found != nil {
		r.Snapshots.Accounts.Put(r.Account, *found)
	}
	return found, err
}

// Single tells whether an account had better be asked for alone: of one that is
// new, that is all there is to know; of many, a list tells more for less.
func (r *Remote) Single() bool {
	return r.Awaited && !r.Snapshots.Accounts.Fresh(r.MaxAge) && r.Snapshots.singles.AllowN(r.Snapshots.clock.Now(), 1)
}

// Config returns a config of the account, or nil if there is none.
func (r *Remote) Config(ctx context.Context, id string) (*cobalt.Config, error) {
	if !r.Live && !r.Awaited {
		found, presence, err := r.Snapshots.ConfigsOf(r.Account).Find(ctx, id, r.MaxAge)
		if cobalt.IsNotFound(err) { // the account is
			return nil, nil
		}
		if err != nil || presence != snapshot.Unknown {
			return ifPresent(&found, presence), err
		}
	}
	r.Live = true
	found, err := r.GetConfig(ctx, r.Account, id)
	return UnlessMissing(r, found, err)
}

// Webhook returns the webhook of the account, or nil if there is none.
func (r *Remote) Webhook(ctx context.Context) (*cobalt.Webhook, error) {
	r.Live = true
	found, err := r.GetWebhook(ctx, r.Account)
	return UnlessMissing(r, found, err)
}

// RequireApplication returns stalled unless Cobalt offers an application. It
// asks anew before it says that there is none.
func (r *Remote) RequireApplication(ctx context.Context, slug string) error {
	for _, maxAge := range []time.Duration{longListAge, NewsAge} {
		_, presence, err := r.Snapshots.Applications.Find(ctx, slug, maxAge)
		if err != nil || presence != snapshot.Absent {
			return err
		}
	}
	return condition.StalledBy(v1alpha1.ReasonApplicationNotFound,
		"Cobalt offers no application %q: enable it there, or delete this object and create it again with another slug", slug)
}

// IsConnected tells whether the account has connected an application. Where the API does
// not say so, it has not, unless the API does not hear which account it is asked about.
// That an application is not there proves nothing: something on the way may have said so.
func (r *Remote) IsConnected(ctx context.Context, slug string) (bool, error) {
	application, err := r.GetApplication(ctx, r.Account, slug)
	if err == nil && application.Connected != nil {
		return *application.Connected, nil
	}
	if err == nil && !strings.EqualFold(application.Slug, slug) {
		err = errors.New("the answer to getApplicationBySlug is not about " + slug)
		return false, notSeen(err)
	}
	if err == nil {
		err = r.heard(ctx)
	}
	switch {
	case err == nil, cobalt.IsUnknownApplication(err):
		return false, err
	case cobalt.IsNotFound(err), cobalt.IsHeaderLost(err): // which is no verdict on what spec says
		return false, notSeen(err)
	}
	return false, err
}

func notSeen(err error) error {
	return errors.New("whether it is connected cannot be seen, so its credentials are not sent: " + err.Error())
}

// heard makes sure, once for each key, that the API hears which account a call is about.
func (r *Remote) heard(ctx context.Context) error {
	if r.Snapshots.heard.Load() {
		return nil
	}
	for _, err := range r.ListConfigs(ctx, r.Account) {
		if err != nil {
			return err
		}
		break // the first element says enough
	}
	r.Snapshots.heard.Store(true)
	return nil
}

// longListAge is how long the list of applications says that there is one. That
// one is gone, Cobalt says when it refuses.
const longListAge = time.Hour

func ifPresent[V any](found *V, presence snapshot.Presence) *V {
	if presence != snapshot.Present {
		return nil
	}
	return found
}

// UnlessMissing returns what a call has found; nil where Cobalt has said that there is nothing, which r remembers.
func UnlessMissing[V any](r *Remote, found *V, err error) (*V, error) {
	r.Miss = nil
	if cobalt.IsNotFound(err) {
		r.Miss = err
		return nil, nil
	}
	return found, err
}

// longestID is how long an id can be that status has room for.
const longestID = 256

// AccountMissing is the error of a creation that Cobalt refuses because there is no such account.
func (r *Remote) AccountMissing(ctx context.Context) error {
	return account.Missing(ctx, r.Snapshots.cache, r.Account, r.Snapshots.clock.Now())
}

// Answers makes sure, now, that the API is there and takes the key.
func (r *Remote) Answers(ctx context.Context) error {
	for _, err := range r.ListApplications(ctx, "") {
		return err // the first element says enough
	}
	return nil
}
