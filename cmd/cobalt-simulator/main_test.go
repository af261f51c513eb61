package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	seed := filepath.Join(t.TempDir(), "seed.yaml")
	if err := os.WriteFile(seed, []byte("applications: [{slug: fax}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	address, options, err := parse([]string{"--listen=:0", "--api-key=a", "--api-key=b=production", "--replace", "--seed=" + seed})
	if err != nil || address != ":0" || !options.Replace || options.Seed.Applications[0].Slug != "fax" {
		t.Errorf("got %q, %+v, %v", address, options, err)
	}
	if diff := cmp.Diff(map[string]string{"a": "test", "b": "production"}, options.Keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestParseRefusesWithoutNamingKeys(t *testing.T) {
	for name, args := range map[string][]string{
		"no environment": {"--api-key=s3cret="},
		"no key":         {"--api-key", "=s3cret"},
		"argument":       {"s3cret"},
		"no seed":        {"--seed=" + filepath.Join(t.TempDir(), "none.yaml")},
	} {
		if _, _, err := parse(args); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got %v, want an error without the key", name, err)
		}
	}
}

func TestRunStopsWhenTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, []string{"--listen=127.0.0.1:0"}); err != nil {
		t.Error(err)
	}
}
