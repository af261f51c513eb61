package inputs

import (
	"testing"
)

func TestTextOf(t *testing.T) {
	t.Parallel()
	const spaced = " token "
	for content, want := range map[string]string{
		spaced: spaced, "token": "token", "token\n": "token", "token\r\n": "token", "\ufefftoken": "token", "\ufefftoken\r\n": "token",
		"token\n\n": "token\n", "two\nlines\n": "two\nlines", "token\r": "token\r", "": "", "\n": "",
	} {
		if got := TextOf(content); got != want {
			t.Errorf("%q is sent as %q, want %q", content, got, want)
		}
	}
}
