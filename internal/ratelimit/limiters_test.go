package ratelimit

import (
	"testing"

	"k8s.io/utils/clock"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// TestLimiters: the API counts calls by key, so environments with the same key
// share one limiter, and the most cautious of them decides.
func TestLimiters(t *testing.T) {
	t.Parallel()
	m := NewLimiters(clock.RealClock{})
	const a, b, here, there = "Environment default/a", "Environment default/b", "this endpoint", "another"
	limit := func(rate int32) v1alpha1.RateLimit { return v1alpha1.RateLimit{RequestsPerSecond: rate, Burst: 4} }

	shared := m.For(a, here, limit(10))
	if m.For(b, here, limit(5)) != shared {
		t.Fatal("one key has two limiters")
	}
	if _, rate := shared.Rate(); rate != 5 {
		t.Errorf("the rate is %v, the lower of 10 and 5 is right", rate)
	}
	if m.For(b, there, limit(5)) == shared {
		t.Error("another key is held back by this one's limits")
	}
	m.For(a, here, limit(10))
	if _, rate := shared.Rate(); rate != 10 {
		t.Errorf("the rate is %v although only the one that allows 10 is left", rate)
	}
	m.Forget(a)
	m.Forget(b)
	if len(m.shared) != 0 {
		t.Errorf("limiters are kept for nobody: %v", m.shared)
	}
}
