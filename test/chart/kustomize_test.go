package chart

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestKustomizeAndTheChartInstallTheSame: names and the label of the release
// aside, a user of either gets the operator that the other documents.
func TestKustomizeAndTheChartInstallTheSame(t *testing.T) {
	t.Parallel()
	fromChart, fromKustomize := render(t, ""), kustomize(t, "default")
	if diff := gocmp.Diff(podSpec(t, fromChart), podSpec(t, fromKustomize)); diff != "" {
		t.Errorf("pods: - chart, + kustomize\n%s", diff)
	}
	if diff := gocmp.Diff(permissions(t, fromChart), permissions(t, fromKustomize)); diff != "" {
		t.Errorf("permissions: - chart, + kustomize\n%s", diff)
	}
	if diff := gocmp.Diff(crdSpecs(fromChart), crdSpecs(fromKustomize)); diff != "" {
		t.Errorf("CRDs: - chart, + kustomize\n%s", diff)
	}
}

// podSpec is that of the operator, without what is named after the release.
func podSpec(t *testing.T, objects []*unstructured.Unstructured) map[string]any {
	t.Helper()
	deployments := ofKind(objects, "Deployment")
	if len(deployments) != 1 {
		t.Fatalf("there are %d Deployments", len(deployments))
	}
	spec, _, err := unstructured.NestedMap(deployments[0].Object, "spec", "template", "spec")
	if err != nil {
		t.Fatal(err)
	}
	delete(spec, "serviceAccountName")
	for _, constraint := range spec["topologySpreadConstraints"].([]any) {
		unstructured.RemoveNestedField(constraint.(map[string]any), "labelSelector", "matchLabels", "app.kubernetes.io/instance")
	}
	return spec
}

// permissions are the rules of all roles one by one, and whom each is bound to.
func permissions(t *testing.T, objects []*unstructured.Unstructured) []string {
	t.Helper()
	bound := map[string]bool{}
	for _, binding := range ofKind(objects, "RoleBinding", "ClusterRoleBinding") {
		role, _, _ := unstructured.NestedString(binding.Object, "roleRef", "name")
		bound[role] = true
	}
	var all []string
	for _, role := range ofKind(objects, "Role", "ClusterRole") {
		who := role.GetKind()
		if bound[role.GetName()] {
			who += " of the operator"
		}
		for label := range role.GetLabels() {
			if strings.HasPrefix(label, "rbac.") {
				who += " " + label
			}
		}
		for _, rule := range role.Object["rules"].([]any) {
			all = append(all, each(who, rule.(map[string]any))...)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(all)))
}

// each splits a rule into one line for each verb of each resource.
func each(who string, rule map[string]any) []string {
	list := func(field string) []string {
		items, _, _ := unstructured.NestedStringSlice(rule, field)
		return items
	}
	var lines []string
	for _, verb := range list("verbs") {
		for _, path := range list("nonResourceURLs") {
			lines = append(lines, fmt.Sprintf("%s: %s %s", who, verb, path))
		}
		for _, group := range list("apiGroups") {
			for _, resource := range list("resources") {
				lines = append(lines, fmt.Sprintf("%s: %s %s.%s %v", who, verb, resource, group, list("resourceNames")))
			}
		}
	}
	return lines
}

func crdSpecs(objects []*unstructured.Unstructured) []any {
	crds := ofKind(objects, "CustomResourceDefinition")
	slices.SortFunc(crds, func(a, b *unstructured.Unstructured) int { return cmp.Compare(a.GetName(), b.GetName()) })
	var specs []any
	for _, crd := range crds {
		specs = append(specs, crd.Object["spec"])
	}
	return specs
}
