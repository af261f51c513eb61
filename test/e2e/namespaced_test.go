//go:build e2e

package e2e

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var _ = Describe("An operator that watches one namespace", Ordered, func() {
	const (
		watched = "cobalt-e2e-watched"
		other   = "cobalt-e2e-other"
	)

	BeforeAll(func(ctx SpecContext) {
		DeferCleanup(func(ctx SpecContext) {
			abandon(ctx, watched, other)
			uninstall(ctx)
			abandon(ctx, operatorNamespace)
			removeCRDs(ctx)
		})
		createNamespace(ctx, watched)
		createNamespace(ctx, other)
		install(ctx, "--set=watchNamespaces={"+watched+"}")
	})

	It("may read Secrets there and nowhere else, as the API server says", func(ctx SpecContext) {
		for _, verb := range []string{"get", "list", "watch", "create", "update", "delete"} {
			Expect(allowed(ctx, verb, watched)).To(BeTrue(), verb)
			Expect(allowed(ctx, verb, other)).To(BeFalse(), verb)
			Expect(allowed(ctx, verb, "")).To(BeFalse(), "%s in all namespaces", verb)
		}
	})

	It("is refused a Secret of another namespace when it asks for it", func(ctx SpecContext) {
		create(ctx, environment(watched, operatorNamespace)...)
		create(ctx, environment(other, operatorNamespace)...)
		operator := asOperator(ctx)
		_, err := operator.CoreV1().Secrets(watched).Get(ctx, "cobalt-api-key", metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		_, err = operator.CoreV1().Secrets(other).Get(ctx, "cobalt-api-key", metav1.GetOptions{})
		Expect(apierrors.IsForbidden(err)).To(BeTrue(), "%v", err)
		_, err = operator.CoreV1().Secrets("").List(ctx, metav1.ListOptions{})
		Expect(apierrors.IsForbidden(err)).To(BeTrue(), "%v", err)
	})

	It("serves the objects of that namespace, and does not touch those of another", func(ctx SpecContext) {
		served, ignored := account(watched, "served"), account(other, "ignored")
		create(ctx, served, ignored)
		ready(ctx, served)
		Expect(objects.Get(ctx, client.ObjectKeyFromObject(ignored), ignored)).To(Succeed())
		Expect(ignored.Finalizers).To(BeEmpty())
		Expect(ignored.Status.Conditions).To(BeEmpty())
		Expect(accountNames(ctx)).To(ConsistOf("served"))
	})
})

const operatorUser = "system:serviceaccount:" + operatorNamespace + ":" + release

// allowed says whether the operator may do something to Secrets.
func allowed(ctx context.Context, verb, namespace string) bool {
	GinkgoHelper()
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:               operatorUser,
		Groups:             []string{"system:authenticated", "system:serviceaccounts", "system:serviceaccounts:" + operatorNamespace},
		ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: verb, Resource: "secrets", Namespace: namespace},
	}}
	answer, err := kube.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	return answer.Status.Allowed
}

// asOperator is a client with a token of the operator's service account, as its pod has one.
func asOperator(ctx context.Context) kubernetes.Interface {
	GinkgoHelper()
	its := rest.AnonymousClientConfig(config)
	its.BearerToken = tokenOf(ctx, operatorNamespace, release)
	operator, err := kubernetes.NewForConfig(its)
	Expect(err).NotTo(HaveOccurred())
	return operator
}
