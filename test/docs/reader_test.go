package docs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// customer is what the pages on daily work suppose: an environment that is the default, and an account.
const customer = `
apiVersion: v1
kind: Secret
metadata: {name: cobalt-api-key, labels: {team: integrations}}
stringData: {api-key: ` + oldKey + `, note: what else is in the Secret}
---
apiVersion: cobalt.gocobalt.io/v1alpha1
kind: Environment
metadata: {name: default}
spec: {apiKeySecretRef: {name: cobalt-api-key}, baseURL: "` + origin + `/api/v2"}
---
apiVersion: cobalt.gocobalt.io/v1alpha1
kind: LinkedAccount
metadata: {name: acme}
spec: {name: Acme Inc, linkedAccountID: acme-of-NAMESPACE}
`

// reader follows a page: a shell in a copy of the repository's files, with a namespace of its own in the kubeconfig.
type reader struct {
	t           *testing.T
	folder      string
	namespace   string
	environment []string
	// realm is what the environment was recognised by before its key changed.
	realm string
}

// newReader returns a reader who has the operator, and the customer in it, and nothing of what readers before it had.
func newReader(t *testing.T) *reader {
	t.Helper()
	r := &reader{t: t, folder: t.TempDir()}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "reader-"}}
	r.must(cluster.Client.Create(t.Context(), namespace))
	r.namespace = namespace.Name
	for _, folder := range []string{"docs", "config"} {
		r.must(os.CopyFS(filepath.Join(r.folder, folder), os.DirFS(filepath.Join(root, folder))))
	}
	home := t.TempDir()
	r.environment = append(os.Environ(), "HOME="+home, "KUBECONFIG="+r.kubeconfig(home),
		"PATH="+os.Getenv("KUBEBUILDER_ASSETS")+string(os.PathListSeparator)+os.Getenv("PATH"),
		"NEW="+newKey, "COBALT_API_KEY="+oldKey)
	r.clearAway()
	r.apply(customer)
	r.run("kubectl wait --for=condition=Ready --timeout=1m cenv/default cla/acme")
	return r
}

func (r *reader) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// kubeconfig writes one whose namespace is the reader's.
func (r *reader) kubeconfig(folder string) string {
	r.t.Helper()
	config, err := clientcmd.Load(cluster.KubeConfig())
	r.must(err)
	config.Contexts[config.CurrentContext].Namespace = r.namespace
	file := filepath.Join(folder, "kubeconfig")
	r.must(clientcmd.WriteToFile(*config, file))
	return file
}

// run runs a script as a careful reader does, line by line until one fails, and returns what it prints.
func (r *reader) run(script string) string {
	r.t.Helper()
	script = strings.NewReplacer("NAMESPACE", r.namespace, "=ID ", "=a-workflow-of-cobalt ").Replace(script)
	cmd := exec.CommandContext(r.t.Context(), "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir, cmd.Env = r.folder, r.environment
	var problem bytes.Buffer
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		r.t.Fatalf("%v\n%s\n%s%s", err, script, out, &problem)
	}
	return string(out)
}

// apply applies manifests in the reader's namespace, client-side, as most people do.
func (r *reader) apply(manifests string) {
	r.t.Helper()
	r.run("kubectl apply -f - <<'END'\n" + manifests + "\nEND")
}

// get reads what a page says about.
func (r *reader) get(namespace, name string, obj client.Object) {
	r.t.Helper()
	r.must(cluster.Client.Get(r.t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, obj))
}

// clearAway removes what earlier readers had, and their namespaces: an API server alone never ends the deletion of one.
func (r *reader) clearAway() {
	r.t.Helper()
	r.run("kubectl delete cet,cpw,cic,cwh,cla --all -A --timeout=1m && kubectl delete cenv --all -A --timeout=1m")
	api, ctx := cluster.Client, r.t.Context()
	var namespaces corev1.NamespaceList
	r.must(api.List(ctx, &namespaces))
	for _, namespace := range namespaces.Items {
		if name := namespace.Name; strings.HasPrefix(name, "kube-") || name == metav1.NamespaceDefault || name == r.namespace {
			continue
		}
		r.must(api.DeleteAllOf(ctx, &corev1.Secret{}, client.InNamespace(namespace.Name)))
		r.must(api.DeleteAllOf(ctx, &corev1.ConfigMap{}, client.InNamespace(namespace.Name)))
		r.must(api.Delete(ctx, &namespace))
		namespace.Spec.Finalizers, namespace.ResourceVersion = nil, ""
		r.must(api.SubResource("finalize").Update(ctx, &namespace))
	}
}
