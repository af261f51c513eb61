package linkedaccount

import (
	"context"
	"maps"
	"slices"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/jsonvalue"
)

// input is what upsertLinkedAccount is sent. It repeats what remote has beside
// what is desired: whether the API merges your_app or replaces it is not said.
func input(desired, remote *linkedAccount) cobalt.LinkedAccountInput {
	in := cobalt.LinkedAccountInput{ID: desired.LinkedAccountID, Name: desired.Name, YourApp: map[string]any{}}
	if remote != nil {
		maps.Copy(in.YourApp, remote.YourApp)
	}
	for key, value := range desired.YourApp {
		if value != nil || remote != nil {
			in.YourApp[key] = value
		}
	}
	if len(in.YourApp) == 0 {
		in.YourApp = nil
	}
	return in
}

func upsert(ctx context.Context, api *environment.Remote, in cobalt.LinkedAccountInput) (*linkedAccount, error) {
	found, err := api.UpsertLinkedAccount(ctx, in)
	if err != nil {
		if !cobalt.IsThrottled(err) { // then nothing has happened, and what was known still holds
			api.Snapshots.Accounts.Forget(in.ID)
		}
		return nil, err
	}
	api.Snapshots.Accounts.Put(in.ID, *found)
	if !found.CreatedAt.IsZero() {
		api.Snapshots.Dated.Store(true)
	}
	return answered(found, nil)
}

func answered(found *cobalt.LinkedAccount, err error) (*linkedAccount, error) {
	if found == nil || err != nil {
		return nil, err
	}
	return &linkedAccount{LinkedAccount: *found}, nil
}

// What status can list of YourApp: how many keys, and how many bytes of them. It has those of
// Secrets twice, and is stored with a copy of each.
const (
	mostKeys     = 1000
	mostKeyBytes = 256 << 10
)

// fits makes sure that status can list the keys of YourApp: what is not listed there is
// never taken back. What status lists already, it has room for.
func (a *linkedAccount) fits(listed, secret []string) error {
	if len(a.YourApp) > mostKeys {
		return condition.StalledBy(v1alpha1.ReasonInvalidInput,
			"yourApp and yourAppFrom have %d keys together, those that are to be taken back among them: at most %d are possible",
			len(a.YourApp), mostKeys)
	}
	size, present := 0, 0
	for key := range a.YourApp {
		size += len(jsonvalue.Text(key))
		if a.secret[key] {
			size += len(jsonvalue.Text(key))
		}
	}
	for _, key := range slices.Concat(listed, secret) {
		present += len(jsonvalue.Text(key))
	}
	if size > max(mostKeyBytes, present) {
		return condition.StalledBy(v1alpha1.ReasonInvalidInput,
			"the keys of yourApp and yourAppFrom take more than the %d bytes that status has room for, "+
				"of which keys from Secrets take twice as many: use shorter keys or fewer", mostKeyBytes)
	}
	return nil
}
