package memory

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cobalt-operator/cobalt-operator/internal/backoff"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// TestMemoryTakesRoomOnlyForWhatItHas: what is exceptional is remembered for as long as there is something of it, and an
// object that goes its usual way takes no room for it.
func TestMemoryTakesRoomOnlyForWhatItHas(t *testing.T) {
	t.Parallel()
	s, key := NewStore(nil, 0, LongestPause), types.NamespacedName{Namespace: "default", Name: "acme"}
	usual := Memory{Usual: Usual{UID: "1", Fingerprint: Fingerprint{Generation: 2, Account: "x"}, Ready: true, Seen: "7", At: time.Unix(9, 0)}}
	failing := usual
	failing.Open, failing.Missed, failing.Failure.Epoch = true, time.Unix(8, 0), 3
	for _, m := range []Memory{usual, failing, usual} {
		s.Set(key, m)
		ignored := cmpopts.IgnoreUnexported(inputs.Used{}, backoff.Backoff{}, object.Lag{})
		if diff := cmp.Diff(m, s.Get(key, "1"), ignored, cmpopts.IgnoreUnexported(Exceptional{})); diff != "" {
			t.Errorf("remembered: -want +got\n%s", diff)
		}
		if took := s.objects[key].exceptional != nil; took != m.Open {
			t.Errorf("it takes room for what is exceptional: %t, want %t", took, m.Open)
		}
	}
	if m := s.Get(key, "2"); m.Seen != "" || m.UID != "2" {
		t.Errorf("another object of the same name is taken for the first: %+v", m)
	}
}
