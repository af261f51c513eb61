package v1alpha1_test

import (
	"os"
	"regexp"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// durationSchema is what the CRD asks of a duration.
func durationSchema(f *testing.F) (pattern *regexp.Regexp, longest int) {
	f.Helper()
	data, err := os.ReadFile("../../config/crd/bases/cobalt.gocobalt.io_webhooks.yaml")
	if err != nil {
		f.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(data, &crd); err != nil {
		f.Fatal(err)
	}
	schema := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties["syncInterval"]
	return regexp.MustCompile(schema.Pattern), int(*schema.MaxLength)
}

// FuzzDuration: what admission lets through is a length of time.
func FuzzDuration(f *testing.F) {
	pattern, longest := durationSchema(f)
	for _, text := range []string{"", "0s", "30s", "1h30m", "1.5h", "-1s", "1e9h", "10", "ns", "999999h999999h9m", "1h\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !pattern.MatchString(text) || len(text) > longest {
			return
		}
		const invalid = -1
		if v1alpha1.Duration(text).Value(invalid) < 0 {
			t.Errorf("%q passes admission and is no length of time", text)
		}
	})
}
