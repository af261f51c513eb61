package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

var architectures = []string{"amd64", "arm64"}

// binaries makes a folder as `make build-all` leaves it, with programs that say their own names.
func binaries(t *testing.T) *options {
	t.Helper()
	o := &options{architectures: architectures, binaries: t.TempDir(), out: t.TempDir(), version: "v1", revision: "abc", created: time.Unix(1_700_000_000, 0)}
	for _, architecture := range architectures {
		folder := filepath.Join(o.binaries, "linux-"+architecture)
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, p := range programs {
			if err := os.WriteFile(filepath.Join(folder, p.binary), []byte(architecture+p.binary), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	return o
}

func TestAnArchiveIsAnImageForEveryArchitecture(t *testing.T) {
	t.Parallel()
	o := binaries(t)
	if err := o.run(); err != nil {
		t.Fatal(err)
	}
	for _, p := range programs {
		index, names := open(t, filepath.Join(o.out, p.image+".tar"))
		if names["io.containerd.image.name"] != "docker.io/library/"+p.image+":v1" {
			t.Errorf("a node would not find %s by its name: %v", p.image, names)
		}
		manifest, err := index.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		if len(manifest.Manifests) != len(architectures) {
			t.Errorf("%s is for %d architectures", p.image, len(manifest.Manifests))
		}
		for _, descriptor := range manifest.Manifests {
			checkImage(t, p, index, descriptor)
		}
	}
}

// checkImage holds an image to its architecture, its binary and its user.
func checkImage(t *testing.T, p program, index v1.ImageIndex, descriptor v1.Descriptor) {
	t.Helper()
	image, err := index.Image(descriptor.Digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(image); err != nil {
		t.Error(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.User != user || config.Config.Entrypoint[0] != "/"+p.binary || config.Config.Labels["org.opencontainers.image.version"] != "v1" {
		t.Errorf("%s runs wrongly: %+v", p.image, config.Config)
	}
	files := tar.NewReader(mutate.Extract(image))
	header, err := files.Next()
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(files)
	if err != nil {
		t.Fatal(err)
	}
	if header.Name != p.binary || header.Mode != 0o555 || string(content) != descriptor.Platform.Architecture+p.binary {
		t.Errorf("%s for %s holds %s (%o): %q", p.image, descriptor.Platform, header.Name, header.Mode, content)
	}
	if _, err := files.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("%s holds more than its program", p.image)
	}
}

// open unpacks an archive and returns its image, and the names that it goes by.
func open(t *testing.T, file string) (v1.ImageIndex, map[string]string) {
	t.Helper()
	archive, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	folder := t.TempDir()
	for files := tar.NewReader(archive); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, filepath.FromSlash(header.Name))
		content, err := io.ReadAll(files)
		if err == nil {
			err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	top, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := top.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	index, err := top.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return index, manifest.Manifests[0].Annotations
}

func TestTheSameBinariesMakeTheSameArchives(t *testing.T) {
	t.Parallel()
	o := binaries(t)
	var archives [2][]byte
	for i := range archives {
		if err := o.run(); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(o.out, "cobalt-operator.tar"))
		if err != nil {
			t.Fatal(err)
		}
		archives[i] = content
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("the archives differ")
	}
}

func TestAnImageIsSmall(t *testing.T) {
	t.Parallel()
	o := binaries(t)
	if err := os.Truncate(filepath.Join(o.binaries, "linux-arm64", "manager"), maxSize+1); err != nil {
		t.Fatal(err)
	}
	if err := o.run(); err == nil || !strings.Contains(err.Error(), "60 MB") {
		t.Errorf("a binary above the limit: %v", err)
	}
}
