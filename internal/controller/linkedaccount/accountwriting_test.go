package linkedaccount

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
)

// TestWhatStatusListsAlreadyFits: an older version knew no bound in bytes, and what it left must not be called invalid.
func TestWhatStatusListsAlreadyFits(t *testing.T) {
	t.Parallel()
	a := &linkedAccount{LinkedAccount: cobalt.LinkedAccount{YourApp: map[string]any{}}, secret: map[string]bool{}}
	var listed, secret []string
	for i := range 900 {
		key := fmt.Sprintf("%0400d", i)
		a.YourApp[key], listed = i, append(listed, key)
		if i%3 == 0 {
			a.secret[key], secret = true, append(secret, key)
		}
	}
	if err := a.fits(listed, secret); err != nil {
		t.Errorf("what it was before: %v", err)
	}
	a.YourApp["another"] = true
	if a.fits(listed, secret) == nil {
		t.Error("one more does not fit")
	}
}

// TestYourAppFitsIntoStatus: or else it would be written to Cobalt and never be taken back.
func TestYourAppFitsIntoStatus(t *testing.T) {
	t.Parallel()
	keys := func(count, length int, secret bool) *linkedAccount {
		a := &linkedAccount{LinkedAccount: cobalt.LinkedAccount{YourApp: map[string]any{}}, secret: map[string]bool{}}
		for i := range count {
			key := fmt.Sprintf("%0*d", length, i)
			a.YourApp[key], a.secret[key] = i, secret
		}
		return a
	}
	for name, tc := range map[string]struct {
		account *linkedAccount
		fits    bool
	}{
		"Usual":         {keys(20, 20, false), true},
		"AsMany":        {keys(1000, 100, true), true},
		"OneTooMany":    {keys(1001, 10, false), false},
		"AsLarge":       {keys(1000, 260, false), true},
		"SecretsTwice":  {keys(1000, 260, true), false},
		"TooLarge":      {keys(1000, 800, false), false},
		"OneHuge":       {keys(1, 300<<10, false), false},
		"EscapedIsMore": {&linkedAccount{LinkedAccount: cobalt.LinkedAccount{YourApp: map[string]any{strings.Repeat("\x01", 100<<10): 1}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tc.account.fits(nil, nil)
			if (err == nil) != tc.fits {
				t.Errorf("%v, want fits %t", err, tc.fits)
			}
			if err != nil && condition.Classify(err).Reason != v1alpha1.ReasonInvalidInput {
				t.Errorf("%s says who acts next", condition.Classify(err).Reason)
			}
		})
	}
}
