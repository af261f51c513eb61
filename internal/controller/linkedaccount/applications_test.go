package linkedaccount

import (
	"slices"
	"testing"
)

// TestFew: whatever order and however often it is told in, the same is kept.
func TestFew(t *testing.T) {
	t.Parallel()
	for name, told := range map[string][]string{
		"InOrder":   {"a", "b", "c", "d", "e"},
		"Backwards": {"e", "d", "c", "b", "a"},
		"Twice":     {"c", "a", "c", "b", "a", "e", "b", "d"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := few[string]{most: 3, key: func(s string) string { return s }}
			for _, s := range told {
				list.add(s)
			}
			if !slices.Equal(list.kept, []string{"a", "b", "c"}) {
				t.Errorf("%v are kept", list.kept)
			}
		})
	}
}
