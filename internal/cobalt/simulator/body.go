package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"sigs.k8s.io/yaml"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/contract"
)

// bodyLimit bounds the body of a request, in bytes.
const bodyLimit = 1 << 20

// object is a JSON object that the contract's schema was found to accept, so
// that its properties have the types that the schema says.
type object map[string]any

func (o object) has(key string) bool    { _, ok := o[key]; return ok }
func (o object) text(key string) string { text, _ := o[key].(string); return text }

func (o object) object(key string) map[string]any {
	value, _ := o[key].(map[string]any)
	return value
}

func (o object) texts(key string) []string {
	list, _ := o[key].([]any)
	texts := make([]string, 0, len(list))
	for _, element := range list {
		texts = append(texts, element.(string))
	}
	return texts
}

func (o object) objects(key string) []object {
	list, _ := o[key].([]any)
	objects := make([]object, 0, len(list))
	for _, element := range list {
		objects = append(objects, element.(map[string]any))
	}
	return objects
}

// readBody reads all of the body, within bodyLimit.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, refuse(http.StatusRequestEntityTooLarge, codeValidation, "the body is larger than %d bytes", bodyLimit)
	}
	if err != nil {
		return nil, refuse(http.StatusBadRequest, codeValidation, "the body could not be read: %v", err)
	}
	return raw, nil
}

// decode fills body from what was sent, if the contract accepts it.
func (q *request) decode() error {
	want := bodies()[q.route.operation]
	switch {
	case q.unreadable != nil:
		return q.unreadable
	case want == nil:
		return nil
	case len(q.raw) == 0 && want.Required:
		return refuse(http.StatusBadRequest, codeMissingField, "the body is missing")
	case len(q.raw) == 0:
		return nil
	}
	if media, _, _ := mime.ParseMediaType(q.http.Header.Get("Content-Type")); media != "application/json" {
		return refuse(http.StatusBadRequest, codeValidation, "header Content-Type must be application/json")
	}
	var value any
	if err := json.Unmarshal(q.raw, &value); err != nil {
		return refuse(http.StatusBadRequest, codeValidation, "the body is not JSON: %v", err)
	}
	if err := want.Content["application/json"].Schema.check(value, ""); err != nil {
		return err
	}
	q.body = value.(map[string]any)
	return nil
}

// bodies are the bodies that the contract declares, by operationId.
var bodies = sync.OnceValue(func() map[string]*requestBody {
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string       `json:"operationId"`
			RequestBody *requestBody `json:"requestBody"`
		} `json:"paths"`
	}
	if err := yaml.Unmarshal(contract.Document, &document); err != nil {
		panic(fmt.Sprintf("the contract does not parse: %v", err))
	}
	found := map[string]*requestBody{}
	for _, item := range document.Paths {
		for _, operation := range item {
			found[operation.OperationID] = operation.RequestBody
		}
	}
	return found
})

type requestBody struct {
	Required bool `json:"required"`
	Content  map[string]struct {
		Schema schema `json:"schema"`
	} `json:"content"`
}

// schema is what the contract uses of JSON Schema for bodies. As in the
// contract, properties that it does not name are accepted.
type schema struct {
	Type       string            `json:"type"`
	Format     string            `json:"format"`
	Required   []string          `json:"required"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

// check says what is wrong with a value, naming it by its path in the body.
func (s schema) check(value any, path string) error {
	switch value := value.(type) {
	case map[string]any:
		if s.Type == "object" {
			return s.checkObject(value, path)
		}
	case []any:
		if s.Type == "array" {
			return s.checkArray(value, path)
		}
	case string:
		if s.Type == "string" {
			return s.checkString(value, path)
		}
	case bool:
		if s.Type == "boolean" {
			return nil
		}
	}
	return refuse(http.StatusBadRequest, codeValidation, "%s must be of type %s, not %s", describe(path), s.Type, typeOf(value))
}

func (s schema) checkObject(value map[string]any, path string) error {
	for _, name := range s.Required {
		if _, ok := value[name]; !ok {
			return refuse(http.StatusBadRequest, codeMissingField, "%s is missing", join(path, name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		element, ok := value[name]
		if !ok {
			continue
		}
		if err := s.Properties[name].check(element, join(path, name)); err != nil {
			return err
		}
	}
	return nil
}

func (s schema) checkArray(value []any, path string) error {
	for i, element := range value {
		if err := s.Items.check(element, fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
	}
	return nil
}

func (s schema) checkString(value, path string) error {
	if s.Format != "uri" {
		return nil
	}
	if parsed, err := url.Parse(value); err != nil || !parsed.IsAbs() {
		return refuse(http.StatusBadRequest, codeValidation, "%s must be an absolute URL", path)
	}
	return nil
}

func typeOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

func describe(path string) string {
	if path == "" {
		return "the body"
	}
	return path
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
