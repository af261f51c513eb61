package eventtrigger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
	"github.com/cobalt-operator/cobalt-operator/internal/engine/once"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/jsonvalue"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
	"github.com/cobalt-operator/cobalt-operator/internal/redact"
	"github.com/cobalt-operator/cobalt-operator/internal/snapshot"
)

// The pauses between two looks at an execution grow with its age.
const (
	shortestPoll = time.Second
	longestPoll  = environment.ExecutionsIdle
	// shortestShared is how old a list of executions may be in any case.
	shortestShared = 5 * time.Second
	// shareFrom is how many open executions of an account are looked up in one list.
	shareFrom = 3
	// newborn is how long an execution may not be known yet.
	newborn = time.Minute
	// longestFailing is how long beyond its time a run waits for the end of an error in
	// Cobalt.
	longestFailing = 24 * time.Hour
)

// pollAfter is the pause before an execution of an age is looked at again.
func pollAfter(age time.Duration) time.Duration { return min(max(age/4, shortestPoll), longestPoll) }

// follow looks at the runs that have not ended, if it is time.
func (e action) follow(ctx context.Context, t *triggerRun) error {
	now, open := t.Core.Clock.Now(), t.Obj.Status.OpenRuns()
	if len(open) == 0 {
		return nil
	}
	timeout := t.Obj.Spec.ExecutionTimeout.Value(time.Hour)
	known := t.PolledAt() // unknown after a restart
	due := known
	for _, run := range open {
		due = engine.Earlier(due, run.FiredAt.Add(timeout))
	}
	if known.After(now) && due.After(now) {
		t.WakeAt(due)
		return nil
	}
	if !t.Paused.IsZero() {
		return condition.ErrWait
	}
	next := now.Add(longestPoll)
	var problem error
	for _, run := range open {
		problem = condition.First(problem, e.check(ctx, t, run, timeout))
		if run.CompletedAt == nil {
			next = engine.Earlier(next, now.Add(pollAfter(now.Sub(run.FiredAt.Time))))
			next = engine.Earlier(next, run.FiredAt.Add(timeout))
		}
	}
	if problem == nil && len(t.Obj.Status.OpenRuns()) > 0 {
		t.PollAt(next)
	}
	return problem
}

// check looks at one run, and ends it if it is over.
func (e action) check(ctx context.Context, t *triggerRun, run *v1alpha1.TriggerRun, timeout time.Duration) error {
	seen, err := e.look(ctx, t, run)
	now := t.Core.Clock.Now()
	age := now.Sub(run.FiredAt.Time)
	switch {
	case err != nil && (age < timeout || !isFinal(t, err, age-timeout)):
		return err
	case err != nil:
		end(t, run, ended{
			phase: v1alpha1.PhaseFailed, status: statusUnseen, at: once.Stamp(now),
			message: fmt.Sprintf("execution %s cannot be looked at, so how it ended cannot be told: %s", run.ExecutionID, err),
		})
	case seen != nil && seen.Outcome() != cobalt.Open:
		e.over(ctx, t, run, seen)
	case age >= timeout:
		end(t, run, ended{
			phase: v1alpha1.PhaseTimedOut, status: statusTimedOut, at: once.Stamp(now),
			message: fmt.Sprintf("execution %s took longer than %s; it may go on in Cobalt", run.ExecutionID, timeout),
		})
	case seen == nil && age >= newborn:
		end(t, run, ended{
			phase: v1alpha1.PhaseFailed, status: statusForgotten, at: once.Stamp(now),
			message: fmt.Sprintf("Cobalt no longer knows execution %s, so how it ended cannot be told", run.ExecutionID),
		})
	}
	return nil
}

// isFinal tells whether nothing will come of looking at a run that has been late for as
// long: nothing is over only because nobody could ask.
func isFinal(t *triggerRun, err error, late time.Duration) bool {
	if _, garbage := errors.AsType[*cobalt.AnswerError](err); garbage || t.AccountErr != nil || cobalt.IsRejected(err) {
		return true
	}
	_, answered := errors.AsType[*cobalt.Error](err)
	return answered && cobalt.IsFailing(err) && late >= longestFailing
}

// look returns an execution; nil if Cobalt does not know it. Several of an account
// are looked up in one list, and so is one that Cobalt seems to have forgotten: some
// gateway may have said so.
func (e action) look(ctx context.Context, t *triggerRun, run *v1alpha1.TriggerRun) (*cobalt.Execution, error) {
	api, ctx, err := t.Connect(ctx, t.Retry())
	if err != nil {
		return nil, err
	}
	age, shared := t.Core.Clock.Since(run.FiredAt.Time), api.Snapshots.ExecutionsOf(api.Account)
	if e.openOf(ctx, t) >= shareFrom {
		found, presence, err := shared.Find(ctx, run.ExecutionID, max(pollAfter(age), shortestShared))
		if presence == snapshot.Present {
			return &found, nil
		}
		if condition.Classify(err).Class == condition.Silent { // what holds this call back holds back the next
			return nil, err
		}
	} // a list that fails, or does not have it, says nothing of this one
	seen, err := api.GetExecution(ctx, api.Account, run.ExecutionID)
	if seen, err = environment.UnlessMissing(api, seen, err); seen != nil || err != nil || age < newborn {
		return seen, err
	}
	found, presence, err := shared.Find(ctx, run.ExecutionID, shortestShared)
	switch {
	case presence == snapshot.Present:
		return &found, nil
	case cobalt.IsRejected(err): // and so both say no
		return nil, nil
	case err == nil && presence == snapshot.Unknown: // the list was made for others: a later one will tell
		t.PollAt(t.Core.Clock.Now().Add(shortestShared))
		return nil, condition.WaitingFor(v1alpha1.ReasonExecutionRunning, "execution %s has not ended yet", run.ExecutionID)
	}
	return nil, err
}

// openOf counts the open runs of the account.
func (e action) openOf(ctx context.Context, t *triggerRun) int {
	open := 0
	for _, other := range e.siblings(ctx, t) {
		open += len(other.Status.OpenRuns())
	}
	return open
}

// siblings are the triggers of the same account and environment, this one among them.
func (e action) siblings(ctx context.Context, t *triggerRun) []v1alpha1.EventTrigger {
	list := &v1alpha1.EventTriggerList{}
	key := client.MatchingFields{object.TriggerAccountIndex: object.TriggerAccountKey(object.EnvironmentOf(t.Obj), t.Account.ID)}
	if err := e.cache.List(ctx, list, key, client.UnsafeDisableDeepCopy); err != nil {
		return nil // only a cache that is stopping fails
	}
	return list.Items
}

// over takes the end of an execution into the status.
func (e action) over(ctx context.Context, t *triggerRun, run *v1alpha1.TriggerRun, seen *cobalt.Execution) {
	how := ended{phase: v1alpha1.PhaseCompleted, status: strings.TrimSpace(seen.Status), at: once.Stamp(t.Core.Clock.Now())}
	if !seen.CompletedAt.IsZero() {
		how.at = once.Stamp(seen.CompletedAt)
	}
	if !seen.StartedAt.IsZero() {
		how.started = once.Stamp(seen.StartedAt)
	}
	if seen.Outcome() == cobalt.Failed {
		how.phase, how.message = v1alpha1.PhaseFailed, fmt.Sprintf("execution %s ended as %s", seen.ID, how.status)
	}
	if t.Obj.Spec.Logs == v1alpha1.LogsTail {
		how.logs = e.tail(ctx, t, run, seen.Logs)
	}
	end(t, run, how)
}

// tail are the last entries of a log, without what came from Secrets. If that
// cannot be read any more, nobody could take it out.
func (e action) tail(ctx context.Context, t *triggerRun, run *v1alpha1.TriggerRun, entries []json.RawMessage) []string {
	if len(t.Obj.Spec.PayloadFrom) > 0 {
		if _, err := payloadOf(ctx, t); err != nil || run.InputsVersion != t.Used().Told {
			return []string{"withheld: the Secrets that the payload came from have changed, so what came from them cannot be taken out"}
		}
	}
	var tail []string
	left := mostLogBytes
	for i := len(entries) - 1; i >= 0 && len(tail) < mostLogs; i-- {
		text := redact.CutCharacters(t.Inputs.Redact(logText(entries[i])), longestLog)
		if left -= len(text); left < 0 {
			break
		}
		tail = append([]string{text}, tail...)
	}
	return tail
}

// logText is a log entry as text: its message, if that is what it has.
func logText(entry json.RawMessage) string {
	value := jsonvalue.Decode(entry)
	if fields, ok := value.(map[string]any); ok && len(fields) <= 3 {
		if message, ok := fields["message"].(string); ok {
			return message
		}
	}
	if text, ok := value.(string); ok {
		return text
	}
	return jsonvalue.Text(value)
}
