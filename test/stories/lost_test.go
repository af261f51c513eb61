package stories

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
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

// createAfter creates an object so that it is younger than another: in one second, the
// lower uid goes first.
func (w *world) createAfter(first, second client.Object) {
	GinkgoHelper()
	for {
		again := copyOf(second)
		w.create(again)
		if first.GetCreationTimestamp().Time.Before(again.GetCreationTimestamp().Time) || first.GetUID() < again.GetUID() {
			w.read(second)
			return
		}
		w.remove(again)
	}
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

		It(fmt.Sprintf("leaves nothing that was handed over to it (%s)", name), func() {
			w, _ := withAccount()
			first := tc.make(w)
			heir := first.DeepCopyObject().(object.Object)
			heir.SetName("heir")
			if account, ok := heir.(*v1alpha1.LinkedAccount); ok {
				account.Spec.LinkedAccountID, account.Spec.SessionToken = first.GetName(), nil
			}
			w.create(first)
			w.ready(first)
			w.stop()
			w.createAfter(first, heir)
			w.start()
			w.settled(heir, metav1.ConditionFalse, v1alpha1.ReasonConflict)
			w.loseWhenHeld(heir.GetName(), func() {})
			w.remove(first)
			w.gone(first)
			w.gone(heir)
			Eventually(func(g Gomega) {
				w.time.Advance(time.Second)
				g.Expect(tc.has(w)).To(Equal(tc.left))
			}).Should(Succeed())
		})

		It(fmt.Sprintf("leaves what it has made to another of its name (%s)", name), func() {
			w, _ := withAccount()
			obj := tc.make(w)
			again := obj.DeepCopyObject().(object.Object)
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
