package gitops

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/testenv"
)

// samples are applied as Argo CD applies them with ServerSideApply, and compared as it compares then.
var samples = []string{"--server-side", "--force-conflicts", "--field-manager=argocd-controller", "-k", "../../config/samples"}

// kubectl runs kubectl and returns what it prints, and its exit code.
func (tools tools) kubectl(t *testing.T, args ...string) (output string, code int) {
	t.Helper()
	path := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl")
	command := exec.CommandContext(t.Context(), path, append([]string{"--kubeconfig", tools.kubeconfig}, args...)...)
	text, err := command.CombinedOutput()
	if command.ProcessState == nil {
		t.Fatal(err)
	}
	return string(text), command.ProcessState.ExitCode()
}

func startPlane(t *testing.T) *testenv.Cluster {
	t.Helper()
	plane, err := testenv.Start()
	must(t, err)
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	return plane
}

func testNothingButSpecIsOutOfSync(t *testing.T, plane *testenv.Cluster, tools tools) {
	if output, code := tools.kubectl(t, append([]string{"apply"}, samples...)...); code != 0 {
		t.Fatal(output)
	}
	for _, obj := range readObjects(t, filepath.Join("..", "..", "config", "samples")) {
		if obj.GetAPIVersion() != v1alpha1.GroupVersion.String() {
			continue
		}
		touch(t, plane.Client, tools.argo, obj)
	}
	if output, code := tools.kubectl(t, append([]string{"diff"}, samples...)...); code != 0 {
		t.Errorf("what the operator and the actions write is out of sync:\n%s", output)
	}
	acme := &v1alpha1.LinkedAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "acme"}}
	patch(t, plane.Client, acme, map[string]any{"spec": map[string]any{"name": "Not What Git Says"}})
	if output, code := tools.kubectl(t, append([]string{"diff"}, samples...)...); code != 1 || !strings.Contains(output, "Not What Git Says") {
		t.Errorf("another name in spec is in sync (%d):\n%s", code, output)
	}
}

// touch writes to an object what the operator may write, and does all actions that are offered for it.
func touch(t *testing.T, c client.Client, argo argo, obj *unstructured.Unstructured) {
	t.Helper()
	must(t, c.Get(t.Context(), client.ObjectKeyFromObject(obj), obj))
	patchStatus(t, c, obj, map[string]any{"status": state{report: ready, reason: "Synced"}.status(obj.GetGeneration())})
	patch(t, c, obj, map[string]any{"metadata": map[string]any{
		"finalizers":  []string{v1alpha1.Finalizer},
		"annotations": map[string]any{"cobalt.gocobalt.io/account": "some mark"},
	}})
	for _, name := range []string{"reconcile", "fire-again", "suspend"} { // in this order each is offered after the others
		offered, err := argo.offers(obj)
		must(t, err)
		if offer, ok := offered[name]; !ok || offer.Disabled {
			continue
		}
		acted, err := argo.act(obj, name)
		must(t, err)
		change, err := client.MergeFrom(obj).Data(acted)
		must(t, err)
		must(t, c.Patch(t.Context(), obj, client.RawPatch(types.MergePatchType, change), client.FieldOwner("argocd-server")))
	}
}

func testScriptsLeaveTheRestOfTheConfigMapAlone(t *testing.T, plane *testenv.Cluster, tools tools) {
	must(t, plane.Client.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "argocd"}}))
	theirs := map[string]string{"url": "https://argocd.example.com", "resource.customizations": "example.com/*: {}"}
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: "argocd-cm"}, Data: theirs}
	must(t, plane.Client.Create(t.Context(), cm))
	output, code := tools.kubectl(t, "patch", "configmap", "argocd-cm", "-n", "argocd", "--type=merge",
		"--patch-file="+filepath.Join(argoFolder, "argocd-cm.yaml"))
	if code != 0 {
		t.Fatal(output)
	}
	must(t, plane.Client.Get(t.Context(), client.ObjectKeyFromObject(cm), cm))
	want := newArgo(t, restricted).data
	maps.Copy(want, theirs)
	if diff := cmp.Diff(want, cm.Data); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func testExampleIsAccepted(t *testing.T, plane *testenv.Cluster) {
	for _, obj := range readObjects(t, filepath.Join(argoFolder, "example", "customers")) {
		obj.SetNamespace("default")
		obj.SetName("example-" + obj.GetName())
		strict := client.WithFieldValidation(plane.Client, "Strict")
		if err := strict.Create(t.Context(), obj, client.DryRunAll); err != nil {
			t.Error(err)
		}
	}
}

// The environment must be there before what uses it, and go after it.
func TestExampleHasItsEnvironmentInAnEarlierWave(t *testing.T) {
	for _, obj := range readObjects(t, filepath.Join(argoFolder, "example", "customers")) {
		want := 0
		if kind := obj.GetKind(); kind == "Secret" || kind == environment {
			want = -1
		}
		wave, ok := obj.GetAnnotations()["argocd.argoproj.io/sync-wave"]
		if !ok {
			wave = "0"
		}
		if got, err := strconv.Atoi(wave); err != nil || got != want {
			t.Errorf("%s %s is in wave %s, want %d", obj.GetKind(), obj.GetName(), wave, want)
		}
	}
}

func TestExampleNamesFoldersThatExist(t *testing.T) {
	for _, obj := range readObjects(t, filepath.Join(argoFolder, "example")) {
		path, _, err := unstructured.NestedString(obj.Object, "spec", "source", "path")
		must(t, err)
		if info, err := os.Stat(filepath.Join("..", "..", path)); path == "" || err != nil || !info.IsDir() {
			t.Errorf("Application %s: spec.source.path %q is no folder of this repository", obj.GetName(), path)
		}
	}
}
