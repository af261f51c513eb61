// Package contracttest checks HTTP traffic against the contract. It supports
// the tests of the client, which must send only what the contract allows, and
// of the simulator, which must answer only what it declares.
package contracttest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	problems "github.com/pb33f/libopenapi-validator/errors"
	"github.com/pb33f/libopenapi-validator/helpers"
	"github.com/pb33f/libopenapi/datamodel"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/contract"
)

// exempt are the statuses that an operation may answer without declaring them,
// each with why. Any other status has to be declared.
var exempt = map[int]string{
	http.StatusBadRequest:            "the contract declares a refused body on a few operations only, but types the bodies of many",
	http.StatusNotFound:              "any operation can be asked about an account that does not exist",
	http.StatusRequestEntityTooLarge: "every server bounds the size of a body",
	http.StatusTooManyRequests:       "the rate limit is documented outside the contract",
	http.StatusInternalServerError:   "any server can fail",
	http.StatusBadGateway:            "any proxy in between can fail",
	http.StatusServiceUnavailable:    "any server can be down",
	http.StatusGatewayTimeout:        "any proxy in between can lose patience",
}

// CheckRequest says how a request breaks the contract, or nil. The body has to
// be passed apart and is not read from the request.
func CheckRequest(r *http.Request, body []byte) error {
	document.Lock()
	defer document.Unlock()
	ok, found := document.parsed().ValidateHttpRequestSync(relative(r, body))
	return explain(r, "request", ok, found)
}

// CheckResponse says how an answer to a request breaks the contract, or nil.
func CheckResponse(r *http.Request, status int, header http.Header, body []byte) error {
	document.Lock()
	defer document.Unlock()
	answer := &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(bytes.NewReader(body))}
	ok, found := document.parsed().ValidateHttpResponse(relative(r, nil), answer)
	if _, isExempt := exempt[status]; isExempt && !ok && onlyUndeclared(found) {
		return nil
	}
	return explain(r, fmt.Sprintf("answer %d", status), ok, found)
}

// document is the contract, parsed once. The lock is held while it is used,
// since the validator does not promise to be safe for concurrent use.
var document = struct {
	sync.Mutex
	parsed func() validator.Validator
}{parsed: sync.OnceValue(parse)}

func parse() validator.Validator {
	// Quiet: the library reports paths it finds ambiguous, such as config/all
	// beside config/{config_id}, which the contract means.
	options := datamodel.NewDocumentConfiguration()
	options.Logger = slog.New(slog.DiscardHandler)
	parsed, err := libopenapi.NewDocumentWithConfiguration(contract.Document, options)
	if err != nil {
		panic(fmt.Sprintf("the contract does not parse: %v", err))
	}
	checker, errs := validator.NewValidator(parsed, config.WithFormatAssertions(), config.WithRejectUndeclaredRequestBody())
	if len(errs) > 0 {
		panic(fmt.Sprintf("the contract is not valid: %v", errors.Join(errs...)))
	}
	return checker
}

// relative is a copy of the request as the contract's server would see it,
// wherever it was really sent.
func relative(r *http.Request, body []byte) *http.Request {
	sent := r.Clone(r.Context())
	sent.URL = &url.URL{Scheme: "https", Host: "api.gocobalt.io", Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	sent.Host = sent.URL.Host
	sent.Body = http.NoBody
	sent.ContentLength = int64(len(body))
	if len(body) > 0 {
		sent.Body = io.NopCloser(bytes.NewReader(body))
	}
	return sent
}

func onlyUndeclared(found []*problems.ValidationError) bool {
	for _, problem := range found {
		if problem.ValidationSubType != helpers.ResponseBodyResponseCode {
			return false
		}
	}
	return true
}

func explain(r *http.Request, what string, ok bool, found []*problems.ValidationError) error {
	if ok {
		return nil
	}
	var reasons []string
	for _, problem := range found {
		reasons = append(reasons, problem.Message+": "+problem.Reason)
		for _, violation := range problem.SchemaValidationErrors {
			reasons = append(reasons, fmt.Sprintf("%s: %s", violation.FieldPath, violation.Reason))
		}
	}
	return fmt.Errorf("%s %s: %s breaks the contract: %s", r.Method, r.URL.Path, what, strings.Join(reasons, "; "))
}
