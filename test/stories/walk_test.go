package stories

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// walker does at random what users, their customers and the world do to an operator.
// A seed makes the same steps each time; what the operator does between them may
// come in another order. A seed that has failed joins walks.txt; what it has found becomes a
// story with a name as well, as seeds lead elsewhere when walkers learn a new step.
type walker struct {
	*world
	random *rand.Rand
	steps  []string
	// env is the environment, of either kind.
	env object.Environment
	// key is the one that the environment uses.
	key string
	// objects are those that are there, as far as the users know.
	objects map[string]object.Object
	// numbers are the ones that they were changed to.
	numbers map[string]int
	// asked is how often an effect was asked for that must not come more often.
	asked map[string]int
	// forgotten are the accounts that were deleted in Cobalt, with their executions.
	forgotten map[string]bool
	// away tells that Cobalt does not know the key.
	away bool
}

func newWalker(seed uint64) *walker {
	random := rand.New(rand.NewPCG(seed, 0))
	replace := random.IntN(2) == 0
	w := &walker{
		world: newWorld(replacing(replace)), random: random, key: goodKey,
		objects: map[string]object.Object{}, asked: map[string]int{}, numbers: map[string]int{}, forgotten: map[string]bool{},
	}
	w.env = w.environment()
	if random.IntN(2) == 0 {
		w.env = w.clusterEnvironment()
	}
	w.create(w.secret("owner", map[string]string{"address": "hunter2-0@acme.example"}), w.keySecret(goodKey), w.env)
	w.ready(w.env)
	return w
}

// walk takes some steps, and lets the operator act after each as far as it gets.
func (w *walker) walk() {
	GinkgoHelper()
	if w.random.IntN(2) == 0 {
		late := time.Duration(1+w.random.IntN(5)) * time.Second
		delay, drop := rand.New(rand.NewPCG(w.random.Uint64(), 0)), rand.New(rand.NewPCG(w.random.Uint64(), 0))
		w.lag.Lag(func() time.Duration { return time.Duration(delay.Int64N(int64(late))) }, func() bool { return drop.IntN(50) == 0 })
	}
	ways := []func(){
		w.createSomething, w.createSomething, w.createSomething, w.changeSomething, w.changeSomething, w.changeSomething,
		w.deleteSomething, w.drift, w.drift, w.fault, w.fault, w.wait, w.wait, w.restartIt,
		w.changeSecret, w.turnKey, w.rotateKey, w.changeEnvironment, w.suspendSomething, w.misspell,
	}
	for range 10 + w.random.IntN(15) {
		ways[w.random.IntN(len(ways))]()
		for range w.random.IntN(3) {
			w.time.Advance(time.Duration(1+w.random.IntN(5)) * time.Second)
			w.rest()
		}
	}
}

// rest lets the operator do what it can do now.
func (w *walker) rest() {
	GinkgoHelper()
	Eventually(w.time.Idle).Should(BeTrue())
}

func (w *walker) step(format string, args ...any) {
	w.steps = append(w.steps, fmt.Sprintf(format, args...))
}

func (w *walker) pick(from ...string) string { return from[w.random.IntN(len(from))] }

// createSomething creates an account, or what belongs to one that is there.
func (w *walker) createSomething() {
	GinkgoHelper()
	account := w.pick("anna", "ben")
	kind := w.pick("account", "config", "webhook", "workflow", "event", "run")
	if w.objects["account "+account] == nil {
		kind = "account"
	}
	name := kind + " " + account
	if w.objects[name] != nil {
		return
	}
	var obj object.Object
	switch kind {
	case "account":
		obj = w.account(account, named("Name 0"), yourApp(`{"tier":"gold","seats":1}`))
	case "config":
		obj = w.config(account, of(account), field("deal_stage", `"stage 0"`), fieldFrom("owner_email", "owner", "address"), workflow("sync-deals", true))
	case "webhook":
		obj = w.webhook(account, of(account), "a", "b")
	case "workflow":
		flow := w.publicWorkflow(account, of(account))
		flow.Spec.Description = "content 0"
		obj = flow
	case "event":
		obj = w.trigger(account+"-event", of(account), payload(`{"deal":0}`))
	case "run":
		obj = w.trigger(account+"-run", of(account), executing("sync-deals"), payload(`{"deal":0}`),
			func(obj *v1alpha1.EventTrigger) { obj.Spec.Delivery = v1alpha1.DeliveryAtLeastOnce })
	}
	obj.MemberSpec().EnvironmentRef = v1alpha1.EnvironmentReference{Kind: v1alpha1.KindEnvironment, Name: w.env.GetName()}
	if _, cluster := w.env.(*v1alpha1.ClusterEnvironment); cluster {
		obj.MemberSpec().EnvironmentRef.Kind = v1alpha1.KindClusterEnvironment
	}
	if err := w.Create(w.ctx, obj); err != nil {
		return // one of that name is on its way out
	}
	w.step("create %s", name)
	w.objects[name], w.numbers[name] = obj, 0
	w.asks(obj, 0)
}

// some is one of the objects that are there; nil if there are none.
func (w *walker) some() (string, object.Object) {
	names := w.names()
	if len(names) == 0 {
		return "", nil
	}
	name := w.pick(names...)
	return name, w.objects[name]
}

func (w *walker) changeSomething() {
	GinkgoHelper()
	name, obj := w.some()
	if obj == nil {
		return
	}
	number := w.random.IntN(4)
	if number == w.numbers[name] {
		return
	}
	w.numbers[name] = number
	w.read(obj)
	w.change(obj, func() {
		switch obj := obj.(type) {
		case *v1alpha1.LinkedAccount:
			obj.Spec.Name = fmt.Sprint("Name ", number)
			yourApp([]string{`{"tier":"gold","seats":1}`, `{"tier":"silver"}`, `{"tier":null,"seats":3}`, `{}`}[number])(obj)
			obj.Spec.SessionToken = nil
			if number%2 == 1 {
				tokenIn(obj.Name + "-session")(obj)
			}
		case *v1alpha1.IntegrationConfig:
			obj.Spec.Fields[0].Value.Raw = []byte([]string{`"stage 0"`, `17`, `["won",{"a":1.50}]`, `"stage 3"`}[number])
			obj.Spec.Workflows[0].Enabled = number%2 == 0
		case *v1alpha1.Webhook:
			obj.Spec.Events = [][]string{{"a", "b"}, {"b"}, {"c", "a", "d"}, {"d"}}[number]
		case *v1alpha1.PublicWorkflow:
			obj.Spec.Description = fmt.Sprint("content ", number)
		case *v1alpha1.EventTrigger:
			obj.Spec.Payload = &runtime.RawExtension{Raw: fmt.Appendf(nil, `{"deal":%d}`, number)}
		}
	})
	w.step("change %s to %d", name, number)
	w.asks(obj, number)
}

// asks notes what a spec asks for that must not be done twice.
func (w *walker) asks(obj object.Object, number int) {
	switch obj := obj.(type) {
	case *v1alpha1.PublicWorkflow:
		w.asked[fmt.Sprintf("workflow %d of %s", number, obj.Spec.LinkedAccountRef.Name)]++
	case *v1alpha1.EventTrigger:
		if obj.Spec.Event != nil {
			w.asked[fmt.Sprintf("event %d of %s", number, obj.Spec.LinkedAccountRef.Name)]++
		}
	}
}

// deleteSomething deletes an object, an account with what belongs to it.
func (w *walker) deleteSomething() {
	GinkgoHelper()
	name, obj := w.some()
	if obj == nil {
		return
	}
	w.step("delete %s", name)
	if _, account := obj.(*v1alpha1.LinkedAccount); account {
		for _, other := range w.names() {
			if belongs(other, obj.GetName()) {
				w.take(other)
			}
		}
	}
	if w.objects[name] != nil {
		w.take(name)
	}
}

// take deletes an object in the version that it has: the API server would otherwise
// overlook a finalizer that comes in this moment, and the operator knows of such objects
// only until it restarts.
func (w *walker) take(name string) {
	GinkgoHelper()
	obj := w.objects[name]
	Eventually(func() error {
		if err := w.Get(w.ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
			return client.IgnoreNotFound(err)
		}
		return client.IgnoreNotFound(w.Delete(w.ctx, obj, client.Preconditions{ResourceVersion: new(obj.GetResourceVersion())}))
	}).Should(Succeed())
	delete(w.objects, name)
}

// drift changes something in Cobalt behind the operator's back.
func (w *walker) drift() {
	GinkgoHelper()
	account, ctx, api := w.pick("anna", "ben"), w.ctx, w.apiWith(w.key)
	if w.away || w.objects["account "+account] == nil || w.remote(account) == nil {
		return
	}
	var err error
	switch w.random.IntN(5) {
	case 0:
		w.step("delete %s in Cobalt", account)
		w.forgotten[account] = true
		err = api.DeleteLinkedAccount(ctx, account)
	case 1:
		w.step("rename %s in Cobalt", account)
		_, err = api.UpsertLinkedAccount(ctx, cobalt.LinkedAccountInput{ID: account, Name: "theirs"})
	case 2:
		w.step("unsubscribe %s in Cobalt", account)
		err = api.UnsubscribeWebhook(ctx, account, []string{"a"})
	default:
		config := w.remoteConfig(account)
		if config == nil {
			return
		}
		w.step("edit the config of %s in Cobalt", account)
		err = api.UpdateConfigField(ctx, account, config.ConfigID, w.pick("deal_stage", "owner_email"), "theirs")
	}
	_ = err // it may not be there, or meet a fault: then nothing has drifted
}

// knownSeeds are taken each time, one a line; what follows # says why.
//
//go:embed testdata/walks.txt
var walks string

// knownSeeds are those of the walks that are taken each time, unless KNOWN is 0.
func knownSeeds() (seeds []uint64) {
	if os.Getenv("KNOWN") == "0" {
		return nil
	}
	for line := range strings.Lines(walks) {
		text, _, _ := strings.Cut(line, "#")
		if text = strings.TrimSpace(text); text != "" {
			seeds = append(seeds, mustParse(text))
		}
	}
	return seeds
}

// newSeeds are those of WALKS walks from SEED on.
func newSeeds() (seeds []uint64) {
	count := os.Getenv("WALKS")
	if count == "" {
		return nil
	}
	first := mustParse(os.Getenv("SEED"))
	for seed := range mustParse(count) {
		seeds = append(seeds, first+seed)
	}
	return seeds
}

func mustParse(number string) uint64 {
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		panic(err) // the tests cannot even be named
	}
	return n
}

var _ = Describe("A walk at random", func() {
	end := func(seed uint64) {
		w := newWalker(seed)
		DeferCleanup(func() {
			if CurrentSpecReport().Failed() {
				AddReportEntry("steps", w.steps)
			}
		})
		w.walk()
		w.calm()
		w.matches()
		w.leave()
	}
	for _, seed := range knownSeeds() {
		It(fmt.Sprintf("ends in what the objects say (seed %d)", seed), enumeration, func() { end(seed) })
	}
	for _, seed := range newSeeds() {
		It(fmt.Sprintf("ends in what the objects say (seed %d)", seed), func() { end(seed) })
	}
})
