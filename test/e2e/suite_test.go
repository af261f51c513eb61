//go:build e2e

// Package e2e tests the operator as its users run it, on a real cluster: `make e2e` chooses one, and says so.
//
// Environment variables: KUBECONFIG is the cluster's; KUBECTL and HELM are those programs; OPERATOR_IMAGE and
// SIMULATOR_IMAGE are what it runs, as NAME:TAG that it has or can pull. Everything is made in namespaces that start
// with cobalt-e2e, except the namespace of config/default, the CRDs and cluster-wide roles; all of it is removed.
package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

const (
	root  = "../.."
	chart = root + "/charts/cobalt-operator"

	release           = "cobalt-operator" // of the chart; its objects are called the same
	operatorNamespace = "cobalt-e2e"
	crdSuffix         = ".cobalt.gocobalt.io"
)

var (
	config  *rest.Config
	kube    kubernetes.Interface
	objects client.Client
)

func TestE2E(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(3 * time.Minute) // how long is no matter of these tests, see the table at the end
	SetDefaultEventuallyPollingInterval(200 * time.Millisecond)
	RunSpecs(t, "A real cluster")
}

var _ = BeforeSuite(func() {
	for _, name := range []string{"KUBECONFIG", "KUBECTL", "HELM", "OPERATOR_IMAGE", "SIMULATOR_IMAGE"} {
		Expect(os.Getenv(name)).NotTo(BeEmpty(), "%s must be set; run make e2e", name)
	}
	var err error
	config, err = clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	Expect(err).NotTo(HaveOccurred())
	config.QPS, config.Burst = 50, 100
	kube, err = kubernetes.NewForConfig(config)
	Expect(err).NotTo(HaveOccurred())
	kinds := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(kinds)).To(Succeed())
	Expect(v1alpha1.AddToScheme(kinds)).To(Succeed())
	objects, err = client.New(config, client.Options{Scheme: kinds})
	Expect(err).NotTo(HaveOccurred())
	Expect(ourCRDs()).To(BeEmpty(), "the cluster has the operator's CRDs: these tests remove them, and with them all objects")
})

var _ = ReportAfterSuite("the table of what was measured", func(Report) { measured.print(os.Stdout) })

// run runs a program and returns what it printed, and fails the test if it fails.
func run(ctx context.Context, stdin, name string, args ...string) string {
	GinkgoHelper()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, problems strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &problems
	Expect(cmd.Run()).To(Succeed(), "%s %s\n%s%s", name, strings.Join(args, " "), out.String(), problems.String())
	return out.String()
}

func kubectl(ctx context.Context, stdin string, args ...string) string {
	GinkgoHelper()
	return run(ctx, stdin, os.Getenv("KUBECTL"), args...)
}

func helm(ctx context.Context, args ...string) string {
	GinkgoHelper()
	return run(ctx, "", os.Getenv("HELM"), args...)
}

// imageValues are arguments of helm that choose the images under test.
func imageValues() []string {
	operator, operatorTag, _ := strings.Cut(os.Getenv("OPERATOR_IMAGE"), ":")
	simulator, simulatorTag, _ := strings.Cut(os.Getenv("SIMULATOR_IMAGE"), ":")
	return []string{
		"--set=image.repository=" + operator, "--set-string=image.tag=" + operatorTag,
		"--set=simulator.image.repository=" + simulator, "--set-string=simulator.image.tag=" + simulatorTag,
	}
}

// install installs or upgrades the release and returns when it is ready.
func install(ctx context.Context, values ...string) {
	GinkgoHelper()
	args := []string{
		"upgrade", "--install", release, chart, "--namespace=" + operatorNamespace, "--create-namespace", "--wait", "--timeout=3m",
		"--set=simulator.enabled=true", "--set=syncInterval=30s",
	}
	helm(ctx, append(append(args, imageValues()...), values...)...)
}

func uninstall(ctx context.Context) {
	GinkgoHelper()
	helm(ctx, "uninstall", release, "--namespace="+operatorNamespace, "--wait", "--timeout=3m", "--ignore-not-found")
}

func createNamespace(ctx context.Context, name string) {
	GinkgoHelper()
	Expect(objects.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
}

// deleteNamespace returns when the namespace is gone.
func deleteNamespace(ctx context.Context, name string) {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	Expect(client.IgnoreNotFound(objects.Delete(ctx, namespace))).To(Succeed())
	Eventually(func() error {
		err := objects.Get(ctx, client.ObjectKeyFromObject(namespace), namespace)
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("%s is still there (%w): %v", name, err, namespace.Status.Conditions)
	}).WithContext(ctx).Should(Succeed())
}

// ourCRDs returns the names of the operator's CRDs that the cluster has.
func ourCRDs() []string {
	GinkgoHelper()
	var list metav1.PartialObjectMetadataList
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinitionList"})
	Expect(objects.List(context.Background(), &list)).To(Succeed())
	var names []string
	for _, crd := range list.Items {
		if strings.HasSuffix(crd.Name, crdSuffix) {
			names = append(names, crd.Name)
		}
	}
	return names
}
