package stories

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// withID names the account instead of leaving it to the object's name.
func withID(id string) func(*v1alpha1.LinkedAccount) {
	return func(obj *v1alpha1.LinkedAccount) { obj.Spec.LinkedAccountID = id }
}

func in(env client.Object) func(*v1alpha1.LinkedAccount) {
	return func(obj *v1alpha1.LinkedAccount) {
		obj.Spec.EnvironmentRef = v1alpha1.EnvironmentReference{Kind: v1alpha1.KindEnvironment, Name: env.GetName()}
		if _, ok := env.(*v1alpha1.ClusterEnvironment); ok {
			obj.Spec.EnvironmentRef.Kind = v1alpha1.KindClusterEnvironment
		}
	}
}

// secondEnvironment leads to the same place as the first, with the same key.
func secondEnvironment(w *world, cluster bool) client.Object {
	GinkgoHelper()
	var env client.Object = w.environment()
	env.SetName("second")
	if cluster {
		env = &v1alpha1.ClusterEnvironment{
			ObjectMeta: metav1.ObjectMeta{Name: w.namespace},
			Spec: v1alpha1.ClusterEnvironmentSpec{
				EnvironmentSettings: w.environment().Spec.EnvironmentSettings,
				APIKeySecretRef: v1alpha1.NamespacedAPIKeyReference{
					Namespace: w.namespace, APIKeyReference: v1alpha1.APIKeyReference{Name: "cobalt-api-key"},
				},
			},
		}
		DeferCleanup(func() { Expect(client.IgnoreNotFound(w.Delete(w.ctx, env))).To(Succeed()) })
	}
	w.create(env)
	w.ready(env)
	return env
}

var _ = Describe("Two objects for one account", func() {
	// settle has both there, and tells which is which: they may be created in the same second.
	settle := func(w *world, a, b *v1alpha1.LinkedAccount) (winner, loser *v1alpha1.LinkedAccount) {
		GinkgoHelper()
		winner, loser = a, b
		Eventually(func() bool {
			w.read(a)
			w.read(b)
			if b.CreationTimestamp.Equal(&a.CreationTimestamp) && b.UID < a.UID {
				winner, loser = b, a
			}
			return true
		}).Should(BeTrue())
		w.ready(winner)
		message := w.settled(loser, metav1.ConditionFalse, v1alpha1.ReasonConflict)
		Expect(message).To(HavePrefix(w.namespace + "/" + winner.Name + " is older"))
		return winner, loser
	}

	for name, other := range map[string]func(w *world) client.Object{
		"in one environment":              func(w *world) client.Object { return w.environment() },
		"in two environments":             func(w *world) client.Object { return secondEnvironment(w, false) },
		"in an Environment and a cluster": func(w *world) client.Object { return secondEnvironment(w, true) },
	} {
		It("are in conflict, and deleting the winner hands over: "+name, func() {
			w := newWorld()
			w.connected()
			a, b := w.account("a", withID("acme")), w.account("b", withID("acme"), in(other(w)))
			w.stop() // or it may see one of them alone at first, which then has made the account
			w.create(a, b)
			w.start()
			winner, loser := settle(w, a, b)
			w.sim.ResetCalls()
			w.remove(winner)
			w.gone(winner)
			w.ready(loser)
			Expect(w.sim.Calls()).NotTo(HaveKey("deleteLinkedAccount"))
			Expect(w.remote("acme")).NotTo(BeNil())

			By("deleting the heir: what the first created is its own")
			w.remove(loser)
			w.gone(loser)
			Expect(w.remote("acme")).To(BeNil())
		})

		It("are in conflict, and deleting the loser destroys nothing: "+name, func() {
			w := newWorld()
			w.connected()
			a, b := w.account("a", withID("acme")), w.account("b", withID("acme"), in(other(w)))
			w.stop() // or it may see one of them alone at first, which then has made the account
			w.create(a, b)
			w.start()
			winner, loser := settle(w, a, b)
			w.remove(loser)
			w.gone(loser)
			Expect(w.remote("acme")).NotTo(BeNil())
			w.remove(winner)
			w.gone(winner)
			Expect(w.remote("acme")).To(BeNil())
		})
	}

	It("go without destroying it for a third, even when the Secret is gone and the operator was restarted", func() {
		w := newWorld()
		w.connected()
		second := w.environment()
		second.Name, second.Spec.APIKeySecretRef.Name = "second", "another-secret"
		w.create(w.secret("another-secret", map[string]string{"api-key": goodKey}), second)
		w.ready(second)
		a, b := w.account("a", withID("acme")), w.account("b", withID("acme"), in(second))
		w.create(a)
		w.ready(a)
		w.create(b)
		winner, loser := settle(w, a, b)
		lost, kept := w.secret("cobalt-api-key", nil), client.Object(second)
		if winner == b { // both were created within one second
			lost, kept = w.secret("another-secret", nil), w.environment()
		}
		w.remove(lost)
		w.restart()
		w.ready(kept)
		w.remove(loser)
		w.gone(loser)
		Expect(w.remote("acme")).NotTo(BeNil())
	})

	It("that come and go in the same moment leave nothing behind", func() {
		w := newWorld()
		w.connected()
		a, b := w.account("a", withID("acme")), w.account("b", withID("acme"))
		w.create(a, b)
		settle(w, a, b)
		w.remove(a, b)
		w.gone(a)
		w.gone(b)
		Eventually(func() any { // the last of them may have gone before it was deleted in Cobalt
			w.time.Advance(time.Second)
			return w.remote("acme")
		}).Should(BeNil())
	})

	It("are no conflict with different keys, or when one is only read", func() {
		w := newWorld(func(o *simulator.Options) { o.Keys["hunter2-of-production"] = "production" })
		w.connected()
		production := w.environment()
		production.Name, production.Spec.APIKeySecretRef.Name = "production", "production-key"
		w.create(w.secret("production-key", map[string]string{"api-key": "hunter2-of-production"}), production)
		w.ready(production)
		a, b := w.account("a", withID("acme")), w.account("b", withID("acme"), in(production))
		reader := w.account("reader", withID("acme"), func(obj *v1alpha1.LinkedAccount) {
			obj.Spec.ManagementPolicy = v1alpha1.ManagementPolicyReadOnly
		})
		w.create(a, b)
		w.ready(a)
		w.ready(b)
		w.create(reader)
		w.settled(reader, metav1.ConditionTrue, v1alpha1.ReasonReadOnly)
		w.remove(b, reader)
		w.gone(b)
		w.gone(reader)
		Expect(w.remote("acme")).NotTo(BeNil())
	})
})

var _ = Describe("A key that leads elsewhere", func() {
	// populated is an environment with four accounts that are Ready.
	populated := func() (w *world, env *v1alpha1.Environment, accounts []*v1alpha1.LinkedAccount) {
		GinkgoHelper()
		w = newWorld(func(o *simulator.Options) { o.Keys["hunter2-of-production"] = "production" })
		env = w.connected()
		for i := range 4 {
			accounts = append(accounts, w.account(fmt.Sprintf("acme-%d", i)))
			w.create(accounts[i])
			w.ready(accounts[i])
		}
		return w, env, accounts
	}
	names := func(accounts []*v1alpha1.LinkedAccount) []string {
		var names []string
		for _, acme := range accounts {
			names = append(names, acme.Name)
		}
		return names
	}
	// forget has the API know nothing of accounts.
	forget := func(w *world, ids ...string) {
		GinkgoHelper()
		w.byHand(func(api *cobalt.Client) error {
			for _, id := range ids {
				if err := api.DeleteLinkedAccount(w.ctx, id); err != nil {
					return err
				}
			}
			return nil
		})
	}
	useKey := func(w *world, key string) {
		GinkgoHelper()
		secret := w.keySecret("")
		w.read(secret)
		w.change(secret, func() { secret.StringData = map[string]string{"api-key": key} })
	}

	It("stops everything until it is put back", func() {
		w, env, accounts := populated()
		useKey(w, "hunter2-of-production")
		message := w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonDifferentEnvironment)
		Expect(message).To(HavePrefix("4 of 4 accounts that its objects had seen are not in Cobalt"))
		w.sim.ResetCalls()
		late := w.account("late")
		w.create(late)
		w.settled(late, metav1.ConditionFalse, v1alpha1.ReasonEnvironmentNotReady)
		w.pass(accounts[0], syncInterval)
		w.read(accounts[0])
		w.ready(accounts[0])
		Expect(w.sim.State("production").Accounts).To(BeEmpty())
		Expect(w.sim.Calls()).NotTo(HaveKey("upsertLinkedAccount"))
		useKey(w, goodKey)
		w.ready(env)
		w.time.Advance(time.Second)
		w.ready(late)
		Expect(w.sim.State("production").Accounts).To(BeEmpty())
	})

	It("is used once that is accepted, also after a restart meanwhile", func() {
		w, env, accounts := populated()
		w.stop()
		useKey(w, "hunter2-of-production") // while the operator is down
		w.start()
		message := w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonDifferentEnvironment)
		_, value, _ := strings.Cut(message, v1alpha1.AcceptEnvironmentAnnotation+"=")
		value, _, _ = strings.Cut(value, " ")
		accept := func(value string) {
			w.change(env, func() { metav1.SetMetaDataAnnotation(&env.ObjectMeta, v1alpha1.AcceptEnvironmentAnnotation, value) })
		}
		accept("something-else")
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonDifferentEnvironment)
		accept(value)
		w.ready(env)
		w.pass(accounts[0], syncInterval)
		for _, acme := range accounts {
			w.request(acme, "now")
			w.ready(acme)
		}
		Eventually(func() int { return len(w.sim.State("production").Accounts) }).Should(Equal(4))
		Expect(w.sim.State("test").Accounts).To(HaveLen(4))
	})

	It("is what an API that lost its memory looks like", func() {
		w, env, accounts := populated()
		forget(w, names(accounts)...)
		w.time.Advance(syncInterval)
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonDifferentEnvironment)
		Expect(w.sim.Calls()).NotTo(HaveKey("upsertLinkedAccount"))
		for _, acme := range accounts {
			w.ready(acme) // the environment carries the alert
		}
	})

	It("is what an API looks like that loses its memory right after a list", func() {
		w, env, accounts := populated()
		for _, acme := range accounts {
			w.change(acme, func() { acme.Spec.Name = "Acme" })
			w.ready(acme)
		}
		w.time.Advance(2 * time.Minute) // it is long ago that the environment proved to be the one it was
		drifted := w.sim.State("test").Accounts
		for i := range drifted {
			drifted[i].Name = "somebody else's"
		}
		list, err := json.Marshal(drifted)
		Expect(err).NotTo(HaveOccurred())
		forget(w, names(accounts)...)
		w.sim.Inject(simulator.Fault{Operation: "listLinkedAccounts", Times: 1, ContentType: "application/json", Body: string(list)})
		w.time.Advance(syncInterval)
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonDifferentEnvironment)
		Expect(w.sim.Calls()).To(HaveKey("getLinkedAccount"))
		Expect(w.sim.Calls()).NotTo(HaveKey("upsertLinkedAccount"))
	})

	It("is noticed where objects name their accounts by id, and no LinkedAccount knows them", func() {
		w := newWorld(func(o *simulator.Options) { o.Keys["hunter2-of-production"] = "production" })
		env := w.connected()
		var all []object.Object
		ids := []string{"acme-0", "acme-1", "acme-2"}
		for _, id := range ids {
			w.byHand(func(api *cobalt.Client) error {
				_, err := api.CreateLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: id})
				return err
			})
			all = append(all, w.webhook("hook-"+id, ofID(id), "Workflow Errored"), w.config("config-"+id, ofID(id)))
		}
		for _, obj := range all {
			w.create(obj)
			w.ready(obj)
		}
		useKey(w, "hunter2-of-production")
		message := w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonDifferentEnvironment)
		Expect(message).To(HavePrefix("3 of 3 accounts that its objects had seen are not in Cobalt"))
		useKey(w, goodKey)
		w.ready(env)

		By("the accounts vanishing under the same key")
		forget(w, ids...)
		w.time.Advance(syncInterval)
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonDifferentEnvironment)
		allReady(w, all) // the environment carries the alert
		Expect(w.sim.Calls()).NotTo(HaveKey(Or(HavePrefix("upsert"), HavePrefix("create"))))
	})
})

var _ = Describe("A namespace that is taken off a cluster environment's list", func() {
	It("may still delete what it had, and nothing else", func() {
		w := newWorld()
		w.create(w.keySecret(goodKey))
		env := secondEnvironment(w, true).(*v1alpha1.ClusterEnvironment)
		acme := w.account("acme", in(env))
		w.create(acme)
		w.ready(acme)
		w.change(env, func() { env.Spec.AllowedNamespaces.Selector.MatchLabels = map[string]string{"cobalt": "yes"} })
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonNotAllowed)
		w.sim.ResetCalls()
		w.change(acme, func() { acme.Spec.Name = "Acme" })
		w.settled(acme, metav1.ConditionFalse, v1alpha1.ReasonNotAllowed)
		Expect(w.sim.Calls()).To(BeEmpty())
		w.remove(acme)
		w.gone(acme)
		Expect(w.sim.Calls()).To(Equal(map[string]int{"getLinkedAccount": 1, "deleteLinkedAccount": 1}))
	})

	It("cannot delete what it never had, however its objects are dressed up", func() {
		w := newWorld()
		w.create(w.keySecret(goodKey))
		env := secondEnvironment(w, true).(*v1alpha1.ClusterEnvironment)
		w.byHand(func(api *cobalt.Client) error {
			_, err := api.CreateLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: "victim"})
			return err
		})
		w.change(env, func() { env.Spec.AllowedNamespaces.AccountIDPrefixes = []string{"mine-"} })
		w.ready(env) // and the operator knows of that
		forged := w.account("forged", in(env), withID("victim"), func(obj *v1alpha1.LinkedAccount) {
			obj.Spec.DeletionPolicy = v1alpha1.DeletionPolicyDelete
			obj.Finalizers = []string{v1alpha1.Finalizer}
			obj.Annotations = map[string]string{"cobalt.gocobalt.io/origin": w.namespace + "/forged:created"}
		})
		w.create(forged)
		w.settled(forged, metav1.ConditionFalse, v1alpha1.ReasonNotAllowed)
		w.remove(forged)
		w.gone(forged)
		Expect(w.remote("victim")).NotTo(BeNil())
		Expect(w.sim.Calls()).NotTo(HaveKey("deleteLinkedAccount"))
	})
})
