package main

import (
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const source = "https://github.com/cobalt-operator/cobalt-operator"

// config says how an image runs, and where it comes from.
func (o *options) config(p program, architecture string, image v1.Image) (*v1.ConfigFile, error) {
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", architecture
	config.Created = v1.Time{Time: o.created}
	config.History = []v1.History{{Created: config.Created, CreatedBy: "COPY " + p.binary + " /"}}
	config.Config = v1.Config{
		User:       user,
		Entrypoint: []string{"/" + p.binary},
		Labels:     o.labels(p),
	}
	return config, nil
}

// labels are those of the OCI image specification.
func (o *options) labels(p program) map[string]string {
	labels := map[string]string{
		"org.opencontainers.image.title":       p.title,
		"org.opencontainers.image.description": p.description,
		"org.opencontainers.image.version":     o.version,
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.source":      source,
		"org.opencontainers.image.created":     o.created.UTC().Format(time.RFC3339),
	}
	if o.revision != "" {
		labels["org.opencontainers.image.revision"] = o.revision
	}
	return labels
}
