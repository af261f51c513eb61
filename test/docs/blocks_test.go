package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// block is a fenced block of commands. The comment on the line before it says how it is tested.
type block struct {
	page   string
	line   int
	script string
	// how is api, cluster or none; by is the story, or the reason, after the colon.
	how, by string
}

func (b block) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

var (
	fence  = regexp.MustCompile("(?ms)^(?:<!-- ([^\n]*) -->\n)? *```(\\w*)\n(.*?\n) *```$")
	reason = regexp.MustCompile("(?m)^\\| `none: ([^`]+)` \\|")
	target = regexp.MustCompile(`(?m)^make ([a-z0-9-]+)`)
)

// languages are those of fences that hold no commands.
var languages = []string{"yaml", "console", "json", "text", "go", "mermaid"}

// blocks are those of a page that hold commands.
func blocks(t *testing.T, page string) []block {
	t.Helper()
	text := read(t, page)
	var found []block
	for _, at := range fence.FindAllStringSubmatchIndex(text, -1) {
		b := block{page: page, line: 1 + strings.Count(text[:at[6]], "\n"), script: text[at[6]:at[7]]}
		if language := text[at[4]:at[5]]; language != "sh" {
			if !slices.Contains(languages, language) {
				t.Errorf("%s: a fence says %q: say sh if it holds commands", b, language)
			}
			continue
		}
		if at[2] >= 0 {
			b.how, b.by, _ = strings.Cut(text[at[2]:at[3]], ": ")
		}
		found = append(found, b)
	}
	return found
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pages are those that tell people what to do, the one last that ends with an uninstallation.
func pages(t *testing.T) []string {
	t.Helper()
	found := []string{"README.md", "CONTRIBUTING.md", "charts/cobalt-operator/README.md"}
	err := fs.WalkDir(os.DirFS(root), "docs", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") && path != "docs/operations.md" {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return append(found, "docs/operations.md")
}

// reasons are what a block may say for not being tested here.
func reasons(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, match := range reason.FindAllStringSubmatch(read(t, "CONTRIBUTING.md"), -1) {
		found = append(found, match[1])
	}
	return found
}

// TestEveryBlockSaysHowItIsTested: on the API server here, by a story on a cluster, or not at all for one of four reasons.
func TestEveryBlockSaysHowItIsTested(t *testing.T) {
	allowed, told := reasons(t), storiesIn(t, "test/e2e")
	if len(allowed) != 4 {
		t.Errorf("CONTRIBUTING.md has the reasons %q, not four", allowed)
	}
	used := map[string]bool{}
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			switch {
			case b.how == "api" && b.by == "":
			case b.how == "cluster" && told[b.by]:
			case b.how == "none" && slices.Contains(allowed, b.by):
				used[b.by] = true
			case b.how == "cluster":
				t.Errorf("%s: test/e2e has no story %q", b, b.by)
			default:
				t.Errorf("%s: the line before must be <!-- api -->, <!-- cluster: a story of test/e2e --> or <!-- none: %s -->",
					b, strings.Join(allowed, " | "))
			}
		}
	}
	for _, reason := range allowed {
		if !used[reason] {
			t.Errorf("no block is untested because it %s", reason)
		}
	}
}

// TestTargetsExist: whatever people are told to make, the Makefile can.
func TestTargetsExist(t *testing.T) {
	makefile := read(t, "Makefile")
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			for _, told := range target.FindAllStringSubmatch(b.script, -1) {
				if !strings.Contains(makefile, "\n"+told[1]+":") {
					t.Errorf("%s: the Makefile has no target %s", b, told[1])
				}
			}
		}
	}
}
