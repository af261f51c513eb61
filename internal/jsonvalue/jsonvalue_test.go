package jsonvalue

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSameJSON(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason, a, b string
		want         bool
	}{
		"KeyOrder":     {"order of keys means nothing", `{"v":{"a":1,"b":2}}`, `{"v":{"b":2,"a":1}}`, true},
		"ListOrder":    {"order of lists means something", `{"v":[1,2]}`, `{"v":[2,1]}`, false},
		"Decimals":     {"the same number", `{"v":1}`, `{"v":1.0}`, true},
		"Exponent":     {"the same number", `{"v":100}`, `{"v":1e2}`, true},
		"LargeNumbers": {"floats would blur them", `{"v":9007199254740993}`, `{"v":9007199254740992}`, false},
		"HugeExponent": {"must not be written out", `{"v":1e999999999}`, `{"v":1e999999998}`, false},
		"TinyExponent": {"must not be written out either", `{"v":1e-1000000}`, `{"v":0}`, false},
		"SameExponent": {"the same number", `{"v":1e-1000000}`, `{"v":10.0E-1000001}`, true},
		"NoExponent":   {"nobody means it", `{"v":1e99999999999999999999}`, `{"v":10e99999999999999999998}`, false},
		"BeyondFloats": {"the same number", `{"v":1e400}`, `{"v":0.1e+401}`, true},
		"LeadingZeros": {"the same number", `{"v":0.0500}`, `{"v":5e-2}`, true},
		"NegativeZero": {"the same number", `{"v":-0.0}`, `{"v":0e5}`, true},
		"Sign":         {"another number", `{"v":-1}`, `{"v":1}`, false},
		"TextOfNumber": {"a text is no number", `{"v":"1"}`, `{"v":1}`, false},
		"Null":         {"null is as good as absent", `{"v":null}`, `{}`, true},
		"False":        {"false is not absent", `{"v":false}`, `{}`, false},
		"Nested":       {"all the way down", `{"v":{"a":[{"b":1}]}}`, `{"v":{"a":[{"b":2}]}}`, false},
		"MissingKey":   {"one has more", `{"v":{"a":1}}`, `{"v":{"b":1}}`, false},
		"Shorter":      {"one has more", `{"v":[1]}`, `{"v":[1,2]}`, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, errA := DecodeObject([]byte(tc.a))
			b, errB := DecodeObject([]byte(tc.b))
			if errA != nil || errB != nil {
				t.Fatal(errA, errB)
			}
			if SameJSON(a["v"], b["v"]) != tc.want || SameJSON(b["v"], a["v"]) != tc.want {
				t.Errorf("%s: %s and %s, want same %t", tc.reason, tc.a, tc.b, tc.want)
			}
		})
	}
}

func TestDecodeJSONRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"List": `[1]`, "Text": `"a"`, "Two": `{}{}`, "Broken": `{"a":`, "Empty": ``, "Null": `null`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if object, err := DecodeObject([]byte(text)); err == nil {
				t.Errorf("%q was taken for the object %v", text, object)
			}
		})
	}
}

func TestShowCutsBetweenCharacters(t *testing.T) {
	t.Parallel()
	for _, value := range []string{strings.Repeat("ä", 500), "x" + strings.Repeat("ä", 500)} {
		if text := Show(value); !utf8.ValidString(text) || len(text) > 256 {
			t.Errorf("%d bytes, valid %t: %s", len(text), utf8.ValidString(text), text)
		}
	}
}

// TestComparingNumbersCostsWhatTheyTake: not what they stand for, counted in bytes that are allocated.
func TestComparingNumbersCostsWhatTheyTake(t *testing.T) {
	for _, numbers := range [][2]json.Number{
		{"1e-1000000", "1e-1000001"}, {"1e1000000", "10e999999"}, {"1e-1000000", "0"}, {json.Number(strings.Repeat("9", 5000)), "9e4999"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_ = Same(numbers[0], numbers[1])
		_ = Same(numbers[0], numbers[1].String())
		runtime.ReadMemStats(&after)
		if bytes := after.TotalAlloc - before.TotalAlloc; bytes > 100<<10 {
			t.Errorf("comparing %.20s and %.20s took %d bytes", numbers[0], numbers[1], bytes)
		}
	}
}
