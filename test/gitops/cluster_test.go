package gitops

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// patch merges change into an object.
func patch(t *testing.T, c client.Client, obj client.Object, change any) {
	t.Helper()
	must(t, c.Patch(t.Context(), obj, merge(t, change)))
}

// patchStatus merges change into the status of an object.
func patchStatus(t *testing.T, c client.Client, obj client.Object, change any) {
	t.Helper()
	must(t, c.Status().Patch(t.Context(), obj, merge(t, change)))
}

func merge(t *testing.T, change any) client.Patch {
	t.Helper()
	text, err := json.Marshal(change)
	must(t, err)
	return client.RawPatch(types.MergePatchType, text)
}

// readObjects reads all objects of a folder's manifests.
func readObjects(t *testing.T, folder string) []*unstructured.Unstructured {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	must(t, err)
	var objects []*unstructured.Unstructured
	for _, name := range files {
		if filepath.Base(name) == "kustomization.yaml" {
			continue
		}
		objects = append(objects, decodeObjects(t, name)...)
	}
	if len(objects) == 0 {
		t.Fatalf("%s holds no manifests", folder)
	}
	return objects
}

func decodeObjects(t *testing.T, name string) []*unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile(name)
	must(t, err)
	var objects []*unstructured.Unstructured
	for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096); ; {
		obj := &unstructured.Unstructured{}
		err := decoder.Decode(&obj.Object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		must(t, err)
		objects = append(objects, obj)
	}
}
