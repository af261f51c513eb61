package controller

import (
	"context"
	"maps"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// input is what upsertLinkedAccount is sent. It repeats what remote has beside
// what is desired: whether the API merges your_app or replaces it is not said.
func input(desired, remote *account) cobalt.LinkedAccountInput {
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

func upsert(ctx context.Context, api *remoteView, in cobalt.LinkedAccountInput) (*account, error) {
	found, err := api.UpsertLinkedAccount(ctx, in)
	if err != nil {
		if !cobalt.IsThrottled(err) { // then nothing has happened, and what was known still holds
			api.lists.accounts.Forget(in.ID)
		}
		return nil, err
	}
	api.lists.accounts.Put(in.ID, *found)
	if !found.CreatedAt.IsZero() {
		api.lists.dated.Store(true)
	}
	return answered(found, nil)
}

func answered(found *cobalt.LinkedAccount, err error) (*account, error) {
	if found == nil || err != nil {
		return nil, err
	}
	return &account{LinkedAccount: *found}, nil
}
