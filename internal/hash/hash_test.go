package hash

import "testing"

// TestSaltedHashesTellNothing: who reads two statuses learns not even that they stand for the same.
func TestSaltedHashesTellNothing(t *testing.T) {
	t.Parallel()
	content := []byte(`{"a":"these"}`)
	first, second := Salted("id", content), Salted("id", content)
	if first == second {
		t.Error("equal contents look equal")
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	content := []byte("content")
	of := Salted("owner", content)
	for name, tc := range map[string]struct {
		hash, owner string
		content     []byte
		want        bool
	}{
		"Same":         {of, "owner", content, true},
		"OtherContent": {of, "owner", []byte("other"), false},
		"OtherOwner":   {of, "other", content, false},
		"None":         {"", "owner", content, false},
		"NoSalt":       {":", "owner", content, false},
		"Garbled":      {"zz:zz", "owner", content, false},
		"OtherEnd":     {of + "00", "owner", content, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Matches(tc.hash, tc.owner, tc.content); got != tc.want {
				t.Errorf("matches: %t, want %t", got, tc.want)
			}
		})
	}
}

// TestTextsDoNotRunTogether: one that ends where another begins is another content.
func TestTextsDoNotRunTogether(t *testing.T) {
	t.Parallel()
	hashes := map[string]bool{Of("ab", "c"): true, Of("a", "bc"): true, Of("abc"): true, Of("abc", ""): true, Of("a", "b", "c"): true}
	if len(hashes) != 5 {
		t.Errorf("%d hashes of 5 contents", len(hashes))
	}
	if first, second := Of("ab", "c"), Of("ab", "c"); first != second {
		t.Error("the same content has two hashes")
	}
}
