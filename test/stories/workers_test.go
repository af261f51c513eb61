package stories

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// tarpit is the simulator behind addresses that hang when they are told to.
type tarpit struct {
	url string

	mu       sync.Mutex
	hangs    chan struct{} // until it is closed; nil: calls go through
	underway int
}

// newTarpit has the operator of w be allowed to call it.
func newTarpit(w *world) *tarpit {
	GinkgoHelper()
	pit := &tarpit{}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		pit.wait(r)
		http.StripPrefix("/"+r.URL.Path[1:4], w.sim).ServeHTTP(rw, r)
	}))
	DeferCleanup(server.Close)
	DeferCleanup(pit.release)
	pit.url = server.URL
	w.stop()
	w.options.AllowedAPIOrigins = append(w.options.AllowedAPIOrigins, server.URL)
	w.start()
	return pit
}

func (p *tarpit) wait(r *http.Request) {
	p.mu.Lock()
	hangs := p.hangs
	p.underway++
	p.mu.Unlock()
	if hangs != nil {
		select {
		case <-hangs:
		case <-r.Context().Done():
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.underway--
}

func (p *tarpit) calls() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.underway
}

func (p *tarpit) hang() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hangs = make(chan struct{})
}

func (p *tarpit) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hangs != nil {
		close(p.hangs)
		p.hangs = nil
	}
}

// environment is one of those that hang, by its number.
func (p *tarpit) environment(w *world, i int) *v1alpha1.Environment {
	env := w.environment()
	env.Name = fmt.Sprintf("hung-%d", i)
	env.Spec.BaseURL = fmt.Sprintf("%s/%03d%s", p.url, i, simulator.BasePath)
	return env
}

var _ = Describe("Ten environments that hang", func() {
	const tarpits = 10
	var (
		w   *world
		pit *tarpit
	)
	BeforeEach(func() {
		w = newWorld()
		pit = newTarpit(w)
	})

	// looked waits until the operator has looked at obj and is not at it.
	looked := func(obj client.Object) {
		GinkgoHelper()
		Eventually(func() bool { _, planned := w.delay(obj); return planned }).Should(BeTrue(), obj.GetName())
	}
	// done waits until all is done for obj that the operator can do.
	done := func(obj client.Object) {
		GinkgoHelper()
		Eventually(func() bool {
			w.read(obj)
			conditions, _ := statusOf(obj)
			ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
			return ready != nil && (ready.Status == metav1.ConditionTrue || ready.Reason == v1alpha1.ReasonExecutionRunning)
		}).Should(BeTrue(), obj.GetName())
	}
	// create makes one of a kind in an environment.
	create := func(makes member, environment string, n int) object.Object {
		name := fmt.Sprintf("%s-%d", environment, n)
		obj := makes(w, ofID("of-"+name))
		if account, ok := obj.(*v1alpha1.LinkedAccount); ok {
			withID(name)(account)
		}
		obj.SetName(name)
		obj.MemberSpec().EnvironmentRef.Name = environment
		return obj
	}

	It("do not hold up the same account in another environment", func() {
		w.connected()
		env := pit.environment(w, 0)
		w.create(env)
		w.ready(env)
		pit.hang()
		staging := w.account("staging", withID("acme"))
		staging.Spec.EnvironmentRef.Name = env.Name
		w.create(staging)
		Eventually(pit.calls).Should(Equal(1))
		production := w.account("production", withID("acme"))
		w.create(production)
		w.ready(production)
		Expect(pit.calls()).To(Equal(1), "its call is still under way")
		pit.release()
		w.ready(staging)
	})

	DescribeTable("hold up no other, and one object of a kind each is worked on", func(makes member) {
		w.connected()
		var hung []string
		for i := range tarpits {
			env := pit.environment(w, i)
			w.create(env)
			w.ready(env)
			hung = append(hung, env.Name)
		}
		var accounts []*v1alpha1.LinkedAccount
		for _, environment := range append(hung, "default") {
			for n := range 5 {
				account := w.account(fmt.Sprintf("of-%s-%d", environment, n))
				account.Spec.EnvironmentRef.Name = environment
				w.create(account)
				accounts = append(accounts, account)
			}
		}
		allReady(w, accounts)
		pit.hang()
		var waiting []client.Object
		for _, environment := range hung {
			obj := create(makes, environment, 0)
			w.create(obj)
			waiting = append(waiting, obj)
		}
		Eventually(pit.calls).Should(Equal(tarpits), "before anybody can know, each has a worker")
		first := create(makes, "default", 0)
		w.create(first)
		done(first)

		By("having been under way for over a second")
		w.time.Advance(2 * time.Second)
		for _, environment := range hung {
			obj := create(makes, environment, 1)
			w.create(obj)
			looked(obj)
			waiting = append(waiting, obj)
		}
		Expect(pit.calls()).To(Equal(tarpits), "calls under way: a slow environment has one worker")
		slow := 0.0
		for _, is := range w.series("cobalt_environment_slow", labels{}) {
			slow += is
		}
		Expect(slow).To(BeNumerically("==", tarpits), "what they hold is not taken from the one that is not slow")
		for n := range 4 {
			obj := create(makes, "default", n+1)
			w.create(obj)
			done(obj)
		}

		By("being fast again")
		pit.release()
		for _, obj := range waiting {
			done(obj)
		}
	}, allMembers())

	It("hold up no environment, and half of the workers probe them", func() {
		pit.hang()
		w.create(w.keySecret(goodKey))
		var hung []client.Object
		for i := range tarpits {
			env := pit.environment(w, i)
			w.create(env)
			hung = append(hung, env)
		}
		Eventually(pit.calls).Should(Equal(tarpits))
		good := w.environment()
		w.create(good)
		w.ready(good)
		Expect(pit.calls()).To(Equal(tarpits), "calls under way: none of them has ended")
		w.time.Advance(2 * time.Second)
		pit.release()
		for _, env := range hung {
			w.ready(env)
		}

		By("hanging again, now that they are known to be slow")
		pit.hang()
		before := map[string]int{}
		ask := func(env client.Object) {
			w.read(env)
			w.change(env, func() { env.SetAnnotations(map[string]string{v1alpha1.ReconcileRequestAnnotation: "now"}) })
		}
		for _, env := range hung {
			before[env.GetName()] = w.passes(env)
			ask(env)
		}
		Eventually(func() (turnedAway int) {
			for _, env := range hung {
				if w.passes(env) > before[env.GetName()] {
					turnedAway++
				}
			}
			return turnedAway
		}).Should(Equal(tarpits - 2))
		Expect(pit.calls()).To(Equal(2), "calls under way: half of four workers")
		ask(good)
		handled := func(env client.Object) {
			GinkgoHelper()
			Eventually(func() string {
				w.read(env)
				return env.(object.Environment).EnvironmentStatus().LastHandledReconcileAt
			}).Should(Equal("now"))
		}
		handled(good)
		Expect(pit.calls()).To(Equal(2), "calls under way: none of them has ended")
		pit.release()
		for _, env := range hung {
			handled(env)
		}
	})
})
