package controller

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"unicode/utf8"
)

// decodeJSON reads a JSON object without losing digits of its numbers.
func decodeJSON(data []byte) (map[string]any, error) {
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

// sameJSON compares decoded JSON by meaning: 1 is 1.0, the order of keys does not count.
func sameJSON(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for key, value := range a {
			other, ok := b[key]
			if !ok || !sameJSON(value, other) {
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
			if !sameJSON(a[i], b[i]) {
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

// longestExponent keeps a number such as 1e999999999 from being written out.
const longestExponent = 400

func sameNumber(a json.Number, other any) bool {
	b, ok := other.(json.Number)
	if !ok || a == b {
		return ok
	}
	if len(a) > longestExponent || len(b) > longestExponent {
		return false
	}
	x, errX := a.Float64()
	y, errY := b.Float64()
	if errX != nil || errY != nil || x != y {
		return false
	}
	// Equal as floats: exact values decide, so that large integers do not blur.
	exactX, okX := new(big.Rat).SetString(a.String())
	exactY, okY := new(big.Rat).SetString(b.String())
	return okX && okY && exactX.Cmp(exactY) == 0
}

// longestShown is how much of a value status shows.
const longestShown = 200

// show renders a value for people: as JSON, shortened.
func show(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprintf("(%T)", value)
	}
	if len(data) <= longestShown {
		return string(data)
	}
	cut := longestShown
	for cut > 0 && !utf8.RuneStart(data[cut]) {
		cut--
	}
	return string(data[:cut]) + "…"
}
