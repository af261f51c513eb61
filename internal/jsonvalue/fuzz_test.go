package jsonvalue

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// FuzzSame: comparing is symmetric, and a value is the same as itself, also after it
// was written and read again.
func FuzzSame(f *testing.F) {
	values := []string{`1`, `1.0`, `"1"`, `true`, `"true"`, `null`, `{"a":[1,{"b":2e0}]}`, `1e400`, `"1e400"`, `12345678901234567890`, `-0`, `""`, `[]`}
	for _, a := range values {
		for _, b := range values {
			f.Add([]byte(a), []byte(b))
		}
	}
	f.Fuzz(func(t *testing.T, textA, textB []byte) {
		if !json.Valid(textA) || !json.Valid(textB) {
			t.Skip("admission and the client let only JSON through")
		}
		a, b := Decode(textA), Decode(textB)
		if Same(a, b) != Same(b, a) || SameJSON(a, b) != SameJSON(b, a) {
			t.Errorf("%s and %s are the same in one direction", textA, textB)
		}
		if SameJSON(a, b) && !Same(a, b) {
			t.Errorf("%s and %s are the same JSON, but not the same", textA, textB)
		}
		if again := Decode([]byte(Text(a))); !Same(a, a) || !Same(a, again) {
			t.Errorf("%s is not what it was after %s", textA, Text(a))
		}
		if shown := Show(a); !utf8.ValidString(shown) || len(shown) > longestShown+len("…") {
			t.Errorf("%q is not to be shown", shown)
		}
	})
}
