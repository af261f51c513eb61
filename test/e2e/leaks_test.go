//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// tellsNoSecret reads the operator's logs, the events of a namespace and its objects, and finds nothing there of what its
// Secrets hold.
func tellsNoSecret(ctx context.Context, namespace string) {
	GinkgoHelper()
	texts := map[string]string{
		"events":  kubectl(ctx, "", "get", "events", "--namespace="+namespace, "-o=json"),
		"objects": kubectl(ctx, "", "get", "cobalt", "--namespace="+namespace, "-o=json"),
	}
	for _, pod := range operatorPods(ctx) {
		log, err := kube.CoreV1().Pods(operatorNamespace).GetLogs(pod.Name, &corev1.PodLogOptions{}).DoRaw(ctx)
		Expect(err).NotTo(HaveOccurred())
		texts["the log of "+pod.Name] = string(log)
	}
	hidden := held(ctx, namespace)
	Expect(hidden).NotTo(BeEmpty())
	for name, text := range texts {
		Expect(text).NotTo(BeEmpty(), name)
		for _, value := range hidden {
			Expect(text).NotTo(ContainSubstring(value), name)
		}
	}
}

// held are the texts that nobody may read elsewhere: what Secrets hold, whole or as a part of JSON.
func held(ctx context.Context, namespace string) []string {
	GinkgoHelper()
	var secrets corev1.SecretList
	Expect(objects.List(ctx, &secrets, client.InNamespace(namespace))).To(Succeed())
	var texts []string
	for _, secret := range secrets.Items {
		for key, value := range secret.Data {
			if slices.Contains([]string{"linked-account-id", "expires-at"}, key) { // of a session token
				continue
			}
			parts := map[string]any{}
			if json.Unmarshal(value, &parts) != nil {
				parts[key] = string(value)
			}
			for _, part := range parts {
				if text, ok := part.(string); ok {
					texts = append(texts, text)
				}
			}
		}
	}
	return texts
}
