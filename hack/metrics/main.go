// Command metrics prints what is made of the list of metrics: docs/metrics.md,
// the Grafana dashboard, and the dashboard's queries as rules that promtool can
// check.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "metrics:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, args []string) error {
	prints := map[string]func(io.Writer) error{"docs": printDocs, "dashboard": printDashboard, "queries": printQueries}
	if len(args) != 1 || prints[args[0]] == nil {
		return errors.New("usage: metrics docs|dashboard|queries")
	}
	return prints[args[0]](out)
}
