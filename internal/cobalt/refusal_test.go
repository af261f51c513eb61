package cobalt

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// TestRefusalsCostWhatIsShown: a refusal that repeats a large body costs no more for it,
// counted in bytes that are allocated.
func TestRefusalsCostWhatIsShown(t *testing.T) {
	var values []string
	for i := range 60_000 {
		values = append(values, fmt.Sprintf("%06d-hunter2", i))
	}
	text := strings.Repeat(strings.Join(values[:1000], " "), 70)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := clean(text, values)
	runtime.ReadMemStats(&after)
	if strings.Contains(got, "hunter2") || len([]rune(got)) > 200 {
		t.Errorf("%d bytes: %s", len(got), got)
	}
	// A map of the values, a key for each look-up, an index of the first bytes of the text.
	if allocated, most := after.TotalAlloc-before.TotalAlloc, uint64(len(values)*200); allocated > most {
		t.Errorf("%d bytes were allocated for %d of text", allocated, len(text))
	}
}

// TestCodesAreBounded: they stand in messages as they are.
func TestCodesAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("A", 1000)
	var e Error
	refusal, err := parse(fmt.Appendf(nil, `{"error_code":%q,"error":"SHORT","request_id":%q}`, long, long))
	if err != nil {
		t.Fatal(err)
	}
	(&Client{key: "key"}).explain(&e, request{}, refusal)
	if e.Code != "SHORT" || e.RequestID != "" {
		t.Errorf("code %.20s, request %.20s", e.Code, e.RequestID)
	}
}
