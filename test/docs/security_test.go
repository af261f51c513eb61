package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	promises  = "docs/security.md"
	noPromise = "<!-- no promise -->"
)

var (
	attackedBy = regexp.MustCompile(`(?s)<!-- attacked by: (.*?) -->`)
	chartTest  = regexp.MustCompile(`(?m)^- it: (.+)$`)
)

// everyTest are the names of all tests: Go functions, texts of stories, and texts of the chart's own tests.
func everyTest(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", "bin", "dist"}, path):
			return fs.SkipDir
		case entry.IsDir():
			for name := range storiesIn(t, path) {
				names[name] = true
			}
		case strings.HasPrefix(path, "charts/") && strings.HasSuffix(path, "_test.yaml"):
			for _, match := range chartTest.FindAllStringSubmatch(read(t, path), -1) {
				names[match[1]] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// units are the parts of a page that may each promise something: paragraphs, items of lists, rows of tables. A section
// that begins with noPromise has none.
func units(page string) []string {
	var found []string
	for section := range strings.SplitSeq(page, "\n#") {
		_, body, _ := strings.Cut(section, "\n")
		if strings.HasPrefix(strings.TrimSpace(body), noPromise) {
			continue
		}
		for paragraph := range strings.SplitSeq(body, "\n\n") {
			switch paragraph = strings.Trim(paragraph, "\n"); {
			case paragraph == "":
			case strings.HasPrefix(paragraph, "|"):
				found = append(found, strings.Split(paragraph, "\n")[2:]...)
			case strings.HasPrefix(paragraph, "- "):
				found = append(found, strings.Split(paragraph, "\n- ")...)
			default:
				found = append(found, paragraph)
			}
		}
	}
	return found
}

// TestEachPromiseIsAttacked: whatever the security model promises names tests that try to break it, and those exist.
func TestEachPromiseIsAttacked(t *testing.T) {
	tests := everyTest(t)
	for _, unit := range units(read(t, promises)) {
		attacks := attackedBy.FindAllStringSubmatch(unit, -1)
		if (len(attacks) > 0) == strings.Contains(unit, noPromise) {
			t.Errorf("say <!-- attacked by: TestName; text of a story --> or %s, one of the two, of:\n%s", noPromise, unit)
		}
		for _, attack := range attacks {
			for name := range strings.SplitSeq(attack[1], "; ") {
				if !tests[name] {
					t.Errorf("there is no test or story %q, which is to attack:\n%s", name, unit)
				}
			}
		}
	}
}

// fetches are commands that bring a program from elsewhere, in the version of the day.
var fetches = regexp.MustCompile(`@latest\b|\bgo install\b|\b(curl|wget|pip|npm)\s`)

// TestNothingIsFetchedUnpinned: tools come through a go.mod with checksums, never in the version of the day. Debian's
// packages, which its archive signs, are the exception that the page names.
func TestNothingIsFetchedUnpinned(t *testing.T) {
	files := []string{"Makefile", ".ci/run"}
	for _, pattern := range []string{"hack/*.sh", "hack/*/*.sh"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			files = append(files, strings.TrimPrefix(path, root+"/"))
		}
	}
	for _, file := range files {
		for line := range strings.SplitSeq(read(t, file), "\n") {
			code, _, _ := strings.Cut(line, "# ")
			if fetches.MatchString(code) {
				t.Errorf("%s: %s", file, line)
			}
		}
	}
}
