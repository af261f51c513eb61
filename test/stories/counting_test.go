package stories

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// beside is another namespace that the operator looks after.
func (w *world) beside() string {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "beside-"}}
	w.create(namespace)
	w.stop()
	w.neighbours = append(w.neighbours, namespace.Name)
	w.start()
	return namespace.Name
}

// ourOwn is a cluster environment that the namespace of the story may use, and no other.
func (w *world) ourOwn() *v1alpha1.ClusterEnvironment {
	GinkgoHelper()
	env := w.clusterEnvironment()
	env.Spec.AllowedNamespaces.Selector.MatchLabels = map[string]string{corev1.LabelMetadataName: w.namespace}
	w.create(w.keySecret(goodKey), env)
	w.ready(env)
	return env
}

// placed is an object of some namespace in a cluster environment.
func placed[T object.Object](obj T, namespace string, env client.Object) T {
	obj.SetNamespace(namespace)
	obj.MemberSpec().EnvironmentRef = v1alpha1.EnvironmentReference{Kind: v1alpha1.KindClusterEnvironment, Name: env.GetName()}
	return obj
}

// spelledOtherwise is a URL that leads to the same place.
func spelledOtherwise(url string) string {
	scheme, rest, _ := strings.Cut(url, "://")
	return scheme + "://" + strings.ReplaceAll(rest, "/", "//") + "/"
}

var _ = Describe("Objects that do not count", func() {
	DescribeTable("keep no account from being deleted: one of", func(build member) {
		w := newWorld()
		env, outside := w.ourOwn(), w.beside()
		acme := w.account("acme", in(env))
		w.create(acme)
		w.ready(acme)
		outsider := placed(build(w, ofID("acme")), outside, env)
		w.create(outsider)
		w.settled(outsider, metav1.ConditionFalse, v1alpha1.ReasonNotAllowed)
		dormant := placed(build(w, of("acme")), w.namespace, env)
		dormant.SetName("dormant")
		dormant.MemberSpec().Suspend = true
		w.create(dormant)
		w.remove(acme)
		w.gone(acme)
		Expect(w.remote("acme")).To(BeNil())
		w.remove(outsider, dormant)
	}, dependents())

	forEach("keep no account from being deleted that they only read", func(kind dependentKind) {
		w, acme := withAccount()
		obj := kind.make(w, "dependent", of("acme"))
		w.create(obj)
		w.ready(obj)
		w.remove(acme)
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonDependentsExist)
		w.change(obj, func() { obj.CommonSpec().ManagementPolicy = v1alpha1.ManagementPolicyReadOnly })
		w.gone(acme)
		Expect(w.remote("acme")).To(BeNil())
		w.remove(obj)
		w.gone(obj)
	})

	It("keep no environment from being deleted, until one has something there", func() {
		w := newWorld()
		env, outside := w.ourOwn(), w.beside()
		acme, globex := w.account("acme", in(env)), w.account("globex", in(env))
		outsider := placed(w.account("outsider"), outside, env)
		outsider.Finalizers = []string{v1alpha1.Finalizer}
		dormant := w.account("dormant", in(env), func(obj *v1alpha1.LinkedAccount) { obj.Spec.Suspend = true })
		w.create(acme, globex, outsider, dormant)
		w.ready(acme)
		w.ready(globex)
		w.settled(outsider, metav1.ConditionFalse, v1alpha1.ReasonNotAllowed)
		w.remove(env)
		message := w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonDeletionPending)
		Expect(message).To(HavePrefix("waits until the objects that have something in Cobalt are deleted"))
		late := w.account("late", in(env))
		w.create(late)
		w.settled(late, metav1.ConditionFalse, v1alpha1.ReasonEnvironmentNotReady)
		w.remove(acme)
		w.gone(acme)
		w.read(env)
		w.change(globex, func() { globex.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
		w.gone(env)
		w.remove(globex, late, dormant)
		w.gone(globex)
		w.gone(late)
		Expect(w.remote("acme")).To(BeNil())
		Expect(w.remote("globex")).NotTo(BeNil())
		w.change(outsider, func() { outsider.Finalizers = nil })
		w.remove(outsider)
	})

	It("are held by an environment that they may not use any more while they have something there", func() {
		w := newWorld()
		env := w.ourOwn()
		acme := w.account("acme", in(env))
		w.create(acme)
		w.ready(acme)
		w.change(env, func() { env.Spec.AllowedNamespaces.Selector.MatchLabels = map[string]string{"cobalt": "yes"} })
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonNotAllowed)
		w.remove(env)
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonDeletionPending)
		w.remove(acme)
		w.gone(acme)
		w.gone(env)
		Expect(w.remote("acme")).To(BeNil())
	})

	It("are not those whose environment was taken from both: nothing is deleted under one of them", func() {
		w := newWorld()
		env := w.connected()
		a, b := w.account("a", withID("acme")), w.account("b", withID("acme"))
		w.create(a)
		w.ready(a)
		w.create(b)
		w.remove(env)
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonDeletionPending)
		w.change(env, func() { env.Finalizers = nil })
		w.gone(env)
		w.remove(a)
		w.gone(a)
		Expect(w.remote("acme")).NotTo(BeNil())
		w.change(b, func() { b.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
		w.remove(b)
		w.gone(b)
	})

	It("are no proof that the environment is another one", func() {
		w := newWorld()
		env := w.connected()
		var ghosts, heirs, others []*v1alpha1.LinkedAccount
		for i := range 4 {
			ghosts = append(ghosts, w.account(fmt.Sprintf("ghost-%d", i), withID(fmt.Sprintf("mine-%d", i))))
			heirs = append(heirs, w.account(fmt.Sprintf("heir-%d", i), withID(fmt.Sprintf("mine-%d", i)), func(obj *v1alpha1.LinkedAccount) {
				obj.Spec.DeletionPolicy = v1alpha1.DeletionPolicyDelete
			}))
		}
		for i := range 3 {
			others = append(others, w.account(fmt.Sprintf("other-%d", i)))
			w.create(others[i])
		}
		allReady(w, others)
		for i, ghost := range ghosts {
			w.create(ghost)
			w.ready(ghost)
			w.change(ghost, func() {
				ghost.Spec.ManagementPolicy, ghost.Spec.Suspend = v1alpha1.ManagementPolicyReadOnly, true
			})
			w.create(heirs[i])
			w.ready(heirs[i])
			w.remove(heirs[i])
			w.gone(heirs[i])
		}
		w.time.Advance(2 * time.Minute) // it is long ago that the environment proved to be the one it was
		w.change(ghosts[0], func() {
			ghosts[0].Spec.ManagementPolicy, ghosts[0].Spec.Suspend = v1alpha1.ManagementPolicyManage, false
		})
		w.ready(ghosts[0])
		w.ready(env)
		w.change(others[0], func() { others[0].Spec.Name = "Other" })
		w.ready(others[0])
		Expect(w.remote("other-0").Name).To(Equal("Other"))
	})

	It("do not have others looked at less often", func() {
		w := newWorld()
		env, outside := w.ourOwn(), w.beside()
		w.change(env, func() {
			env.Spec.RateLimit, env.Spec.SyncInterval = v1alpha1.RateLimit{RequestsPerSecond: 1, Burst: 4}, "30s"
		})
		for i := range 40 {
			outsider := placed(w.webhook(fmt.Sprintf("outsider-%d", i), ofID("acme"), "Workflow Errored"), outside, env)
			dormant := placed(w.webhook(fmt.Sprintf("dormant-%d", i), ofID("acme"), "Workflow Errored"), w.namespace, env)
			dormant.Spec.Suspend = true
			w.create(outsider, dormant)
		}
		acme := w.account("acme", in(env))
		w.create(acme)
		until(w, acme, time.Second, metav1.ConditionTrue, v1alpha1.ReasonSynced)
		Expect(w.settled(env, metav1.ConditionTrue, v1alpha1.ReasonConnected)).To(Equal("the API answers and accepts the key"))
		Expect(w.series("cobalt_sync_interval_stretch_ratio", labels{"environment": "ClusterEnvironment " + env.Name})).
			To(Equal(map[string]float64{"": 1}))
		Expect(w.series("cobalt_objects", labels{"kind": "Webhook"})).To(BeEmpty(), "nobody has to be told of them")
	})
})

var _ = Describe("An environment whose URL is spelled otherwise", func() {
	// otherwise is a second environment with the same key.
	otherwise := func(w *world) *v1alpha1.Environment {
		GinkgoHelper()
		env := w.environment()
		env.Name, env.Spec.BaseURL = "second", spelledOtherwise(w.url)
		w.create(env)
		w.ready(env)
		return env
	}

	It("is the same for two objects that stand for one thing", func() {
		w := newWorld()
		w.connected()
		second := otherwise(w)
		a := w.account("a", withID("acme"))
		w.create(a)
		w.ready(a)
		config := w.config("first", ofID("acme"), field("owner_email", `"a@acme.example"`))
		w.create(config)
		w.ready(config)
		twin := w.config("twin", ofID("acme"), field("owner_email", `"b@acme.example"`))
		twin.Spec.EnvironmentRef.Name = second.Name
		w.create(twin)
		loser, winner := twin, config
		if twin.CreationTimestamp.Equal(&config.CreationTimestamp) && twin.UID < config.UID {
			loser, winner = config, twin
		}
		w.settled(loser, metav1.ConditionFalse, v1alpha1.ReasonConflict)
		w.ready(winner)
	})

	It("is the same for what belongs to an account", func() {
		w, acme := withAccount()
		second := otherwise(w)
		hook := w.webhook("hook", ofID("acme"), "Workflow Errored")
		hook.Spec.EnvironmentRef.Name = second.Name
		w.create(hook)
		w.ready(hook)
		w.remove(acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonDependentsExist)
		Expect(message).To(ContainSubstring("Webhook " + w.namespace + "/hook"))
		w.remove(hook)
		w.gone(acme)
	})

	It("is the one that it was, also for an operator that starts and finds what an older one recorded", func() {
		w := newWorld()
		env := w.environment()
		env.Spec.BaseURL = spelledOtherwise(w.url)
		w.create(w.keySecret(goodKey), env)
		w.ready(env)
		acme := w.account("acme")
		w.create(acme)
		w.ready(acme)
		w.stop()
		older := hmac.New(sha256.New, []byte("salt"))
		_, err := older.Write([]byte(strings.TrimRight(env.Spec.BaseURL, "/") + "\x00" + goodKey))
		Expect(err).NotTo(HaveOccurred())
		realm := "salt:" + hex.EncodeToString(older.Sum(nil))
		status := client.RawPatch(types.MergePatchType, []byte(`{"status":{"realm":"`+realm+`"}}`))
		Expect(w.Status().Patch(w.ctx, env, status)).To(Succeed())
		w.sim.ResetCalls()
		w.start()
		Eventually(func() string { w.read(env); return env.Status.Realm }).ShouldNot(Equal(realm), "others must recognise it")
		w.ready(env)
		w.ready(acme)
		Expect(w.sim.Calls()).To(Equal(map[string]int{"listApplications": 1}), "as at each start")
	})

	It("is the one that it was", func() {
		w := newWorld()
		env, acme := w.connected(), w.account("acme")
		w.create(acme)
		w.ready(acme)
		realm := env.Status.Realm
		w.sim.ResetCalls()
		w.change(env, func() { env.Spec.BaseURL = spelledOtherwise(w.url) })
		w.ready(env)
		Expect(env.Status.Realm).To(Equal(realm))
		Expect(w.sim.Calls()).To(BeEmpty())
	})
})

var _ = Describe("What a status says of other namespaces", func() {
	It("is how many there are, and not what they are called", func() {
		w := newWorld()
		w.create(w.keySecret(goodKey))
		env := secondEnvironment(w, true)
		outside := w.beside()
		first := placed(w.account("first", withID("acme")), outside, env)
		w.create(first)
		w.ready(first)
		second := w.account("second", withID("acme"), in(env))
		hook := w.webhook("secret-project", ofID("acme"), "Workflow Errored")
		hook = placed(hook, w.namespace, env)
		w.create(second, hook)
		w.ready(hook)
		loser, winner := second, first
		if second.CreationTimestamp.Equal(&first.CreationTimestamp) && second.UID < first.UID {
			loser, winner = first, second
		}
		message := w.settled(loser, metav1.ConditionFalse, v1alpha1.ReasonConflict)
		Expect(message).To(HavePrefix("an older object in another namespace stands for the same in Cobalt"))
		w.remove(loser)
		w.gone(loser)
		w.remove(winner)
		message = w.settled(winner, metav1.ConditionFalse, v1alpha1.ReasonDependentsExist)
		if winner == first {
			Expect(message).To(HavePrefix("the account is still used by 1 object in another namespace: delete them first"))
		}
		w.remove(hook)
		w.gone(winner)
		Expect(w.remote("acme")).To(BeNil())
	})

	It("is nothing of the prefixes of other accounts", func() {
		w := newWorld()
		shared := w.shared()
		w.change(shared, func() {
			shared.Spec.AllowedNamespaces.AccountIDPrefixes = []string{"their-secret-project-", "{namespace}."}
		})
		theirs, ours := w.account("theirs", in(shared), withID("their-1")), w.account("ours", in(shared), withID(w.namespace+".1"))
		w.create(theirs, ours)
		w.ready(ours)
		message := w.settled(theirs, metav1.ConditionFalse, v1alpha1.ReasonNotAllowed)
		Expect(message).To(HavePrefix("ClusterEnvironment " + shared.Name + ` does not allow account "their-1"`))
		Expect(message).NotTo(ContainSubstring("secret-project"))
	})
})
