package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const scripts = "../../config/argocd/resource_customizations/cobalt.gocobalt.io/_"

func TestEachKindHasItsKeys(t *testing.T) {
	var out strings.Builder
	if err := run(&out, []string{scripts}); err != nil {
		t.Fatal(err)
	}
	var configMap struct{ Data map[string]string }
	if err := yaml.Unmarshal([]byte(out.String()), &configMap); err != nil {
		t.Fatal(err)
	}
	crds, err := filepath.Glob("../../config/crd/bases/*.yaml")
	if err != nil || len(crds) == 0 {
		t.Fatal("there are no CRDs", err)
	}
	health, err := os.ReadFile(filepath.Join(scripts, "health.lua"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range crds {
		var crd struct {
			Spec struct{ Names struct{ Kind string } }
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, &crd); err != nil {
			t.Fatal(err)
		}
		kind := "cobalt.gocobalt.io_" + crd.Spec.Names.Kind
		if configMap.Data["resource.customizations.health."+kind] != string(health) {
			t.Errorf("the health of %s is not health.lua", kind)
		}
		if configMap.Data["resource.customizations.actions."+kind] == "" {
			t.Errorf("%s has no actions", kind)
		}
	}
	if want := 2 * len(crds); len(configMap.Data) != want {
		t.Errorf("%d keys, want %d", len(configMap.Data), want)
	}
}

func TestAFolderWithoutScriptsIsAnError(t *testing.T) {
	if err := run(&strings.Builder{}, []string{t.TempDir()}); err == nil {
		t.Error("no error")
	}
}
