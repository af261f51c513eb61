package gitops

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// scripts is laid out as Argo CD lays out its own scripts and their tests.
var scripts = filepath.Join(argoFolder, "resource_customizations", group, "_")

func forBothLibraries(t *testing.T, test func(t *testing.T, argo argo)) {
	for name, libraries := range map[string]libraries{"restricted": restricted, "open": open} {
		t.Run(name, func(t *testing.T) { test(t, newArgo(t, libraries)) })
	}
}

// A script that passes below must not do so only because the interpreter lets it do more than Argo CD does.
func TestLibrariesAreRestricted(t *testing.T) {
	for _, use := range []string{"string.upper('a')", "math.floor(1)", "io.write('')", "os.time()", "require('os').getenv('HOME')"} {
		script := "return {status = " + use + "}"
		if err := newArgo(t, restricted).run(&unstructured.Unstructured{}, script, &map[string]any{}); err == nil {
			t.Errorf("%s works", use)
		}
	}
}

func TestHealthIsAsItsTestsSay(t *testing.T) {
	var table struct {
		Tests []struct {
			InputPath    string
			HealthStatus health
		}
	}
	readYAML(t, filepath.Join(scripts, "health_test.yaml"), &table)
	forBothLibraries(t, func(t *testing.T, argo argo) {
		if len(table.Tests) == 0 {
			t.Fatal("health_test.yaml holds no tests")
		}
		for _, tc := range table.Tests {
			t.Run(tc.InputPath, func(t *testing.T) {
				got, err := argo.health(readObject(t, filepath.Join(scripts, tc.InputPath)))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tc.HealthStatus, got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		}
	})
}

func TestActionsDoAsTheirTestsSay(t *testing.T) {
	var table struct {
		DiscoveryTests []struct {
			InputPath string
			Result    []action
		}
		ActionTests []struct{ Action, InputPath, ExpectedOutputPath string }
	}
	folder := filepath.Join(scripts, "actions")
	readYAML(t, filepath.Join(folder, "action_test.yaml"), &table)
	forBothLibraries(t, func(t *testing.T, argo argo) {
		if len(table.DiscoveryTests) == 0 || len(table.ActionTests) == 0 {
			t.Fatal("action_test.yaml holds no tests")
		}
		for _, tc := range table.DiscoveryTests {
			t.Run("discovery/"+tc.InputPath, func(t *testing.T) {
				got, err := argo.offers(readObject(t, filepath.Join(folder, tc.InputPath)))
				if err != nil {
					t.Fatal(err)
				}
				want := map[string]action{}
				for _, offer := range tc.Result {
					want[offer.Name] = offer
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		}
		for _, tc := range table.ActionTests {
			t.Run(tc.Action+"/"+tc.InputPath, func(t *testing.T) {
				got, err := argo.act(readObject(t, filepath.Join(folder, tc.InputPath)), tc.Action)
				if err != nil {
					t.Fatal(err)
				}
				compareActed(t, readObject(t, filepath.Join(folder, tc.ExpectedOutputPath)), got)
			})
		}
	})
}

// compareActed compares but for times: where want has the one that stands for now, got must have a time.
func compareActed(t *testing.T, want, got *unstructured.Unstructured) {
	t.Helper()
	const now = "2026-01-01T00:00:00Z"
	sameTime := cmp.FilterValues(func(a, b string) bool { return a == now || b == now }, cmp.Comparer(func(a, b string) bool {
		_, errA := time.Parse(time.RFC3339, a)
		_, errB := time.Parse(time.RFC3339, b)
		return errA == nil && errB == nil
	}))
	if diff := cmp.Diff(want.Object, got.Object, sameTime, numbers); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// numbers makes up for Lua, which knows but one type of them.
var numbers = cmp.FilterValues(func(a, b any) bool {
	_, okA := number(a)
	_, okB := number(b)
	return okA && okB
}, cmp.Comparer(func(a, b any) bool {
	x, _ := number(a)
	y, _ := number(b)
	return x == y
}))

func number(value any) (float64, bool) {
	switch value := value.(type) {
	case int64:
		return float64(value), true
	case float64:
		return value, true
	}
	return 0, false
}
