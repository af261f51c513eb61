package stories

import (
	"fmt"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

var _ = Describe("An environment", func() {
	It("waits for its Secret, and its objects for it", func() {
		w := newWorld()
		env, acme := w.environment(), w.account("acme")
		w.create(acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonEnvironmentNotReady)
		Expect(message).To(Equal("Environment " + w.namespace + "/default does not exist: create it, or delete this object"))
		w.create(env)
		message = w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
		Expect(message).To(Equal("Secret " + w.namespace + "/cobalt-api-key does not exist: create it, or correct the reference"))
		Eventually(func() string { return w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonEnvironmentNotReady) }).Should(
			Equal("Environment " + w.namespace + "/default is not Ready: SecretNotFound, see its status"))
		secret := w.secret("cobalt-api-key", map[string]string{"other": goodKey})
		w.create(secret)
		Eventually(func() string { return w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound) }).Should(
			ContainSubstring(`has no key "api-key"`))
		Expect(w.sim.Calls()).To(BeEmpty())
		w.change(secret, func() { secret.StringData = map[string]string{"api-key": goodKey + "\n"} })
		w.ready(env)
		w.ready(acme)
	})

	It("that comes after its objects is not missing any more while its API takes long to answer", func() {
		w := newWorld()
		acme, fire := w.account("acme"), w.trigger("fire", ofID("acme"))
		w.create(acme, fire)
		missing := "Environment " + w.namespace + "/default does not exist: create it, or delete this object"
		for _, obj := range []client.Object{acme, fire} {
			Expect(w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonEnvironmentNotReady)).To(Equal(missing))
		}
		w.sim.Inject(simulator.Fault{Operation: "listApplications", Delay: time.Hour})
		w.create(w.keySecret(goodKey), w.environment())
		for _, obj := range []client.Object{acme, fire} {
			Eventually(func() string { return w.settled(obj, metav1.ConditionFalse, v1alpha1.ReasonEnvironmentNotReady) }).Should(
				Equal("Environment " + w.namespace + "/default is not Ready yet: its API has not answered"))
			Eventually(func() []string { return w.events(obj) }).Should(And(HaveLen(2), HaveEach(HavePrefix("Normal "))), "nobody has to act")
		}
	})

	It("whose probes meet 429 is probed after pauses that grow", func() {
		w := newWorld()
		env := w.environment()
		w.sim.Inject(simulator.Fault{Operation: "listApplications", Status: 429})
		w.create(w.keySecret(goodKey), env)
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonThrottled)
		for pause := time.Second; pause <= 32*time.Second; pause *= 2 {
			Eventually(func() time.Duration { delay, _ := w.delay(env); return delay }).Should(Equal(pause))
			w.pass(env, pause)
		}
		w.sim.ClearFaults()
		w.pass(env, time.Minute)
		w.ready(env)
	})

	It("with a wrong key says so and stops all other calls until it is right", func() {
		w := newWorld()
		env := w.environment()
		secret := w.keySecret("hunter2-no-such-key")
		w.create(secret, env)
		message := w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonAuthenticationFailed)
		Expect(message).To(Equal("the API refused the key in Secret " + w.namespace + "/cobalt-api-key, key api-key (401): put a valid key there"))
		var accounts []*v1alpha1.LinkedAccount
		for i := range 50 {
			accounts = append(accounts, w.account(fmt.Sprintf("acme-%d", i)))
			w.create(accounts[i])
		}
		for _, acme := range accounts {
			w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonEnvironmentNotReady)
		}
		w.pass(env, syncInterval)
		Eventually(w.sim.Calls).Should(Equal(map[string]int{"listApplications": 2}), "one per sync interval")
		w.change(secret, func() { secret.StringData = map[string]string{"api-key": goodKey} })
		w.ready(env)
		w.time.Advance(time.Second) // they are woken one after the other
		for _, acme := range accounts {
			w.ready(acme)
		}
	})

	It("is held before anything is done in it, and before anything uses it", func() {
		w := newWorld()
		env, acme := w.environment(), w.account("acme")
		var before []string
		w.whenHeld(env.Name, func(client.Object) {
			for _, call := range w.sim.Log() {
				before = append(before, call.Operation)
			}
		})
		w.create(w.keySecret(goodKey), env)
		w.ready(env)
		Expect(env.Finalizers).To(ContainElement(v1alpha1.Finalizer))
		Expect(before).To(BeEmpty())
		held := w.writes("environments")
		w.create(acme)
		w.ready(acme)
		Expect(w.writes("environments")).To(Equal(held), "its first object waits for no write")
	})

	It("that cannot be held says so, and so do its objects", func() {
		w := newWorld()
		env, acme := w.connected(), w.account("acme")
		w.stop()
		w.change(env, func() { env.Finalizers = nil })
		allow := refuseFinalizers(w, env)
		w.start()
		w.create(acme)
		message := w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonFailed)
		Expect(message).To(HavePrefix("write the finalizer, which must be there first: "))
		Expect(message).To(HaveSuffix("nobody may hold it"))
		message = w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonEnvironmentNotReady)
		Expect(message).To(ContainSubstring("Failed, see its status"))
		Expect(w.remote("acme")).To(BeNil())
		Eventually(func() time.Duration { delay, _ := w.delay(acme); return delay }).Should(BeNumerically(">", time.Minute), "it does not insist")
		allow()
		Eventually(func() bool {
			w.time.Advance(time.Minute)
			w.read(acme)
			return acme.Status.ID != ""
		}).Should(BeTrue())
		w.ready(acme)
		w.ready(env)
		Expect(env.Finalizers).To(ContainElement(v1alpha1.Finalizer))
	})

	It("goes on when its key is rotated", func() {
		w := newWorld()
		env, secret, acme := w.environment(), w.keySecret(goodKey), w.account("acme")
		w.create(secret, env, acme)
		w.ready(acme)
		version := acme.ResourceVersion
		w.sim.RevokeKey(goodKey)
		w.pass(acme, syncInterval)
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonAuthenticationFailed)
		w.read(acme)
		Expect(acme.ResourceVersion).To(Equal(version), "an object that is Ready keeps its conditions: the environment carries the alert")
		w.change(secret, func() { secret.StringData = map[string]string{"api-key": secondKey} })
		w.ready(env)
		w.request(acme, "now")
		w.ready(acme)
		Expect(w.sim.State("test").Accounts).To(HaveLen(1))
	})

	It("leads where it leads now when an operator starts that is shown where it led before", func() {
		w := newWorld(func(o *simulator.Options) { o.Keys["hunter2-of-production"] = "production" })
		env := w.connected()
		was := copyOf(env)
		w.stop()
		w.create(w.secret("production", map[string]string{"api-key": "hunter2-of-production"}))
		w.change(env, func() { env.Spec.APIKeySecretRef.Name = "production" })
		acme := w.account("acme")
		w.create(acme)
		w.doom.arm(death{})
		w.succeed(longAgo, was, copyOf(env))
		w.time.Advance(time.Second)
		w.ready(env)
		w.ready(acme)
		Expect(w.sim.State("test").Accounts).To(BeEmpty())
		Expect(w.sim.State("production").Accounts).To(HaveLen(1))
	})

	It("has what it no longer keeps deleted by an operator that starts and is shown that it does", func() {
		w := newWorld()
		env, acme := w.connected(), w.account("acme")
		w.change(env, func() { env.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
		w.ready(env)
		w.create(acme)
		w.ready(acme)
		w.read(env)
		was := copyOf(env)
		w.stop()
		w.change(env, func() { env.Spec.DeletionPolicy = "" })
		w.remove(acme)
		w.succeed(longAgo, was, copyOf(env))
		w.time.Advance(time.Second)
		w.gone(acme)
		Expect(w.sim.State("test").Accounts).To(BeEmpty())
	})

	It("gives a key that replaces a working one two minutes to be known", func() {
		w := newWorld()
		env, secret := w.environment(), w.keySecret(goodKey)
		w.create(secret, env)
		w.ready(env)
		w.change(secret, func() { secret.StringData = map[string]string{"api-key": "hunter2-not-yet"} })
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonAuthenticationFailed)
		Expect(stalled(env)).To(BeFalse())
		w.pass(env, 2*time.Minute)
		Eventually(func() bool {
			w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonAuthenticationFailed)
			return stalled(env)
		}).Should(BeTrue())
		w.sim.AddKey("hunter2-not-yet", "test")
		w.pass(env, syncInterval)
		w.ready(env)
	})

	It("tries a key again that was refused, also where drift is never looked for", func() {
		w := newWorld()
		env := w.environment()
		env.Spec.SyncInterval = "0s"
		w.sim.RevokeKey(goodKey)
		w.create(w.keySecret(goodKey), env)
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonAuthenticationFailed)
		Expect(stalled(env)).To(BeTrue())
		w.sim.AddKey(goodKey, "test")
		Eventually(func() bool { _, planned := w.delay(env); return planned }).Should(BeTrue())
		w.time.Advance(10 * time.Minute)
		w.ready(env)
	})

	It("says where it leads as soon as it is Ready, though that could not be written at first", func() {
		w := newWorld()
		env := w.environment()
		w.doom.arm(death{refused: 2}) // the first write is the finalizer
		w.create(w.keySecret(goodKey), env)
		Eventually(func() []metav1.Condition {
			w.time.Advance(time.Second)
			w.read(env)
			return env.Status.Conditions
		}).ShouldNot(BeEmpty())
		Expect(env.Status.Realm).NotTo(BeEmpty())
		w.ready(env)
	})

	It("is looked at together for all objects that come and go, however many they are", func() {
		looks := func(objects int) int {
			w := newWorld()
			env := w.connected()
			Eventually(w.time.Idle).MustPassRepeatedly(5).Should(BeTrue())
			before := w.passes(env)
			var accounts []*v1alpha1.LinkedAccount
			for i := range objects {
				accounts = append(accounts, w.account(fmt.Sprintf("acme-%d", i)))
				w.create(accounts[i])
			}
			allReady(w, accounts)
			for _, acme := range accounts {
				w.remove(acme)
				w.gone(acme)
			}
			w.time.Advance(10 * time.Second)
			Eventually(w.time.Idle).MustPassRepeatedly(5).Should(BeTrue())
			return w.passes(env) - before
		}
		few := looks(3)
		Expect(few).To(BeNumerically(">=", 1), "what they ask of it is counted")
		Expect(looks(30)).To(Equal(few))
	})

	It("closes its gate when the API fails five times in a row, and wakes those who wait when it is back", func() {
		w := newWorld()
		env := w.connected()
		w.sim.Inject(simulator.Fault{Status: 502})
		var accounts []*v1alpha1.LinkedAccount
		for i := range 8 {
			accounts = append(accounts, w.account(fmt.Sprintf("acme-%d", i)))
			w.create(accounts[i])
		}
		reason := func() string {
			w.time.Advance(time.Second) // those who failed before it closed try again, and wait then
			w.read(env)
			return meta.FindStatusCondition(env.Status.Conditions, v1alpha1.ConditionReady).Reason
		}
		Eventually(reason).Should(Equal(v1alpha1.ReasonFailed))
		for _, acme := range accounts { // each after its own pause
			until(w, acme, time.Second, metav1.ConditionFalse, v1alpha1.ReasonEnvironmentNotReady)
		}
		w.sim.ClearFaults()
		Eventually(reason).Should(Equal(v1alpha1.ReasonConnected)) // at the next probe, which may be under way
		w.time.Advance(time.Second)
		for _, acme := range accounts {
			w.ready(acme)
		}
	})

	It("must point to an allowed origin", func() {
		w := newWorld()
		env := w.environment()
		env.Spec.BaseURL = "https://evil.example/api/v2"
		w.create(w.keySecret(goodKey), env)
		message := w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonNotAllowed)
		Expect(message).To(ContainSubstring("https://evil.example is not among the origins that this operator may call"))
		w.change(env, func() { env.Spec.BaseURL = w.url })
		w.ready(env)
	})

	It("says when its base URL is wrong or its CA bundle unusable", func() {
		w := newWorld()
		env := w.environment()
		env.Spec.BaseURL = w.url + "/wrong"
		env.Spec.CABundleRef = &v1alpha1.CABundleReference{Name: "ca"}
		bundle := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "ca"}, Data: map[string]string{"ca.crt": "not a certificate"}}
		w.create(w.keySecret(goodKey), env)
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonConfigMapNotFound)
		w.create(bundle)
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonInvalidCABundle)
		secret := w.keySecret("")
		w.read(secret)
		w.change(secret, func() { secret.StringData = map[string]string{"api-key": "hunter2 words\nand a line"} })
		message := w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonAuthenticationFailed)
		Expect(message).To(ContainSubstring("Secret " + w.namespace + "/cobalt-api-key, key api-key"))
		Expect(message).NotTo(ContainSubstring("hunter2"))
		w.change(secret, func() { secret.StringData = map[string]string{"api-key": goodKey} })
		w.change(env, func() { env.Spec.CABundleRef = nil })
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonRejected)
		w.change(env, func() { env.Spec.BaseURL = w.url })
		w.ready(env)
	})

	It("probes again although saying that it was asked to slow down took longer than the pause", func() {
		w := newWorld()
		w.sim.Inject(simulator.Fault{Status: 429, RetryAfter: "3", Times: 1})
		env := w.environment()
		var once sync.Once
		w.doom.afterWrites(func(written client.Object) {
			env, ok := written.(*v1alpha1.Environment)
			if ok && meta.FindStatusCondition(env.Status.Conditions, v1alpha1.ConditionReady) != nil {
				once.Do(func() { w.time.Advance(5 * time.Second) })
			}
		})
		w.create(w.keySecret(goodKey), env)
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonThrottled)
		Eventually(func() string {
			w.time.Advance(time.Second)
			w.read(env)
			return meta.FindStatusCondition(env.Status.Conditions, v1alpha1.ConditionReady).Reason
		}).Should(Equal(v1alpha1.ReasonConnected))
	})

	It("probes when nothing was called for a sync interval, and not else", func() {
		w := newWorld()
		env := w.connected()
		Expect(w.sim.Calls()).To(Equal(map[string]int{"listApplications": 1}))
		version := env.ResourceVersion
		w.pass(env, syncInterval)
		Expect(w.sim.Calls()).To(Equal(map[string]int{"listApplications": 2}))
		w.read(env)
		Expect(env.ResourceVersion).To(Equal(version))
	})

	It("may be deleted together with everything, its Secret first", func() {
		w := newWorld()
		env, secret, acme := w.environment(), w.keySecret(goodKey), w.account("acme")
		w.create(secret, env, acme)
		w.ready(acme)
		Eventually(func() []string { w.read(env); return env.Finalizers }).Should(ContainElement(v1alpha1.Finalizer))
		w.remove(secret, env)
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
		w.remove(acme)
		w.gone(acme)
		w.gone(env)
		Expect(w.remote("acme")).To(BeNil())
	})

	It("may lose its Secret after a key that was refused: the last that worked serves deletions", func() {
		w := newWorld()
		env, secret := w.environment(), w.keySecret(goodKey)
		w.create(secret, env)
		var accounts []*v1alpha1.LinkedAccount
		for i := range 5 { // more than are looked for one by one
			accounts = append(accounts, w.account(fmt.Sprintf("acme-%d", i)))
			w.create(accounts[i])
		}
		allReady(w, accounts)
		w.change(secret, func() { secret.StringData = map[string]string{"api-key": "hunter2-refused"} })
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonAuthenticationFailed)
		w.remove(secret)
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
		for _, acme := range accounts {
			w.remove(acme)
			w.gone(acme)
		}
		Expect(w.sim.State("test").Accounts).To(BeEmpty())
	})

	It("may go with its Secret before its objects do, and the operator be restarted between", func() {
		w := newWorld()
		env, secret, acme := w.environment(), w.keySecret(goodKey), w.account("acme")
		w.create(secret, env, acme)
		w.ready(acme)
		Eventually(func() []string { w.read(env); return env.Finalizers }).Should(ContainElement(v1alpha1.Finalizer))
		w.remove(secret, env)
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
		w.restart() // the key is no longer in memory
		w.sim.ResetCalls()
		w.remove(acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonEnvironmentNotReady)
		Expect(message).To(HavePrefix("cannot delete in Cobalt: Environment " + w.namespace + "/default is not Ready: SecretNotFound"))
		Expect(w.sim.Calls()).To(BeEmpty())
		w.create(w.keySecret(goodKey))
		w.gone(acme)
		w.gone(env)
		Expect(w.remote("acme")).To(BeNil())
	})

	It("that is being deleted waits for its objects and takes no new ones", func() {
		w := newWorld()
		env, acme := w.connected(), w.account("acme")
		w.create(acme)
		w.ready(acme)
		Eventually(func() []string { w.read(env); return env.Finalizers }).Should(ContainElement(v1alpha1.Finalizer))
		w.remove(env)
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonDeletionPending)
		late := w.account("late")
		w.create(late)
		message := w.settled(late, metav1.ConditionFalse, v1alpha1.ReasonEnvironmentNotReady)
		Expect(message).To(ContainSubstring("/default is being deleted"))
		w.remove(acme, late)
		w.gone(env)
		Expect(w.sim.State("test").Accounts).To(BeEmpty())
	})

	DescribeTable("releases its objects without credentials", func(release func(w *world, env *v1alpha1.Environment, acme *v1alpha1.LinkedAccount)) {
		w := newWorld()
		env, secret, acme := w.environment(), w.keySecret(goodKey), w.account("acme")
		w.create(secret, env, acme)
		w.ready(acme)
		w.remove(secret)
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
		w.restart() // the key is no longer in memory
		w.remove(acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonEnvironmentNotReady)
		Expect(message).To(ContainSubstring("deletionPolicy: Orphan"), "the way out is told")
		w.sim.ResetCalls()
		release(w, env, acme)
		w.gone(acme)
		Expect(w.sim.Calls()).To(BeEmpty())
		Expect(w.remote("acme")).NotTo(BeNil())
	},
		Entry("by Orphan on the object", func(w *world, _ *v1alpha1.Environment, acme *v1alpha1.LinkedAccount) {
			w.change(acme, func() { acme.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
		}),
		Entry("by Orphan on the environment", func(w *world, env *v1alpha1.Environment, _ *v1alpha1.LinkedAccount) {
			w.change(env, func() { env.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
		}),
	)
})

var _ = Describe("A cluster environment", func() {
	serving := func(w *world, selector metav1.LabelSelector) *v1alpha1.ClusterEnvironment {
		env := w.clusterEnvironment()
		env.Spec.AllowedNamespaces.Selector = selector
		w.create(w.keySecret(goodKey), env)
		w.ready(env)
		return env
	}

	It("serves the namespaces it allows", func() {
		w := newWorld()
		serving(w, metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": w.namespace}})
		acme := w.account("acme", w.inCluster)
		w.create(acme)
		w.ready(acme)
		Expect(acme.Status.Environment).To(Equal("ClusterEnvironment/" + w.namespace))
		w.remove(acme)
		w.gone(acme)
		Expect(w.remote("acme")).To(BeNil())
	})

	It("refuses other namespaces and other accounts", func() {
		w := newWorld()
		env := serving(w, metav1.LabelSelector{MatchLabels: map[string]string{"team": "another"}})
		acme := w.account("acme", w.inCluster)
		w.create(acme)
		message := w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonNotAllowed)
		Expect(message).To(ContainSubstring("does not allow namespace " + w.namespace))
		w.change(env, func() {
			env.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{AccountIDPrefixes: []string{"team-a-"}}
		})
		Eventually(func() string { return w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonNotAllowed) }).Should(
			ContainSubstring(`does not allow account "acme"`))
		allowed := w.account("team-a-1", w.inCluster)
		w.create(allowed)
		w.ready(allowed)
		Expect(w.sim.State("test").Accounts).To(HaveLen(1))
	})

	It("serves a namespace from when a label on it allows that, until none does", func() {
		w := newWorld()
		serving(w, metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}})
		acme := w.account("acme", w.inCluster)
		w.create(acme)
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonNotAllowed)
		namespace := &corev1.Namespace{}
		Expect(w.Get(w.ctx, client.ObjectKey{Name: w.namespace}, namespace)).To(Succeed())
		w.change(namespace, func() { namespace.Labels["team"] = "a" })
		w.ready(acme)
		w.change(namespace, func() { namespace.Labels["team"] = "b" })
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonNotAllowed)
		w.change(namespace, func() { namespace.Labels["team"] = "a" })
		w.ready(acme)
	})

	It("is out of reach of an operator that watches single namespaces", func() {
		w := newWorld()
		w.stop()
		w.options.Namespaced = true
		w.start()
		acme := w.account("acme", w.inCluster)
		w.create(acme)
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonClusterEnvironmentsDisabled)
	})
})

func stalled(env *v1alpha1.Environment) bool {
	for _, condition := range env.Status.Conditions {
		if condition.Type == v1alpha1.ConditionStalled {
			return true
		}
	}
	return false
}

// refuseFinalizers has a policy refuse that environments are held, until it is allowed again.
func refuseFinalizers(w *world, env *v1alpha1.Environment) (allow func()) {
	GinkgoHelper()
	policy := &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: w.namespace},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionv1.MatchResources{
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: w.namespace}},
				ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Update},
					Rule: admissionv1.Rule{
						APIGroups: []string{v1alpha1.GroupVersion.Group}, APIVersions: []string{"*"}, Resources: []string{"environments"},
					},
				}}},
			},
			Validations: []admissionv1.Validation{{
				Expression: "!has(object.metadata.finalizers) || size(object.metadata.finalizers) == 0", Message: "nobody may hold it",
			}},
		},
	}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: w.namespace},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: policy.Name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
		},
	}
	hold := func() error {
		held := env.DeepCopy()
		held.Finalizers = []string{v1alpha1.Finalizer}
		return w.Patch(w.ctx, held, client.MergeFrom(env), client.DryRunAll)
	}
	w.create(policy, binding)
	DeferCleanup(func() { Expect(client.IgnoreNotFound(w.Delete(w.ctx, policy))).To(Succeed()) })
	Eventually(hold).ShouldNot(Succeed())
	return func() {
		GinkgoHelper()
		w.remove(binding)
		Eventually(hold).Should(Succeed())
	}
}
