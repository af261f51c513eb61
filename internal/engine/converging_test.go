package engine

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/account"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/drift"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// TestAnIDComesWithWhatItsDeletionReliesOn: a run that is held back right after something was created tells of all of it.
func TestAnIDComesWithWhatItsDeletionReliesOn(t *testing.T) {
	t.Parallel()
	hook := &v1alpha1.Webhook{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "hook"}}
	hook.Spec.EnvironmentRef = v1alpha1.EnvironmentReference{Kind: v1alpha1.KindEnvironment, Name: "default"}
	object.SetAnnotation(hook, object.OriginAnnotation, "created/2026-01-02T03:04:05Z")
	r := &Managed[*v1alpha1.Webhook, cobalt.Webhook]{Resource: hooks{}}
	p := &Run[*v1alpha1.Webhook]{obj: hook, account: account.Owner{ID: "acme"}}
	r.publish(p, &cobalt.Webhook{}, &cobalt.Webhook{ID: "w1"})
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
	message := (&Run[*v1alpha1.LinkedAccount]{obj: &v1alpha1.LinkedAccount{}, inputs: inputs.NewStore(nil, nil).Open()}).kept(differences).Error()
	if len(message) > 1<<10 {
		t.Errorf("%d bytes: %s", len(message), message)
	}
}
