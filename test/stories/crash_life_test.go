package stories

import (
	"fmt"
	"math/rand/v2"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// life is what an object goes through from its creation to its end, and what there
// is of it beside the object each time.
type life struct {
	make   func(w *world) object.Object
	change func(obj object.Object)
	// deletes is the call that ends it.
	deletes string
	// has is what Cobalt has of the object, and the cluster in Secrets.
	has func(w *world) []string
	// created and changed are what has returns then, left is what the API cannot delete.
	created, changed, left []string
}

// doomedAccount has all that an account can have.
func doomedAccount(w *world) object.Object {
	w.create(w.secret("hubspot-oauth", map[string]string{"refresh_token": "hunter2"}))
	return w.account("doomed", named("Acme"), yourApp(`{"tier":"gold"}`), migrating("hubspot", "hubspot-oauth", ""),
		func(obj *v1alpha1.LinkedAccount) {
			obj.Spec.SessionToken = &v1alpha1.SessionTokenSecret{SecretName: "session"}
		})
}

// accountParts are those of doomedAccount that are there.
func accountParts(w *world) []string {
	var parts []string
	for _, account := range w.sim.State("test").Accounts {
		if account.LinkedAccountID == "doomed" {
			parts = append(parts, fmt.Sprint(account.Name, " ", account.YourApp))
		}
	}
	if token := w.migrated("hubspot"); token != nil {
		parts = append(parts, fmt.Sprint(token))
	}
	owner := w.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: "doomed"}, &v1alpha1.LinkedAccount{})
	if token := w.output("session"); token != nil && (owner == nil || len(token.OwnerReferences) == 0) { // or else the cluster collects it
		parts = append(parts, "a session token")
	}
	return parts
}

func configParts(w *world) []string {
	var parts []string
	for _, config := range w.sim.State("test").Configs {
		parts = append(parts, fmt.Sprint(config.Slug, " ", config.Fields, " ", config.Workflows))
	}
	return parts
}

func webhookParts(w *world) []string {
	var parts []string
	for _, hook := range w.sim.State("test").Webhooks {
		parts = append(parts, fmt.Sprint(hook.WebhookURL, " ", hook.WebhookEvents))
	}
	return parts
}

// lives are those of all kinds that keep a state.
var lives = map[string]life{
	"a LinkedAccount": {
		make: doomedAccount,
		change: func(obj object.Object) {
			account := obj.(*v1alpha1.LinkedAccount)
			account.Spec.Name = "Acme Inc"
			account.Spec.YourApp = &runtime.RawExtension{Raw: []byte(`{"seats":25}`)}
			account.Spec.SessionToken = nil
		},
		deletes: "deleteLinkedAccount",
		has:     accountParts,
		created: []string{"Acme map[tier:gold]", "map[refresh_token:hunter2]", "a session token"},
		changed: []string{"Acme Inc map[seats:25]", "map[refresh_token:hunter2]"},
	},
	"an IntegrationConfig": {
		make: func(w *world) object.Object {
			return w.config("doomed", of("acme"), field("deal_stage", `"won"`), field("owner_email", `"jo@acme.example"`), workflow("sync-deals", true))
		},
		change: func(obj object.Object) {
			config := obj.(*v1alpha1.IntegrationConfig)
			config.Spec.Fields[0].Value.Raw = []byte(`["won","lost"]`)
			config.Spec.Fields = config.Spec.Fields[:1]
			config.Spec.Workflows[0].Enabled = false
		},
		deletes: "deleteConfig",
		has:     configParts,
		created: []string{"hubspot map[deal_stage:won owner_email:jo@acme.example sync_interval_minutes:15] [{sync-deals true} {sync-contacts false}]"},
		changed: []string{"hubspot map[deal_stage:[won lost] sync_interval_minutes:15] [{sync-deals false} {sync-contacts false}]"},
	},
	"a Webhook": {
		make: func(w *world) object.Object { return w.webhook("doomed", of("acme"), "a", "b") },
		change: func(obj object.Object) {
			hook := obj.(*v1alpha1.Webhook)
			hook.Spec.URL, hook.Spec.Events = "https://hooks.example/other", []string{"b", "c"}
		},
		deletes: "unsubscribeWebhook",
		has:     webhookParts,
		created: []string{"https://hooks.example/doomed [a b]"},
		changed: []string{"https://hooks.example/other [b c]"},
	},
}

// want is what there is of the object at the end of a phase.
func (tc life) want(p phase) []string {
	return map[string][]string{"created": tc.created, "changed": tc.changed, "deleted": tc.left}[p.name]
}

// over tells whether an object has come to the end of a phase.
func (tc life) over(w *world, p phase, obj object.Object) (bool, string) {
	if err := w.Get(w.ctx, client.ObjectKeyFromObject(obj), obj); err != nil || p.gone {
		return p.gone && apierrors.IsNotFound(err), "it is there"
	}
	stands := fmt.Sprint(reasons(obj), " at ", obj.MemberStatus().ObservedGeneration, " of ", obj.GetGeneration())
	has := tc.has(w)
	return stands == fmt.Sprintf("[%s] at %d of %[2]d", v1alpha1.ReasonSynced, obj.GetGeneration()) &&
		fmt.Sprint(has) == fmt.Sprint(tc.want(p)), fmt.Sprint(stands, " with ", has)
}

// lateBy delays events by up to as much, each by another time.
func lateBy(most time.Duration) func() time.Duration {
	random := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), 0))
	return func() time.Duration { return time.Duration(random.Int64N(int64(most))) }
}

// nowAndThen loses one event of so many, and with it all that come before the next list.
func nowAndThen(events int) func() bool {
	random := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), 1))
	return func() bool { return random.IntN(events) == 0 }
}

// muddle has the cache lag, see kinds in another order, and miss events.
func (w *world) muddle() { w.lag.Lag(lateBy(5*time.Second), nowAndThen(25)) }

// live takes an object through the phases before one, then has the operator die in
// that one, and another finish it.
func (tc life) live(until int, cache staleness, of death) (all acts, versions int) {
	GinkgoHelper()
	w, _ := withAccount()
	defer func() { w.stop() }()
	obj := tc.make(w)
	come := func(p phase, orDie bool) {
		GinkgoHelper()
		Eventually(func(g Gomega) {
			w.time.Advance(time.Second)
			over, how := tc.over(w, p, obj)
			g.Expect(over || orDie && w.doom.isDead()).To(BeTrue(), how)
		}).Should(Succeed())
	}
	for _, p := range phases[:until] {
		p.do(w, obj, tc.change)
		come(p, false)
	}
	p := phases[until]
	if cache != fresh {
		w.muddle()
	}
	was := copyOf(obj)
	w.doom.arm(of)
	p.do(w, obj, tc.change)
	is := copyOf(obj)
	come(p, true)
	all = w.doom.counted()
	if w.doom.died() {
		w.stop()
		versions = w.succeed(cache, was, is)
	}
	come(p, false)
	Expect(tc.has(w)).To(Equal(tc.want(p)))
	if !p.gone {
		w.remove(obj)
		come(phases[len(phases)-1], false)
		Expect(tc.has(w)).To(Equal(tc.left), "what it leaves behind")
	}
	return all, versions
}

var _ = Describe("An object whose operator dies, or cannot write,", enumeration, func() {
	for name, tc := range lives {
		for until, p := range phases {
			live := func(of death) acts {
				all, _ := tc.live(until, fresh, of)
				return all
			}
			It(fmt.Sprintf("comes to what was asked for, and leaves nothing, whichever write fails (%s, %s)", name, p.name), func() { atEveryWrite(live) })
			It(fmt.Sprintf("comes to what was asked for, and leaves nothing, whenever it dies (%s, %s)", name, p.name), func() { atEveryPoint(live) })
			It(fmt.Sprintf("comes to what was asked for, and leaves nothing, whatever its successor sees (%s, %s)", name, p.name), func() {
				atEveryChange(func(of death, cache staleness) (acts, int) { return tc.live(until, cache, of) })
			})
		}
	}
})
