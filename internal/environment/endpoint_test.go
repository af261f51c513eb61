package environment

import (
	"testing"
)

const usualURL = "https://api.gocobalt.io/api/v2"

// recordedBefore is what an operator recorded that took each spelling for a place of its own.
func recordedBefore(typed, key string) string {
	return EndpointOf(typed, key).AsTyped().Record()
}

func TestEndpointIsOneForAllSpellings(t *testing.T) {
	t.Parallel()
	own := EndpointOf(usualURL, "key")
	for name, tc := range map[string]struct {
		reason     string
		typed, key string
		want       bool
	}{
		"Same":    {"the same", usualURL, "key", true},
		"Port":    {"the default port", "https://api.gocobalt.io:443/api/v2", "key", true},
		"Case":    {"upper case", "https://API.gocobalt.io/api/v2/", "key", true},
		"Slashes": {"more slashes", "https://api.gocobalt.io//api//v2", "key", true},
		"Key":     {"another key", usualURL, "other", false},
		"Path":    {"another path", "https://api.gocobalt.io/api/v3", "key", false},
		"Host":    {"another host", "https://app.refold.ai/api/v2", "key", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			theirs := EndpointOf(tc.typed, tc.key)
			if own.Is(theirs.Record()) != tc.want || theirs.Is(own.Record()) != tc.want {
				t.Errorf("%s: recognised is not %t", tc.reason, tc.want)
			}
			if same := own.ID == theirs.ID; same != tc.want {
				t.Errorf("%s: one limiter is %t, want %t", tc.reason, same, tc.want)
			}
			if !theirs.Is(recordedBefore(tc.typed, tc.key)) {
				t.Errorf("%s: what an older operator recorded of it is not recognised", tc.reason)
			}
			if got := own.Spelled(tc.typed).Is(recordedBefore(tc.typed, tc.key)); got != tc.want {
				t.Errorf("%s: what an older operator recorded of another environment is recognised: %t, want %t", tc.reason, got, tc.want)
			}
		})
	}
}

// TestRecordsAreSalted: who reads two statuses learns not even that they stand for the same key.
func TestRecordsAreSalted(t *testing.T) {
	t.Parallel()
	where := EndpointOf("https://api.example", "key")
	if record := where.Record(); record == where.Record() {
		t.Error("the same endpoint has the same record")
	}
}
