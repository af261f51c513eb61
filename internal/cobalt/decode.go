package cobalt

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strconv"
	"time"
)

var errNoObject = errors.New("is not a JSON object")

// object is a JSON object whose fields have one of several names, depending on
// the API's dialect, and may be missing.
type object map[string]json.RawMessage

// parse reads an object. Where the API wraps a result, the wrapper names the
// key of the object inside.
func parse(text []byte, wrapper ...string) (object, error) {
	var o object
	if err := json.Unmarshal(text, &o); err != nil || o == nil {
		return nil, errNoObject
	}
	for _, key := range wrapper {
		if inner, err := parse(o[key]); err == nil {
			return inner, nil
		}
	}
	return o, nil
}

// has reports whether key is there and not null.
func (o object) has(key string) bool {
	value, ok := o[key]
	return ok && !bytes.Equal(value, []byte("null"))
}

// text returns the first of keys that is a non-empty string or a number.
func (o object) text(keys ...string) string {
	for _, key := range keys {
		var s string
		if json.Unmarshal(o[key], &s) == nil && s != "" {
			return s
		}
		var n json.Number
		if json.Unmarshal(o[key], &n) == nil && n != "" {
			return n.String()
		}
	}
	return ""
}

// time returns the first of keys that is an RFC 3339 time.
func (o object) time(keys ...string) time.Time {
	for _, key := range keys {
		if t, err := time.Parse(time.RFC3339, o.text(key)); err == nil {
			return t
		}
	}
	return time.Time{}
}

func (o object) flag(key string) bool {
	var b bool
	return json.Unmarshal(o[key], &b) == nil && b
}

// number returns the whole number at key, 0 if there is none.
func (o object) number(key string) int {
	f, err := strconv.ParseFloat(o.text(key), 64)
	if err != nil || math.Abs(f) > math.MaxInt32 {
		return 0
	}
	return int(f)
}

// values returns the elements of the first of keys that is an array.
func (o object) values(keys ...string) []json.RawMessage {
	for _, key := range keys {
		var elements []json.RawMessage
		if json.Unmarshal(o[key], &elements) == nil && elements != nil {
			return elements
		}
	}
	return nil
}

// texts returns the strings of the array at key.
func (o object) texts(key string) []string {
	var texts []string
	for _, value := range o.values(key) {
		if s := (object{key: value}).text(key); s != "" {
			texts = append(texts, s)
		}
	}
	return texts
}

// objects returns the objects of the array at key.
func (o object) objects(key string) []object {
	var objects []object
	for _, value := range o.values(key) {
		if inner, err := parse(value); err == nil {
			objects = append(objects, inner)
		}
	}
	return objects
}

// anyMap returns the object at key with its numbers as json.Number, which keeps
// large ones exact.
func (o object) anyMap(key string) map[string]any {
	decoder := json.NewDecoder(bytes.NewReader(o[key]))
	decoder.UseNumber()
	var m map[string]any
	if err := decoder.Decode(&m); err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	return m
}

// leaves returns the strings that are values anywhere in v, as JSON sees it.
// Short ones are left out: they would be found everywhere.
func leaves(v any) []string {
	text, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var plain any
	if json.Unmarshal(text, &plain) != nil {
		return nil
	}
	return appendLeaves(nil, plain)
}

func appendLeaves(found []string, v any) []string {
	switch v := v.(type) {
	case string:
		if len(v) >= 6 {
			found = append(found, v)
		}
	case []any:
		for _, element := range v {
			found = appendLeaves(found, element)
		}
	case map[string]any:
		for _, element := range v {
			found = appendLeaves(found, element)
		}
	}
	return found
}
