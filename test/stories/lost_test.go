package stories

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
	"github.com/cobalt-operator/cobalt-operator/internal/controller"
)

// whenHeld has something happen as soon as the first object of a name has the finalizer.
func (w *world) whenHeld(name string, do func(held client.Object)) {
	var once sync.Once
	w.doom.afterWrites(func(written client.Object) {
		if written.GetName() != name || len(written.GetFinalizers()) == 0 {
			return
		}
		once.Do(func() {
			defer GinkgoRecover()
			do(written.DeepCopyObject().(client.Object))
		})
	})
}

// loseWhenHeld has the first object of a name go as soon as it has the finalizer, as
// happens when it is deleted in that moment, and then something else happen.
func (w *world) loseWhenHeld(name string, then func()) {
	w.whenHeld(name, func(gone client.Object) {
		w.change(gone, func() { gone.SetFinalizers(nil) })
		w.remove(gone)
		then()
	})
}

var _ = Describe("An object that goes in the moment in which it is held", func() {
	for name, tc := range lives {
		It(fmt.Sprintf("leaves nothing (%s)", name), func() {
			w, _ := withAccount()
			obj := tc.make(w)
			w.loseWhenHeld(obj.GetName(), func() {
				w.sim.Inject(simulator.Fault{Method: http.MethodDelete, Status: http.StatusBadGateway, Times: 2})
			})
			w.create(obj)
			w.gone(obj)
			Eventually(func(g Gomega) {
				g.Expect(w.sim.Calls()).To(HaveKey(tc.deletes))
				w.time.Advance(time.Second)
				g.Expect(tc.has(w)).To(Equal(tc.left))
			}).Should(Succeed())
		})

		It(fmt.Sprintf("leaves what it has made to another of its name (%s)", name), func() {
			w, _ := withAccount()
			obj := tc.make(w)
			again := obj.DeepCopyObject().(controller.Object)
			replaced := make(chan struct{})
			w.loseWhenHeld(obj.GetName(), func() {
				w.create(again)
				close(replaced)
			})
			w.create(obj)
			Eventually(replaced).Should(BeClosed())
			Eventually(func(g Gomega) {
				w.time.Advance(time.Second)
				over, how := tc.over(w, phases[0], again)
				g.Expect(over).To(BeTrue(), how)
			}).Should(Succeed())
			w.remove(again)
			Eventually(func(g Gomega) {
				w.time.Advance(time.Second)
				over, how := tc.over(w, phases[2], again)
				g.Expect(over).To(BeTrue(), how)
			}).Should(Succeed())
			Expect(tc.has(w)).To(Equal(tc.left))
		})
	}
})
