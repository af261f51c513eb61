package main

import (
	"archive/tar"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// layerOf makes a layer with one executable.
func layerOf(binary, name string, created time.Time) (v1.Layer, error) {
	content, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	var layer bytes.Buffer
	writer := tar.NewWriter(&layer)
	if err := writeFile(writer, name[1:], 0o555, content, created); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(layer.Bytes())), nil
	})
}

// writeArchive writes an OCI layout as a tar file, with the names by which containerd, Docker and others find the image.
func writeArchive(file, name string, index v1.ImageIndex, created time.Time) error {
	folder, err := os.MkdirTemp("", "image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	out, err := layout.Write(folder, empty.Index)
	if err != nil {
		return err
	}
	names := map[string]string{
		"io.containerd.image.name":          "docker.io/library/" + name, // what a node makes of a name without a registry
		"org.opencontainers.image.ref.name": name,
	}
	if err := out.AppendIndex(index, layout.WithAnnotations(names)); err != nil {
		return err
	}
	archive, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := pack(archive, folder, created); err != nil {
		_ = archive.Close() // the error that counts is the first
		return err
	}
	return archive.Close()
}

// pack writes a folder as a tar file, in an order and with dates that depend on nothing else.
func pack(archive io.Writer, folder string, created time.Time) error {
	writer := tar.NewWriter(archive)
	err := filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, file)
		if err != nil {
			return err
		}
		return writeFile(writer, path.Clean(filepath.ToSlash(name)), 0o644, content, created)
	})
	if err != nil {
		return err
	}
	return writer.Close()
}

func writeFile(writer *tar.Writer, name string, mode int64, content []byte, created time.Time) error {
	header := &tar.Header{Name: name, Mode: mode, Size: int64(len(content)), ModTime: created, Format: tar.FormatPAX}
	if err := writer.WriteHeader(header); err != nil {
		return err
	}
	_, err := writer.Write(content)
	return err
}
