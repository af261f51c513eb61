package chart

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// startCluster starts an API server that knows the kinds of the Prometheus
// operator, and has the namespaces that the values of these tests name.
func startCluster(t *testing.T) (*envtest.Environment, client.Client) {
	t.Helper()
	environment := &envtest.Environment{CRDDirectoryPaths: []string{monitoringCRDs(t)}, ErrorIfCRDPathMissing: true}
	config, err := environment.Start()
	if err != nil {
		t.Fatalf("start the control plane (is KUBEBUILDER_ASSETS set, as make test does?): %v", err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Error(err)
		}
	})
	config.QPS = -1 // tests are not to be slowed down by their own client
	api, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cobalt-operator-system", "one", "two"} {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
		}}
		if err := api.Create(t.Context(), namespace); err != nil {
			t.Fatal(err)
		}
	}
	return environment, api
}

// monitoringCRDs makes the CRDs of the Prometheus operator of its Go types, as its own project does.
func monitoringCRDs(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	path, err := tools["controller-gen"]()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "crd:crdVersions=v1", "output:crd:dir="+folder,
		"paths=github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1")
	cmd.Dir = filepath.Join(root, "hack", "monitoring")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if found, err := filepath.Glob(filepath.Join(folder, "*_servicemonitors.yaml")); err != nil || len(found) != 1 {
		t.Fatal("controller-gen made no CRD for ServiceMonitor")
	}
	return folder
}

// accepts has the API server judge objects as if they were created, unknown fields included.
func accepts(t *testing.T, api client.Client, objects []*unstructured.Unstructured) {
	t.Helper()
	for _, object := range objects {
		if err := dryRun(t, api, object); client.IgnoreAlreadyExists(err) != nil { // the namespace
			t.Errorf("%s %s: %v", object.GetKind(), object.GetName(), err)
		}
	}
}

func dryRun(t *testing.T, api client.Client, object *unstructured.Unstructured) error {
	t.Helper()
	return client.WithFieldValidation(api, metav1.FieldValidationStrict).Create(t.Context(), object.DeepCopy(), client.DryRunAll)
}

// admitsPods has the API server's admission, Pod Security above all, judge a pod of every Deployment.
func admitsPods(t *testing.T, api client.Client, objects []*unstructured.Unstructured) {
	t.Helper()
	for _, deployment := range ofKind(objects, "Deployment") {
		template, _, err := unstructured.NestedMap(deployment.Object, "spec", "template")
		if err != nil {
			t.Fatal(err)
		}
		pod := &unstructured.Unstructured{Object: template}
		pod.SetAPIVersion("v1")
		pod.SetKind("Pod")
		pod.SetNamespace(deployment.GetNamespace())
		pod.SetName(deployment.GetName())
		if err := dryRun(t, api, pod); err != nil {
			t.Errorf("a pod of %s: %v", deployment.GetName(), err)
		}
	}
}

func ofKind(objects []*unstructured.Unstructured, kinds ...string) []*unstructured.Unstructured {
	var found []*unstructured.Unstructured
	for _, object := range objects {
		for _, kind := range kinds {
			if strings.EqualFold(object.GetKind(), kind) {
				found = append(found, object)
			}
		}
	}
	return found
}
