package condition

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/lifetime"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	status := func(code int) error {
		return fmt.Errorf("wrapped: %w", &cobalt.Error{Operation: "upsertLinkedAccount", Status: code})
	}
	errBoom := errors.New("boom")
	cases := map[string]struct {
		reason string
		err    error
		want   Outcome
	}{
		"Nothing":      {reason: "in sync", want: Outcome{Class: Ready, Reason: "Synced"}},
		"Waiting":      {reason: "somebody else acts", err: WaitingFor("SecretNotFound", "x"), want: Outcome{Class: Reconciling, Reason: "SecretNotFound"}},
		"Soon":         {reason: "nobody will say when to try again", err: &WaitingError{Reason: "LinkedAccountNotReady", Message: "x", Soon: true}, want: Outcome{Class: Reconciling, Reason: "LinkedAccountNotReady", Err: cmpopts.AnyError}},
		"Stalled":      {reason: "the user acts", err: StalledBy("NotAllowed", "x"), want: Outcome{Class: Stuck, Reason: "NotAllowed"}},
		"NotYet":       {reason: "a moment later there is more to say", err: ErrWait, want: Outcome{Class: Silent}},
		"HeldBack":     {reason: "the limiter says when; not worth a write", err: &cobalt.ThrottledError{After: 3 * time.Second}, want: Outcome{Class: Silent, After: 3 * time.Second, InLine: true}},
		"NoWorker":     {reason: "a worker is free a moment later", err: &LaterError{time.Minute}, want: Outcome{Class: Silent, After: time.Minute}},
		"ToldToStop":   {reason: "the next operator goes on", err: fmt.Errorf("x: %w", lifetime.ErrStopping), want: Outcome{Class: Silent}},
		"GivenUp":      {reason: "a read ends with the operator", err: fmt.Errorf("x: %w", context.Canceled), want: Outcome{Class: Silent}},
		"LeaseLost":    {reason: "another operator goes on", err: fmt.Errorf("x: %w", lifetime.ErrLeaseLost), want: Outcome{Class: Silent}},
		"LeaseOld":     {reason: "it is renewed in a moment", err: fmt.Errorf("x: %w", lifetime.ErrLeaseOld), want: Outcome{Class: Silent, After: time.Second}},
		"Conflict":     {reason: "the cache lags; not worth a write", err: apierrors.NewConflict(schema.GroupResource{}, "a", errBoom), want: Outcome{Class: Silent, Conflict: true}},
		"Again":        {reason: "what the step has done is in the cache a moment later", err: ErrStale, want: Outcome{Class: Silent, Again: true}},
		"TooMany":      {reason: "time passes; never hotter than once a second", err: status(http.StatusTooManyRequests), want: Outcome{Class: Reconciling, Reason: "Throttled", After: time.Second}},
		"RetryAfter":   {reason: "as long as the API says", err: &cobalt.Error{Status: http.StatusServiceUnavailable, RetryAfter: time.Minute}, want: Outcome{Class: Reconciling, Reason: "Throttled", After: time.Minute}},
		"Unauthorized": {reason: "it may be about this call alone; the environment tells if it is not", err: status(http.StatusUnauthorized), want: Outcome{Class: Reconciling, Reason: "Failed", Err: cmpopts.AnyError}},
		"BadRequest":   {reason: "it will be refused again", err: status(http.StatusBadRequest), want: Outcome{Class: Stuck, Reason: "Rejected"}},
		"Missing":      {reason: "404 where it is no answer", err: status(http.StatusNotFound), want: Outcome{Class: Stuck, Reason: "Rejected"}},
		"BadID":        {reason: "never sent", err: &cobalt.InvalidIDError{What: "linked_account_id", ID: "..", Why: "x"}, want: Outcome{Class: Stuck, Reason: "Rejected"}},
		"HeaderLost":   {reason: "a proxy has to be changed", err: &cobalt.Error{Status: http.StatusBadRequest, Code: "MISSING_LINKED_ACCOUNT_ID"}, want: Outcome{Class: Stuck, Reason: "Rejected"}},
		"ServerError":  {reason: "may pass", err: status(http.StatusBadGateway), want: Outcome{Class: Reconciling, Reason: "Failed", Err: cmpopts.AnyError}},
		"Timeout":      {reason: "408 says nothing of the request", err: status(http.StatusRequestTimeout), want: Outcome{Class: Reconciling, Reason: "Failed", Err: cmpopts.AnyError}},
		"Busy":         {reason: "it is refused for now", err: status(http.StatusConflict), want: Outcome{Class: Reconciling, Reason: "Failed", Err: cmpopts.AnyError}},
		"BusyUntil":    {reason: "as long as the API says", err: &cobalt.Error{Status: http.StatusLocked, RetryAfter: time.Minute}, want: Outcome{Class: Reconciling, Reason: "Failed", Err: cmpopts.AnyError, After: time.Minute}},
		"Bug":          {reason: "anything else is tried again with growing pauses", err: errBoom, want: Outcome{Class: Reconciling, Reason: "Failed", Err: cmpopts.AnyError}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Classify(tc.err)
			if got.Class != Silent && got.Message == "" {
				t.Error("there is nothing to read")
			}
			opts := []cmp.Option{cmpopts.IgnoreFields(Outcome{}, "Message"), cmpopts.EquateErrors()}
			if diff := cmp.Diff(tc.want, got, opts...); diff != "" {
				t.Errorf("%s: %s", tc.reason, diff)
			}
		})
	}
}

// TestALostHeaderIsNamed: who reads the message finds the proxy, although the API speaks of a missing id.
func TestALostHeaderIsNamed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusBadRequest, http.StatusNotFound} {
		err := &cobalt.Error{Operation: "listInstalledConfigs", Status: status, Code: "MISSING_LINKED_ACCOUNT_ID", Message: "no linked_account_id"}
		message := Classify(fmt.Errorf("application a: %w", err)).Message
		for _, want := range []string{"linked_account_id, which was sent", "underscores_in_headers on", "listInstalledConfigs", "no linked_account_id"} {
			if !strings.Contains(message, want) {
				t.Errorf("%q lacks %q", message, want)
			}
		}
	}
}

// TestEventTypes: a Warning is about what somebody should look at.
func TestEventTypes(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		err    error
		reason string
		want   string
	}{
		"Waiting":   {WaitingFor(v1alpha1.ReasonSecretNotFound, "x"), v1alpha1.ReasonSecretNotFound, "Normal"},
		"Soon":      {&WaitingError{Reason: v1alpha1.ReasonLinkedAccountNotReady, Soon: true}, v1alpha1.ReasonLinkedAccountNotReady, "Normal"},
		"Throttled": {&cobalt.Error{Status: http.StatusTooManyRequests}, v1alpha1.ReasonThrottled, "Normal"},
		"TooLong":   {WaitingFor(v1alpha1.ReasonSecretNotFound, "x"), v1alpha1.ReasonProgressDeadlineExceeded, "Warning"},
		"Failed":    {errors.New("boom"), v1alpha1.ReasonFailed, "Warning"},
		"Stalled":   {StalledBy(v1alpha1.ReasonNotAllowed, "x"), v1alpha1.ReasonNotAllowed, "Warning"},
	}
	for name, tc := range cases {
		if got := Classify(tc.err).EventType(tc.reason); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}

// TestDeadline: only waiting that counts brings an object to a standstill, and
// only after the whole deadline of it.
func TestDeadline(t *testing.T) {
	t.Parallel()
	const deadline = 10 * time.Minute
	failing := Outcome{Class: Reconciling, Reason: v1alpha1.ReasonFailed, Message: "m"}
	throttled := Outcome{Class: Reconciling, Reason: v1alpha1.ReasonThrottled, Message: "m"}
	type step struct {
		after      time.Duration
		outcome    Outcome
		generation int64
	}
	cases := map[string]struct {
		reason string
		steps  []step
		want   string
	}{
		"Before":       {"not yet", []step{{0, failing, 1}, {deadline - time.Second, failing, 1}}, v1alpha1.ReasonFailed},
		"After":        {"it is over", []step{{0, failing, 1}, {deadline, failing, 1}}, v1alpha1.ReasonProgressDeadlineExceeded},
		"Stays":        {"until Ready or another spec", []step{{0, failing, 1}, {deadline, failing, 1}, {0, failing, 1}}, v1alpha1.ReasonProgressDeadlineExceeded},
		"NewSpec":      {"another spec has its own time", []step{{0, failing, 1}, {deadline, failing, 1}, {0, failing, 2}}, v1alpha1.ReasonFailed},
		"Recovered":    {"Ready ends it", []step{{0, failing, 1}, {deadline, failing, 1}, {0, Classify(nil), 1}, {0, failing, 1}}, v1alpha1.ReasonFailed},
		"Throttled":    {"throttling does not count", []step{{0, throttled, 1}, {deadline, throttled, 1}}, v1alpha1.ReasonThrottled},
		"ThrottledToo": {"failing counts from where it begins", []step{{0, throttled, 1}, {deadline, failing, 1}}, v1alpha1.ReasonFailed},
		"Silent":       {"says nothing, changes nothing", []step{{0, failing, 1}, {deadline, Outcome{Class: Silent}, 1}}, v1alpha1.ReasonFailed},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var list []metav1.Condition
			observed := int64(-1)
			now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			for _, step := range tc.steps {
				now = now.Add(step.after)
				Status{&list, &observed}.Report(step.outcome, step.generation, now, deadline)
			}
			if got := meta.FindStatusCondition(list, v1alpha1.ConditionReady).Reason; got != tc.want {
				t.Errorf("%s: reason %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}
