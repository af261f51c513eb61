package object

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

func hookWith(change ...func(*v1alpha1.Webhook)) *v1alpha1.Webhook {
	hook := &v1alpha1.Webhook{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "hook"}}
	for _, c := range change {
		c(hook)
	}
	return hook
}

func marked(name, value string) func(*v1alpha1.Webhook) {
	return func(hook *v1alpha1.Webhook) { SetAnnotation(hook, name, value) }
}

func seen(hook *v1alpha1.Webhook) { hook.Status.ID, hook.Status.LinkedAccountID = "w1", "acme" }

func finalizer(hook *v1alpha1.Webhook) { hook.Finalizers = []string{v1alpha1.Finalizer} }

func madeIt(hook *v1alpha1.Webhook) { hook.Status.Origin = v1alpha1.OriginCreated }

func adoptedIt(hook *v1alpha1.Webhook) { hook.Status.Origin = v1alpha1.OriginAdopted }

// TestKnownOrigin: an object is taken for one of an older version only if it bears all that such a version wrote.
func TestKnownOrigin(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		hook   *v1alpha1.Webhook
		want   v1alpha1.Origin
	}{
		"Older":    {"it deleted what it had", hookWith(seen, finalizer, marked(AccountAnnotation, "acme")), v1alpha1.OriginCreated},
		"OnlySeen": {"under ReadOnly", hookWith(seen), ""},
		"Copy":     {"under ReadOnly, of an object that was held", hookWith(seen, finalizer), ""},
		"CopyOfAnother": {"its annotations are another's", hookWith(seen, finalizer, func(hook *v1alpha1.Webhook) {
			hook.Annotations = map[string]string{AccountAnnotation: "team/other:acme", OriginAnnotation: "team/other:created"}
		}), ""},
		"Status": {"annotations say less", hookWith(seen, adoptedIt, marked(OriginAnnotation, "created")), v1alpha1.OriginAdopted},
	} {
		if got := KnownOrigin(tc.hook); got != tc.want {
			t.Errorf("%s: %s: %q, want %q", name, tc.reason, got, tc.want)
		}
	}
}

// TestInheritance: what anybody can write into annotations does not have another's object delete more than it would.
func TestInheritance(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason    string
		obj, heir *v1alpha1.Webhook
		want      map[string]string
	}{
		"Created": {"as good as created by the heir", hookWith(seen, madeIt, marked(AccountAnnotation, "acme")), hookWith(adoptedIt),
			map[string]string{AccountAnnotation: "acme", OriginAnnotation: "created"}},
		"Lost": {"the status of one, the other has none yet", hookWith(finalizer, marked(OriginAnnotation, "created")), hookWith(),
			map[string]string{OriginAnnotation: "created"}},
		"Forged": {"the heir knows better", hookWith(finalizer, marked(OriginAnnotation, "created")), hookWith(seen, adoptedIt),
			map[string]string{}},
		"ForgedTime": {"the heir knows better", hookWith(finalizer, marked(OriginAnnotation, "created/2020-01-01T00:00:00Z")), hookWith(seen, adoptedIt),
			map[string]string{}},
		"ForgedAccount": {"they conflict with another", hookWith(finalizer, marked(AccountAnnotation, "victim")), hookWith(),
			map[string]string{AccountAnnotation: "acme"}},
	} {
		if diff := cmp.Diff(tc.want, Inheritance(tc.obj, tc.heir, "acme")); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", name, tc.reason, diff)
		}
	}
}
