package environment

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// TestEnvironmentsLagLikeTheirObjects: they are restored with them.
func TestEnvironmentsLagLikeTheirObjects(t *testing.T) {
	t.Parallel()
	clock := clocktesting.NewFakeClock(time.Now())
	seen := &Versions{clock: clock}
	env := &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "700"}}
	seen.Saw("1000")
	if _, asks := seen.Doubts(env); asks || !seen.Lags(env) {
		t.Error("the cache gets no time")
	}
	clock.Step(object.LongestLag)
	if version, asks := seen.Doubts(env); !asks || version != "1000" {
		t.Errorf("asks %t for what is older than %s", asks, version)
	}
	seen.Saw("700")
	if _, asks := seen.Doubts(env); asks || seen.Lags(env) {
		t.Error("what the API server has is not believed")
	}
}
