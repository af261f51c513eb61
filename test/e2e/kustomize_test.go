//go:build e2e

package e2e

import (
	"os"
	"regexp"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var operatorImage = regexp.MustCompile(`image: cobalt-operator:\S+`)

var _ = Describe("The manifests of config/default", Ordered, func() {
	const (
		system    = "cobalt-operator-system"
		namespace = "cobalt-e2e-kustomize"
	)
	var all []*unstructured.Unstructured

	BeforeAll(func() {
		DeferCleanup(func(ctx SpecContext) {
			abandon(ctx, namespace)
			undeploy(ctx)
			removeCRDs(ctx)
		})
	})

	It("install an operator that becomes ready", func(ctx SpecContext) {
		start := time.Now()
		manifests := kubectl(ctx, "", "kustomize", "kustomize")
		Expect(operatorImage.FindAllString(manifests, -1)).To(HaveLen(1))
		manifests = operatorImage.ReplaceAllLiteralString(manifests, "image: "+os.Getenv("OPERATOR_IMAGE"))
		kubectl(ctx, manifests, "apply", "--server-side", "-f", "-")
		kubectl(ctx, "", "--namespace="+system, "rollout", "status", "deployment/cobalt-operator-controller-manager", "--timeout=3m")
		measured.add("kubectl apply of config/default, until the operator is ready", seconds(start))

		args := []string{"template", release, chart, "--namespace=" + system, "--set=simulator.enabled=true", "--show-only=templates/simulator.yaml"}
		kubectl(ctx, helm(ctx, append(args, imageValues()...)...), "apply", "--server-side", "-f", "-")
	})

	It("make every sample Ready", func(ctx SpecContext) {
		createNamespace(ctx, namespace)
		all = samples(namespace, system)
		apply(ctx, all...)
		settled(ctx, all...)
	})

	It("are removed without the objects", func(ctx SpecContext) {
		undeploy(ctx)
		Expect(ourCRDs()).NotTo(BeEmpty())
		for _, obj := range all {
			Expect(objects.Get(ctx, client.ObjectKeyFromObject(obj), obj.DeepCopy())).To(Succeed())
		}
	})
})
