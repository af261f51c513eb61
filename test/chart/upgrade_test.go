package chart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// before is the chart as users may have it; a release adds its own.
const before = "testdata/cobalt-operator-0.1.0.tgz"

const object = `{apiVersion: cobalt.gocobalt.io/v1alpha1, kind: Environment, metadata: {name: default, namespace: one},
  spec: {apiKeySecretRef: {name: key}}}`

// TestAnUpgradeKeepsWhatIsThere installs an earlier chart with Helm itself,
// upgrades it to this one, and uninstalls that.
func TestAnUpgradeKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	api := cluster(t)
	helm := helmOf(t)
	values := "--values=" + valuesFile(t, `{replicas: 2, simulator: {enabled: true}, networkPolicy: {enabled: true}}`)
	helm("install", "cobalt", before, values)
	users := parse(t, object)[0]
	if err := api.Create(t.Context(), users); err != nil {
		t.Fatal(err)
	}
	old := getCRD(t, api)

	helm("upgrade", "cobalt", chart(t), values)
	for _, elect := range []string{"false", "true"} { // which changes how pods are replaced
		helm("upgrade", "cobalt", chart(t), values, "--set=replicas=1,leaderElection.enabled="+elect)
	}
	helm("uninstall", "cobalt")

	if now := getCRD(t, api); now.UID != old.UID || now.DeletionTimestamp != nil {
		t.Errorf("the CRD was not kept: %s is now %s, deleted %v", old.UID, now.UID, now.DeletionTimestamp)
	}
	if err := api.Get(t.Context(), client.ObjectKeyFromObject(users), users); err != nil {
		t.Errorf("the user's object was not kept: %v", err)
	}
	if left := helm("list", "--short"); strings.TrimSpace(left) != "" {
		t.Errorf("Helm still knows the release: %s", left)
	}
}

// TestOldValuesAreStillValues renders this chart with everything that the earlier one could be given.
func TestOldValuesAreStillValues(t *testing.T) {
	t.Parallel()
	if len(render(t, run(t, "helm", "show", "values", before))) == 0 {
		t.Error("nothing was rendered")
	}
}

func getCRD(t *testing.T, api client.Client) *metav1.PartialObjectMetadata {
	t.Helper()
	crd := &metav1.PartialObjectMetadata{}
	crd.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	if err := api.Get(t.Context(), client.ObjectKey{Name: "environments.cobalt.gocobalt.io"}, crd); err != nil {
		t.Fatal(err)
	}
	return crd
}

// helmOf returns Helm as a user of a cluster has it, in the namespace cobalt-operator-system unless another is said.
func helmOf(t *testing.T) func(args ...string) string {
	t.Helper()
	user, err := environment.AddUser(envtest.User{Name: "admin", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := user.KubeConfig()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	return func(args ...string) string {
		t.Helper()
		return run(t, "helm", append([]string{"--kubeconfig=" + file, "--namespace=cobalt-operator-system"}, args...)...)
	}
}
