package controller

import (
	"testing"
)

const usualURL = "https://api.gocobalt.io/api/v2"

// recordedBefore is what an operator recorded that took each spelling for a place of its own.
func recordedBefore(typed, key string) string { return endpointOf(typed, key).asTyped().record() }

func TestRealmIsOneForAllSpellings(t *testing.T) {
	t.Parallel()
	own := endpointOf(usualURL, "key")
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
			theirs := endpointOf(tc.typed, tc.key)
			if own.is(theirs.record()) != tc.want || theirs.is(own.record()) != tc.want {
				t.Errorf("%s: recognised is not %t", tc.reason, tc.want)
			}
			if same := own.digest("pace") == theirs.digest("pace"); same != tc.want {
				t.Errorf("%s: one limiter is %t, want %t", tc.reason, same, tc.want)
			}
			if !theirs.is(recordedBefore(tc.typed, tc.key)) {
				t.Errorf("%s: what an older operator recorded of it is not recognised", tc.reason)
			}
			if got := own.spelled(tc.typed).is(recordedBefore(tc.typed, tc.key)); got != tc.want {
				t.Errorf("%s: what an older operator recorded of another environment is recognised: %t, want %t", tc.reason, got, tc.want)
			}
		})
	}
}

// TestRealmIsRecordedInOneWay: a record of an older operator is replaced where others would not
// recognise it, and stays as it is where they do.
func TestRealmIsRecordedInOneWay(t *testing.T) {
	t.Parallel()
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
			before := recordedBefore(tc.typed, "key")
			record, same := (&probeState{}).recordOf(endpointOf(tc.typed, "key"), before)
			if !same {
				t.Errorf("%s: it is taken for another environment", tc.reason)
			}
			if stays := record == before; stays != tc.stays {
				t.Errorf("%s: it stays: %t, want %t", tc.reason, stays, tc.stays)
			}
			if !endpointOf(usualURL, "key").made(record) {
				t.Errorf("%s: who spells it as usual does not recognise it", tc.reason)
			}
		})
	}
}

// TestRecordsAreSalted: who reads two statuses learns not even that they stand for the same key.
func TestRecordsAreSalted(t *testing.T) {
	t.Parallel()
	where := endpointOf("https://api.example", "key")
	if record := where.record(); record == where.record() {
		t.Error("the same endpoint has the same record")
	}
}
