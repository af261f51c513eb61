// Command chart has the Helm chart and config/ share what is the same in both:
// the chart gets the CRDs, and the rules of every role, split where a Role
// ends; config/prometheus gets the alerts of the chart.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

// clusterScoped are the resources that only a ClusterRole can reach.
var clusterScoped = []string{"clusterenvironments", "clusterenvironments/status", "namespaces"}

const header = "# Made of config/rbac by `make generate`.\n"

func main() {
	if err := run("config", filepath.Join("charts", "cobalt-operator", "files")); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

func run(config, files string) error {
	if err := copyCRDs(filepath.Join(config, "crd", "bases"), filepath.Join(files, "crds")); err != nil {
		return err
	}
	rules, err := readRules(filepath.Join(config, "rbac"))
	if err != nil {
		return err
	}
	text, err := sigsyaml.Marshal(rules)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(files, "rbac.yaml"), append([]byte(header), text...), 0o644); err != nil {
		return err
	}
	return wrapAlerts(filepath.Join(files, "alerts.yaml"), filepath.Join(config, "prometheus", "rule.yaml"))
}

// copyCRDs leaves nothing in to that is not in from.
func copyCRDs(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return os.CopyFS(to, os.DirFS(from))
}

const ruleHeader = `# Made of charts/cobalt-operator/files/alerts.yaml by ` + "`make generate`" + `.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: controller-manager
  namespace: system
spec:
`

// wrapAlerts makes an object of a file that Prometheus reads as it is.
func wrapAlerts(from, to string) error {
	alerts, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var rule strings.Builder
	rule.WriteString(ruleHeader)
	for line := range strings.Lines(string(alerts)) {
		if strings.TrimSpace(line) != "" {
			line = "  " + line
		}
		rule.WriteString(line)
	}
	return os.WriteFile(to, []byte(rule.String()), 0o644)
}

// roles are the rules of the chart, by what they are for.
type roles struct {
	ManagerNamespaced []rbacv1.PolicyRule `json:"managerNamespaced"`
	ManagerCluster    []rbacv1.PolicyRule `json:"managerCluster"`
	LeaderElection    []rbacv1.PolicyRule `json:"leaderElection"`
	MetricsAuth       []rbacv1.PolicyRule `json:"metricsAuth"`
	MetricsReader     []rbacv1.PolicyRule `json:"metricsReader"`
	View              []rbacv1.PolicyRule `json:"view"`
	Edit              []rbacv1.PolicyRule `json:"edit"`
	Admin             []rbacv1.PolicyRule `json:"admin"`
}

// readRules finds every role of a folder by its name.
func readRules(folder string) (*roles, error) {
	rules := &roles{}
	var manager []rbacv1.PolicyRule
	wanted := map[string]*[]rbacv1.PolicyRule{
		"manager-role":         &manager,
		"leader-election-role": &rules.LeaderElection,
		"metrics-auth-role":    &rules.MetricsAuth,
		"metrics-reader":       &rules.MetricsReader,
		"view":                 &rules.View,
		"edit":                 &rules.Edit,
		"admin":                &rules.Admin,
	}
	paths, err := filepath.Glob(filepath.Join(folder, "*role*.yaml"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		if err := readFile(path, wanted); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	for name := range wanted {
		return nil, fmt.Errorf("%s has no role %s", folder, name)
	}
	rules.ManagerNamespaced, rules.ManagerCluster = split(manager)
	return rules, nil
}

// readFile moves the rules of the roles in a file to where they are wanted; a role that nobody wants is an error.
func readFile(path string, wanted map[string]*[]rbacv1.PolicyRule) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	decoder := yaml.NewYAMLOrJSONDecoder(file, 4096)
	for {
		role := rbacv1.ClusterRole{}
		switch err := decoder.Decode(&role); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case !strings.HasSuffix(role.Kind, "Role"):
			continue
		}
		rules, ok := wanted[role.Name]
		if !ok {
			return fmt.Errorf("the chart does not know a role %q", role.Name)
		}
		*rules = role.Rules
		delete(wanted, role.Name)
	}
}

// split parts rules into those that a Role can hold and those that only a ClusterRole can.
func split(rules []rbacv1.PolicyRule) (namespaced, cluster []rbacv1.PolicyRule) {
	for _, rule := range rules {
		inCluster, inNamespace := rule, rule
		inCluster.Resources, inNamespace.Resources = nil, nil
		for _, resource := range rule.Resources {
			if slices.Contains(clusterScoped, resource) {
				inCluster.Resources = append(inCluster.Resources, resource)
			} else {
				inNamespace.Resources = append(inNamespace.Resources, resource)
			}
		}
		if len(inNamespace.Resources) > 0 {
			namespaced = append(namespaced, inNamespace)
		}
		if len(inCluster.Resources) > 0 {
			cluster = append(cluster, inCluster)
		}
	}
	return namespaced, cluster
}
