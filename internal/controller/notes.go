package controller

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"

	"github.com/cobalt-operator/cobalt-operator/internal/redact"
)

// longestNote is how many bytes the API server takes as the note of an event.
const longestNote = 1 << 10

// notes records events whose notes the API server takes: it refuses one that is too
// long, and then nobody learns what has happened.
type notes struct{ events.EventRecorder }

// Eventf records an event.
func (n notes) Eventf(regarding, related runtime.Object, eventType, reason, action, note string, args ...any) {
	n.EventRecorder.Eventf(regarding, related, eventType, reason, action, "%s", redact.Shorten(fmt.Sprintf(note, args...), longestNote))
}
