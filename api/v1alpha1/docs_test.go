package v1alpha1_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

const docs = "../../docs"

var (
	yamlBlock      = regexp.MustCompile("(?s)\n```yaml\n(.*?)\n```\n")
	reasonConstant = regexp.MustCompile(`(?m)^\tReason\w+ += "(\w+)"$`)
	reasonRow      = regexp.MustCompile("(?m)^\\| ((?:`[A-Z]\\w+`(?:, )?)+) \\|")
	reasonHeading  = regexp.MustCompile(`(?m)^### ([A-Z]\w+)$`)
	quoted         = regexp.MustCompile("`([A-Z]\\w+)`")
	ownName        = regexp.MustCompile(`(?:^|[^.\w])(cobalt\.gocobalt\.io/[a-z-]+\b)`) // KIND.cobalt… is an object
)

// page reads a page of the documentation.
func page(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pages finds the pages of the documentation.
func pages(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(docs, pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no page is called %s: %v", pattern, err)
	}
	return paths
}

// names are what the group of a pattern matches or, if that holds names in backquotes, those.
func names(pattern *regexp.Regexp, text string) []string {
	var found []string
	for _, match := range pattern.FindAllStringSubmatch(text, -1) {
		if strings.Contains(match[1], "`") {
			found = append(found, names(quoted, match[1])...)
		} else {
			found = append(found, match[1])
		}
	}
	return found
}

// section is the part of text between two others; it fails if either is missing.
func section(t *testing.T, text, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, from)
	if !ok {
		t.Fatalf("%q is missing", from)
	}
	part, _, ok := strings.Cut(rest, to)
	if !ok {
		t.Fatalf("%q does not follow %q", to, from)
	}
	return part
}

// TestManifestsInDocs: what people copy from the documentation is accepted, to the last field.
func TestManifestsInDocs(t *testing.T) {
	t.Parallel()
	strict := client.WithFieldValidation(client.NewDryRunClient(cluster.Client), metav1.FieldValidationStrict)
	kinds := map[string]bool{}
	for _, path := range append(pages(t, "*.md"), pages(t, "kinds/*.md")...) {
		for _, block := range yamlBlock.FindAllStringSubmatch(page(t, path), -1) {
			for manifest := range strings.SplitSeq(block[1], "\n---\n") {
				obj := &unstructured.Unstructured{}
				if err := yaml.Unmarshal([]byte(manifest), &obj.Object); err != nil {
					t.Errorf("%s: %v in\n%s", path, err, manifest)
					continue
				}
				if obj.GroupVersionKind().Group != v1alpha1.GroupVersion.Group {
					continue
				}
				kinds[obj.GetKind()] = true
				if obj.GetKind() != "ClusterEnvironment" {
					obj.SetNamespace(metav1.NamespaceDefault)
				}
				if obj.GetGenerateName() == "" {
					obj.SetName("docs-" + obj.GetName()) // other tests make objects meanwhile
				}
				if err := strict.Create(t.Context(), obj); err != nil {
					t.Errorf("%s: %v in\n%s", path, err, manifest)
				}
			}
		}
	}
	if len(kinds) != 7 {
		t.Errorf("the documentation has manifests of %d kinds only: %v", len(kinds), kinds)
	}
}

// TestReasonsInDocs: every reason is explained, and none that does not exist.
func TestReasonsInDocs(t *testing.T) {
	t.Parallel()
	reasons := names(reasonConstant, page(t, "conditions.go"))
	troubleshooting := page(t, filepath.Join(docs, "troubleshooting.md"))
	explained := slices.Concat(names(reasonHeading, troubleshooting),
		names(quoted, section(t, troubleshooting, "The reasons that need no action are not here:", "[reasons.md]")))
	shared := names(reasonRow, section(t, page(t, filepath.Join(docs, "kinds", "README.md")), "### Reasons that several", "\n##"))
	shown := slices.Clone(shared)
	for _, path := range pages(t, "kinds/[a-z]*.md") {
		text := section(t, page(t, path), "## What it shows", "## What deleting does")
		shown = append(shown, names(reasonRow, text)...)
		for _, reason := range names(quoted, section(t, text, "\n", "\n| ")) {
			if !slices.Contains(shared, reason) {
				t.Errorf("%s: %s is not in the table of the reasons that several kinds show", path, reason)
			}
		}
	}
	for _, reason := range reasons {
		if !slices.Contains(explained, reason) {
			t.Errorf("troubleshooting.md does not explain %s", reason)
		}
		if !slices.Contains(shown, reason) {
			t.Errorf("no page on a kind shows %s", reason)
		}
	}
	for _, reason := range slices.Concat(explained, shown) {
		if !slices.Contains(reasons, reason) {
			t.Errorf("there is no reason %s", reason)
		}
	}
}

// TestNamesInDocs: annotations that people are told to set or to look for exist.
func TestNamesInDocs(t *testing.T) {
	t.Parallel()
	var source strings.Builder
	for _, pattern := range []string{"*.go", "../../internal/object/*.go", "../../internal/controller/*/*.go"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if !strings.HasSuffix(path, "_test.go") {
				source.WriteString(page(t, path))
			}
		}
	}
	for _, path := range append(pages(t, "*.md"), pages(t, "kinds/*.md")...) {
		for _, name := range names(ownName, page(t, path)) {
			if !strings.Contains(source.String(), `"`+name+`"`) {
				t.Errorf("%s: there is no annotation or label %s", path, name)
			}
		}
	}
}

// TestFirstManifests: what a newcomer reads is what a newcomer applies.
func TestFirstManifests(t *testing.T) {
	t.Parallel()
	first := page(t, filepath.Join(docs, "first.yaml"))
	if shown := page(t, filepath.Join(docs, "getting-started.md")); !strings.Contains(shown, "```yaml\n"+first+"```\n") {
		t.Error("docs/first.yaml is not what docs/getting-started.md shows")
	}
}

var pageLink = regexp.MustCompile(`\]\(([\w./-]+)(?:#[^)]*)?\)`)

// TestLinks: every file that the documentation links to is there.
func TestLinks(t *testing.T) {
	t.Parallel()
	paths := append(pages(t, "*.md"), pages(t, "kinds/*.md")...)
	for _, path := range append(paths, "../../README.md", "../../CONTRIBUTING.md", "../../charts/cobalt-operator/README.md") {
		for _, match := range pageLink.FindAllStringSubmatch(page(t, path), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), match[1])); err != nil {
				t.Errorf("%s links to %s: %v", path, match[1], err)
			}
		}
	}
}
