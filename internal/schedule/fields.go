package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// field is one of the five of a schedule.
type field struct {
	name     string
	min, max int
	names    []string // of the values from min on
	week     bool     // beside 0 there is another Sunday at its end
}

var fields = []field{
	{name: "minute", max: 59},
	{name: "hour", max: 23},
	{name: "day of month", min: 1, max: 31},
	{name: "month", min: 1, max: 12, names: strings.Fields("jan feb mar apr may jun jul aug sep oct nov dec")},
	{name: "day of week", max: 6, names: strings.Fields("sun mon tue wed thu fri sat"), week: true},
}

// sunday is what cron understands beside 0, and the library does not.
const sunday = 7

// normal is a schedule as the library reads it, which takes some that say nothing
// sensible and knows no Sunday at the end of a week. Its errors are for the user.
func normal(text string) (string, error) {
	parts := strings.Fields(text)
	if len(parts) != len(fields) {
		return "", fmt.Errorf("it has %d fields in the place of five: minute, hour, day of month, month, day of week", len(parts))
	}
	for i, f := range fields {
		var items []string
		for item := range strings.FieldsFuncSeq(parts[i], func(r rune) bool { return r == ',' }) {
			r, err := f.read(item)
			if err != nil {
				return "", fmt.Errorf("%s %q: %w", f.name, item, err)
			}
			if f.week && r.end == sunday {
				item = r.days()
			}
			items = append(items, item)
		}
		if len(items) == 0 {
			return "", fmt.Errorf("%s %q is empty", f.name, parts[i])
		}
		parts[i] = strings.Join(items, ",")
	}
	return strings.Join(parts, " "), nil
}

// span is one item of a field: each step-th value from start to end.
type span struct{ start, end, step int }

// days are the days of a span that ends on the second Sunday of a week.
func (s span) days() string {
	var days []string
	for day := s.start; day <= s.end; day += s.step {
		days = append(days, strconv.Itoa(day%sunday))
	}
	return strings.Join(days, ",")
}

// read reads a value, a range or a star, and a step.
func (f field) read(item string) (span, error) {
	values, step, hasStep := strings.Cut(item, "/")
	first, last, isRange := strings.Cut(values, "-")
	s := span{start: f.min, end: f.max, step: 1}
	var err error
	if values != "*" && values != "?" {
		if s.start, err = f.value(first); err != nil {
			return s, err
		}
		switch {
		case isRange:
			if s.end, err = f.value(last); err != nil {
				return s, err
			}
		case !hasStep || s.start > f.max:
			s.end = s.start
		}
	}
	if f.week && isRange && s.end == 0 && s.start > 0 { // as in sat-sun
		s.end = sunday
	}
	if s.start > s.end {
		return s, fmt.Errorf("%s comes after %s: write it as two ranges with a comma between them", first, last)
	}
	if hasStep {
		s.step, err = f.readStep(step)
	}
	return s, err
}

// value reads a number or a name.
func (f field) value(text string) (int, error) {
	if index := slices.Index(f.names, strings.ToLower(text)); index >= 0 {
		return f.min + index, nil
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < f.min || number > f.last() {
		return 0, fmt.Errorf("%q is none of %s", text, f.choice())
	}
	return number, nil
}

// last is the highest number of the field.
func (f field) last() int {
	if f.week {
		return sunday
	}
	return f.max
}

// choice says what a value can be.
func (f field) choice() string {
	if f.names == nil {
		return fmt.Sprintf("%d to %d", f.min, f.max)
	}
	return fmt.Sprintf("%d to %d and %s to %s", f.min, f.last(), f.names[0], f.names[len(f.names)-1])
}

// readStep reads a step that ends within the field.
func (f field) readStep(text string) (int, error) {
	values := f.max - f.min + 1
	step, err := strconv.Atoi(text)
	if err != nil || step < 1 || step > values {
		return 0, fmt.Errorf("%q is no step: give a number from 1 to %d", text, values)
	}
	return step, nil
}
