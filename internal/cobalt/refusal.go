package cobalt

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/cobalt-operator/cobalt-operator/internal/redact"
)

var (
	codeWord  = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`)
	httpTypes = []string{
		"BAD_REQUEST", "UNAUTHORIZED", "FORBIDDEN", "NOT_FOUND", "CONFLICT",
		"INTERNAL_SERVER_ERROR", "NOT_IMPLEMENTED", "EXTERNAL_API_ERROR",
	}
	// What differs between two failures for the same reason: times, UUIDs and
	// hexadecimal ids.
	volatile = regexp.MustCompile(`\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})?` +
		`|\b[[:xdigit:]]{8}-[[:xdigit:]]{4}-[[:xdigit:]]{4}-[[:xdigit:]]{4}-[[:xdigit:]]{12}\b` +
		`|\b[[:xdigit:]]{16,}\b`)
)

// refusal makes an error of an answer that is not 2xx, in whichever of the
// API's envelopes its reason comes, if any.
func (c *Client) refusal(q request, resp *http.Response, answer []byte) *Error {
	e := &Error{Operation: q.operation, Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header), once: q.once}
	if resp.StatusCode/100 == 3 {
		e.Message = "a redirect to " + redirectTarget(resp) + " is not followed"
		return e
	}
	if isPage(resp.Header, answer) {
		e.page, e.Message = true, "the answer is an HTML page: is the base URL right?"
		return e
	}
	if o, err := parse(answer); err == nil {
		e.own = o.isRefusal()
		c.explain(e, q, o)
	}
	if e.Message == "" && e.open() {
		e.Message = "the answer is not in the API's form"
	}
	return e
}

// isRefusal tells whether a refusal has the form of the API's own, and so is not
// that of a gateway, or of a workflow that sets the status of its answer.
func (o object) isRefusal() bool {
	if o.text("error_code") != "" {
		return true
	}
	return o.text("message") != "" && (o.fails() || slices.Contains(httpTypes, o.text("http_error_type", "error_type")))
}

// fails tells whether an object has an error that says something.
func (o object) fails() bool {
	var problem any
	if json.Unmarshal(o["error"], &problem) != nil {
		return false
	}
	switch problem := problem.(type) {
	case nil:
		return false
	case bool:
		return problem
	case string:
		return problem != ""
	case []any:
		return len(problem) > 0
	case map[string]any:
		return len(problem) > 0
	}
	return true
}

// failureIn finds the failure that the API reports with a good status, if any.
func (c *Client) failureIn(q request, answer []byte) error {
	o, _ := parse(answer) // what is no JSON object reports no failure
	return c.reported(q, o)
}

// reported finds it in an object. Beside a result, an error is part of that.
func (c *Client) reported(q request, o object) error {
	if !o.fails() || o.text(q.results...) != "" {
		return nil
	}
	e := &Error{Operation: q.operation, Status: http.StatusOK, once: q.once}
	c.explain(e, q, o)
	return e
}

func redirectTarget(resp *http.Response) string {
	location, err := resp.Location()
	if err != nil {
		return "nowhere"
	}
	if target, err := Origin((&url.URL{Scheme: location.Scheme, Host: location.Host}).String()); err == nil {
		return target
	}
	return "an invalid address"
}

// explain takes code, message and request id out of an error envelope.
func (c *Client) explain(e *Error, q request, o object) {
	if inner, err := parse(o["error"]); err == nil {
		o = inner
	}
	e.Code = errorCode(o)
	e.Message = o.text("message")
	if human := o.text("error"); !codeWord.MatchString(human) && human != "" && (e.Message == "" || e.Message == "Server Error") {
		e.Message = human
	}
	if id := o.text("request_id"); len(id) <= longestCode {
		e.RequestID = id
	}
	e.Message = clean(e.Message, append(leaves(q.private), c.key, q.session))
	for _, text := range []*string{&e.Code, &e.RequestID} {
		if strings.Contains(*text, c.key) || q.session != "" && strings.Contains(*text, q.session) {
			*text = ""
		}
	}
}

// longestCode is how long the API's codes and request ids are at most.
const longestCode = 128

// errorCode returns the API's own code rather than the HTTP type that comes
// along, whichever of the fields each stands in.
func errorCode(o object) string {
	var general string
	for _, key := range []string{"error_code", "error", "code", "http_error_type", "error_type"} {
		switch word := o.text(key); {
		case len(word) > longestCode || !codeWord.MatchString(word):
		case !slices.Contains(httpTypes, word):
			return word
		case general == "":
			general = word
		}
	}
	return general
}

// longestRaw is how many bytes of a foreign text are looked at.
const longestRaw = 4 << 10

// clean makes a foreign text fit for a status: without secrets, without what
// changes from one failure to the next, on one line of at most 200 characters.
func clean(text string, secrets []string) string {
	var hidden redact.Secrets
	for _, secret := range secrets {
		hidden.Add(secret)
	}
	text = hidden.Redact(text, longestRaw)
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
	text = volatile.ReplaceAllString(strings.Join(strings.Fields(text), " "), "…")
	return truncate(text, 200)
}

func truncate(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return text
}
