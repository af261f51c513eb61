package controller

import (
	"strings"
	"testing"

	"k8s.io/client-go/tools/events"
)

// TestNotesAreNeverTooLong: the API server counts bytes.
func TestNotesAreNeverTooLong(t *testing.T) {
	t.Parallel()
	recorder := events.NewFakeRecorder(3)
	recorded := notes{recorder}
	for _, note := range []string{"100% of it", strings.Repeat("ä", 512), strings.Repeat("ä", 513)} {
		recorded.Eventf(nil, nil, "Normal", "Tested", "Test", "%s", note)
		got := strings.TrimPrefix(<-recorder.Events, "Normal Tested ")
		if len(got) > 1024 || len(note) <= 1024 && got != note || len(note) > 1024 && !strings.HasSuffix(got, "ä…") {
			t.Errorf("%d bytes: %s", len(got), got)
		}
	}
}
