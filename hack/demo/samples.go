package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	group = "cobalt.gocobalt.io"

	// expectedReason, on a sample that shows a problem, is the reason its Ready condition should have in the end.
	expectedReason = "cobalt.gocobalt.io/demo-expected-reason"
)

// sample is one object of a file.
type sample struct {
	file string
	obj  *unstructured.Unstructured
}

// shown says whether the sample is of our kinds, whose conditions make up the table.
func (s sample) shown() bool { return s.obj.GroupVersionKind().Group == group }

// readSamples reads the manifests in dir in the order of their names.
func readSamples(dir string) ([]sample, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml")) // sorted
	if err != nil {
		return nil, err
	}
	var samples []sample
	for _, file := range files {
		if filepath.Base(file) == "kustomization.yaml" {
			continue
		}
		objs, err := readObjects(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, obj := range objs {
			samples = append(samples, sample{file: file, obj: obj})
		}
	}
	if len(samples) == 0 {
		return nil, fmt.Errorf("%s holds no samples", dir)
	}
	return samples, nil
}

// readObjects reads the YAML documents of a file.
func readObjects(file string) ([]*unstructured.Unstructured, error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	var objs []*unstructured.Unstructured
	for decoder := yaml.NewYAMLOrJSONDecoder(opened, 4096); ; {
		obj := &unstructured.Unstructured{}
		switch err := decoder.Decode(&obj.Object); {
		case errors.Is(err, io.EOF):
			return objs, nil
		case err != nil:
			return nil, err
		case obj.Object != nil: // not an empty document
			objs = append(objs, obj)
		}
	}
}

// redirect points the environments among samples at the simulator, and says so.
func redirect(out *console, samples []sample, origin string) {
	baseURL := origin + "/api/v2"
	for _, s := range samples {
		kind := s.obj.GetKind()
		if !s.shown() || (kind != "Environment" && kind != "ClusterEnvironment") {
			continue
		}
		if err := unstructured.SetNestedField(s.obj.Object, baseURL, "spec", "baseURL"); err != nil {
			continue // spec is no object: the API server says so in better words
		}
		out.printf("%s %s is applied with spec.baseURL %s, so that it reaches the simulator.\n", kind, s.obj.GetName(), baseURL)
	}
}

// apply creates the samples in their order, as `kubectl apply --server-side` would.
func apply(ctx context.Context, c client.Client, samples []sample) error {
	for _, s := range samples {
		if err := applyOne(ctx, c, s.obj); err != nil {
			return fmt.Errorf("%s: %s %s: %w", s.file, s.obj.GetKind(), s.obj.GetName(), err)
		}
	}
	return nil
}

func applyOne(ctx context.Context, c client.Client, obj *unstructured.Unstructured) error {
	namespaced, err := c.IsObjectNamespaced(obj)
	if err != nil {
		return err
	}
	if namespaced && obj.GetNamespace() == "" {
		obj.SetNamespace("default")
	}
	var refused error
	err = wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, startTimeout, true, func(ctx context.Context) (bool, error) {
		configuration := client.ApplyConfigurationFromUnstructured(obj.DeepCopy())
		refused = c.Apply(ctx, configuration, client.FieldOwner("demo"), client.ForceOwnership)
		if apierrors.IsNotFound(refused) { // a new API server takes a moment to make the namespace default
			return false, nil
		}
		return true, refused
	})
	if refused != nil {
		return refused
	}
	return err
}
