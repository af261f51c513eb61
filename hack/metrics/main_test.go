package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	_ "sigs.k8s.io/controller-runtime/pkg/controller" // its metrics are used as well
	crmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/yaml"

	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
)

// alert is what Prometheus reads of an alert rule, as far as it matters here.
type alert struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []alert `json:"rules"`
		} `json:"groups"`
	}
	if err := yaml.Unmarshal([]byte(read(t, "charts/cobalt-operator/files/alerts.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	return file.Groups[0].Rules
}

var described = regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)

// known are the labels of all metrics that the operator exposes, by their names.
func known(t *testing.T) map[string][]string {
	t.Helper()
	labels := map[string][]string{}
	for _, metric := range metrics.All() {
		labels[metric.Name] = metric.Labels
	}
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		crmetrics.Registry.(prometheus.Collector).Describe(descs)
	}()
	for desc := range descs {
		if found := described.FindStringSubmatch(desc.String()); found != nil {
			labels[found[1]] = strings.Split(found[2], ",")
		}
	}
	return labels
}

var (
	quoted    = regexp.MustCompile(`"[^"]*"`)
	names     = regexp.MustCompile(`\b(?:cobalt|controller_runtime|workqueue|leader_election)_[a-z_]+`)
	matchers  = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)\s*""`)
	groupings = regexp.MustCompile(`\bby \(([^)]*)\)`)
	suffix    = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// check tells what an expression uses that the operator does not expose.
func check(expr string, known map[string][]string) error {
	expr = quoted.ReplaceAllString(expr, `""`)
	used := names.FindAllString(expr, -1)
	if len(used) == 0 {
		return fmt.Errorf("uses no metric of the operator: %s", expr)
	}
	allowed := []string{"le"}
	for _, name := range used {
		labels, ok := known[name]
		if !ok {
			labels, ok = known[suffix.ReplaceAllString(name, "")]
		}
		if !ok {
			return fmt.Errorf("there is no metric %s", name)
		}
		allowed = append(allowed, labels...)
	}
	var labels []string
	for _, found := range matchers.FindAllStringSubmatch(expr, -1) {
		labels = append(labels, found[1])
	}
	for _, found := range groupings.FindAllStringSubmatch(expr, -1) {
		labels = append(labels, strings.Split(strings.ReplaceAll(found[1], " ", ""), ",")...)
	}
	for _, label := range labels {
		if !slices.Contains(allowed, label) {
			return fmt.Errorf("no metric in it has a label %q: %s", label, expr)
		}
	}
	return nil
}

func TestCheckNoticesWhatIsNotThere(t *testing.T) {
	t.Parallel()
	exposed := map[string][]string{"cobalt_a_total": {"kind"}, "cobalt_seconds": {"kind"}}
	for expr, good := range map[string]bool{
		`sum by (kind) (rate(cobalt_a_total{kind="x=y"}[5m]))`:                 true,
		`histogram_quantile(1, sum by (le, kind) (cobalt_seconds_bucket)) > 0`: true,
		`sum by (kind) (rate(cobalt_b_total[5m]))`:                             false,
		`sum by (name) (rate(cobalt_a_total[5m]))`:                             false,
		`rate(cobalt_a_total{kind="x",name=~"y"}[5m])`:                         false,
		`up == 0`: false,
		`cobalt_a_total / cobalt_seconds_sum / on() cobalt_a_total{kind!~"ab"}`: true,
	} {
		if err := check(expr, exposed); (err == nil) != good {
			t.Errorf("%s: %v", expr, err)
		}
	}
}

func TestDashboardDrawsWhatThereIs(t *testing.T) {
	t.Parallel()
	known, drawn := known(t), ""
	for _, row := range dashboard {
		for _, panel := range row.panels {
			for _, query := range panel.queries {
				drawn += query.expr
				if err := check(query.expr, known); err != nil {
					t.Errorf("%s: %v", panel.title, err)
				}
			}
		}
	}
	for _, metric := range metrics.All() {
		if !strings.Contains(drawn, metric.Name) {
			t.Errorf("%s is on no panel", metric.Name)
		}
	}
}

func TestEachAlertIsExplainedAndTested(t *testing.T) {
	t.Parallel()
	known, docs, tests := known(t), read(t, "docs/alerts.md"), read(t, "hack/prometheus/alerts-test.yaml")
	headings := strings.Count(docs, "\n## ")
	for _, alert := range alerts(t) {
		if err := check(alert.Expr, known); err != nil {
			t.Errorf("%s: %v", alert.Alert, err)
		}
		want := "https://github.com/cobalt-operator/cobalt-operator/blob/main/docs/alerts.md#" + strings.ToLower(alert.Alert)
		if alert.Annotations["runbook_url"] != want {
			t.Errorf("%s: runbook_url is not %s", alert.Alert, want)
		}
		if severity := alert.Labels["severity"]; severity != "critical" && severity != "warning" {
			t.Errorf("%s: severity is %q", alert.Alert, severity)
		}
		if !strings.Contains(docs, "\n## "+alert.Alert+"\n") {
			t.Errorf("%s: docs/alerts.md does not say what to do", alert.Alert)
		}
		if strings.Count(tests, "#"+strings.ToLower(alert.Alert)+"\n") == 0 {
			t.Errorf("%s: no test has it fire", alert.Alert)
		}
		headings--
	}
	if headings != 0 {
		t.Error("docs/alerts.md explains alerts that do not exist")
	}
}
