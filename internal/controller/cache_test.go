package controller

import (
	"encoding/json"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/controller/linkedaccount"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
)

// ownedBy is metadata of the kind that LinkedAccounts write, with an owner and annotations.
func ownedBy(owner metav1.OwnerReference, annotations map[string]string) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Namespace: "default", Name: "a", UID: "uid", ResourceVersion: "7", OwnerReferences: []metav1.OwnerReference{owner},
		Labels: map[string]string{linkedaccount.AccountLabel: "acme", "team": "crm"}, Annotations: annotations,
	}}
}

func controllerReference(name string) metav1.OwnerReference {
	return metav1.OwnerReference{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "LinkedAccount", Name: name, UID: "owner", Controller: new(true),
	}
}

func transforms(t *testing.T) map[string]toolscache.TransformFunc {
	t.Helper()
	found := map[string]toolscache.TransformFunc{}
	for object, options := range CacheOptions(nil).ByObject {
		switch object.(type) {
		case *corev1.Secret:
			found[inputs.KindSecret] = options.Transform
		case *corev1.ConfigMap:
			found[inputs.KindConfigMap] = options.Transform
		case *corev1.Namespace:
			found["Namespace"] = options.Transform
		}
	}
	return found
}

// TestCacheKeepsWhatIsUsed: whose a Secret is, and what is known of the token in it.
func TestCacheKeepsWhatIsUsed(t *testing.T) {
	t.Parallel()
	secret := ownedBy(controllerReference("acme"), map[string]string{linkedaccount.TokenAnnotation: `{"account":"id"}`, "kubectl": "hunter2"})
	got, err := transforms(t)[inputs.KindSecret](secret)
	if err != nil {
		t.Fatal(err)
	}
	want := ownedBy(controllerReference("acme"), map[string]string{linkedaccount.TokenAnnotation: `{"account":"id"}`})
	want.Labels = map[string]string{linkedaccount.AccountLabel: "acme"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestCacheKeepsLabelsOfNamespaces: environments allow Namespaces by them.
func TestCacheKeepsLabelsOfNamespaces(t *testing.T) {
	t.Parallel()
	strip, ok := transforms(t)["Namespace"]
	if !ok {
		t.Fatal("annotations of Namespaces are kept")
	}
	labels := map[string]string{"team": "crm"}
	got, err := strip(&metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Name: "a", ResourceVersion: "7", Labels: labels, Annotations: map[string]string{"x": "hunter2"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: "a", ResourceVersion: "7", Labels: labels}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestCacheKeepsFactsOfFixedSize: whoever may create Secrets and ConfigMaps somewhere
// must not fill the memory of the operator with them, nor put secrets there.
func TestCacheKeepsFactsOfFixedSize(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("hunter2", 30_000)
	other, version := controllerReference("acme"), controllerReference("acme")
	other.Kind, other.UID = "Deployment", "other"
	version.APIVersion = v1alpha1.GroupVersion.Group + "/" + large
	plain := map[string]string{linkedaccount.TokenAnnotation: "{}"}
	for name, meta := range map[string]*metav1.PartialObjectMetadata{
		"Annotation":       ownedBy(controllerReference("acme"), map[string]string{"cobalt.gocobalt.io/x": large}),
		"LastApplied":      ownedBy(controllerReference("acme"), map[string]string{corev1.LastAppliedConfigAnnotation: large}),
		"UsedAnnotation":   ownedBy(controllerReference("acme"), map[string]string{linkedaccount.TokenAnnotation: large}),
		"NameOfOwner":      ownedBy(controllerReference(large), plain),
		"VersionOfOwner":   ownedBy(version, plain),
		"OtherController":  ownedBy(other, map[string]string{linkedaccount.TokenAnnotation: large}),
		"OwnersInGreatNum": manyOwners(ownedBy(controllerReference("acme"), plain)),
		"Finalizers":       {ObjectMeta: metav1.ObjectMeta{Name: "a", Finalizers: []string{large}}},
		"Label":            {ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{"cobalt.gocobalt.io/" + large: "x"}}},
	} {
		for kind, transform := range transforms(t) {
			if kind == "Namespace" && name == "Label" { // all of them are for selectors
				continue
			}
			t.Run(name+kind, func(t *testing.T) {
				t.Parallel()
				got, err := transform(meta.DeepCopy())
				if err != nil {
					t.Fatal(err)
				}
				text, err := json.Marshal(got)
				if err != nil {
					t.Fatal(err)
				}
				if most := 1 << 10; len(text) > most || strings.Contains(string(text), "hunter2") {
					t.Errorf("%d bytes are kept: %.200s", len(text), text)
				}
			})
		}
	}
}

func manyOwners(meta *metav1.PartialObjectMetadata) *metav1.PartialObjectMetadata {
	for range 1000 {
		owner := controllerReference("another")
		owner.Controller = nil
		meta.OwnerReferences = append(meta.OwnerReferences, owner)
	}
	return meta
}

// TestObjectsShareTexts: and have what they had.
func TestObjectsShareTexts(t *testing.T) {
	t.Parallel()
	text := strings.Clone
	account := func() *v1alpha1.LinkedAccount {
		obj := &v1alpha1.LinkedAccount{ObjectMeta: metav1.ObjectMeta{Namespace: text("default"), Finalizers: []string{text(v1alpha1.Finalizer)}}}
		obj.Status.Conditions = []metav1.Condition{
			{Type: text("Ready"), Status: "True", Reason: text(v1alpha1.ReasonSynced), Message: text("Cobalt is as spec says")},
			{Type: text("Reconciling"), Status: "True", Reason: text(v1alpha1.ReasonFailed), Message: text("of its own")},
		}
		return obj
	}
	var cached []*v1alpha1.LinkedAccount
	for range 2 {
		got, err := shareTexts(account())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(account(), got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		cached = append(cached, got.(*v1alpha1.LinkedAccount))
	}
	a, b := cached[0], cached[1]
	for name, texts := range map[string][2]string{
		"namespace": {a.Namespace, b.Namespace}, "finalizer": {a.Finalizers[0], b.Finalizers[0]},
		"type": {a.Status.Conditions[0].Type, b.Status.Conditions[0].Type}, "message": {a.Status.Conditions[0].Message, b.Status.Conditions[0].Message},
	} {
		if unsafe.StringData(texts[0]) != unsafe.StringData(texts[1]) {
			t.Errorf("each has a %s of its own", name)
		}
	}
}
