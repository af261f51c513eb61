package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

// report is what was measured.
type report struct {
	Machine machine  `json:"machine"`
	Figures []figure `json:"figures"`

	progress io.Writer
}

// figure is one thing that was measured.
type figure struct {
	Part   string  `json:"part"`
	What   string  `json:"what"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit,omitempty"`
	Target *target `json:"target,omitempty"`
	// headline tells that the README shows it.
	headline bool
}

// target is what a figure should reach.
type target struct {
	Bound string  `json:"bound"` // ≤ or ≥
	Value float64 `json:"value"`
	Met   bool    `json:"met"`
}

func atMost(value float64) *target  { return &target{Bound: "≤", Value: value} }
func atLeast(value float64) *target { return &target{Bound: "≥", Value: value} }

// part begins the figures of one part of the benchmark.
func (r *report) part(name string) *part { return &part{r, name} }

type part struct {
	report *report
	name   string
}

// add notes a figure, and says it to whoever waits for the rest. No target is nil.
func (p *part) add(what string, value float64, unit string, wanted *target) {
	if wanted != nil {
		wanted.Met = wanted.Bound == "≤" && value <= wanted.Value || wanted.Bound == "≥" && value >= wanted.Value
	}
	f := figure{Part: p.name, What: what, Value: value, Unit: unit, Target: wanted}
	p.report.Figures = append(p.report.Figures, f)
	_, _ = fmt.Fprintf(p.report.progress, "%s: %s: %s\n", f.Part, f.What, f.measured()) // for a human, if one is there
}

// headline is add for a figure that the README shows as well.
func (p *part) headline(what string, value float64, unit string, wanted *target) {
	p.add(what, value, unit, wanted)
	p.report.Figures[len(p.report.Figures)-1].headline = true
}

func number(value float64) string {
	if value == float64(int64(value)) {
		return fmt.Sprintf("%d", int64(value))
	}
	if value < 10 {
		return fmt.Sprintf("%.3f", value)
	}
	return fmt.Sprintf("%.1f", value)
}

func (f figure) measured() string { return strings.TrimSpace(number(f.Value) + " " + f.Unit) }

func (f figure) wanted() string {
	if f.Target == nil {
		return ""
	}
	return f.Target.Bound + " " + number(f.Target.Value)
}

func (f figure) verdict() string {
	switch {
	case f.Target == nil:
		return ""
	case f.Target.Met:
		return "yes"
	}
	return "no"
}

// print shows all figures as a table.
func (r *report) print(out io.Writer) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { _, _ = fmt.Fprintln(table, strings.Join(cells, "\t")) } // kept until Flush
	row("PART", "FIGURE", "MEASURED", "TARGET", "REACHED")
	for _, f := range r.Figures {
		row(f.Part, f.What, f.measured(), f.wanted(), f.verdict())
	}
	_ = table.Flush() // nobody reads it any more: the files are still written
}

func (r *report) writeJSON(file *os.File) error {
	encoder := json.NewEncoder(file)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// writeMarkdown writes the page that docs shows.
func (r *report) writeMarkdown(file *os.File) error {
	all := func(figure) bool { return true }
	_, err := fmt.Fprintf(file, `# Benchmark

Written by `+"`make bench-docs`"+`: the operator's binary as a process, against the simulator in the benchmark's
process, for each part on a new kube-apiserver and etcd, all on one machine:
%s, load average %.1f when it began.

The bare client is the least that could do the work: it watches LinkedAccounts and makes the same writes and calls with
the same concurrency, and checks nothing.

%s`, r.Machine, r.Machine.Load, r.markdown(all))
	return err
}

// markdown is a table of some of the figures.
func (r *report) markdown(shown func(figure) bool) string {
	var table strings.Builder
	table.WriteString("| part | figure | measured | target | reached |\n|---|---|---|---|---|\n")
	for _, f := range r.Figures {
		if shown(f) {
			fmt.Fprintf(&table, "| %s |\n", strings.Join([]string{f.Part, f.What, f.measured(), f.wanted(), f.verdict()}, " | "))
		}
	}
	return table.String()
}

// The README shows the headlines between these lines.
const (
	headlinesBegin = "<!-- make bench-docs writes this -->\n"
	headlinesEnd   = "<!-- until here -->\n"
)

// withHeadlines is the text of the README with the headlines in their place.
func (r *report) withHeadlines(readme string) (string, error) {
	before, rest, begins := strings.Cut(readme, headlinesBegin)
	_, after, ends := strings.Cut(rest, headlinesEnd)
	if !begins || !ends {
		return "", fmt.Errorf("the README has no lines %q and %q to put figures between", headlinesBegin, headlinesEnd)
	}
	headlines := r.markdown(func(f figure) bool { return f.headline })
	return fmt.Sprintf("%s%s\nOn %s:\n\n%s\n%s%s", before, headlinesBegin, r.Machine, headlines, headlinesEnd, after), nil
}

func (r *report) writeHeadlines(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	readme, err := r.withHeadlines(string(text))
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(readme), 0o644)
}
