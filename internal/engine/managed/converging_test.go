package managed

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/account"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/drift"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// TestAnIDComesWithWhatItsDeletionReliesOn: a run that is held back right after something was created tells of all of it.
func TestAnIDComesWithWhatItsDeletionReliesOn(t *testing.T) {
	t.Parallel()
	hook := &v1alpha1.Webhook{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "hook"}}
	hook.Spec.EnvironmentRef = v1alpha1.EnvironmentReference{Kind: v1alpha1.KindEnvironment, Name: "default"}
	object.SetAnnotation(hook, object.OriginAnnotation, "created/2026-01-02T03:04:05Z")
	r := &Reconciler[*v1alpha1.Webhook, cobalt.Webhook]{Resource: hooks{}}
	run := &Run[*v1alpha1.Webhook]{Run: &engine.Run[*v1alpha1.Webhook]{Obj: hook, Account: account.Owner{ID: "acme"}}}
	r.publish(run, &cobalt.Webhook{}, &cobalt.Webhook{ID: "w1"})
	got := hook.Status.CommonStatus
	if got.ID != "w1" || got.LinkedAccountID != "acme" || got.Environment != "Environment/default" || got.Origin != v1alpha1.OriginCreated {
		t.Errorf("the status has only %+v", got)
	}
}

// TestMessagesFitIntoNotes: however many places and however long their paths are.
func TestMessagesFitIntoNotes(t *testing.T) {
	t.Parallel()
	var differences []drift.Difference
	for i := range 30 {
		differences = append(differences, drift.Difference{Path: fmt.Sprint("yourApp.", i, strings.Repeat("ä", 500))})
	}
	run := Run[*v1alpha1.Webhook]{Run: &engine.Run[*v1alpha1.Webhook]{Obj: &v1alpha1.Webhook{}, Inputs: inputs.NewStore(nil, nil).Open()}}
	message := run.kept(differences).Error()
	if len(message) > 1<<10 {
		t.Errorf("%d bytes: %s", len(message), message)
	}
}
