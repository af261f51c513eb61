package gitops

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A reason that somebody adds must get a row.
func TestEveryReasonHasAState(t *testing.T) {
	known := map[string]bool{}
	for reason, comment := range constants(t, "conditions.go", "Reason") {
		known[reason] = true
		with := ready
		for _, r := range []report{reconciling, stalled} {
			if strings.Contains(comment, string(r)) {
				with = r
			}
		}
		if !hasState(func(s state) bool { return s.reason == reason && s.report == with }) {
			t.Errorf("no state has reason %s with %s", reason, with)
		}
	}
	for _, s := range states {
		if s.reason != "" && !known[s.reason] {
			t.Errorf("%s: there is no such reason", s.name())
		}
	}
}

func TestEveryPhaseHasAState(t *testing.T) {
	for phase := range constants(t, "eventtrigger_status.go", "Phase") {
		for _, readyWhen := range []string{"Accepted", "Completed"} {
			if !hasState(func(s state) bool { return s.phase == phase && s.readyWhen == readyWhen }) {
				t.Errorf("no state has phase %s with readyWhen %s", phase, readyWhen)
			}
		}
	}
}

func hasState(which func(state) bool) bool {
	return slices.ContainsFunc(states, which)
}

// constants are the values of those constants of a file of the API whose names begin with prefix, each with the comment
// on its group.
func constants(t *testing.T, file, prefix string) map[string]string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "api", "v1alpha1", file), nil, parser.ParseComments)
	must(t, err)
	found := map[string]string{}
	for _, decl := range parsed.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			constant := spec.(*ast.ValueSpec)
			if strings.HasPrefix(constant.Names[0].Name, prefix) {
				value, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
				must(t, err)
				found[value] = group.Doc.Text()
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s holds no constants %s…", file, prefix)
	}
	return found
}
