//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// operatorPods are the operator's pods of the release that are not about to end.
func operatorPods(ctx context.Context) []corev1.Pod {
	GinkgoHelper()
	list, err := kube.CoreV1().Pods(operatorNamespace).List(ctx, metav1.ListOptions{
		LabelSelector: "app.kubernetes.io/component=controller-manager",
	})
	Expect(err).NotTo(HaveOccurred())
	var pods []corev1.Pod
	for _, pod := range list.Items {
		if pod.DeletionTimestamp.IsZero() {
			pods = append(pods, pod)
		}
	}
	Expect(pods).NotTo(BeEmpty())
	return pods
}

// kill ends a pod as fast as Kubernetes does: its process has two seconds, too few for a call under way to end.
func kill(ctx context.Context, pod string) {
	GinkgoHelper()
	Expect(kube.CoreV1().Pods(operatorNamespace).Delete(ctx, pod, metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0)})).To(Succeed())
}

// leader is the pod that holds the lease.
func leader(ctx context.Context) (string, error) {
	lease, err := kube.CoordinationV1().Leases(operatorNamespace).Get(ctx, "cobalt-operator.gocobalt.io", metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	pod, _, _ := strings.Cut(ptr.Deref(lease.Spec.HolderIdentity, ""), "_")
	return pod, nil
}

// lookAgain asks the operator to look at all accounts of a namespace now, and waits until it has.
func lookAgain(ctx context.Context, namespace, token string) {
	GinkgoHelper()
	kubectl(ctx, "", "annotate", "--overwrite", "--all", "--namespace="+namespace,
		"linkedaccounts.cobalt.gocobalt.io,integrationconfigs.cobalt.gocobalt.io,webhooks.cobalt.gocobalt.io",
		v1alpha1.ReconcileRequestAnnotation+"="+token)
	Eventually(func(g Gomega) {
		handled := kubectl(ctx, "", "get", "--namespace="+namespace,
			"linkedaccounts.cobalt.gocobalt.io,integrationconfigs.cobalt.gocobalt.io,webhooks.cobalt.gocobalt.io",
			"-o=jsonpath={range .items[*]}{.status.lastHandledReconcileAt}{\"\\n\"}{end}")
		g.Expect(strings.Fields(handled)).To(HaveEach(token))
		g.Expect(strings.Count(handled, "\n")).To(Equal(len(strings.Fields(handled))), fmt.Sprintf("%q", handled))
	}).WithContext(ctx).Should(Succeed())
}
