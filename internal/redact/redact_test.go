package redact

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

func secretsOf(values ...string) *Secrets {
	secrets := &Secrets{}
	for _, value := range values {
		secrets.Add(value)
	}
	return secrets
}

func TestRedact(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason  string
		secrets []string
		text    string
		most    int
		want    string
	}{
		"Plain":       {"it must not show", []string{"hunter2"}, "the token hunter2 is bad", 100, "the token [redacted] is bad"},
		"Often":       {"wherever it stands", []string{"hunter2"}, "hunter2, hunter2", 100, "[redacted], [redacted]"},
		"Inside":      {"one secret is part of another", []string{"hunter2", "my-hunter2-long"}, "my-hunter2-long", 100, "[redacted]"},
		"Beginning":   {"one secret is how another begins", []string{"hunter2", "hunter2-long"}, "hunter2-long", 100, "[redacted]"},
		"Overlapping": {"and neither shows its end", []string{"abc-def", "def-ghi"}, "abc-def-ghi!", 100, "[redacted]!"},
		"SideBySide":  {"two are one stretch or two, never a part", []string{"hunter2"}, "hunter2hunter2", 100, "[redacted][redacted]"},
		"None":        {"nothing is secret", nil, "as it is", 100, "as it is"},
		"Empty":       {"an empty value is no secret", []string{""}, "as it is", 100, "as it is"},
		"Cut":         {"there is no room for more", nil, "as it is", 5, "as…"},
		"CutInSecret": {"the half of a secret is one too", []string{"hunter2"}, "the token hunter2 is bad", 14, "the token […"},
		"CutBefore":   {"others have cut the text, and say so", []string{"hunter2-long"}, "the token hunter2…", 100, "the token [redacted]…"},
		"CutOfLonger": {"the longest beginning counts", []string{"2-x", "hunter2-x"}, "say hunter2…", 100, "say [redacted]…"},
		"Whole":       {"what only ends like a beginning was not cut", []string{"a-secret"}, "extra", 100, "extra"},
		"Characters":  {"a cut goes between characters", nil, "äöü", 5, "ä…"},
		"HalfRune":    {"what is left is text", []string{"x\xc3"}, "x\xc3\xa4y", 100, "[redacted]y"},
		"LongSecret":  {"a secret longer than all that is shown", []string{strings.Repeat("s", 500)}, "it is " + strings.Repeat("s", 500), 40, "it is [redacted]…"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := secretsOf(tc.secrets...).Redact(tc.text, tc.most); got != tc.want {
				t.Errorf("%s: %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

// TestNoCutShowsPartOfASecret: wherever the cut falls, three bytes of a secret are not to be read.
func TestNoCutShowsPartOfASecret(t *testing.T) {
	t.Parallel()
	secrets := secretsOf("hunter2-äöü-secret", "ret-and-more")
	text := "a text that says hunter2-äöü-secret-and-more and goes on"
	for most := range len(text) + 20 {
		most += len(ellipsis)
		got := secrets.Redact(text, most)
		if len(got) > most || !utf8.ValidString(got) {
			t.Errorf("at %d: %q has %d bytes", most, got, len(got))
		}
		for _, part := range []string{"hun", "unt", "äö", "cre", "ret-", "-mo"} {
			if strings.Contains(got, part) {
				t.Errorf("at %d: %q shows %q", most, got, part)
			}
		}
	}
}

// TestRedactingCostsWhatIsShown: what others can make long costs no more for it, counted
// in bytes that are allocated.
func TestRedactingCostsWhatIsShown(t *testing.T) {
	const most = 4 << 10
	secrets := &Secrets{}
	for i := range 60_000 {
		secrets.Add(fmt.Sprintf("%06d-hunter2", i))
	}
	text := strings.Repeat("000017-hunter2 and 059999-hunter2, ", 8<<20/35)
	allocated := bytesOf(func() {
		if got := secrets.Redact(text, most); strings.Contains(got, "hunter2") || len(got) > most {
			t.Errorf("%d bytes: %s", len(got), got)
		}
	})
	if allocated > 32*most+60_000*48 { // a suffix array, and a key for each look-up
		t.Errorf("%d bytes were allocated", allocated)
	}
}

// TestTooManySecretsInATextHideAllOfIt: a text that was made to be slow is not worth it.
func TestTooManySecretsInATextHideAllOfIt(t *testing.T) {
	t.Parallel()
	secrets := &Secrets{}
	for i := range 2_000 {
		secrets.Add(strings.Repeat("a", 4+i))
	}
	if got := secrets.Redact("it says "+strings.Repeat("a", 4_000), 4<<10); got != Mark {
		t.Errorf("%d bytes: %s", len(got), got)
	}
	if ends, ok := secrets.find(strings.Repeat("ab", 2_000)); !ok || len(ends) != 4_000 {
		t.Error("an ordinary text is too much")
	}
}

func bytesOf(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestCutGoesBetweenCharacters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "ab": "ab", "abc": "abc", "abcd": "abc", "äöüß": "äöü"} {
		if got := CutCharacters(text, 3); got != want {
			t.Errorf("%q of %q, want %q", got, text, want)
		}
	}
}
