// Package monitoring pins the Go types of the kinds of the Prometheus operator:
// the tests of the chart make CRDs of them with controller-gen.
package monitoring

import _ "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1" // see above
