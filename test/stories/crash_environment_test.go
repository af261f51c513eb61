package stories

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// doomedEnvironment is an environment and an account in it.
type doomedEnvironment struct {
	*world
	env  object.Environment
	acme *v1alpha1.LinkedAccount
	// id is that of the account in Cobalt.
	id string
}

func newDoomedEnvironment(kind v1alpha1.EnvironmentKind) *doomedEnvironment {
	w := newWorld()
	e := &doomedEnvironment{world: w, env: w.environment(), acme: w.account("acme")}
	if kind == v1alpha1.KindClusterEnvironment {
		e.env = w.clusterEnvironment()
		e.acme = w.account("acme", w.inCluster)
	}
	return e
}

func (e *doomedEnvironment) create() { e.world.create(e.keySecret(goodKey), e.env, e.acme) }

// rotate replaces the key, of which Cobalt then knows only the new one.
func (e *doomedEnvironment) rotate() {
	GinkgoHelper()
	e.id = e.acme.Status.ID
	e.sim.RevokeKey(goodKey)
	Expect(e.Update(e.ctx, e.keySecret(secondKey))).To(Succeed())
	e.change(e.acme, func() { e.acme.Spec.Name = "Acme Inc" })
}

func (e *doomedEnvironment) delete() { e.remove(e.env, e.acme) }

// works tells whether the environment and its account are as they should be.
func (e *doomedEnvironment) works(g Gomega) {
	e.read(e.env)
	e.read(e.acme)
	conditions, observed := statusOf(e.env)
	g.Expect(conditions).To(ContainElement(And(HaveField("Type", v1alpha1.ConditionReady), HaveField("Reason", v1alpha1.ReasonConnected))))
	g.Expect(observed).To(Equal(e.env.GetGeneration()))
	g.Expect(reasons(e.acme)).To(Equal([]string{v1alpha1.ReasonSynced}))
	g.Expect(e.acme.Status.ObservedGeneration).To(Equal(e.acme.Generation))
	remote := e.remote("acme")
	g.Expect(remote).To(And(HaveField("Name", e.acme.Spec.Name), HaveField("ID", e.acme.Status.ID)))
	if e.id != "" {
		g.Expect(remote.ID).To(Equal(e.id), "it is the account that it was")
	}
}

// isGone tells whether nothing is left of both.
func (e *doomedEnvironment) isGone(g Gomega) {
	for _, obj := range []client.Object{e.env, e.acme} {
		g.Expect(apierrors.IsNotFound(e.Get(e.ctx, client.ObjectKeyFromObject(obj), obj))).To(BeTrue())
	}
	g.Expect(e.sim.State("test").Accounts).To(BeEmpty())
}

// come has time pass until all is well, or the operator dead.
func (e *doomedEnvironment) come(well func(Gomega)) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		e.time.Advance(time.Second)
		if !e.doom.isDead() {
			well(g)
		}
	}).Should(Succeed())
}

// environmentStages are what an environment goes through.
var environmentStages = []struct {
	name string
	do   func(*doomedEnvironment)
	well func(*doomedEnvironment, Gomega)
}{
	{"created", (*doomedEnvironment).create, (*doomedEnvironment).works},
	{"changed", (*doomedEnvironment).rotate, (*doomedEnvironment).works},
	{"deleted", (*doomedEnvironment).delete, (*doomedEnvironment).isGone},
}

// liveEnvironment takes an environment through the stages before one, then has the
// operator die in that one, and another finish it.
func liveEnvironment(kind v1alpha1.EnvironmentKind, until int, cache staleness, of death) (all acts, versions int) {
	GinkgoHelper()
	e, stage := newDoomedEnvironment(kind), environmentStages[until]
	defer func() { e.stop() }()
	for _, before := range environmentStages[:until] {
		before.do(e)
		e.come(func(g Gomega) { before.well(e, g) })
	}
	if cache != fresh {
		e.muddle()
	}
	was := copyOf(e.env)
	e.doom.arm(of)
	stage.do(e)
	is := copyOf(e.env)
	e.come(func(g Gomega) { stage.well(e, g) })
	all = e.doom.counted()
	if e.doom.died() {
		e.stop()
		versions = e.succeed(cache, was, is)
	}
	e.come(func(g Gomega) { stage.well(e, g) })
	if stage.name != "deleted" {
		e.delete()
		e.come(e.isGone)
	}
	return all, versions
}

// Both kinds take one path, so each point is told of one of them: of Environment while caches are fresh, and of
// ClusterEnvironment while they are behind.
var _ = Describe("An environment whose operator dies, or cannot write,", enumeration, func() {
	for until, stage := range environmentStages {
		live := func(of death) acts {
			all, _ := liveEnvironment(v1alpha1.KindEnvironment, until, fresh, of)
			return all
		}
		It(fmt.Sprintf("serves its account in the end, whichever write fails (%s)", stage.name), func() { atEveryWrite(live) })
		It(fmt.Sprintf("serves its account in the end, whenever it dies (%s)", stage.name), func() { atEveryPoint(live) })
		It(fmt.Sprintf("serves its account in the end, whatever its successor sees (%s)", stage.name), func() {
			atEveryChange(func(of death, cache staleness) (acts, int) {
				return liveEnvironment(v1alpha1.KindClusterEnvironment, until, cache, of)
			})
		})
	}
})
