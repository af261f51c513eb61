package eventtrigger

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
)

func TestRunIsOverOnlyWhenLookingAtItIsInVain(t *testing.T) {
	t.Parallel()
	answer := func(status int) error { return fmt.Errorf("look: %w", &cobalt.Error{Status: status}) }
	for name, tc := range map[string]struct {
		err, accountErr error
		late            time.Duration
		want            bool
	}{
		"the breaker is closed":          {err: condition.ErrWait, late: 30 * longestFailing},
		"the environment is not Ready":   {err: condition.WaitingFor(v1alpha1.ReasonEnvironmentNotReady, "wait"), late: 30 * longestFailing},
		"the operator stops":             {err: context.Canceled, late: 30 * longestFailing},
		"held back":                      {err: &cobalt.ThrottledError{}, late: 30 * longestFailing},
		"nobody answers":                 {err: &cobalt.TransportError{}, late: 30 * longestFailing},
		"the key is refused":             {err: answer(401), late: 30 * longestFailing},
		"too many calls":                 {err: answer(429), late: 30 * longestFailing},
		"an error in Cobalt":             {err: answer(502), late: longestFailing - 1},
		"an error in Cobalt without end": {err: answer(502), late: longestFailing, want: true},
		"Cobalt refuses":                 {err: answer(403), want: true},
		"an answer that cannot be read":  {err: &cobalt.AnswerError{}, want: true},
		"the account is no longer there": {err: errors.New("no account"), accountErr: errors.New("is being deleted"), want: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := isFinal(&triggerRun{Run: &engine.Run[*v1alpha1.EventTrigger]{AccountErr: tc.accountErr}}, tc.err, tc.late); got != tc.want {
				t.Errorf("final: %t, want %t", got, tc.want)
			}
		})
	}
}
