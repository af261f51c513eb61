//go:build e2e

package e2e

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

var _ = Describe("The Helm chart", Ordered, func() {
	const (
		sampleNamespace = "cobalt-e2e-samples"
		keptNamespace   = "cobalt-e2e-kept"
	)
	var all []*unstructured.Unstructured

	BeforeAll(func() {
		DeferCleanup(func(ctx SpecContext) {
			abandon(ctx, sampleNamespace, keptNamespace)
			uninstall(ctx)
			abandon(ctx, operatorNamespace)
			removeCRDs(ctx)
		})
	})

	It("installs an operator that becomes ready", func(ctx SpecContext) {
		start := time.Now()
		install(ctx)
		measured.add("helm install --wait, until the operator is ready", seconds(start))
	})

	It("makes every sample Ready", func(ctx SpecContext) {
		createNamespace(ctx, sampleNamespace)
		all = samples(sampleNamespace, operatorNamespace)
		start := time.Now()
		apply(ctx, all...)
		settled(ctx, all...)
		measured.add("samples, from applied to all as expected", seconds(start))
	})

	It("uses little while nothing happens", func(ctx SpecContext) {
		measureIdle(ctx)
	})

	It("repairs what was changed in Cobalt", func(ctx SpecContext) {
		do(ctx, "POST", "api/v2/public/linked-account/upsert", map[string]any{"linked_account_id": "globex-42", "name": "Changed by hand"}, nil)
		Eventually(func() []string { return changedByHand(state(ctx)) }).WithContext(ctx).Should(BeEmpty())
		settled(ctx, all...)
	})

	It("finishes what a killed operator had begun, and fires nothing twice", func(ctx SpecContext) {
		fired := len(state(ctx).Events)
		for _, operation := range []string{"upsertLinkedAccount", "triggerEvent"} {
			do(ctx, "POST", "_simulator/faults", map[string]any{"operation": operation, "delay": "10m", "work_done": true}, nil)
		}
		forgetCalls(ctx)
		midway := account(sampleNamespace, "midway")
		trigger := &v1alpha1.EventTrigger{}
		trigger.Namespace, trigger.Name = sampleNamespace, "midway"
		trigger.Spec.LinkedAccountRef = &v1alpha1.LinkedAccountReference{Name: "acme"}
		trigger.Spec.Event = &v1alpha1.EventReference{Slug: "deal-created", Name: "Deal Created"}
		create(ctx, midway, trigger)
		Eventually(func() []string { return writes(calls(ctx)) }).WithContext(ctx).Should(ContainElements("upsertLinkedAccount", "triggerEvent"))
		kill(ctx, operatorPods(ctx)[0].Name)
		do(ctx, "DELETE", "_simulator/faults", nil, nil)
		ready(ctx, midway)
		Eventually(func(g Gomega) {
			g.Expect(objects.Get(ctx, client.ObjectKeyFromObject(trigger), trigger)).To(Succeed())
			condition := apimeta.FindStatusCondition(trigger.Status.Conditions, v1alpha1.ConditionStalled)
			g.Expect(condition).To(HaveField("Reason", v1alpha1.ReasonDeliveryUnknown))
		}).WithContext(ctx).Should(Succeed())
		Expect(accountNames(ctx)).To(ContainElement("midway"))
		Expect(state(ctx).Events).To(HaveLen(fired + 1))
		Expect(objects.Delete(ctx, trigger)).To(Succeed())
		settled(ctx, all...)
	})

	It("goes on with the other replica when the leader dies", func(ctx SpecContext) {
		install(ctx, "--set=replicas=2")
		Expect(operatorPods(ctx)).To(HaveLen(2))
		var first string
		Eventually(func(g Gomega) { // a leader of before the upgrade gives up its lease
			var err error
			first, err = leader(ctx)
			g.Expect(err).NotTo(HaveOccurred())
			names := []string{}
			for _, pod := range operatorPods(ctx) {
				names = append(names, pod.Name)
			}
			g.Expect(names).To(ContainElement(first))
		}).WithContext(ctx).Should(Succeed())
		kill(ctx, first)
		start := time.Now()
		Eventually(func() (string, error) { return leader(ctx) }).WithContext(ctx).ShouldNot(Or(Equal(first), BeEmpty()))
		measured.add("another replica leads, after the leader was killed", seconds(start))
		after := account(sampleNamespace, "after-failover")
		create(ctx, after)
		ready(ctx, after)
	})

	It("is upgraded without a write to Cobalt", func(ctx SpecContext) {
		forgetCalls(ctx)
		install(ctx, "--set-string=podAnnotations.e2e=upgraded")
		lookAgain(ctx, sampleNamespace, "after-the-upgrade")
		Expect(writes(calls(ctx))).To(BeEmpty())
		settled(ctx, all...)
	})

	It("serves metrics to those who may read them, and to nobody else", func(ctx SpecContext) {
		testMetrics(ctx)
	})

	It("tells nobody what Secrets hold", func(ctx SpecContext) {
		tellsNoSecret(ctx, sampleNamespace)
	})

	It("has a NetworkPolicy that the API server accepts", func(ctx SpecContext) {
		policy := helm(ctx, "template", release, chart, "--namespace="+operatorNamespace,
			"--set=networkPolicy.enabled=true", "--set=simulator.enabled=true", "--show-only=templates/networkpolicy.yaml")
		Expect(kubectl(ctx, policy, "apply", "--dry-run=server", "-f", "-")).To(ContainSubstring("networkpolicy.networking.k8s.io/"))
	})

	It("leaves in Cobalt nothing of a deleted namespace but what is to be left", func(ctx SpecContext) {
		var initech v1alpha1.LinkedAccount // its deletionPolicy is Orphan
		Expect(objects.Get(ctx, client.ObjectKey{Namespace: sampleNamespace, Name: "initech"}, &initech)).To(Succeed())
		deleteNamespace(ctx, sampleNamespace)
		left := state(ctx)
		Expect(left.Accounts).To(HaveLen(1))
		Expect(left.Accounts[0].ID).To(Equal(initech.Status.ID))
		Expect(left.Configs).To(BeEmpty())
		Expect(left.Webhooks).To(BeEmpty())
		Expect(left.Workflows).To(BeEmpty())
	})

	It("keeps CRDs and objects when it is uninstalled, and takes them up again", func(ctx SpecContext) {
		createNamespace(ctx, keptNamespace)
		kept := account(keptNamespace, "kept")
		create(ctx, append(environment(keptNamespace, operatorNamespace), kept)...)
		ready(ctx, kept)
		crds := ourCRDs()
		Expect(crds).NotTo(BeEmpty())
		uninstall(ctx)
		Expect(ourCRDs()).To(ConsistOf(crds))
		Expect(objects.Get(ctx, client.ObjectKeyFromObject(kept), kept)).To(Succeed())
		Expect(kept.DeletionTimestamp.IsZero()).To(BeTrue())

		install(ctx)
		Eventually(func() []string { return accountNames(ctx) }).WithContext(ctx).Should(ContainElement("kept"), "the new simulator had none")
		ready(ctx, kept)
		Expect(objects.Delete(ctx, kept)).To(Succeed())
		Eventually(func() bool {
			return apierrors.IsNotFound(objects.Get(ctx, client.ObjectKeyFromObject(kept), kept))
		}).WithContext(ctx).Should(BeTrue())
		Expect(accountNames(ctx)).NotTo(ContainElement("kept"))
	})
})

// changedByHand are the accounts with the name that only a hand gives them.
func changedByHand(state simulator.State) []string {
	var ids []string
	for _, a := range state.Accounts {
		if a.Name == "Changed by hand" {
			ids = append(ids, a.LinkedAccountID)
		}
	}
	return ids
}
