package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// tellers are the functions of Ginkgo whose first argument is a text that a story goes by.
var tellers = []string{"It", "Entry", "DescribeTable"}

// storiesIn are the names of the tests in a folder, those in folders below it not included: functions of Go, and the
// texts of Ginkgo.
func storiesIn(t *testing.T, folder string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.FuncDecl:
				if name := node.Name.Name; strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz") {
					names[name] = true
				}
			case *ast.CallExpr:
				if name, ok := toldBy(node); ok {
					names[name] = true
				}
			}
			return true
		})
	}
	return names
}

// toldBy is the text of a story, if a call tells one.
func toldBy(call *ast.CallExpr) (name string, ok bool) {
	function, ok := call.Fun.(*ast.Ident)
	if !ok || !slices.Contains(tellers, function.Name) || len(call.Args) == 0 {
		return "", false
	}
	begins := call.Args[0]
	for { // a text that goes on with a variable goes by its beginning
		sum, ok := begins.(*ast.BinaryExpr)
		if !ok {
			break
		}
		begins = sum.X
	}
	text, ok := begins.(*ast.BasicLit)
	if !ok || text.Kind != token.STRING {
		return "", false
	}
	name, err := strconv.Unquote(text.Value)
	return strings.TrimRight(name, ": "), err == nil
}
