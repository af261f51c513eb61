// Command image makes OCI archives of the operator and the simulator from the
// binaries of `make build-all`, without a container runtime. The same binaries
// make the same archives, byte for byte.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// maxSize is what an image may take on a node, in bytes.
const maxSize = 60_000_000

// user is nobody's on any node, as in the Dockerfile.
const user = "65532:65532"

// program is what an image holds.
type program struct {
	image, binary, title, description string
}

var programs = []program{
	{"cobalt-operator", "manager", "Cobalt operator", "Keeps customers in Cobalt as Kubernetes objects"},
	{"cobalt-simulator", "cobalt-simulator", "Cobalt simulator", "Serves the Cobalt API from memory"},
}

// options say what to make of what.
type options struct {
	binaries      string // holds a folder linux-ARCH each
	architectures []string
	out           string
	version       string
	revision      string
	created       time.Time
}

func main() {
	o, err := parse(os.Args[1:])
	if err == nil {
		err = o.run()
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func parse(args []string) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	flags.StringVar(&o.binaries, "binaries", "bin", "folder with the binaries, in linux-amd64 and linux-arm64")
	architectures := flags.String("architectures", "amd64 arm64", "what the images run on")
	flags.StringVar(&o.out, "out", "dist", "folder for the archives")
	flags.StringVar(&o.version, "version", "", "tag of the images")
	flags.StringVar(&o.revision, "revision", "", "commit that they were built from")
	flags.Func("created", "time of that commit, as 2006-01-02T15:04:05Z", func(text string) (err error) {
		o.created, err = time.Parse(time.RFC3339, text)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	o.architectures = strings.Fields(*architectures)
	if o.version == "" || flags.NArg() > 0 {
		return nil, errors.New("usage: image -version=TAG [-architectures=amd64] [-binaries=bin] [-out=dist] [-revision=COMMIT] [-created=TIME]")
	}
	return o, nil
}

func (o *options) run() error {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	for _, p := range programs {
		if err := o.make(p); err != nil {
			return fmt.Errorf("%s: %w", p.image, err)
		}
	}
	return nil
}

// make writes the archive of a program for all architectures asked for.
func (o *options) make(p program) error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, architecture := range o.architectures {
		image, err := o.image(p, architecture)
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}},
		})
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	file := filepath.Join(o.out, p.image+".tar")
	if err := writeArchive(file, p.image+":"+o.version, index, o.created); err != nil {
		return err
	}
	_, err = fmt.Fprintf(os.Stdout, "%s  %s:%s  %s\n", file, p.image, o.version, digest)
	return err
}

// image holds the binary of a program and nothing else.
func (o *options) image(p program, architecture string) (v1.Image, error) {
	binary := filepath.Join(o.binaries, "linux-"+architecture, p.binary)
	info, err := os.Stat(binary)
	if err != nil {
		return nil, fmt.Errorf("%w; run make build-all", err)
	}
	if info.Size() > maxSize {
		return nil, fmt.Errorf("%s has %d MB, and an image may have 60 MB", binary, info.Size()/1_000_000)
	}
	layer, err := layerOf(binary, "/"+p.binary, o.created)
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if image, err = mutate.Append(image, mutate.Addendum{Layer: layer, MediaType: types.OCILayer}); err != nil {
		return nil, err
	}
	config, err := o.config(p, architecture, image)
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(image, config)
}
