// Package chart holds the Helm chart and the kustomizations to a real API
// server: what they render is accepted, and both render the same operator.
package chart

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const root = "../.."

// chart returns a copy of the chart.
func chart(t *testing.T) string { return copied(t, filepath.Join("charts", "cobalt-operator")) }

// copied copies a folder of the repository: so a test that has a tool read it
// depends on its files, as far as the cache of go test knows, and leaves
// nothing in it.
func copied(t *testing.T, folder string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), filepath.Base(folder))
	if err := os.CopyFS(to, os.DirFS(filepath.Join(root, folder))); err != nil {
		t.Fatal(err)
	}
	return to
}

// tools are the paths of the pinned tools, built on first use.
var tools = map[string]func() (string, error){
	"controller-gen": tool("tools", "controller-gen"),
	"helm":           tool("helm", "helm"),
	"helm-unittest":  tool("helm", "helm-unittest"),
}

func tool(module, name string) func() (string, error) {
	return sync.OnceValues(func() (string, error) {
		cmd := exec.Command("go", "tool", "-modfile=hack/"+module+"/go.mod", "-n", name)
		cmd.Dir = root
		var problem bytes.Buffer
		cmd.Stderr = &problem
		path, err := cmd.Output()
		if err != nil {
			return "", fmt.Errorf("build %s: %w: %s", name, err, &problem)
		}
		return strings.TrimSpace(string(path)), nil
	})
}

// run runs a tool and returns what it prints.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := tools[name]()
	if err != nil {
		t.Fatal(err)
	}
	return output(t, path, args...)
}

func output(t *testing.T, path string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path, args...)
	var problem bytes.Buffer
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", filepath.Base(path), strings.Join(args, " "), err, out, &problem)
	}
	return string(out)
}

// render renders the chart with values, as a release cobalt-operator in the namespace cobalt-operator-system.
func render(t *testing.T, values string) []*unstructured.Unstructured {
	t.Helper()
	return parse(t, run(t, "helm", "template", "cobalt-operator", chart(t),
		"--namespace=cobalt-operator-system", "--kube-version=1.37.0", "--values="+valuesFile(t, values)))
}

func valuesFile(t *testing.T, values string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte(values), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// parse reads manifests, and refuses fields that are there twice.
func parse(t *testing.T, manifests string) []*unstructured.Unstructured {
	t.Helper()
	var objects []*unstructured.Unstructured
	for document := range strings.SplitSeq(manifests, "\n---\n") {
		object := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict([]byte(document), &object.Object); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
	return objects
}
