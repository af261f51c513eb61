package chart

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// matrix are the values that the chart is held to.
var matrix = map[string]string{
	"Defaults":   ``,
	"Everything": everything,
	"Namespaced": `{watchNamespaces: [one, two]}`,
	"NoCluster":  `{watchNamespaces: [one], metrics: {secure: false}, rbac: {aggregateToDefaultRoles: false}, crds: {enabled: false}}`,
	"Simulator":  `{simulator: {enabled: true}}`,
	"Available":  `{replicas: 3, podDisruptionBudget: {maxUnavailable: 50%}, topologySpreadConstraints: []}`,
	"Digest":     `{image: {digest: "sha256:0000000000000000000000000000000000000000000000000000000000000000"}}`,
	"NoCRDs":     `{crds: {enabled: false}}`,
	"Proxies":    `{proxy: {httpsProxy: "http://proxy.example:3128", noProxy: 10.0.0.0/8}}`,
	"NoMetrics":  `{metrics: {enabled: false}, networkPolicy: {enabled: true}}`,
	"NoRBAC":     `{rbac: {create: false}, serviceAccount: {create: false}, leaderElection: {enabled: false}}`,
	"LongName":   `{fullnameOverride: a-name-of-sixty-three-characters-which-are-all-that-are-allowed}`,
}

const everything = `
commonLabels: {cost-center: integrations}
image: {repository: registry.example/cobalt-operator, tag: v0.1.0, pullPolicy: Always}
imagePullSecrets: [{name: registry}]
replicas: 2
serviceAccount: {annotations: {example.com/role: operator}}
metrics:
  certificateSecret: metrics-tls
  serviceMonitor: {enabled: true, authorization: {credentials: {name: token, key: token}}, interval: 30s, scrapeTimeout: 10s, labels: {release: prometheus},
    metricRelabelings: [{sourceLabels: [__name__], regex: go_.*, action: drop}]}
  podMonitor: {enabled: true, authorization: {credentials: {name: token, key: token}}}
  prometheusRule: {enabled: true, labels: {release: prometheus}}
  dashboard: {enabled: true, annotations: {grafana_folder: Cobalt}}
networkPolicy:
  enabled: true
  apiServer: {cidrs: [10.0.0.1/32]}
  extraEgress: [{ports: [{port: 3128, protocol: TCP}], to: [{ipBlock: {cidr: 10.0.0.2/32}}]}]
  metrics: {from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]}
priorityClassName: system-cluster-critical
nodeSelector: {kubernetes.io/os: linux}
tolerations: [{key: dedicated, operator: Equal, value: operators, effect: NoSchedule}]
affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [
  {matchExpressions: [{key: kubernetes.io/arch, operator: In, values: [amd64, arm64]}]}]}}}
podLabels: {team: integrations}
podAnnotations: {example.com/note: "1"}
extraArgs: [--zap-stacktrace-level=panic]
extraEnv: [{name: GODEBUG, value: http2client=0}]
extraVolumes: [{name: scratch, emptyDir: {}}]
extraVolumeMounts: [{name: scratch, mountPath: /scratch}]
simulator: {enabled: true, extraArgs: [--rate=20]}
`

func TestTheChartIsClean(t *testing.T) {
	t.Parallel()
	for name, values := range matrix {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, "helm", "lint", "--strict", "--values="+valuesFile(t, values), chart(t))
		})
	}
}

func TestTheChartsOwnTests(t *testing.T) {
	t.Parallel()
	t.Log(run(t, "helm-unittest", "--strict", chart(t)))
}

// TestAClusterAcceptsTheChart needs no kubeconform: the API server that judges
// here knows more than its schemas say, such as what Pod Security refuses.
func TestAClusterAcceptsTheChart(t *testing.T) {
	t.Parallel()
	api := cluster(t)
	for name, values := range matrix {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects := render(t, values)
			accepts(t, api, objects)
			admitsPods(t, api, objects)
		})
	}
	for _, folder := range []string{"default", "prometheus"} {
		t.Run("kustomize/"+folder, func(t *testing.T) {
			t.Parallel()
			objects := kustomize(t, folder)
			accepts(t, api, objects)
			admitsPods(t, api, objects)
		})
	}
}

func TestEverythingIsRendered(t *testing.T) {
	t.Parallel()
	objects := render(t, everything)
	kinds := map[string]string{
		"PrometheusRule": "files/alerts.yaml", "ConfigMap": "files/dashboard.json", // nothing to render without these
		"ServiceMonitor": "Chart.yaml", "PodMonitor": "Chart.yaml", "NetworkPolicy": "Chart.yaml", "PodDisruptionBudget": "Chart.yaml",
	}
	for kind, file := range kinds {
		_, err := os.Stat(filepath.Join(chart(t), file))
		if found := len(ofKind(objects, kind)); (err == nil) != (found == 1) {
			t.Errorf("%d objects of kind %s were rendered from %s (%v)", found, kind, file, err)
		}
	}
	for _, object := range objects {
		if object.GetLabels()["cost-center"] == "" {
			t.Errorf("%s %s lacks the common labels", object.GetKind(), object.GetName())
		}
	}
}

// TestNoCustomResources: Helm looks every kind up before it creates any, so a
// chart with an object of a kind that it brings itself cannot be installed.
func TestNoCustomResources(t *testing.T) {
	t.Parallel()
	for name, values := range matrix {
		for _, object := range render(t, values) {
			if strings.HasSuffix(object.GroupVersionKind().Group, "gocobalt.io") {
				t.Errorf("%s: the chart has a %s", name, object.GetKind())
			}
		}
	}
}

// kustomize renders a folder of config/.
func kustomize(t *testing.T, folder string) []*unstructured.Unstructured {
	t.Helper()
	kubectl, err := exec.LookPath(filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"))
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, output(t, kubectl, "kustomize", filepath.Join(copied(t, "config"), folder)))
}
