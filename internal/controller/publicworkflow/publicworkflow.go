// Package publicworkflow makes workflows in Cobalt, each once.
package publicworkflow

import (
	"context"
	"errors"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/account"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
	"github.com/cobalt-operator/cobalt-operator/internal/engine/once"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/lifetime"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// action teaches the flow of actions what a PublicWorkflow is. Cobalt can
// neither list, read, change nor delete workflows: each content makes one, once.
type action struct{}

var _ once.Action[*v1alpha1.PublicWorkflow] = action{}

// New returns the reconciler of PublicWorkflows.
func New(d engine.Deps) *once.Reconciler[*v1alpha1.PublicWorkflow] {
	return once.New(d, action{}, &v1alpha1.PublicWorkflow{})
}

type workflowRun = once.Run[*v1alpha1.PublicWorkflow]

// mostPrevious is how many earlier workflows the status remembers.
const mostPrevious = 20

func (action) Uses(*v1alpha1.PublicWorkflow) []inputs.Use { return nil }

// Act makes the workflow that spec describes, unless there is one already.
func (w action) Act(ctx context.Context, t *workflowRun) (engine.Readiness, error) {
	if t.AccountErr != nil {
		return engine.Readiness{}, t.AccountErr
	}
	if err := t.AddFinalizer(ctx, map[string]string{object.AccountAnnotation: t.Account.ID}); err != nil {
		return engine.Readiness{}, err
	}
	restoreWorkflow(t.Obj)
	input, hash, err := describe(t)
	if err != nil {
		return engine.Readiness{}, err
	}
	if err := w.resolve(ctx, t); err != nil {
		return engine.Readiness{}, err
	}
	if unclaimedWorkflow(t.Obj) != "" || reusable(t.Obj, hash) >= 0 {
		if err := t.SameAccount(ctx); err != nil {
			return engine.Readiness{}, err
		}
	}
	adoptWorkflow(t, hash)
	reuse(t.Obj, hash)
	if t.Obj.Status.ID != "" && t.Obj.Status.Hash == hash {
		return engine.Readiness{Reason: v1alpha1.ReasonSynced, Message: "Cobalt has the workflow that spec describes"}, nil
	}
	if t.Resting {
		t.WakeAt(t.RestsUntil)
	}
	if t.Resting || !t.MayCall() || !object.HasFinalizer(t.Obj) {
		return engine.Readiness{}, condition.ErrWait
	}
	if err := w.create(ctx, t, input, hash); err != nil {
		return engine.Readiness{}, err
	}
	return engine.Readiness{Reason: v1alpha1.ReasonSynced, Message: "Cobalt has the workflow that spec describes"}, nil
}

// resolve deals with an intent that was left behind: by what is still known of
// the call, or else by what the user says of it.
func (w action) resolve(ctx context.Context, t *workflowRun) error {
	intent := t.Obj.Status.Intent
	if intent == nil {
		return nil
	}
	known, ok, err := t.Outcome(ctx)
	switch {
	case err != nil:
		return err
	case ok && !known.Unknown():
		return w.conclude(ctx, t, known)
	case t.Obj.Annotations[v1alpha1.RetryCreateAnnotation] == intent.AttemptID:
		t.Obj.Status.Intent = nil
		t.EndRest()
		return nil
	case unclaimedWorkflow(t.Obj) != "":
		return nil // adopt will take it
	}
	return createUnknown(t.Obj, known.Err)
}

// createUnknown asks the user whether the workflow was made. What was said of the
// attempt before stays: a restart forgets the cause, and spec may have another name by now.
func createUnknown(obj *v1alpha1.PublicWorkflow, cause error) error {
	attempt := v1alpha1.RetryCreateAnnotation + "=" + obj.Status.Intent.AttemptID
	said := meta.FindStatusCondition(obj.Status.Conditions, v1alpha1.ConditionReady)
	if said != nil && said.Reason == v1alpha1.ReasonCreateOutcomeUnknown && strings.Contains(said.Message, attempt) {
		return condition.StalledBy(said.Reason, "%s", said.Message)
	}
	return condition.StalledBy(v1alpha1.ReasonCreateOutcomeUnknown,
		"a workflow was being created and %s, so Cobalt may have it or not: look there for %q and annotate this object with "+
			"%s=<its id> if it is there, or with %s if it is not",
		once.NoClearEnd(cause), obj.Spec.Name, v1alpha1.AdoptWorkflowAnnotation, attempt)
}

// unclaimedWorkflow is the id that the user wants to be adopted, if it is news.
func unclaimedWorkflow(obj *v1alpha1.PublicWorkflow) string {
	id := strings.TrimSpace(obj.Annotations[v1alpha1.AdoptWorkflowAnnotation])
	known := func(p v1alpha1.PreviousWorkflow) bool { return p.ID == id }
	if adopted, ok := object.Annotation(obj, object.AdoptedAnnotation); ok && adopted == id {
		return ""
	}
	if id == obj.Status.ID || slices.ContainsFunc(obj.Status.PreviousWorkflows, known) || cobalt.ValidatePathID(id) != nil {
		return ""
	}
	return id
}

// adoptWorkflow takes the workflow that the user names for the one whose creation
// is unknown, or else for the one that spec describes.
func adoptWorkflow(t *workflowRun, hash string) {
	id := unclaimedWorkflow(t.Obj)
	if id == "" {
		return
	}
	if intent := t.Obj.Status.Intent; intent != nil {
		hash = intent.Hash
	}
	become(t.Obj, id, hash)
	t.Event(corev1.EventTypeNormal, "Adopted", "Adopt", "workflow "+id+" is adopted, as the annotation says")
}

// become makes a workflow the present one.
func become(obj *v1alpha1.PublicWorkflow, id, hash string) {
	status := &obj.Status
	status.Intent = nil
	if status.ID != "" {
		before := v1alpha1.PreviousWorkflow{ID: status.ID, Hash: status.Hash}
		status.PreviousWorkflows = append([]v1alpha1.PreviousWorkflow{before}, status.PreviousWorkflows...)
		status.PreviousWorkflows = status.PreviousWorkflows[:min(len(status.PreviousWorkflows), mostPrevious)]
	}
	status.ID, status.Hash = id, hash
}

// reusable is the index of an earlier workflow whose content has come back; -1 for none.
func reusable(obj *v1alpha1.PublicWorkflow, hash string) int {
	if obj.Status.ID != "" && obj.Status.Hash == hash {
		return -1
	}
	return slices.IndexFunc(obj.Status.PreviousWorkflows, func(p v1alpha1.PreviousWorkflow) bool { return p.Hash == hash })
}

// reuse makes that the present one.
func reuse(obj *v1alpha1.PublicWorkflow, hash string) {
	index, previous := reusable(obj, hash), obj.Status.PreviousWorkflows
	if index < 0 {
		return
	}
	id := previous[index].ID
	obj.Status.PreviousWorkflows = slices.Delete(slices.Clone(previous), index, index+1)
	become(obj, id, hash)
}

// create makes the workflow. All that may fail without consequences comes before the intent.
func (w action) create(ctx context.Context, t *workflowRun, input cobalt.WorkflowInput, hash string) error {
	api, ctx, err := t.ConnectOnce(ctx)
	if err != nil {
		return err
	}
	token, err := api.Snapshots.Sessions.Token(ctx, api.Client, t.Account.ID, t.Account.Made)
	switch {
	case cobalt.IsNotFound(err), cobalt.IsUnknownAccount(err):
		return api.AccountMissing(ctx)
	case err != nil:
		return err
	}
	if ctx, err = api.Admit(ctx); err != nil {
		return err
	}
	if err := t.SameAccount(ctx); err != nil {
		return err
	}
	intent := once.NewIntent(hash, t.Core.Clock.Now())
	t.Obj.Status.Intent = &intent
	r := t.Attempt(ctx, func(ctx context.Context) (any, error) {
		made, err := api.CreatePublicWorkflow(ctx, token, input)
		if cobalt.IsUnauthorized(err) { // so nothing happened
			made, err = createAfresh(ctx, t, api, token, input)
		}
		return made, err
	})
	if r.Unknown() {
		return createUnknown(t.Obj, r.Err)
	}
	return w.conclude(ctx, t, r)
}

// createAfresh makes the workflow with another session token than the one that was refused.
func createAfresh(
	ctx context.Context, t *workflowRun, api *environment.Remote, refused string, input cobalt.WorkflowInput,
) (*cobalt.PublicWorkflow, error) {
	api.Snapshots.Sessions.Drop(t.Account.ID, refused)
	token, err := api.Snapshots.Sessions.Token(ctx, api.Client, t.Account.ID, t.Account.Made)
	switch {
	case err != nil && condition.GivenUp(err):
		return nil, lifetime.ErrStopping
	case err != nil: // of which nobody must think that it may have made a workflow
		return nil, errors.New("the session token was refused, and there is no other: " + err.Error())
	}
	made, err := api.CreatePublicWorkflow(ctx, token, input)
	if cobalt.IsUnauthorized(err) {
		return nil, errors.New("a fresh session token was refused: " + err.Error())
	}
	return made, err
}

// conclude takes what is known of a call into the status.
func (w action) conclude(ctx context.Context, t *workflowRun, r once.Result) error {
	intent := t.Obj.Status.Intent
	if r.Err != nil {
		t.Obj.Status.Intent = nil
		switch {
		case errors.Is(r.Err, once.ErrNotCalled):
			return nil // the same run goes on to make it
		case cobalt.IsUnknownAccount(r.Err):
			return account.Missing(ctx, t.Core.Client, t.Account.ID, t.Core.Clock.Now())
		}
		return r.Err
	}
	made := r.Answer.(*cobalt.PublicWorkflow)
	become(t.Obj, made.ID, intent.Hash)
	t.Event(corev1.EventTypeNormal, "Created", "Create", "workflow "+made.ID+" created in Cobalt")
	return nil
}

func (action) Intent(obj *v1alpha1.PublicWorkflow) *v1alpha1.Intent { return obj.Status.Intent }

// Annotations carry what was made in the place of a status that is lost.
func (action) Annotations(obj *v1alpha1.PublicWorkflow) map[string]string {
	if obj.Status.ID == "" {
		return nil
	}
	annotations := map[string]string{object.WorkflowAnnotation: obj.Status.ID + "/" + obj.Status.Hash}
	if obj.Status.LinkedAccountID != "" {
		annotations[object.AccountAnnotation] = obj.Status.LinkedAccountID
	}
	if adopted := strings.TrimSpace(obj.Annotations[v1alpha1.AdoptWorkflowAnnotation]); cobalt.ValidatePathID(adopted) == nil {
		annotations[object.AdoptedAnnotation] = adopted // once, however long the wish stands there
	}
	return annotations
}

// restoreWorkflow takes what the annotation says into a status that does not know it.
func restoreWorkflow(obj *v1alpha1.PublicWorkflow) {
	value, ok := object.Annotation(obj, object.WorkflowAnnotation)
	if id, hash, both := strings.Cut(value, "/"); ok && both && obj.Status.ID == "" {
		obj.Status.ID, obj.Status.Hash = id, hash
	}
}

func (action) HasFinalizer() bool { return true }

func (action) Refused(*v1alpha1.PublicWorkflow) bool { return false }

func (action) Suspend(*v1alpha1.PublicWorkflow) {}

func (action) LeftBehind(obj *v1alpha1.PublicWorkflow) string {
	restoreWorkflow(obj)
	var ids []string
	for _, previous := range append([]v1alpha1.PreviousWorkflow{{ID: obj.Status.ID}}, obj.Status.PreviousWorkflows...) {
		if previous.ID != "" {
			ids = append(ids, previous.ID)
		}
	}
	switch {
	case obj.Status.Intent != nil && len(ids) == 0:
		return "a workflow may be left in Cobalt, whose creation had no known end: its API cannot delete workflows"
	case len(ids) == 0:
		return ""
	}
	return "left in Cobalt, as its API cannot delete workflows: " + strings.Join(ids, ", ")
}
