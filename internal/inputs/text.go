package inputs

import (
	"strings"
)

// byteOrderMark is what some editors begin a text with.
const byteOrderMark = "\ufeff"

// TextOf is a text without what editors and shells put around it: a byte order mark, and
// one end of a line.
func TextOf(content string) string {
	content = strings.TrimPrefix(content, byteOrderMark)
	if line, ok := strings.CutSuffix(content, "\r\n"); ok {
		return line
	}
	return strings.TrimSuffix(content, "\n")
}
