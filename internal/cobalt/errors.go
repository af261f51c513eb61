package cobalt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// MaxRetryAfter is the longest pause that is believed of an answer.
const MaxRetryAfter = time.Hour

// Error is a refusal by the API. Its text is the same whenever the same call
// fails for the same reason, and holds no secret.
type Error struct {
	Operation  string        // operationId of the contract
	Status     int           // HTTP status; 200 where the API reports a failure with it
	Code       string        // the API's code, such as VALIDATION_ERROR, may be empty
	Message    string        // the API's words, cleaned, at most 200 characters, may be empty
	RequestID  string        // for the vendor's support, may be empty
	RetryAfter time.Duration // what the API asked for, at most an hour, 0 if it did not

	page bool // the answer was an HTML page
	own  bool // the answer had the form of the API's own refusals
	once bool // the call must not be repeated
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %d %s", e.Operation, e.Status, cmp.Or(e.Code, http.StatusText(e.Status), "refused"))
	if e.Message != "" {
		text += ": " + e.Message
	}
	return strings.TrimSpace(text)
}

// open tells whether nobody knows what became of a call that must not be repeated:
// a 4xx may come from a gateway, or from a workflow that sets the status of its
// answer, and a failure that comes with a 2xx may be that of work half done.
func (e *Error) open() bool {
	return e.once && (e.Status/100 == 2 || e.Status/100 == 4 && !e.own)
}

// astray tells whether the way to the API failed, rather than the API. A page
// that comes with 429 still asks to slow down.
func (e *Error) astray() bool {
	return e.page && e.Status/100 == 4 && e.Status != http.StatusTooManyRequests
}

// verdict returns the refusal in err, if it is the API's and says that nothing was done.
func verdict(err error) (*Error, bool) {
	e, ok := errors.AsType[*Error](err)
	return e, ok && !e.open() && !e.astray()
}

// AnswerError says that the API accepted a call with an answer that cannot be
// used. What the call asked for may have been done.
type AnswerError struct {
	Operation string // operationId of the contract
	problem   string
	err       error
}

func (e *AnswerError) Error() string {
	return "the answer to " + e.Operation + " " + e.problem
}

// Unwrap returns the cause, if there is one.
func (e *AnswerError) Unwrap() error { return e.err }

// TransportError says that a call got no answer.
type TransportError struct {
	Operation string // operationId of the contract
	Sent      bool   // the API may have received it
	reason    string // stable, without addresses and secrets
	err       error
}

func (e *TransportError) Error() string { return e.Operation + ": " + e.reason }

// Unwrap returns the cause, whose text may vary between equal failures.
func (e *TransportError) Unwrap() error { return e.err }

// RetryAfterHeader is the reason of a call that is held back for as long as the API wants.
const RetryAfterHeader = "API's Retry-After"

// ThrottledError says that the client held a call back. Nothing has been sent.
type ThrottledError struct {
	After  time.Duration // when to come back
	Reason string        // what it has to wait for
}

func (e *ThrottledError) Error() string { return "held back by the " + e.Reason }

// AskedByAPI tells whether it is the API that wants a pause, and not the rate limit alone.
func (e *ThrottledError) AskedByAPI() bool { return e.Reason == RetryAfterHeader }

// otherMiss are the codes of a 404 which say that something else than the
// object is missing.
var otherMiss = map[string]bool{
	"MISSING_REQUIRED_FIELD":    true, // the header of the account or the key
	"MISSING_LINKED_ACCOUNT_ID": true,
	"INVALID_APP_ID":            true, // its application, which may be back tomorrow
}

// ownMiss matches messages of a 400 or 500 which say that the object itself is
// missing. It does not match those about its application.
var ownMiss = regexp.MustCompile(`(?i)^(linked[ _-]?account|config|configuration|trigger)\b[^.:;,]{0,80}\bnot found\b`)

// IsNotFound reports whether the API says that the object of the call does not
// exist. It is careful, since finalizers go by it: a page for people, or a 404
// about a missing header or application, is not enough; but a 400 or 500 is if
// its code or message says so, as some dialects of the API do.
func IsNotFound(err error) bool {
	e, ok := verdict(err)
	if !ok || e.page {
		return false
	}
	switch e.Status {
	case http.StatusNotFound:
		return !otherMiss[e.Code] || e.Code == "INVALID_APP_ID" && e.Operation == "getApplicationBySlug"
	case http.StatusBadRequest:
		switch e.Code {
		case "RESOURCE_NOT_FOUND", "INVALID_EVENT_ID", "INVALID_EVENT":
			return true
		}
		return ownMiss.MatchString(e.Message)
	case http.StatusInternalServerError:
		return ownMiss.MatchString(e.Message)
	}
	return false
}

// IsOwnAnswer reports whether a refusal has the API's own form: a JSON object with
// error_code, or with error and message. Others may come from what is on the way.
func IsOwnAnswer(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.own
}

// IsMiss reports whether a 404 says that what a call names is not there. It is stricter
// than IsNotFound: a failure of the API is no proof of anything.
func IsMiss(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && IsNotFound(err) && e.Status/100 != 5
}

// IsUnknownApplication reports whether the API says that there is no such
// application, or that it is disabled.
func IsUnknownApplication(err error) bool {
	e, ok := verdict(err)
	return ok && e.Code == "INVALID_APP_ID"
}

// IsUnknownAccount reports whether the API says in so many words that there is no
// such linked account.
func IsUnknownAccount(err error) bool {
	e, ok := verdict(err)
	return ok && e.Code == "INVALID_LINKED_ACCOUNT_ID"
}

// IsHeaderLost reports whether the API says that it got no header with the account.
// Every call that needs the header is sent with it, so something on the way drops it.
func IsHeaderLost(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == "MISSING_LINKED_ACCOUNT_ID"
}

// IsRejected reports whether the API has understood the call and will refuse it
// again: any 4xx but 401, 408, 425, 429, those of IsBusy and pages for people, and
// a failure reported with status 200. A 404 is rejected too: callers who can do
// something about a missing object ask IsNotFound first. Of a call that must not be
// repeated, it takes a refusal in the API's own form.
func IsRejected(err error) bool {
	e, ok := verdict(err)
	if !ok || IsBusy(err) {
		return false
	}
	switch e.Status {
	case http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return e.Status/100 == 4 || e.Status/100 == 2
}

// IsBusy reports whether the API refuses the call only for now: something else is
// in its way (409, 423), or it came to the wrong server (421).
func IsBusy(err error) bool {
	e, ok := verdict(err)
	return ok && (e.Status == http.StatusConflict || e.Status == http.StatusLocked || e.Status == http.StatusMisdirectedRequest)
}

// IsUnauthorized reports whether the API refused the credential, which is the
// session token for createPublicWorkflow and the API key for all others.
func IsUnauthorized(err error) bool {
	e, ok := verdict(err)
	return ok && e.Status == http.StatusUnauthorized
}

// IsThrottled reports whether the call came too early: held back here, refused
// with 429, or with a 503 that says when to come back.
func IsThrottled(err error) bool {
	if _, ok := errors.AsType[*ThrottledError](err); ok {
		return true
	}
	e, ok := verdict(err)
	return ok && (e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable && e.RetryAfter > 0)
}

// IsFailing reports whether err puts the API as a whole, or the way there, in
// doubt: no answer, an unusable one, a page for people, or a 5xx.
func IsFailing(err error) bool {
	if t, ok := errors.AsType[*TransportError](err); ok {
		return !errors.Is(t, context.Canceled)
	}
	if _, ok := errors.AsType[*AnswerError](err); ok {
		return true
	}
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Status/100 == 5 || e.Status == http.StatusRequestTimeout || e.astray())
}

// RetryAfter returns how long the API or the limiter asked to wait, 0 if
// neither did.
func RetryAfter(err error) time.Duration {
	if t, ok := errors.AsType[*ThrottledError](err); ok {
		return t.After
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAfter
	}
	return 0
}

// OutcomeUnknown reports whether the API may have done what the call asked for,
// although it failed: no answer to a call of which a byte was sent, an unusable
// one, a page for people, a 5xx, a 408, or a redirect of the kind that also follows
// work done. Any other 4xx proves that nothing happened; of a call that must not
// be repeated, only one in the API's own form does.
func OutcomeUnknown(err error) bool {
	if t, ok := errors.AsType[*TransportError](err); ok {
		return t.Sent
	}
	if _, ok := errors.AsType[*AnswerError](err); ok {
		return true
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	switch e.Status {
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return false // they ask to send the same call elsewhere
	}
	return e.Status/100 == 5 || e.Status/100 == 3 || e.Status == http.StatusRequestTimeout || e.astray() || e.open()
}

// retryAfter reads the header of that name, in seconds or as a date.
func retryAfter(header http.Header) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	wait := time.Duration(0)
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds > 0 {
		wait = time.Duration(min(seconds, MaxRetryAfter.Seconds()) * float64(time.Second))
	} else if date, err := http.ParseTime(value); err == nil {
		wait = time.Until(date)
	}
	return min(max(wait, 0), MaxRetryAfter)
}
