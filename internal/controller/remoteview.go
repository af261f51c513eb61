package controller

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/snapshot"
)

// newsAge is how old a list may be for an object that somebody waits for.
const newsAge = time.Minute

// remoteView is what one run sees Cobalt through: its calls, and the lists that it
// shares with other objects of the environment.
type remoteView struct {
	*cobalt.Client
	lists *lists
	// account that the object belongs to.
	account string
	// maxAge of a list.
	maxAge time.Duration
	// awaited is set where somebody waits for the run.
	awaited bool
	// miss is what the last look was told that found nothing; nil if a list said so.
	miss error
	// live is set where Cobalt itself was asked, or is to be, and not a list.
	live bool
}

// linkedAccount returns the account, or nil if there is none.
func (v *remoteView) linkedAccount(ctx context.Context) (*cobalt.LinkedAccount, error) {
	if !v.live && !v.single() {
		found, presence, err := v.lists.accounts.Find(ctx, v.account, v.maxAge)
		if err != nil || presence != snapshot.Unknown && len(found.ID) <= longestID { // or the account itself is refused in words
			return ifPresent(&found, presence), err
		}
	}
	v.live = true
	found, err := v.GetLinkedAccount(ctx, v.account)
	found, err = unlessMissing(v, found, err)
	if found != nil {
		v.lists.accounts.Put(v.account, *found)
	}
	return found, err
}

// single tells whether an account had better be asked for alone: of one that is
// new, that is all there is to know; of many, a list tells more for less.
func (v *remoteView) single() bool {
	return v.awaited && !v.lists.accounts.Fresh(v.maxAge) && v.lists.singles.AllowN(v.lists.clock.Now(), 1)
}

// config returns a config of the account, or nil if there is none.
func (v *remoteView) config(ctx context.Context, id string) (*cobalt.Config, error) {
	if !v.live && !v.awaited {
		found, presence, err := v.lists.configsOf(v.account).Find(ctx, id, v.maxAge)
		if cobalt.IsNotFound(err) { // the account is
			return nil, nil
		}
		if err != nil || presence != snapshot.Unknown {
			return ifPresent(&found, presence), err
		}
	}
	v.live = true
	found, err := v.GetConfig(ctx, v.account, id)
	return unlessMissing(v, found, err)
}

// webhook returns the webhook of the account, or nil if there is none.
func (v *remoteView) webhook(ctx context.Context) (*cobalt.Webhook, error) {
	v.live = true
	found, err := v.GetWebhook(ctx, v.account)
	return unlessMissing(v, found, err)
}

// requireApplication returns stalled unless Cobalt offers an application. It
// asks anew before it says that there is none.
func (v *remoteView) requireApplication(ctx context.Context, slug string) error {
	for _, maxAge := range []time.Duration{longListAge, newsAge} {
		_, presence, err := v.lists.applications.Find(ctx, slug, maxAge)
		if err != nil || presence != snapshot.Absent {
			return err
		}
	}
	return condition.StalledBy(v1alpha1.ReasonApplicationNotFound,
		"Cobalt offers no application %q: enable it there, or delete this object and create it again with another slug", slug)
}

// isConnected tells whether the account has connected an application. Where the API does
// not say so, it has not, unless the API does not hear which account it is asked about.
// That an application is not there proves nothing: something on the way may have said so.
func (v *remoteView) isConnected(ctx context.Context, slug string) (bool, error) {
	application, err := v.GetApplication(ctx, v.account, slug)
	if err == nil && application.Connected != nil {
		return *application.Connected, nil
	}
	if err == nil && !strings.EqualFold(application.Slug, slug) {
		err = errors.New("the answer to getApplicationBySlug is not about " + slug)
		return false, notSeen(err)
	}
	if err == nil {
		err = v.heard(ctx)
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
func (v *remoteView) heard(ctx context.Context) error {
	if v.lists.heard.Load() {
		return nil
	}
	for _, err := range v.ListConfigs(ctx, v.account) {
		if err != nil {
			return err
		}
		break // the first element says enough
	}
	v.lists.heard.Store(true)
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

func unlessMissing[V any](v *remoteView, found *V, err error) (*V, error) {
	v.miss = nil
	if cobalt.IsNotFound(err) {
		v.miss = err
		return nil, nil
	}
	return found, err
}

// longestID is how long an id can be that status has room for.
const longestID = 256

// accountMissing is the error of a creation that Cobalt refuses because there is no such account.
func (v *remoteView) accountMissing(ctx context.Context) error {
	return missing(ctx, v.lists.cache, v.account, v.lists.clock.Now())
}

// answers makes sure, now, that the API is there and takes the key.
func (v *remoteView) answers(ctx context.Context) error {
	for _, err := range v.ListApplications(ctx, "") {
		return err // the first element says enough
	}
	return nil
}
