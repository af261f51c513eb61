package testenv

import (
	"context"
	"fmt"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/client-go/kubernetes"
)

// Writes counts the requests that changed objects of a resource, in all since
// the cluster was started, as its API server counts them. Those of the test
// itself count as well.
func (c *Cluster) Writes(ctx context.Context, group, resource string) (int, error) {
	clientset, err := kubernetes.NewForConfig(c.Config)
	if err != nil {
		return 0, err
	}
	data, err := clientset.RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the metrics of the API server: %w", err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(data)))
	if err != nil {
		return 0, fmt.Errorf("parse the metrics of the API server: %w", err)
	}
	count := 0
	for _, metric := range families["apiserver_request_total"].GetMetric() {
		labels := map[string]string{}
		for _, label := range metric.GetLabel() {
			labels[label.GetName()] = label.GetValue()
		}
		switch labels["verb"] {
		case "POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION":
			if labels["group"] == group && labels["resource"] == resource {
				count += int(metric.GetCounter().GetValue())
			}
		}
	}
	return count, nil
}
