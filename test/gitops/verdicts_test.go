package gitops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v4/pkg/kube"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

// verdicts is what each tool makes of an object.
type verdicts struct {
	kstatus status.Status
	argo    string
	helm    waiting // helm install --wait
	kubectl waiting // kubectl wait --for=condition=Ready
}

// waiting is what a tool does that waits for an object.
type waiting string

const (
	returns waiting = "returns"
	waits   waiting = "waits"
	fails   waiting = "fails"
)

// tools are asked for their verdicts.
type tools struct {
	argo       argo
	kubeconfig string
	helm       *genericclioptions.ConfigFlags
}

func newTools(t *testing.T, config *rest.Config) tools {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	err := clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{"test": {Server: config.Host, CertificateAuthorityData: config.CAData}},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{
			"test": {ClientCertificateData: config.CertData, ClientKeyData: config.KeyData},
		},
		Contexts:       map[string]*clientcmdapi.Context{"test": {Cluster: "test", AuthInfo: "test", Namespace: "default"}},
		CurrentContext: "test",
	}, kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	helm := genericclioptions.NewConfigFlags(true)
	helm.KubeConfig = &kubeconfig
	return tools{argo: newArgo(t, restricted), kubeconfig: kubeconfig, helm: helm}
}

func (tools tools) judge(ctx context.Context, obj *unstructured.Unstructured) (verdicts, error) {
	result, err := status.Compute(obj)
	if err != nil {
		return verdicts{}, fmt.Errorf("kstatus: %w", err)
	}
	health, err := tools.argo.health(obj)
	if err != nil {
		return verdicts{}, fmt.Errorf("argo: %w", err)
	}
	helm, err := tools.helmWait(ctx, obj)
	if err != nil {
		return verdicts{}, fmt.Errorf("helm: %w", err)
	}
	kubectl, err := tools.kubectlWait(ctx, obj)
	if err != nil {
		return verdicts{}, fmt.Errorf("kubectl: %w", err)
	}
	return verdicts{result.Status, health.Status, helm, kubectl}, nil
}

// helmWait has Helm wait for an object that does not change, until it says for the first time that it goes on waiting.
// So no time decides, but for tooLong, which makes it an error.
func (tools tools) helmWait(ctx context.Context, obj *unstructured.Unstructured) (waiting, error) {
	client := kube.New(tools.helm)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client.SetLogger(onceItWaits{cancel})
	waiter, err := client.GetWaiterWithOptions(kube.StatusWatcherStrategy, kube.WithWaitMethodContext(ctx))
	if err != nil {
		return "", err
	}
	manifest, err := obj.MarshalJSON()
	if err != nil {
		return "", err
	}
	resources, err := client.Build(bytes.NewReader(manifest), false)
	if err != nil {
		return "", err
	}
	switch err := waiter.Wait(resources, tooLong); {
	case err == nil:
		return returns, nil
	case errors.Is(err, context.Canceled):
		return waits, nil
	case strings.Contains(err.Error(), "status: Failed") && !errors.Is(err, context.DeadlineExceeded):
		return fails, nil
	default:
		return "", err
	}
}

const tooLong = 5 * time.Minute

// onceItWaits is a log that cancels as soon as Helm has seen an object and says that it waits for it.
type onceItWaits struct{ cancel context.CancelFunc }

func (o onceItWaits) Handle(_ context.Context, record slog.Record) error {
	record.Attrs(func(attr slog.Attr) bool {
		if seen := attr.Value.String(); attr.Key == "actualStatus" &&
			(seen == status.InProgressStatus.String() || seen == status.TerminatingStatus.String()) {
			o.cancel()
		}
		return true
	})
	return nil
}

func (o onceItWaits) Enabled(context.Context, slog.Level) bool { return true }
func (o onceItWaits) WithAttrs([]slog.Attr) slog.Handler       { return o }
func (o onceItWaits) WithGroup(string) slog.Handler            { return o }

// kubectlWait has kubectl look once.
func (tools tools) kubectlWait(ctx context.Context, obj *unstructured.Unstructured) (waiting, error) {
	kubectl := exec.CommandContext(ctx, filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), "--kubeconfig", tools.kubeconfig,
		"wait", "--for=condition=Ready", "--timeout=0", strings.ToLower(obj.GetKind())+"."+group+"/"+obj.GetName())
	output, err := kubectl.CombinedOutput()
	switch {
	case err == nil:
		return returns, nil
	case strings.Contains(string(output), "condition not met"):
		return waits, nil
	}
	return "", fmt.Errorf("%w: %s", err, output)
}
