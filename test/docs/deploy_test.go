package docs

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// TestDeployLeavesANamespaceAsItIs: whoever made it by client-side apply would lose what they wrote there to a server-side one.
func TestDeployLeavesANamespaceAsItIs(t *testing.T) {
	r := newReader(t)
	r.apply(`
apiVersion: v1
kind: Namespace
metadata:
  name: cobalt-operator-system
  labels: {team: integrations, pod-security.kubernetes.io/enforce: baseline}
  annotations: {owner: somebody}
`)
	var before, after corev1.Namespace
	r.get("", "cobalt-operator-system", &before)
	repository, err := filepath.Abs(root)
	r.must(err)
	for range 2 {
		r.run("make -C " + repository + " deploy IMAGE=registry.example/cobalt-operator:test KUBECTL=kubectl")
	}
	r.get("", "cobalt-operator-system", &after)
	if diff := cmp.Diff(before.ObjectMeta, after.ObjectMeta); diff != "" {
		t.Errorf("-before +after:\n%s", diff)
	}
}
