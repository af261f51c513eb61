package stories

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// userRole has the rules of one of the roles that users of these kinds get.
func userRole(name string) []rbacv1.PolicyRule {
	GinkgoHelper()
	text, err := os.ReadFile("../../config/rbac/user_roles.yaml")
	Expect(err).NotTo(HaveOccurred())
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		role := &rbacv1.ClusterRole{}
		Expect(yaml.UnmarshalStrict([]byte(document), role)).To(Succeed())
		if role.Name == name {
			return role.Rules
		}
	}
	Fail("there is no role " + name)
	return nil
}

// tenant is a client of somebody who has the role edit in the namespace of the
// story, with what Kubernetes has in it as well, and no other right.
func (w *world) tenant() client.Client {
	GinkgoHelper()
	name := "tenant-of-" + w.namespace
	own := metav1.ObjectMeta{Namespace: w.namespace, Name: "tenant"}
	w.create(&rbacv1.Role{ObjectMeta: own, Rules: append(userRole("edit"), userRole("view")...)})
	for _, role := range []rbacv1.RoleRef{
		{Kind: "Role", Name: own.Name}, {Kind: "ClusterRole", Name: "system:aggregate-to-edit"}, {Kind: "ClusterRole", Name: "system:aggregate-to-view"},
	} {
		w.create(&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, GenerateName: "tenant-"}, RoleRef: role,
			Subjects: []rbacv1.Subject{{Kind: rbacv1.UserKind, Name: name}},
		})
	}
	config := rest.CopyConfig(cluster.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: name, Groups: []string{"system:authenticated"}}
	tenant, err := client.New(config, client.Options{Scheme: cluster.Scheme})
	Expect(err).NotTo(HaveOccurred())
	Eventually(func() error { // the API server learns of roles in a moment
		return tenant.Create(w.ctx, w.account("probe"), client.DryRunAll)
	}).Should(Succeed())
	return tenant
}

// neighbour is another namespace that the operator looks after, with an
// environment of its own and, in Cobalt, the account acme.
func (w *world) neighbour() string {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "neighbour-"}}
	w.create(namespace)
	w.stop()
	w.neighbours = append(w.neighbours, namespace.Name)
	w.start()
	key, env, acme := w.keySecret(goodKey), w.environment(), w.account("acme")
	for _, obj := range []client.Object{key, env, acme} {
		obj.SetNamespace(namespace.Name)
		w.create(obj)
	}
	w.ready(acme)
	return namespace.Name
}

// shared is an environment of the cluster that has the accounts of mine- only.
func (w *world) shared() *v1alpha1.ClusterEnvironment {
	GinkgoHelper()
	w.create(w.keySecret(goodKey))
	env := secondEnvironment(w, true).(*v1alpha1.ClusterEnvironment)
	w.change(env, func() { env.Spec.AllowedNamespaces.AccountIDPrefixes = []string{"mine-"} })
	w.ready(env)
	return env
}

// member makes an object of one of the kinds that a tenant may write.
type member func(w *world, account v1alpha1.AccountReference) object.Object

var members = map[string]member{
	"LinkedAccount": func(w *world, account v1alpha1.AccountReference) object.Object {
		return w.account("acme", withID(account.LinkedAccountID))
	},
	"IntegrationConfig": func(w *world, account v1alpha1.AccountReference) object.Object {
		return w.config("config", account)
	},
	"Webhook": func(w *world, account v1alpha1.AccountReference) object.Object {
		return w.webhook("hook", account, "Workflow Errored")
	},
	"PublicWorkflow": func(w *world, account v1alpha1.AccountReference) object.Object {
		return w.publicWorkflow("flow", account)
	},
	"EventTrigger": func(w *world, account v1alpha1.AccountReference) object.Object { return w.trigger("fire", account) },
}

// rows are one for each of some kinds.
func rows(kinds ...string) []TableEntry {
	var entries []TableEntry
	for _, kind := range kinds {
		entries = append(entries, Entry(kind, members[kind]))
	}
	return entries
}

func allMembers() []TableEntry { return rows(slices.Sorted(maps.Keys(members))...) }

func dependents() []TableEntry {
	return rows("IntegrationConfig", "Webhook", "PublicWorkflow", "EventTrigger")
}

var _ = Describe("Somebody with the role edit in one namespace", func() {
	DescribeTable("writes objects there, but not their status, nor in another namespace", func(build member) {
		w := newWorld()
		tenant, obj := w.tenant(), build(w, ofID("acme"))
		Expect(tenant.Create(w.ctx, obj)).To(Succeed())
		Expect(tenant.Patch(w.ctx, obj, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`)))).To(Succeed())
		status := client.RawPatch(types.MergePatchType, []byte(`{"status":{"linkedAccountID":"victim"}}`))
		Expect(tenant.Status().Patch(w.ctx, obj, status)).To(Satisfy(apierrors.IsForbidden))
		Expect(tenant.Patch(w.ctx, obj, status)).To(Succeed(), "which the API server ignores there")
		Expect(obj.MemberStatus().LinkedAccountID).NotTo(Equal("victim"))
		Expect(tenant.Delete(w.ctx, obj)).To(Succeed())
		elsewhere := build(w, ofID("acme"))
		elsewhere.SetNamespace("default")
		Expect(tenant.Create(w.ctx, elsewhere)).To(Satisfy(apierrors.IsForbidden))
		Expect(tenant.Get(w.ctx, client.ObjectKeyFromObject(elsewhere), elsewhere)).To(Satisfy(apierrors.IsForbidden))
	}, allMembers())

	It("decides over no environment, and over no label of its namespace", func() {
		w := newWorld()
		env, tenant := w.connected(), w.tenant()
		Expect(tenant.Get(w.ctx, client.ObjectKeyFromObject(env), env)).To(Succeed(), "reading it is allowed")
		accept := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"annotations":{"`+v1alpha1.AcceptEnvironmentAnnotation+`":"x"}}}`))
		Expect(tenant.Patch(w.ctx, env, accept)).To(Satisfy(apierrors.IsForbidden))
		Expect(tenant.Delete(w.ctx, env)).To(Satisfy(apierrors.IsForbidden))
		another := w.environment()
		another.Name = "another"
		Expect(tenant.Create(w.ctx, another)).To(Satisfy(apierrors.IsForbidden))
		Expect(tenant.Create(w.ctx, &v1alpha1.ClusterEnvironment{
			ObjectMeta: metav1.ObjectMeta{Name: w.namespace},
			Spec: v1alpha1.ClusterEnvironmentSpec{
				EnvironmentSettings: env.Spec.EnvironmentSettings,
				APIKeySecretRef: v1alpha1.NamespacedAPIKeyReference{
					Namespace: "default", APIKeyReference: v1alpha1.APIKeyReference{Name: "x"},
				},
			},
		})).To(Satisfy(apierrors.IsForbidden))
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
		label := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"team":"another"}}}`))
		Expect(tenant.Patch(w.ctx, namespace, label)).To(Satisfy(apierrors.IsForbidden))
	})

	DescribeTable("has no Secret of another namespace read, by", func(kind, spec string) {
		w := newWorld()
		w.connected()
		neighbour, tenant := w.neighbour(), w.tenant()
		theirs := w.secret("theirs", map[string]string{"key": `{"token":"hunter2-of-the-neighbour"}`})
		theirs.Namespace = neighbour
		w.create(theirs)
		w.sim.ResetCalls()
		named := func(name, secret string) *unstructured.Unstructured {
			obj := &unstructured.Unstructured{}
			text := strings.NewReplacer("NAMESPACE", neighbour, "SECRET", secret, "ACCOUNT", name).Replace(spec)
			Expect(yaml.Unmarshal([]byte("spec: "+text), &obj.Object)).To(Succeed())
			obj.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
			obj.SetNamespace(w.namespace)
			obj.SetName(name)
			return obj
		}
		strict := client.WithFieldValidation(tenant, metav1.FieldValidationStrict)
		Expect(strict.Create(w.ctx, named("strict", "theirs"))).To(MatchError(ContainSubstring("unknown field")))
		for name, secret := range map[string]string{"ignored": "theirs", "path": "../../" + neighbour + "/secrets/theirs"} {
			Expect(tenant.Create(w.ctx, named(name, secret))).To(Succeed())
			obj := members[kind](w, ofID(name))
			obj.SetName(name)
			reason := map[string]string{"ignored": v1alpha1.ReasonSecretNotFound, "path": v1alpha1.ReasonFailed}[name]
			message := w.settled(obj, metav1.ConditionFalse, reason)
			Expect(message).To(ContainSubstring("Secret " + w.namespace + "/" + secret))
		}
		Expect(w.sim.Calls()).NotTo(HaveKey(Or(HavePrefix("upsert"), HavePrefix("update"), HavePrefix("migrate"), HavePrefix("trigger"))))
	},
		Entry("yourAppFrom", "LinkedAccount",
			`{linkedAccountID: ACCOUNT, yourAppFrom: [{secretKeyRef: {namespace: NAMESPACE, name: SECRET, key: key}}]}`),
		Entry("valueFrom", "IntegrationConfig", `{linkedAccountID: ACCOUNT, application: hubspot, fields: [`+
			`{id: owner_email, valueFrom: {secretKeyRef: {namespace: NAMESPACE, name: SECRET, key: key}}}]}`),
		Entry("payloadFrom", "EventTrigger", `{linkedAccountID: ACCOUNT, event: {slug: deal-created, name: Deal Created}, `+
			`payloadFrom: [{secretKeyRef: {namespace: NAMESPACE, name: SECRET, key: key}}]}`),
	)

	It("finds no field that names a namespace", func() {
		for kind := range members {
			text, err := os.ReadFile("../../config/crd/bases/cobalt.gocobalt.io_" + strings.ToLower(kind) + "s.yaml")
			Expect(err).NotTo(HaveOccurred())
			crd := &apiextensionsv1.CustomResourceDefinition{}
			Expect(yaml.Unmarshal(text, crd)).To(Succeed())
			spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
			text, err = json.Marshal(spec)
			Expect(err).NotTo(HaveOccurred())
			Expect(string(text)).To(ContainSubstring(`"environmentRef":{`))
			Expect(string(text)).NotTo(MatchRegexp(`(?i)"[a-z]*namespace[a-z]*":\{`), kind)
		}
	})

	DescribeTable("refers to no account of another namespace", func(build member) {
		w := newWorld()
		w.connected()
		w.neighbour()
		w.sim.ResetCalls()
		obj := build(w, of("acme"))
		Expect(w.tenant().Create(w.ctx, obj)).To(Succeed())
		message := w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonLinkedAccountNotReady)
		Expect(message).To(ContainSubstring("LinkedAccount " + w.namespace + "/acme does not exist"))
		Expect(w.sim.Calls()).To(BeEmpty())
	}, dependents())

	DescribeTable("names no account that a cluster environment does not lend it", func(build member) {
		w := newWorld()
		shared, tenant := w.shared(), w.tenant()
		w.byHand(func(api *cobalt.Client) error {
			_, err := api.CreateLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "victim"})
			return err
		})
		obj := build(w, ofID("victim"))
		obj.MemberSpec().EnvironmentRef = v1alpha1.EnvironmentReference{Kind: v1alpha1.KindClusterEnvironment, Name: shared.Name}
		obj.SetFinalizers([]string{v1alpha1.Finalizer})
		obj.SetAnnotations(map[string]string{
			"cobalt.gocobalt.io/account": client.ObjectKeyFromObject(obj).String() + ":victim",
			"cobalt.gocobalt.io/origin":  client.ObjectKeyFromObject(obj).String() + ":created",
		})
		if kept, ok := obj.(object.Managed); ok {
			kept.CommonSpec().DeletionPolicy = v1alpha1.DeletionPolicyDelete
		}
		Expect(tenant.Create(w.ctx, obj)).To(Succeed())
		message := w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonNotAllowed)
		Expect(message).To(ContainSubstring(`does not allow account "victim"`))
		Expect(tenant.Delete(w.ctx, obj)).To(Succeed())
		w.gone(obj)
		Expect(w.sim.Calls()).To(BeEmpty())
	}, allMembers())

	DescribeTable("gets at no account that is not lent through a LinkedAccount that names it", func(build member) {
		w := newWorld()
		shared, tenant := w.shared(), w.tenant()
		w.byHand(func(api *cobalt.Client) error {
			_, err := api.CreateLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "victim"})
			return err
		})
		acme, obj := w.account("acme", withID("victim"), in(shared)), build(w, of("acme"))
		obj.MemberSpec().EnvironmentRef = acme.Spec.EnvironmentRef
		Expect(tenant.Create(w.ctx, acme)).To(Succeed())
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonNotAllowed)
		Expect(tenant.Create(w.ctx, obj)).To(Succeed())
		reason := v1alpha1.ReasonLinkedAccountNotReady
		if _, kept := obj.(object.Managed); kept { // which are told the reason itself
			reason = v1alpha1.ReasonNotAllowed
		}
		w.settled(obj, metav1.ConditionFalse, reason)
		Expect(tenant.Delete(w.ctx, obj)).To(Succeed())
		w.gone(obj)
		Expect(w.sim.Calls()).To(BeEmpty())
	}, dependents())

	DescribeTable("uses no account under the key of another environment", func(build member) {
		w, _ := withAccount()
		secondEnvironment(w, false)
		w.sim.ResetCalls()
		obj := build(w, of("acme"))
		obj.MemberSpec().EnvironmentRef.Name = "second"
		Expect(w.tenant().Create(w.ctx, obj)).To(Succeed())
		w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonDifferentAccount)
		Expect(w.sim.Calls()).To(BeEmpty())
	}, rows("PublicWorkflow", "EventTrigger"))
})

var _ = Describe("Annotations that a tenant copies from a neighbour's object", func() {
	It("do not make an account its own", func() {
		w := newWorld()
		w.connected()
		neighbour, tenant := w.neighbour(), w.tenant()
		w.byHand(func(api *cobalt.Client) error {
			_, err := api.CreateLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "by-hand"})
			return err
		})
		theirs, acme := w.account("acme"), w.account("acme", withID("by-hand"))
		theirs.Namespace = neighbour
		w.read(theirs)
		acme.Annotations = theirs.Annotations
		Expect(acme.Annotations).To(HaveKeyWithValue("cobalt.gocobalt.io/origin", HavePrefix(neighbour+"/acme:created")))
		Expect(tenant.Create(w.ctx, acme)).To(Succeed())
		w.ready(acme)
		Expect(acme.Status.Origin).To(Equal(v1alpha1.OriginAdopted))
		Expect(tenant.Delete(w.ctx, acme)).To(Succeed())
		w.gone(acme)
		Expect(w.remote("by-hand")).NotTo(BeNil())
	})

	DescribeTable("do not say which account it belongs to", func(build member) {
		w, _ := withAccount()
		tenant := w.tenant()
		for _, value := range []string{"neighbour/copy:victim", "victim"} {
			obj := build(w, of("acme"))
			obj.SetName("copy")
			obj.SetAnnotations(map[string]string{"cobalt.gocobalt.io/account": value})
			Expect(tenant.Create(w.ctx, obj)).To(Succeed())
			Eventually(func() string { w.read(obj); return obj.MemberStatus().LinkedAccountID }).Should(Equal("acme"))
			Expect(tenant.Delete(w.ctx, obj)).To(Succeed())
			w.gone(obj)
		}
	}, dependents())

	It("do not lead its deletion to an account that is not lent, although the status has lost its own", func() {
		w := newWorld()
		w.shared()
		w.byHand(func(api *cobalt.Client) error {
			if _, err := api.UpsertLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "victim"}); err != nil {
				return err
			}
			_, err := api.CreateWebhook(w.ctx, "victim", cobalt.WebhookInput{URL: "https://victim.example/", Events: []string{"a"}})
			return err
		})
		mine, hook := w.account("mine", withID("mine-1"), w.inCluster), w.webhook("hook", of("mine"), "a")
		hook.Spec.EnvironmentRef = mine.Spec.EnvironmentRef
		w.create(mine, hook)
		w.ready(hook)
		w.stop()
		hook.Status.LinkedAccountID = ""
		Expect(w.Status().Update(w.ctx, hook)).To(Succeed())
		w.change(hook, func() {
			hook.Spec.Suspend = true
			hook.Annotations["cobalt.gocobalt.io/account"] = w.namespace + "/hook:victim"
		})
		w.remove(hook)
		w.start()
		w.gone(hook)
		Expect(w.sim.Calls()).NotTo(HaveKey("unsubscribeWebhook"))
		Expect(w.remoteWebhook("victim")).NotTo(BeNil())
	})

	It("do not say that a workflow is there already", func() {
		w := newWorld()
		w.connected()
		neighbour, tenant := w.neighbour(), w.tenant()
		theirs, flow := w.publicWorkflow("flow", ofID("acme")), w.publicWorkflow("flow", ofID("acme"))
		theirs.Namespace = neighbour
		w.create(theirs)
		w.ready(theirs)
		Eventually(func() map[string]string { w.read(theirs); return theirs.Annotations }).Should(HaveKey("cobalt.gocobalt.io/workflow-id"))
		flow.Annotations = theirs.Annotations
		Expect(tenant.Create(w.ctx, flow)).To(Succeed())
		w.ready(flow)
		Expect(flow.Status.ID).NotTo(Equal(theirs.Status.ID))
		Expect(workflowIDs(w)).To(HaveLen(2))
	})

	It("do not say that a trigger has fired", func() {
		w := newWorld()
		w.connected()
		neighbour, tenant := w.neighbour(), w.tenant()
		theirs, trigger := w.trigger("fire", ofID("acme")), w.trigger("fire", ofID("acme"))
		theirs.Namespace = neighbour
		w.create(theirs)
		until(w, theirs, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
		Eventually(func() map[string]string { w.read(theirs); return theirs.Annotations }).Should(HaveKey("cobalt.gocobalt.io/fired"))
		trigger.Annotations = theirs.Annotations
		Expect(tenant.Create(w.ctx, trigger)).To(Succeed())
		until(w, trigger, time.Second, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
		Expect(fires(w)).To(Equal(2))
	})
})

var _ = Describe("An environment that points to a foreign host", func() {
	It("is refused before its Secret is looked for", func() {
		w := newWorld()
		env := w.environment()
		env.Spec.BaseURL = "https://evil.example/api/v2"
		w.create(env) // and no Secret, of which it would say so
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonNotAllowed)
	})
})

var _ = Describe("An object that may not use its environment", func() {
	It("claims nothing, though it was there first", func() {
		w := newWorld()
		w.connected()
		shared := w.clusterEnvironment()
		shared.Spec.AllowedNamespaces.AccountIDPrefixes = []string{"mine-"}
		w.create(shared)
		w.ready(shared)
		first, owner := w.account("a-first", withID("acme"), w.inCluster), w.account("owner", withID("acme"))
		w.create(first)
		w.settled(first, metav1.ConditionFalse, v1alpha1.ReasonNotAllowed)
		Eventually(func() bool { // until the API server's clock, which counts seconds, shows another one
			probe := w.account("probe")
			Expect(w.Create(w.ctx, probe, client.DryRunAll)).To(Succeed())
			return probe.CreationTimestamp.After(first.CreationTimestamp.Time)
		}).Should(BeTrue())
		w.create(owner)
		w.ready(owner)
	})
})
