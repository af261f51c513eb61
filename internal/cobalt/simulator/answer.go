package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Codes that stand in error_code of a refusal, as the vendor uses them.
const (
	codeAuthentication = "AUTH_SERVICE_ERROR"
	codeInvalidToken   = "INVALID_TOKEN"
	codeMissingAccount = "MISSING_LINKED_ACCOUNT_ID"
	codeInvalidAccount = "INVALID_LINKED_ACCOUNT_ID"
	codeInvalidApp     = "INVALID_APP_ID"
	codeInvalidEvent   = "INVALID_EVENT"
	codeInvalidFlow    = "INVALID_WORKFLOW_ID"
	codeMissingField   = "MISSING_REQUIRED_FIELD"
	codeValidation     = "VALIDATION_ERROR"
	codeNotFound       = "RESOURCE_NOT_FOUND"
	codeServer         = "SERVER_ERROR"
	codeRateLimit      = "RATE_LIMIT_EXCEEDED"
)

// refusal is the vendor's error envelope.
type refusal struct {
	Status     int    `json:"status_code"`
	Type       string `json:"http_error_type"`
	Code       string `json:"error_code"`
	Message    string `json:"message"`
	RequestID  string `json:"request_id"`
	retryAfter string
}

func (r *refusal) Error() string { return r.Message }

func refuse(status int, code, format string, args ...any) *refusal {
	kind := strings.ToUpper(strings.ReplaceAll(http.StatusText(status), " ", "_"))
	return &refusal{Status: status, Type: kind, Code: code, Message: fmt.Sprintf(format, args...), RequestID: newUUID()}
}

// answer is what goes back to the caller.
type answer struct {
	status      int
	contentType string
	retryAfter  string
	fault       string // for FaultHeader
	body        []byte
}

func encoded(status int, value any) answer {
	if value == nil {
		return answer{status: status}
	}
	body, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("an answer does not encode: %v", err)) // everything stored came from JSON or YAML
	}
	return answer{status: status, contentType: "application/json", body: body}
}

func refused(err error) answer {
	r, ok := errors.AsType[*refusal](err)
	if !ok {
		r = refuse(http.StatusInternalServerError, codeServer, "%v", err)
	}
	a := encoded(r.Status, r)
	a.retryAfter = r.retryAfter
	return a
}

func noOperation(w http.ResponseWriter, r *http.Request) {
	refused(refuse(http.StatusNotFound, codeNotFound, "there is no operation %s %s", r.Method, r.URL.Path)).write(w)
}

func (a answer) write(w http.ResponseWriter) {
	a.writeHeader(w, len(a.body))
	_, _ = w.Write(a.body) // a caller that is gone needs no answer
}

// writeHalf sends half of the body and hangs up. It announces more than the
// whole, so that an empty body is broken, too.
func (a answer) writeHalf(w http.ResponseWriter) {
	a.fault = "truncated"
	a.writeHeader(w, len(a.body)+1)
	_, _ = w.Write(a.body[:len(a.body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func (a answer) writeHeader(w http.ResponseWriter, length int) {
	set := func(key, value string) {
		if value != "" {
			w.Header().Set(key, value)
		}
	}
	set("Content-Type", a.contentType)
	set("Retry-After", a.retryAfter)
	set(FaultHeader, a.fault)
	set("Content-Length", strconv.Itoa(length))
	w.WriteHeader(a.status)
}
