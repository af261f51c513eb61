//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// expectedReason, on a sample that shows a problem, is the reason that its Ready condition has in the end.
const expectedReason = "cobalt.gocobalt.io/demo-expected-reason"

// samples reads config/samples, moved to a namespace and pointed at the simulator of the operator in another.
func samples(namespace, simulatorNamespace string) []*unstructured.Unstructured {
	GinkgoHelper()
	files, err := filepath.Glob(root + "/config/samples/[0-9]*.yaml")
	Expect(err).NotTo(HaveOccurred())
	Expect(files).NotTo(BeEmpty())
	var all []*unstructured.Unstructured
	for _, file := range files {
		text, err := os.ReadFile(file)
		Expect(err).NotTo(HaveOccurred())
		decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
		for {
			obj := &unstructured.Unstructured{}
			err := decoder.Decode(&obj.Object)
			if errors.Is(err, io.EOF) {
				break
			}
			Expect(err).NotTo(HaveOccurred(), file)
			move(obj, namespace, simulatorNamespace)
			all = append(all, obj)
		}
	}
	return all
}

func move(obj *unstructured.Unstructured, namespace, simulatorNamespace string) {
	GinkgoHelper()
	switch obj.GetKind() {
	case "ClusterEnvironment":
		Expect(unstructured.SetNestedField(obj.Object, namespace, "spec", "apiKeySecretRef", "namespace")).To(Succeed())
	default:
		obj.SetNamespace(namespace)
	}
	if kind := obj.GetKind(); kind == "Environment" || kind == "ClusterEnvironment" {
		Expect(unstructured.SetNestedField(obj.Object, baseURL(simulatorNamespace), "spec", "baseURL")).To(Succeed())
	}
}

func apply(ctx context.Context, objs ...*unstructured.Unstructured) {
	GinkgoHelper()
	for _, obj := range objs {
		configuration := client.ApplyConfigurationFromUnstructured(obj.DeepCopy())
		Expect(objects.Apply(ctx, configuration, client.FieldOwner("e2e"), client.ForceOwnership)).To(Succeed())
	}
}

// settled waits until those of the operator's kinds are as expected: Ready, or not Ready for the reason they are to show.
func settled(ctx context.Context, objs ...*unstructured.Unstructured) {
	GinkgoHelper()
	Eventually(func() error {
		var errs []error
		for _, obj := range objs {
			if obj.GroupVersionKind().Group != v1alpha1.GroupVersion.Group {
				continue
			}
			if err := judge(ctx, obj); err != nil {
				errs = append(errs, fmt.Errorf("%s %s: %w", obj.GetKind(), obj.GetName(), err))
			}
		}
		return errors.Join(errs...)
	}).WithContext(ctx).Should(Succeed())
}

// judge says what keeps obj from being as expected.
func judge(ctx context.Context, obj *unstructured.Unstructured) error {
	now := obj.DeepCopy()
	if err := objects.Get(ctx, client.ObjectKeyFromObject(obj), now); err != nil {
		return err
	}
	var seen struct {
		Status struct {
			ObservedGeneration int64              `json:"observedGeneration"`
			Conditions         []metav1.Condition `json:"conditions"`
		} `json:"status"`
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(now.Object, &seen); err != nil {
		return err
	}
	ready := apimeta.FindStatusCondition(seen.Status.Conditions, v1alpha1.ConditionReady)
	switch {
	case ready == nil || seen.Status.ObservedGeneration != now.GetGeneration():
		return errors.New("the operator has not looked at it yet")
	case ready.Status == metav1.ConditionTrue || ready.Reason == obj.GetAnnotations()[expectedReason]:
		return nil
	default:
		return fmt.Errorf("Ready is %s, %s: %s", ready.Status, ready.Reason, ready.Message)
	}
}

// environment is a Secret with the simulator's key and the Environment of a namespace that uses it.
func environment(namespace, simulatorNamespace string) []client.Object {
	meta := metav1.ObjectMeta{Namespace: namespace, Name: "cobalt-api-key"}
	env := &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "default"}}
	env.Spec.BaseURL = baseURL(simulatorNamespace)
	env.Spec.APIKeySecretRef.Name = meta.Name
	return []client.Object{&corev1.Secret{ObjectMeta: meta, StringData: map[string]string{"api-key": apiKey}}, env}
}

// account is a LinkedAccount whose id in Cobalt is its name.
func account(namespace, name string) *v1alpha1.LinkedAccount {
	account := &v1alpha1.LinkedAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	account.Spec.LinkedAccountID = name
	account.Spec.Name = "Made by a test"
	return account
}

func create(ctx context.Context, objs ...client.Object) {
	GinkgoHelper()
	for _, obj := range objs {
		Expect(objects.Create(ctx, obj)).To(Succeed())
	}
}

// ready waits until obj is Ready.
func ready(ctx context.Context, obj client.Object) {
	GinkgoHelper()
	kind, err := objects.GroupVersionKindFor(obj)
	Expect(err).NotTo(HaveOccurred())
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(kind)
	u.SetNamespace(obj.GetNamespace())
	u.SetName(obj.GetName())
	settled(ctx, u)
}
