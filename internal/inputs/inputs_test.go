package inputs

import (
	"testing"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason  string
		secrets []string
		text    string
		want    string
	}{
		"Plain":    {"it must not show", []string{"hunter2"}, "the token hunter2 is bad", "the token [redacted] is bad"},
		"Inside":   {"one secret is part of another", []string{"hunter2", "hunter2-long"}, "hunter2-long", "[redacted]"},
		"Trimmed":  {"Secrets often end in a newline", []string{"hunter2\n"}, "hunter2", "[redacted]"},
		"TooShort": {"would garble every text", []string{"eu"}, "neutral", "neutral"},
		"None":     {"nothing was read", nil, "as it is", "as it is"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reader := NewStore(nil, nil).Open()
			for _, secret := range tc.secrets {
				reader.Hide(secret)
			}
			if got := reader.Redact(tc.text); got != tc.want {
				t.Errorf("%s: %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

// TestHideKnowsHowOthersWriteIt: JSON escapes, and errors stand on one line.
func TestHideKnowsHowOthersWriteIt(t *testing.T) {
	t.Parallel()
	reader := NewStore(nil, nil).Open()
	for _, secret := range []string{"quo\"ted", "a<b>c&d", "two\r\nlines\tand  spaces", byteOrderMark + "marked-text\r\n"} {
		reader.Hide(secret)
	}
	for _, text := range []string{
		`quo"ted`, `quo\"ted`, `a<b>c&d`, `a\u003cb\u003ec\u0026d`, "two\r\nlines\tand  spaces", `two\r\nlines\tand  spaces`,
		"two lines and spaces", "marked-text",
	} {
		if got := reader.Redact("it says " + text + "!"); got != "it says [redacted]!" {
			t.Errorf("%q is left of %q", got, text)
		}
	}
}
