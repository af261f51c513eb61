package integrationconfig

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/jsonvalue"
)

// mostSingles is how many fields are written one by one. More of them, and what
// is no text, go with the whole document, which overwrites what a customer
// changes between our read and our write.
const mostSingles = 2

// Create asks for the config, which Cobalt makes or hands back, and writes into
// it what spec lists.
func (c resource) Create(ctx context.Context, api *environment.Remote, desired *config) (*config, error) {
	if err := api.RequireApplication(ctx, desired.Slug); err != nil {
		return nil, err
	}
	answer, err := api.UpsertConfig(ctx, api.Account, desired.Slug, desired.ID)
	switch {
	case cobalt.IsNotFound(err):
		return nil, api.AccountMissing(ctx)
	case err != nil:
		return nil, err
	}
	api.Snapshots.ConfigsOf(api.Account).Forget(answer.ID) // a list from before does not know it
	made := &config{Config: *answer}
	if len(c.Diff(desired, made)) == 0 {
		return made, nil
	}
	if desired.ID == "" && api.Snapshots.RefersTo(api.Account, answer.ID) {
		return made, condition.ErrStale // Cobalt's choice is what another object stands for: they conflict
	}
	now, _, err := c.Update(ctx, api, desired, made)
	return now, err
}

// Update writes what differs, and nothing of what spec does not list.
func (c resource) Update(ctx context.Context, api *environment.Remote, desired, remote *config) (now *config, told bool, err error) {
	defer api.Snapshots.ConfigsOf(api.Account).Forget(remote.ID) // however it ends
	now, told, err = c.write(ctx, api, desired, remote)
	if !cobalt.IsNotFound(err) {
		return now, told, err
	}
	if _, gone := api.GetConfig(ctx, api.Account, remote.ID); gone == nil { // so it is a part that is not there
		err = condition.StalledBy(v1alpha1.ReasonRejected, "Cobalt refused: %s", err)
	}
	return now, told, err
}

func (c resource) write(ctx context.Context, api *environment.Remote, desired, remote *config) (now *config, told bool, err error) {
	now = &config{Config: remote.Config, unset: map[string]bool{}}
	now.Fields = maps.Clone(remote.Fields)
	if err := unsetFields(ctx, api, desired, now); err != nil {
		return now, false, err
	}
	texts, whole := changes(desired, remote)
	if whole {
		return now, true, writeWhole(ctx, api, desired, now)
	}
	for _, id := range slices.Sorted(maps.Keys(texts)) {
		if err := api.UpdateConfigField(ctx, api.Account, remote.ID, id, texts[id]); err != nil {
			return now, false, err
		}
		now.Fields[id] = desired.Fields[id]
	}
	return now, len(texts) == 0, nil
}

// changes are the texts to write one by one, unless the whole document has to be.
func changes(desired, remote *config) (texts map[string]string, whole bool) {
	texts = map[string]string{}
	for id, value := range desired.Fields {
		want := jsonvalue.Decode(value)
		if jsonvalue.Same(want, jsonvalue.Decode(remote.Fields[id])) {
			continue
		}
		text, ok := want.(string)
		if !ok {
			return nil, true
		}
		texts[id] = text
	}
	switched := slices.ContainsFunc(desired.Workflows, func(w cobalt.ConfigWorkflow) bool {
		return enabled(remote.Workflows, w.ID) != w.Enabled
	})
	return texts, switched || len(texts) > mostSingles
}

// unsetFields takes back the fields that spec no longer lists.
func unsetFields(ctx context.Context, api *environment.Remote, desired, now *config) error {
	for _, id := range slices.Sorted(maps.Keys(desired.unset)) {
		if now.Fields[id] == nil {
			continue
		}
		err := api.DeleteConfigField(ctx, api.Account, now.ID, id)
		if cobalt.IsNotFound(err) { // a field that is gone is unset, but something on the way may have said so
			err = fieldGone(ctx, api, now.ID, id, err)
		}
		if err != nil {
			return err
		}
		now.unset[id] = true
	}
	return nil
}

// fieldGone makes sure that a field is not there which its deletion has missed. One that has a default may be missed
// although it can be read: then Cobalt says so twice.
func fieldGone(ctx context.Context, api *environment.Remote, config, field string, miss error) error {
	found, err := api.GetConfig(ctx, api.Account, config)
	switch {
	case err != nil:
		return err
	case found.Fields[field] == nil:
		return nil
	case cobalt.IsOwnAnswer(miss):
		err = api.DeleteConfigField(ctx, api.Account, config, field)
	}
	if err == nil && cobalt.IsOwnAnswer(miss) || cobalt.IsNotFound(err) && cobalt.IsOwnAnswer(err) {
		return nil
	}
	return errors.New("field " + field + " is still there: " + miss.Error())
}

// writeWhole writes the document that was read last with what spec lists in it:
// whether Cobalt merges what it is sent, or replaces all by it, is not said.
func writeWhole(ctx context.Context, api *environment.Remote, desired, now *config) error {
	base := &now.Config
	if len(now.unset) > 0 { // what they have now is Cobalt's affair
		var err error
		if base, err = api.GetConfig(ctx, api.Account, now.ID); err != nil {
			return err
		}
	}
	in := cobalt.ConfigUpdate{Fields: map[string]json.RawMessage{}, Workflows: slices.Clone(base.Workflows)}
	maps.Copy(in.Fields, base.Fields)
	for id, want := range desired.Fields {
		if !jsonvalue.Same(jsonvalue.Decode(want), jsonvalue.Decode(base.Fields[id])) {
			in.Fields[id] = want
		}
	}
	for _, want := range desired.Workflows {
		in.Workflows = slices.DeleteFunc(in.Workflows, func(w cobalt.ConfigWorkflow) bool { return w.ID == want.ID })
		in.Workflows = append(in.Workflows, want)
	}
	answer, err := api.UpdateConfig(ctx, api.Account, now.ID, in)
	if err != nil {
		return err
	}
	now.Config = *answer
	return nil
}

// mostFields is how many fields status can list.
const mostFields = 200

// fits makes sure that status can list the fields: what is not listed there is never taken
// back.
func (c *config) fits() error {
	if count := len(c.Fields) + len(c.unset); count > mostFields {
		return condition.StalledBy(v1alpha1.ReasonInvalidInput,
			"there are %d fields, those that are still to be taken back among them, and status has room for %d: list fewer until they are",
			count, mostFields)
	}
	return nil
}
