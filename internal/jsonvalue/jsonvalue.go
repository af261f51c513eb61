// Package jsonvalue compares and shows JSON by what it means rather than by how
// it is written.
package jsonvalue

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// DecodeObject reads a JSON object without losing digits of its numbers.
func DecodeObject(data []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return nil, err
	}
	if object == nil || decoder.More() {
		return nil, errors.New("not a single JSON object")
	}
	return object, nil
}

// Decode reads any JSON without losing digits; nil if there is none.
func Decode(data []byte) any {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil // admission and the client let only JSON through
	}
	return value
}

// Same compares decoded values of a field by meaning: as SameJSON does, and
// a text is as good as the number or boolean whose canonical JSON it is. Cobalt
// has both for one value, depending on who wrote it.
func Same(a, b any) bool {
	if text, ok := a.(string); ok {
		if canonical, ok := canonicalScalar(b); ok {
			return text == canonical
		}
	}
	if text, ok := b.(string); ok {
		if canonical, ok := canonicalScalar(a); ok {
			return text == canonical
		}
	}
	return SameJSON(a, b)
}

// canonicalScalar is the canonical JSON of a number or boolean.
func canonicalScalar(value any) (string, bool) {
	switch value := value.(type) {
	case bool:
		return strconv.FormatBool(value), true
	case json.Number:
		var plain any
		if json.Unmarshal([]byte(value), &plain) != nil {
			return value.String(), true // too large for a float: as it was written
		}
		if text, err := json.Marshal(plain); err == nil && sameNumber(value, json.Number(text)) {
			return string(text), true
		}
		return value.String(), true
	}
	return "", false
}

// SameJSON compares decoded JSON by meaning: 1 is 1.0, the order of keys does not count.
func SameJSON(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for key, value := range a {
			other, ok := b[key]
			if !ok || !SameJSON(value, other) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !SameJSON(a[i], b[i]) {
				return false
			}
		}
		return true
	case json.Number:
		return sameNumber(a, b)
	default:
		return reflect.DeepEqual(a, b)
	}
}

// sameNumber compares as written, digit by digit: numbers such as 1e-1000000 must
// neither be written out nor rounded.
func sameNumber(a json.Number, other any) bool {
	b, ok := other.(json.Number)
	if !ok || a == b {
		return ok
	}
	x, okX := decimalOf(a)
	y, okY := decimalOf(b)
	return okX && okY && x == y
}

// decimal is a number as 0.digits times ten to the power of exponent, in the one way
// without outer zeros; zero has no digits.
type decimal struct {
	negative bool
	digits   string
	exponent int64
}

// decimalOf is false for an exponent that nobody could mean.
func decimalOf(number json.Number) (decimal, bool) {
	text, negative := strings.CutPrefix(string(number), "-")
	mantissa, power, hasPower := strings.Cut(strings.ToLower(text), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	if strings.TrimRight(digits, "0") == "" {
		return decimal{}, true
	}
	exponent := int64(len(digits) - len(fraction))
	if hasPower {
		p, err := strconv.ParseInt(power, 10, 32)
		if err != nil {
			return decimal{}, false
		}
		exponent += p
	}
	return decimal{negative, strings.TrimRight(digits, "0"), exponent}, true
}

// longestShown is how much of a value Show shows.
const longestShown = 200

// Text renders a value as JSON.
func Text(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprintf("(%T)", value)
	}
	return string(data)
}

// Show renders a value for people: as JSON, shortened.
func Show(value any) string { return Shorten(Text(value)) }

// Shorten cuts a text that is longer than what Show shows.
func Shorten(text string) string {
	if len(text) <= longestShown {
		return text
	}
	end := longestShown
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
