// Package linkedaccount keeps the accounts of customers in Cobalt, hands over their credentials, and keeps session tokens for
// them.
package linkedaccount

import (
	"context"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/account"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/drift"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
	"github.com/cobalt-operator/cobalt-operator/internal/engine/managed"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/jsonvalue"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
	"github.com/cobalt-operator/cobalt-operator/internal/snapshot"
)

// linkedAccount is a linked account as spec wants it, or as Cobalt has it.
type linkedAccount struct {
	cobalt.LinkedAccount
	// secret are the keys of YourApp whose values came from a Secret.
	secret map[string]bool
	// asked tells that this is what Cobalt answered when it was asked to create it, or has created it when asked to update it.
	asked bool
}

// resource teaches the shared flow what a LinkedAccount is.
type resource struct {
	dependents  dependents
	credentials credentials
	tokens      sessionTokens
	remade      *account.Remade
}

var _ managed.Resource[*v1alpha1.LinkedAccount, linkedAccount] = resource{}

// New returns the reconciler of LinkedAccounts. finished tells whether an object needs its account no more.
func New(d engine.Deps, finished func(client.Object) bool) *managed.Reconciler[*v1alpha1.LinkedAccount, linkedAccount] {
	kind := resource{
		dependents{d.Client, d.Environments, finished},
		credentials{d.Client, d.Events},
		sessionTokens{d.Client, d.Live, d.Clock, newUnwritten(d.Clock)},
		d.Accounts.Remade,
	}
	return managed.New(d, kind, &v1alpha1.LinkedAccount{})
}

// Identities has one: the account itself.
func (resource) Identities(*v1alpha1.LinkedAccount) []string { return []string{""} }

func (resource) UniqueID(obj *v1alpha1.LinkedAccount) string { return obj.Status.ID }

func (resource) Uses(obj *v1alpha1.LinkedAccount) []inputs.Use {
	return append(inputs.SourceUses(obj.Namespace, obj.Spec.YourAppFrom), credentialUses(obj)...)
}

func (resource) Desired(ctx context.Context, reader *inputs.Reader, obj *v1alpha1.LinkedAccount) (*linkedAccount, error) {
	desired := &linkedAccount{
		LinkedAccount: cobalt.LinkedAccount{LinkedAccountID: obj.AccountID(), Name: obj.Spec.Name, YourApp: map[string]any{}},
		secret:        map[string]bool{},
	}
	for _, key := range obj.Status.YourAppKeys {
		desired.YourApp[key] = nil // cleared, unless it is still listed
	}
	for _, key := range obj.Status.YourAppSecretKeys {
		desired.secret[key] = true // Cobalt may still have the value that a Secret held
	}
	if obj.Spec.YourApp != nil {
		listed, err := jsonvalue.DecodeObject(obj.Spec.YourApp.Raw)
		if err != nil {
			return nil, condition.StalledBy(v1alpha1.ReasonInvalidInput, "yourApp is not a JSON object")
		}
		maps.Copy(desired.YourApp, listed)
	}
	for _, source := range obj.Spec.YourAppFrom {
		ref, key := inputs.SourceReference(obj.Namespace, source)
		values, err := reader.Object(ctx, ref, key)
		if err != nil {
			return nil, err
		}
		for name, value := range values {
			desired.YourApp[name] = value
			desired.secret[name] = desired.secret[name] || ref.Kind == inputs.KindSecret
		}
	}
	return desired, desired.fits(obj.Status.YourAppKeys, obj.Status.YourAppSecretKeys)
}

func (a resource) Observe(ctx context.Context, api *environment.Remote, obj *v1alpha1.LinkedAccount) (*linkedAccount, error) {
	remote, err := answered(api.LinkedAccount(ctx))
	key, id := client.ObjectKeyFromObject(obj), obj.Status.ID
	if remote == nil && err == nil && id == "" && !api.Live && !api.Snapshots.Dated.Load() { // others may have made it since the list
		api.Live = true
		remote, err = answered(api.LinkedAccount(ctx))
	}
	if remote != nil && id != "" && remote.ID != id && !api.Live { // a list may lag, and what follows cannot be undone
		api.Live = true
		remote, err = answered(api.LinkedAccount(ctx))
	}
	switch {
	case err != nil || id == "" || remote == nil && !api.Live: // the second look will tell
	case remote != nil && remote.ID == id:
		a.remade.Found(key, id)
	case !a.remade.Vanish(key, id):
		return nil, condition.ErrStale
	}
	return remote, err
}

func (resource) Diff(desired, remote *linkedAccount) []drift.Difference {
	var differences []drift.Difference
	if desired.Name != "" && desired.Name != remote.Name {
		differences = append(differences, drift.Difference{Path: "name", Want: desired.Name, Have: remote.Name})
	}
	for _, key := range slices.Sorted(maps.Keys(desired.YourApp)) {
		want, have := desired.YourApp[key], remote.YourApp[key]
		if !jsonvalue.SameJSON(want, have) { // null is as good as absent
			differences = append(differences, drift.Difference{Path: "yourApp." + key, Want: want, Have: have, Hidden: desired.secret[key]})
		}
	}
	return differences
}

func (resource) Annotations(obj *v1alpha1.LinkedAccount, remote *linkedAccount) map[string]string {
	annotations := map[string]string{}
	if madeByOthers(obj, remote) {
		annotations[object.OriginAnnotation] = string(v1alpha1.OriginAdopted)
	}
	switch {
	case remote == nil && obj.Status.ID != "":
		annotations[object.VanishedAnnotation] = obj.Status.ID
	case remote != nil && remote.ID == obj.Status.ID && object.Vanished(obj): // it has come back
		annotations[object.VanishedAnnotation] = ""
	}
	return annotations
}

// Remembered is what was sent of credentials.
func (resource) Remembered(obj *v1alpha1.LinkedAccount) map[string]string {
	if len(obj.Status.Credentials) == 0 {
		return nil
	}
	return map[string]string{object.CredentialsAnnotation: credentialsIn(rememberedInStatus(obj))}
}

// madeByOthers tells whether what is there now is none of ours, whatever was recorded: others have made it in the place
// of the one that was here, or Cobalt has refused what we asked for.
func madeByOthers(obj *v1alpha1.LinkedAccount, remote *linkedAccount) bool {
	if remote == nil || remote.asked { // when that was begun tells more
		return false
	}
	ready := meta.FindStatusCondition(obj.Status.Conditions, v1alpha1.ConditionReady)
	refused := ready != nil && ready.Reason == v1alpha1.ReasonRejected
	if obj.Status.ID == "" || remote.ID == obj.Status.ID {
		return refused && obj.Status.Origin == ""
	}
	return refused || !object.Vanished(obj)
}

// Origin goes by when Cobalt says that the account was created. If it does not say, the account was looked for right
// before it was asked for.
func (resource) Origin(obj *v1alpha1.LinkedAccount, remote *linkedAccount) v1alpha1.Origin {
	switch {
	case madeByOthers(obj, remote):
		return v1alpha1.OriginAdopted
	case remote == nil && obj.Status.Origin == "":
		return v1alpha1.OriginCreated
	case remote == nil:
		return obj.Status.Origin
	}
	return object.OriginOf(obj, remote.CreatedAt, v1alpha1.OriginCreated)
}

// Create returns an account without Cobalt's id where nobody knows whether it is there:
// what may have been set is to be taken back one day.
func (resource) Create(ctx context.Context, api *environment.Remote, desired *linkedAccount) (*linkedAccount, error) {
	made, err := upsert(ctx, api, input(desired, nil))
	if err != nil && cobalt.OutcomeUnknown(err) {
		return &linkedAccount{}, err
	}
	if made != nil {
		made.asked = true
	}
	return made, err
}

// Update makes the account again if it has gone since it was looked at. The age of the account that Cobalt answers with tells
// whether this call has made it, or others have before.
func (resource) Update(ctx context.Context, api *environment.Remote, desired, remote *linkedAccount) (*linkedAccount, bool, error) {
	begun := object.OriginRecord{Origin: v1alpha1.OriginCreated, Since: api.Now()}
	now, err := upsert(ctx, api, input(desired, remote))
	if now != nil && now.ID != remote.ID {
		now.asked = begun.Of(now.CreatedAt, v1alpha1.OriginAdopted) == v1alpha1.OriginCreated
	}
	return now, true, err
}

func (a resource) Publish(obj *v1alpha1.LinkedAccount, desired, remote *linkedAccount) {
	if remote.ID != "" {
		if obj.Status.ID != "" && obj.Status.ID != remote.ID {
			a.remade.Replaced(client.ObjectKeyFromObject(obj), obj.Status.ID) // until the status says so
		}
		obj.Status.ID = remote.ID
	}
	if obj.Spec.ManagementPolicy == v1alpha1.ManagementPolicyReadOnly {
		return
	}
	obj.Status.YourAppKeys, obj.Status.YourAppSecretKeys = nil, nil
	for _, key := range slices.Sorted(maps.Keys(desired.YourApp)) {
		if desired.YourApp[key] == nil && remote.YourApp[key] == nil {
			continue // cleared
		}
		obj.Status.YourAppKeys = append(obj.Status.YourAppKeys, key)
		if desired.secret[key] {
			obj.Status.YourAppSecretKeys = append(obj.Status.YourAppSecretKeys, key)
		}
	}
}

// Extend does all of its steps although one of them fails: a token must not
// expire because the credentials of some application are unusable.
func (a resource) Extend(
	ctx context.Context, api *environment.Remote, reader *inputs.Reader, obj *v1alpha1.LinkedAccount,
) (time.Time, error) {
	if obj.Spec.ManagementPolicy == v1alpha1.ManagementPolicyReadOnly {
		return time.Time{}, observeApplications(ctx, api.Client, reader, obj)
	}
	credentialsErr := a.credentials.migrate(ctx, api, reader, obj)
	applicationsErr := observeApplications(ctx, api.Client, reader, obj) // the credentials may have connected one
	renewAt, tokenErr := a.tokens.keep(ctx, api.Client, reader, obj)
	for _, err := range []error{tokenErr, credentialsErr, applicationsErr} {
		if err != nil {
			return renewAt, account.Vanishing(err, account.JustMade(obj, a.tokens.clock.Now())) // one at a time: a message is one sentence
		}
	}
	return renewAt, nil
}

func (a resource) Due(ctx context.Context, obj *v1alpha1.LinkedAccount) time.Time {
	if object.Vanished(obj) {
		return obj.CreationTimestamp.Time // an operator has died that was making it again
	}
	return a.tokens.due(ctx, obj)
}

// Delete makes sure that the account is the one that obj created, if nothing else is
// to be deleted.
func (a resource) Delete(
	ctx context.Context, api *environment.Remote, obj *v1alpha1.LinkedAccount, may func(v1alpha1.Origin) bool,
) error {
	if err := a.dependents.gone(ctx, obj); err != nil {
		return err
	}
	if !may(v1alpha1.OriginAdopted) {
		remote, err := a.lastLook(ctx, api, obj)
		if err != nil {
			return err
		}
		if !may(a.Origin(obj, remote)) {
			return condition.ErrNotOurs
		}
	}
	defer api.Snapshots.Accounts.Forget(obj.AccountID()) // however it ends
	return api.DeleteLinkedAccount(ctx, obj.AccountID())
}

// Find asks for the account.
func (resource) Find(ctx context.Context, api *environment.Remote, obj *v1alpha1.LinkedAccount) error {
	_, err := api.GetLinkedAccount(ctx, obj.AccountID())
	return err
}

// lastLook returns the account that is about to be deleted. A list will do, if it is
// young, not another key's, and has the account.
func (resource) lastLook(ctx context.Context, api *environment.Remote, obj *v1alpha1.LinkedAccount) (*linkedAccount, error) {
	api.MaxAge = min(api.MaxAge, environment.NewsAge)
	if api.Snapshots.API == api.Client && !api.Single() {
		found, presence, err := api.Snapshots.Accounts.Find(ctx, api.Account, api.MaxAge)
		if err != nil && !cobalt.IsNotFound(err) { // that there is no list says nothing of the account
			return nil, err
		}
		if presence == snapshot.Present && (obj.Status.ID == "" || obj.Status.ID == found.ID) {
			return answered(&found, nil)
		}
	}
	return answered(api.GetLinkedAccount(ctx, obj.AccountID()))
}
