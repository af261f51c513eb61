package stories

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// The objects of the stories about many of them.
const (
	manyAccounts = 120
	manyConfigs  = 120
	manyWebhooks = 60
)

// allReady waits until all objects of a kind are.
func allReady[T object.Object](w *world, objects []T) {
	GinkgoHelper()
	for _, obj := range objects {
		w.ready(obj)
	}
}

// backgroundCalls are the calls that the operator made for others after mark and
// before the first for an account.
func backgroundCalls(w *world, mark int, account string) []string {
	var others []string
	for _, call := range w.sim.Log()[mark:] {
		if call.LinkedAccountID == account || strings.HasSuffix(call.Path, "/"+account) {
			return others
		}
		others = append(others, call.Operation)
	}
	return nil
}

var _ = Describe("Many objects", enumeration, Ordered, func() {
	var (
		w        *world
		accounts []*v1alpha1.LinkedAccount
		configs  []*v1alpha1.IntegrationConfig
		hooks    []*v1alpha1.Webhook
		all      []client.Object
	)

	// sweep lets a sync interval pass and waits until every object was looked at,
	// and not only has found all workers busy.
	sweep := func() {
		GinkgoHelper()
		for _, obj := range all {
			Eventually(func() bool { _, planned := w.delay(obj); return planned }).Should(BeTrue())
		}
		w.time.Advance(syncInterval)
		for _, obj := range all {
			Eventually(func() time.Duration { delay, _ := w.delay(obj); return delay }).Should(Equal(syncInterval))
		}
	}

	BeforeAll(func() {
		w = newWorld()
		w.connected()
		w.sim.ResetCalls()
	})

	It("are created with hardly more calls than there are writes", func() {
		for i := range manyAccounts {
			accounts = append(accounts, w.account(fmt.Sprintf("acme-%d", i)))
			w.create(accounts[i])
			all = append(all, accounts[i])
		}
		allReady(w, accounts)
		calls := w.sim.Calls()
		Expect(calls).To(HaveKeyWithValue("upsertLinkedAccount", manyAccounts))
		Expect(float64(total(calls)-calls["listApplications"])/manyAccounts).To(BeNumerically("<=", 1.05), "%v", calls)

		w.sim.ResetCalls()
		for i := range manyConfigs {
			configs = append(configs, w.config(fmt.Sprintf("config-%d", i), of(accounts[i].Name), field("owner_email", `"a@b.example"`), field("deal_stage", `"won"`)))
			w.create(configs[i])
			all = append(all, configs[i])
		}
		allReady(w, configs)
		calls = w.sim.Calls()
		Expect(total(calls)-calls["listApplications"]).To(BeNumerically("<=", 3*manyConfigs), "%v", calls)

		w.sim.ResetCalls()
		for i := range manyWebhooks {
			hooks = append(hooks, w.webhook(fmt.Sprintf("hook-%d", i), of(accounts[i].Name), "Workflow Errored"))
			w.create(hooks[i])
			all = append(all, hooks[i])
		}
		allReady(w, hooks)
		calls = w.sim.Calls()
		delete(calls, "listApplications")
		Expect(calls).To(Equal(map[string]int{"getWebhook": manyWebhooks, "createWebhook": manyWebhooks}))
	})

	It("cost lists and the webhooks that no list has in a sync interval without change, and no write", func() {
		before := w.writes(everyKind...)
		w.sim.ResetCalls()
		sweep()
		calls := w.sim.Calls()
		delete(calls, "listApplications") // the environment's own
		Expect(calls).To(Equal(map[string]int{
			"listLinkedAccounts": 1, "listInstalledConfigs": manyConfigs, "getWebhook": manyWebhooks,
		}))
		Expect(w.writes(everyKind...)).To(Equal(before))
	})

	It("do not keep a new one waiting after a restart", func() {
		w.restart()
		mark := len(w.sim.Log())
		fresh := w.account("fresh")
		w.create(fresh)
		w.ready(fresh)
		Expect(len(backgroundCalls(w, mark, "fresh"))).To(BeNumerically("<=", 3))
		for _, obj := range all {
			Eventually(func() int { return w.passes(obj) }).Should(BeNumerically(">", 0))
		}
		calls := w.sim.Calls()
		for _, operation := range []string{"listLinkedAccounts", "listInstalledConfigs", "getWebhook", "getConfigById"} {
			Expect(calls[operation]).To(BeNumerically("<=", map[bool]int{true: 1, false: manyConfigs}[operation == "listLinkedAccounts"]))
		}
	})

	It("do not keep a new one waiting in the middle of a sweep either", func() {
		env := w.environment()
		w.read(env)
		w.change(env, func() { env.Spec.RateLimit = v1alpha1.RateLimit{RequestsPerSecond: 20, Burst: 4} })
		w.ready(env)
		for _, obj := range all {
			Eventually(func() bool { _, planned := w.delay(obj); return planned }).Should(BeTrue())
		}
		w.sim.ResetCalls()
		w.time.Advance(syncInterval)
		looks := func() int { return w.sim.Calls()["getWebhook"] + w.sim.Calls()["listInstalledConfigs"] }
		Eventually(func() int { w.time.Advance(50 * time.Millisecond); return looks() }).Should(BeNumerically(">=", 50))
		w.time.Hold() // or the sweep would go on faster than an object can be created
		calls, same := 0, 0
		Eventually(func() int { // those that are under way arrive
			if now := len(w.sim.Log()); now == calls && w.time.HasWaiters() {
				same++
			} else {
				calls, same = now, 0
			}
			return same
		}).Should(BeNumerically(">=", 20))
		late := w.account("late")
		mark := len(w.sim.Log())
		w.create(late)
		Eventually(func() bool {
			return w.time.Seen("linkedaccount", ctrl.Request{NamespacedName: client.ObjectKeyFromObject(late)})
		}).Should(BeTrue())
		Eventually(func() string {
			if w.time.Asleep() { // or a slow machine would have the sweep go on meanwhile
				w.time.Advance(50 * time.Millisecond)
			}
			w.read(late)
			return strings.Join(reasons(late), "")
		}).Should(Equal(v1alpha1.ReasonSynced))
		Expect(len(backgroundCalls(w, mark, "late"))).To(BeNumerically("<=", 3))
		Expect(looks()).To(BeNumerically("<", manyConfigs+manyWebhooks), "the sweep was still going on")
	})
})

var _ = Describe("Accounts that go together", func() {
	It("are looked for in one list", func() {
		const count = 20
		w := newWorld()
		w.connected()
		var accounts []*v1alpha1.LinkedAccount
		for i := range count {
			accounts = append(accounts, w.account(fmt.Sprintf("acme-%d", i)))
			w.create(accounts[i])
		}
		allReady(w, accounts)
		w.time.Advance(syncInterval / 2) // no list is young enough
		w.sim.ResetCalls()
		for _, account := range accounts {
			w.remove(account)
		}
		for _, account := range accounts {
			w.gone(account)
		}
		Expect(w.sim.Calls()).To(Equal(map[string]int{"getLinkedAccount": 3, "listLinkedAccounts": 1, "deleteLinkedAccount": count}))
	})
})

var _ = Describe("A list", func() {
	It("that is empty, or fails, destroys nothing and costs little", func() {
		w := newWorld()
		env := w.connected()
		var accounts []*v1alpha1.LinkedAccount
		for i := range 20 {
			accounts = append(accounts, w.account(fmt.Sprintf("acme-%d", i)))
			w.create(accounts[i])
		}
		allReady(w, accounts)

		By("failing: once for all who want it")
		w.sim.ResetCalls()
		w.sim.Inject(simulator.Fault{Operation: "listLinkedAccounts", Truncate: true})
		w.time.Advance(syncInterval)
		for _, acme := range accounts {
			Eventually(func() bool { _, planned := w.delay(acme); return planned }).Should(BeTrue())
		}
		Expect(w.sim.Calls()["listLinkedAccounts"]).To(Equal(1))
		w.sim.ClearFaults()

		By("being empty")
		w.sim.Inject(simulator.Fault{Operation: "listLinkedAccounts", ContentType: "application/json", Body: `[]`})
		w.sim.ResetCalls()
		w.time.Advance(syncInterval)
		w.settled(env, metav1.ConditionFalse, v1alpha1.ReasonDifferentEnvironment)
		Expect(w.sim.Calls()).NotTo(HaveKey("upsertLinkedAccount"))
		Expect(w.sim.Calls()).NotTo(HaveKey("getLinkedAccount"))
		allReady(w, accounts) // the environment carries the alert
		w.sim.ClearFaults()
		w.pass(env, syncInterval)
		w.ready(env)
		Expect(w.sim.Calls()).NotTo(HaveKey("upsertLinkedAccount"))
		Expect(w.sim.State("test").Accounts).To(HaveLen(20))
	})

	It("that lacks one which is there has it asked for before anything is made again", func() {
		w := newWorld()
		w.connected()
		acme, globex := w.account("acme"), w.account("globex")
		w.create(acme, globex)
		allReady(w, []*v1alpha1.LinkedAccount{acme, globex})
		id := w.remote("globex").ID
		w.sim.ResetCalls()
		w.sim.Inject(simulator.Fault{
			Operation: "listLinkedAccounts", ContentType: "application/json", Body: `[{"_id":"` + id + `","linked_account_id":"globex"}]`,
		})
		w.pass(acme, syncInterval)
		Eventually(func() int { return w.sim.Calls()["getLinkedAccount"] }).Should(Equal(1))
		w.ready(acme)
		Expect(w.sim.Calls()).NotTo(HaveKey("upsertLinkedAccount"))
	})

	It("from before something was made raises no doubt that it is there", func() {
		w, acme := withAccount()
		w.options.Jitter = func(d time.Duration) time.Duration { return d * 9 / 10 } // so that a list may be older than a look
		w.restart()
		w.change(acme, func() { acme.Spec.SyncInterval = "1h" })
		w.ready(acme)
		first := w.config("first", of("acme"), func(obj *v1alpha1.IntegrationConfig) { obj.Spec.SyncInterval = "11m" })
		w.create(first)
		w.ready(first)
		w.pass(first, syncInterval)
		Expect(w.sim.Calls()).To(HaveKeyWithValue("listInstalledConfigs", 1))
		second := w.config("second", of("acme"), func(obj *v1alpha1.IntegrationConfig) { obj.Spec.ConfigID = "another" })
		w.create(second)
		w.ready(second)
		w.sim.ResetCalls()
		w.pass(second, syncInterval*9/10)
		calls := w.sim.Calls()
		delete(calls, "listApplications") // the environment's own
		Expect(calls).To(Equal(map[string]int{"getConfigById": 1}))
	})
})

var _ = Describe("Looks that do not fit", func() {
	It("stretch the sync intervals, and the environment says so", func() {
		w, _ := withAccount()
		env := w.environment()
		w.read(env)
		w.change(env, func() {
			env.Spec.RateLimit = v1alpha1.RateLimit{RequestsPerSecond: 1, Burst: 4}
			env.Spec.SyncInterval = "30s"
		})
		w.ready(env)
		var hooks []*v1alpha1.Webhook
		for i := range 30 {
			hooks = append(hooks, w.webhook(fmt.Sprintf("hook-%d", i), ofID(fmt.Sprintf("account-%d", i)), "Workflow Errored"))
		}
		w.byHand(func(api *cobalt.Client) error {
			for i := range hooks {
				if _, err := api.UpsertLinkedAccount(w.ctx, cobalt.LinkedAccountInput{ID: fmt.Sprintf("account-%d", i)}); err != nil {
					return err
				}
			}
			return nil
		})
		for _, hook := range hooks {
			w.create(hook)
		}
		Eventually(func() string {
			w.time.Advance(time.Second)
			w.read(env)
			return env.Status.Conditions[0].Message
		}).Should(Equal("the API answers and accepts the key; looking at all objects takes more calls than half of rateLimit, " +
			"so sync intervals are 2.1 times as long as asked for"))
		Eventually(func() time.Duration {
			w.time.Advance(time.Second)
			delay, _ := w.delay(hooks[29])
			return delay
		}).Should(BeNumerically(">", 31*time.Second))
	})
})

var _ = Describe("A look in the background", func() {
	It("lets whatever somebody waits for go first", func() {
		w, acme := withAccount()
		config, hook := w.config("acme", of("acme")), w.webhook("acme", of("acme"), "Workflow Errored")
		w.create(config, hook)
		w.ready(config)
		w.ready(hook)
		env := w.environment()
		w.read(env)
		all := []client.Object{env, acme, config, hook}
		taken := func(priority int) {
			GinkgoHelper()
			for _, obj := range all {
				Expect(w.priority(obj)).To(Equal(priority), "%T", obj)
			}
		}
		looked := func() {
			GinkgoHelper()
			for _, obj := range all {
				w.pass(obj, syncInterval)
			}
		}
		taken(0)
		looked()
		taken(handler.LowPriority)

		By("changing them")
		w.change(env, func() { env.Spec.RateLimit.Burst-- })
		w.change(acme, func() { acme.Spec.Name = "Acme" })
		w.change(config, func() { field("owner_email", `"a@acme.example"`)(config) })
		w.change(hook, func() { hook.Spec.URL = "https://other.example/" })
		for _, obj := range all {
			w.ready(obj)
		}
		taken(0)
		looked()
		taken(handler.LowPriority)
	})
})

func total(calls map[string]int) int {
	sum := 0
	for _, count := range calls {
		sum += count
	}
	return sum
}
