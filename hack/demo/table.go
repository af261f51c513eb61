package main

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/term"
)

// row is one sample as the table shows it.
type row struct {
	kind, name, ready, reason, message string

	settled bool // as expected
}

func unsettled(rows []row) []row {
	return slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.settled })
}

var header = row{kind: "KIND", name: "NAMESPACE/NAME", ready: "READY", reason: "REASON", message: "MESSAGE"}

// table shows rows: on a terminal drawn over what it drew before, elsewhere as one line per row that changed.
type table struct {
	out    *console
	width  func() int // of the terminal; nil if there is none, or no longer one to draw on
	shown  []row
	layout string
}

func newTable(out *console) *table {
	t := &table{out: out}
	if fd := int(out.Fd()); term.IsTerminal(fd) {
		t.width = func() int {
			width, _, err := term.GetSize(fd)
			if err != nil {
				return 80
			}
			return width
		}
	}
	return t
}

// settle ends the drawing: whatever changes from now on gets a line of its own.
func (t *table) settle() { t.width = nil }

// show brings the table up to date.
func (t *table) show(rows []row) {
	if slices.Equal(rows, t.shown) {
		return
	}
	fresh := append([]row{header}, rows...)
	switch {
	case t.width != nil:
		t.layout = layout(fresh, 0)
		if t.shown != nil {
			t.out.printf("\x1b[%dA\x1b[J", len(fresh)) // up to the header, and clear from there
		}
	case t.shown == nil:
		t.layout = layout(fresh, usualReason)
	default:
		fresh = slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return slices.Contains(t.shown, r) })
	}
	for _, line := range t.format(fresh) {
		t.out.printf("%s\n", line)
	}
	t.shown = slices.Clone(rows)
}

// format returns a line for each row, cut to the width of the terminal: a longer one would wrap, and what wraps cannot be
// drawn over.
func (t *table) format(rows []row) []string {
	var lines []string
	for _, r := range rows {
		line := []rune(strings.TrimRight(fmt.Sprintf(t.layout, r.kind, r.name, r.ready, r.reason, r.message), " "))
		if t.width != nil {
			line = line[:min(len(line), t.width()-1)]
		}
		lines = append(lines, string(line))
	}
	return lines
}

// usualReason is room for most reasons, for rows that are printed before theirs is known.
const usualReason = 22

// layout returns a format whose columns are wide enough for rows, and the one of reasons at least as wide as asked.
func layout(rows []row, reason int) string {
	var kind, name, ready int
	for _, r := range rows {
		kind, name = max(kind, len(r.kind)), max(name, len(r.name))
		ready, reason = max(ready, len(r.ready)), max(reason, len(r.reason))
	}
	return fmt.Sprintf("%%-%ds  %%-%ds  %%-%ds  %%-%ds  %%s", kind, name, ready, reason)
}
