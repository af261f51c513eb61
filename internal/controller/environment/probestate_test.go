package environment

import (
	"testing"

	"github.com/cobalt-operator/cobalt-operator/internal/environment"
)

// TestEndpointIsRecordedInOneWay: a record of an older operator is replaced where others would not
// recognise it, and stays as it is where they do.
func TestEndpointIsRecordedInOneWay(t *testing.T) {
	t.Parallel()
	const usualURL = "https://api.gocobalt.io/api/v2"
	for name, tc := range map[string]struct {
		reason, typed string
		stays         bool
	}{
		"Usual":   {"an upgrade writes nothing", usualURL, true},
		"Slash":   {"nor here, as one at the end never counted", usualURL + "/", true},
		"Spelled": {"others have to recognise it", "https://api.gocobalt.io:443/api/v2", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := environment.EndpointOf(tc.typed, "key").AsTyped().Record() // as an operator did that took each spelling for a place of its own
			record, same := (&probeState{}).recordOf(environment.EndpointOf(tc.typed, "key"), before)
			if !same {
				t.Errorf("%s: it is taken for another environment", tc.reason)
			}
			if stays := record == before; stays != tc.stays {
				t.Errorf("%s: it stays: %t, want %t", tc.reason, stays, tc.stays)
			}
			if !environment.EndpointOf(usualURL, "key").Made(record) {
				t.Errorf("%s: who spells it as usual does not recognise it", tc.reason)
			}
		})
	}
}
