package process

import (
	"net/http"
	"strings"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"
)

// short is a lease that others take soon.
var short = []string{"--leader-elect-lease-duration=3s", "--leader-elect-renew-deadline=2s", "--leader-elect-retry-period=500ms"}

// TestAPausedOperatorChangesNothingWhenItGoesOn: an operator that was paused for longer than its lease, with an answer under way
// that asks for a call, does not make that call when it wakes, as another has made it by then. It ends, and leaves the
// lease to the other.
func TestAPausedOperatorChangesNothingWhenItGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.start(short...)
	w.connected("acme")
	leader := w.holder()
	second := w.start(short...)
	webhook := w.underWay()[2]
	first.holding(func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/webhook") })
	w.create(webhook)
	w.Eventually(first.waiting).Should(Equal(1), "the look before the subscription")

	first.signal(syscall.SIGSTOP)
	w.Eventually(w.holder).ShouldNot(Or(Equal(leader), BeEmpty()))
	w.ready(webhook)
	before, other := first.made(), w.holder()
	first.release()
	first.signal(syscall.SIGCONT)
	w.Expect(first.end()).NotTo(BeZero())
	w.Expect(first.said()).To(ContainSubstring("lost its lease"))
	w.Expect(changing(first.made())).To(Equal(changing(before)), "a change was sent after the pause")
	w.Expect(w.holder()).To(Equal(other), "the lease was taken from the other")
	w.Expect(changing(second.made())).To(HaveLen(1), "the other has made it once")
}
