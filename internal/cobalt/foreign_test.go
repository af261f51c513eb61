package cobalt

import (
	"encoding/json"
	"testing"
)

// TestAnswersAboutSomethingElse: a good answer of another layer is not taken for a thing that has nothing.
func TestAnswersAboutSomethingElse(t *testing.T) {
	t.Parallel()
	for _, into := range []any{&LinkedAccount{}, &Config{}, &Webhook{}, &webhooks{}} {
		for _, text := range []string{`{}`, `{"status":"ok"}`, `{"message":"maintenance"}`} {
			if err := json.Unmarshal([]byte(text), into); err == nil {
				t.Errorf("%T: %s is read as %+v", into, text, into)
			}
		}
	}
}
