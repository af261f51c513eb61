//go:build e2e

package e2e

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// abandon deletes namespaces and ClusterEnvironments, whatever state a test left them in, and does not rely on an
// operator that runs.
func abandon(ctx context.Context, namespaces ...string) {
	GinkgoHelper()
	for _, name := range namespaces {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		Expect(client.IgnoreNotFound(objects.Delete(ctx, namespace))).To(Succeed())
	}
	for _, env := range list(ctx, "ClusterEnvironmentList") {
		Expect(client.IgnoreNotFound(objects.Delete(ctx, &env))).To(Succeed())
	}
	Eventually(func(g Gomega) {
		unhold(ctx, g)
		for _, name := range namespaces {
			err := objects.Get(ctx, client.ObjectKey{Name: name}, &corev1.Namespace{})
			g.Expect(apierrors.IsNotFound(err)).To(BeTrue(), "%s: %v", name, err)
		}
	}).WithContext(ctx).Should(Succeed())
}

// unhold takes the finalizers from the operator's objects that are being deleted.
func unhold(ctx context.Context, g Gomega) {
	for kind := range objects.Scheme().KnownTypes(v1alpha1.GroupVersion) {
		if !strings.HasSuffix(kind, "List") || strings.HasSuffix(kind, "OptionsList") {
			continue
		}
		for _, obj := range list(ctx, kind) {
			if obj.GetDeletionTimestamp().IsZero() {
				continue
			}
			none := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
			g.Expect(client.IgnoreNotFound(objects.Patch(ctx, &obj, none))).To(Succeed())
		}
	}
}

// list returns all objects of one of the operator's kinds, and none if the cluster does not know it.
func list(ctx context.Context, kind string) []unstructured.Unstructured {
	GinkgoHelper()
	found := &unstructured.UnstructuredList{}
	found.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	if err := objects.List(ctx, found); !apimeta.IsNoMatchError(err) {
		Expect(client.IgnoreNotFound(err)).To(Succeed())
	}
	return found.Items
}

// removeCRDs is the last step of an uninstallation.
func removeCRDs(ctx context.Context) {
	GinkgoHelper()
	kubectl(ctx, "", "delete", "--ignore-not-found", "-k", root+"/config/crd")
}

// undeploy is what make undeploy does.
func undeploy(ctx context.Context) {
	GinkgoHelper()
	kubectl(ctx, "", "delete", "--ignore-not-found", "-k", root+"/config/operator")
}
