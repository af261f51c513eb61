package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
)

func TestRulesArePartedWhereARoleEnds(t *testing.T) {
	t.Parallel()
	read := []string{"get"}
	namespaced, cluster := split([]rbacv1.PolicyRule{
		{Resources: []string{"configmaps", "namespaces"}, Verbs: read},
		{Resources: []string{"secrets"}, Verbs: read},
		{Resources: []string{"clusterenvironments/status"}, Verbs: read},
	})
	if diff := cmp.Diff([]rbacv1.PolicyRule{
		{Resources: []string{"configmaps"}, Verbs: read}, {Resources: []string{"secrets"}, Verbs: read},
	}, namespaced); diff != "" {
		t.Errorf("in a Role: %s", diff)
	}
	if diff := cmp.Diff([]rbacv1.PolicyRule{
		{Resources: []string{"namespaces"}, Verbs: read}, {Resources: []string{"clusterenvironments/status"}, Verbs: read},
	}, cluster); diff != "" {
		t.Errorf("in a ClusterRole alone: %s", diff)
	}
}

func TestEveryRoleHasAPlace(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(role string) {
		t.Helper()
		text := "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: " + role + "}\nrules: []\n"
		if err := os.WriteFile(filepath.Join(folder, role+"_role.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("edit")
	if _, err := readRules(folder); err == nil || !strings.Contains(err.Error(), "has no role") {
		t.Errorf("a role that the chart needs is not there: %v", err)
	}
	write("surprise")
	if _, err := readRules(folder); err == nil || !strings.Contains(err.Error(), `does not know a role "surprise"`) {
		t.Errorf("a role that the chart does not know: %v", err)
	}
}

// TestClusterScopedIsWhatTheCRDsSay: a new kind of the cluster must not end up in a Role.
func TestClusterScopedIsWhatTheCRDsSay(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("../../config/crd/bases/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal("no CRDs", err)
	}
	for _, path := range paths {
		crd, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		plural := strings.TrimSuffix(path[strings.LastIndexByte(path, '_')+1:], ".yaml")
		inCluster := strings.Contains(string(crd), "\n  scope: Cluster\n")
		if inCluster != slices.Contains(clusterScoped, plural) {
			t.Errorf("%s: cluster scoped is %v, but clusterScoped is %v", plural, inCluster, clusterScoped)
		}
	}
}
