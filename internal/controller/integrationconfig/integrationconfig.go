// Package integrationconfig keeps the configs of applications in Cobalt.
package integrationconfig

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/drift"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
	"github.com/cobalt-operator/cobalt-operator/internal/engine/managed"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/jsonvalue"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// config is a config as spec wants it, or as Cobalt has it.
type config struct {
	cobalt.Config
	// hidden are the fields whose values came from a Secret or ConfigMap.
	hidden map[string]bool
	// unset are the fields that spec no longer lists; of what Cobalt has, those
	// that were taken back, whatever value they have now.
	unset map[string]bool
}

// resource teaches the shared flow what an IntegrationConfig is.
type resource struct {
	managed.Plain[*v1alpha1.IntegrationConfig, config]
}

var _ managed.Resource[*v1alpha1.IntegrationConfig, config] = resource{}

// New returns the reconciler of IntegrationConfigs.
func New(d engine.Deps) *managed.Reconciler[*v1alpha1.IntegrationConfig, config] {
	return managed.New(d, resource{}, &v1alpha1.IntegrationConfig{})
}

// Identities are the id, and the choice of it that was left to Cobalt.
func (resource) Identities(obj *v1alpha1.IntegrationConfig) []string {
	var identities []string
	if id := cmp.Or(obj.Spec.ConfigID, obj.Status.ID); id != "" {
		identities = append(identities, "id "+id)
	}
	if obj.Spec.ConfigID == "" {
		identities = append(identities, "of "+obj.Spec.Application)
	}
	return identities
}

func (resource) Uses(obj *v1alpha1.IntegrationConfig) []inputs.Use {
	var sources []v1alpha1.ValueSource
	for _, field := range obj.Spec.Fields {
		if field.ValueFrom != nil {
			sources = append(sources, *field.ValueFrom)
		}
	}
	return inputs.SourceUses(obj.Namespace, sources)
}

func (resource) Desired(ctx context.Context, reader *inputs.Reader, obj *v1alpha1.IntegrationConfig) (*config, error) {
	desired := &config{
		Config: cobalt.Config{ID: obj.Spec.ConfigID, Slug: obj.Spec.Application, Fields: map[string]json.RawMessage{}},
		hidden: map[string]bool{}, unset: map[string]bool{},
	}
	for _, id := range obj.Status.Fields {
		desired.unset[id] = true // unless it is still listed
	}
	for _, id := range obj.Status.HiddenFields {
		desired.hidden[id] = true // Cobalt may still have the value that was hidden
	}
	for _, field := range obj.Spec.Fields {
		delete(desired.unset, field.ID)
		if field.Value != nil {
			desired.Fields[field.ID] = field.Value.Raw
			continue
		}
		ref, key := inputs.SourceReference(obj.Namespace, *field.ValueFrom)
		value, err := reader.Text(ctx, ref, key)
		if err != nil {
			return nil, err
		}
		desired.hidden[field.ID] = true
		desired.Fields[field.ID] = value
	}
	for _, workflow := range obj.Spec.Workflows {
		desired.Workflows = append(desired.Workflows, cobalt.ConfigWorkflow{ID: workflow.ID, Enabled: workflow.Enabled})
	}
	return desired, desired.fits()
}

// Observe does not look for what was never created: upsertConfig answers what is there.
func (resource) Observe(ctx context.Context, api *environment.Remote, obj *v1alpha1.IntegrationConfig) (*config, error) {
	readOnly := obj.Spec.ManagementPolicy == v1alpha1.ManagementPolicyReadOnly
	id := cmp.Or(obj.Status.ID, obj.Spec.ConfigID)
	switch {
	case obj.Status.ID == "" && !readOnly:
		return nil, nil
	case id == "": // Cobalt's choice is not known, and must not be asked for in a way that makes it
		return onlyConfigOf(ctx, api, obj.Spec.Application)
	}
	found, err := api.Config(ctx, id)
	if found == nil || err != nil {
		return nil, err
	}
	return &config{Config: *found}, nil
}

// onlyConfigOf returns the config of an application if the account has just one.
func onlyConfigOf(ctx context.Context, api *environment.Remote, slug string) (*config, error) {
	var found []cobalt.Config
	for c, err := range api.ListConfigs(ctx, api.Account) {
		if err != nil {
			return nil, err
		}
		if c.Slug == slug {
			found = append(found, c)
		}
	}
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return &config{Config: found[0]}, nil
	}
	return nil, condition.StalledBy(v1alpha1.ReasonInvalidInput,
		"the account has %d configs of application %q: delete this object and create it again with the configID that is meant", len(found), slug)
}

func (resource) Diff(desired, remote *config) []drift.Difference {
	var differences []drift.Difference
	for _, id := range slices.Sorted(maps.Keys(desired.Fields)) {
		want, have := jsonvalue.Decode(desired.Fields[id]), jsonvalue.Decode(remote.Fields[id])
		if !jsonvalue.Same(want, have) {
			differences = append(differences, drift.Difference{Path: "fields." + id, Want: want, Have: have, Hidden: desired.hidden[id]})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(desired.unset)) {
		if have := jsonvalue.Decode(remote.Fields[id]); have != nil && !remote.unset[id] {
			differences = append(differences, drift.Difference{Path: "fields." + id, Want: nil, Have: have, Hidden: desired.hidden[id]})
		}
	}
	for _, want := range desired.Workflows {
		if have := enabled(remote.Workflows, want.ID); have != want.Enabled {
			differences = append(differences, drift.Difference{Path: "workflows." + want.ID, Want: want.Enabled, Have: have})
		}
	}
	return differences
}

// enabled tells whether a workflow is on, or nil if there is none.
func enabled(workflows []cobalt.ConfigWorkflow, id string) any {
	index := slices.IndexFunc(workflows, func(w cobalt.ConfigWorkflow) bool { return w.ID == id })
	if index < 0 {
		return nil
	}
	return workflows[index].Enabled
}

// Publish records the fields that were set, so that they can be unset when spec
// no longer lists them, and keeps what is not unset yet.
func (resource) Publish(obj *v1alpha1.IntegrationConfig, desired, remote *config) {
	if remote.ID != "" {
		obj.Status.ID = remote.ID
	}
	if obj.Spec.ManagementPolicy == v1alpha1.ManagementPolicyReadOnly {
		obj.Status.HiddenFields = slices.Sorted(maps.Keys(desired.hidden))
		return
	}
	owned := slices.Collect(maps.Keys(desired.Fields))
	for id := range desired.unset {
		if remote.Fields[id] != nil && !remote.unset[id] {
			owned = append(owned, id)
		}
	}
	slices.Sort(owned)
	obj.Status.Fields, obj.Status.HiddenFields = nil, nil
	for _, id := range owned {
		obj.Status.Fields = append(obj.Status.Fields, id)
		if desired.hidden[id] {
			obj.Status.HiddenFields = append(obj.Status.HiddenFields, id)
		}
	}
}

// Origin goes by when Cobalt says that the config was created; if it does not say, others may have.
func (resource) Origin(obj *v1alpha1.IntegrationConfig, remote *config) v1alpha1.Origin {
	if remote == nil {
		return object.KnownOrigin(obj)
	}
	return object.OriginOf(obj, remote.CreatedAt, v1alpha1.OriginAdopted)
}

// Delete takes the config with it even where Cobalt chose its id and the answer
// was lost: asked again, Cobalt chooses the same. What it refused to make is
// none of ours.
func (c resource) Delete(
	ctx context.Context, api *environment.Remote, obj *v1alpha1.IntegrationConfig, may func(v1alpha1.Origin) bool,
) error {
	id := cmp.Or(obj.Status.ID, obj.Spec.ConfigID)
	if obj.Status.ID == "" && object.WasRefused(obj) {
		return nil
	}
	if id == "" {
		chosen, err := api.UpsertConfig(ctx, api.Account, obj.Spec.Application, "")
		if err != nil {
			return err
		}
		obj.Status.Origin = c.Origin(obj, &config{Config: *chosen})
		obj.Status.ID = chosen.ID
		return condition.ErrStale // it may be what another object stands for
	}
	if object.KnownOrigin(obj) == "" {
		found, err := api.GetConfig(ctx, api.Account, id)
		if err != nil {
			return err
		}
		if !may(c.Origin(obj, &config{Config: *found})) {
			return condition.ErrNotOurs
		}
	}
	defer api.Snapshots.ConfigsOf(api.Account).Forget(id)
	return api.DeleteConfig(ctx, api.Account, id)
}

// Find asks for the config.
func (resource) Find(ctx context.Context, api *environment.Remote, obj *v1alpha1.IntegrationConfig) error {
	_, err := api.GetConfig(ctx, api.Account, cmp.Or(obj.Status.ID, obj.Spec.ConfigID))
	return err
}
