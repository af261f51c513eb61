package cobalt

import (
	"encoding/json"
	"testing"
)

// TestConnected: credentials are sent where nobody is connected, so nothing but a no is a no.
func TestConnected(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]*bool{
		`true`: new(true), `"true"`: new(true), `1`: new(true), `"yes"`: new(true), `{"since":"2026"}`: new(true), `[]`: new(true),
		`false`: new(false), `"false"`: new(false), `"False"`: new(false), `0`: new(false), `"0"`: new(false), `""`: new(false),
		`null`: nil,
	} {
		var got Application
		if err := json.Unmarshal([]byte(`{"slug":"hubspot","connected":`+text+`}`), &got); err != nil {
			t.Fatal(err)
		}
		switch {
		case (got.Connected == nil) != (want == nil), want != nil && *got.Connected != *want:
			t.Errorf("connected %s: %v, want %v", text, got.Connected, want)
		}
	}
}
