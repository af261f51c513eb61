package simulator

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"slices"

	"sigs.k8s.io/yaml"
)

// Seed is what is made in the dashboard of Cobalt, not through its API. Every
// environment has it.
type Seed struct {
	Applications []SeedApplication `json:"applications"`
	Events       []SeedEvent       `json:"events"`
	Datastores   []SeedDatastore   `json:"datastores"`
	// Outcomes are what becomes of executions, by workflow.
	Outcomes map[string]Outcome `json:"outcomes"`
}

// SeedApplication is an application that customers can connect.
type SeedApplication struct {
	Slug        string      `json:"slug"`
	Name        string      `json:"name"`
	Icon        string      `json:"icon"`
	Description string      `json:"description"`
	AuthType    string      `json:"auth_type"`
	Fields      []SeedField `json:"fields"`
	Workflows   []string    `json:"workflows"` // ids; off in new configs
}

// SeedField is a field of an application's configs.
type SeedField struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Value any    `json:"value"` // in new configs; nil is none
}

// SeedEvent is an event and the workflow that it starts.
type SeedEvent struct {
	Slug     string `json:"slug"`
	Name     string `json:"name"`
	Workflow string `json:"workflow"`
}

// SeedDatastore is a datastore that every config of an application has.
type SeedDatastore struct {
	Slug        string           `json:"slug"`
	Name        string           `json:"name"`
	Application string           `json:"application"`
	Records     []map[string]any `json:"records"`
}

//go:embed seed.yaml
var defaultSeed []byte

// DefaultSeed is a small realistic seed.
func DefaultSeed() *Seed {
	seed, err := LoadSeed(bytes.NewReader(defaultSeed))
	if err != nil {
		panic(fmt.Sprintf("the default seed is not valid: %v", err))
	}
	return seed
}

// LoadSeed reads a seed in YAML. Unknown keys are errors.
func LoadSeed(r io.Reader) (*Seed, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading the seed: %w", err)
	}
	seed := &Seed{}
	if err := yaml.UnmarshalStrict(text, seed); err != nil {
		return nil, fmt.Errorf("parsing the seed: %w", err)
	}
	if err := seed.validate(); err != nil {
		return nil, fmt.Errorf("the seed is not valid: %w", err)
	}
	return seed, nil
}

func (s *Seed) validate() error {
	if err := s.unique(); err != nil {
		return err
	}
	for _, e := range s.Events {
		if e.Workflow == "" {
			return fmt.Errorf("event %q has no workflow", e.Slug)
		}
	}
	for workflow, outcome := range s.Outcomes {
		if !s.hasWorkflow(workflow) {
			return fmt.Errorf("outcome: workflow %q does not exist", workflow)
		}
		if err := outcome.validate(); err != nil {
			return fmt.Errorf("outcome of workflow %q: %w", workflow, err)
		}
	}
	for _, d := range s.Datastores {
		if s.application(d.Application) == nil {
			return fmt.Errorf("datastore %q: application %q does not exist", d.Slug, d.Application)
		}
	}
	return nil
}

// unique says which id is empty or stands twice, if one does.
func (s *Seed) unique() error {
	var ids [][]string // kind first
	for _, a := range s.Applications {
		ids = append(ids, []string{"application", a.Slug})
		for _, field := range a.Fields {
			ids = append(ids, []string{"field", a.Slug, field.ID})
		}
		for _, workflow := range a.Workflows {
			ids = append(ids, []string{"workflow", a.Slug, workflow})
		}
	}
	for _, e := range s.Events {
		ids = append(ids, []string{"event", e.Slug, e.Name})
	}
	for _, d := range s.Datastores {
		ids = append(ids, []string{"datastore", d.Application, d.Slug})
	}
	seen := map[string]bool{}
	for _, id := range ids {
		text := fmt.Sprintf("%s %q", id[0], id[1:])
		if seen[text] || slices.Contains(id, "") {
			return fmt.Errorf("%s is empty or stands twice", text)
		}
		seen[text] = true
	}
	return nil
}

func (s *Seed) application(slug string) *SeedApplication {
	i := slices.IndexFunc(s.Applications, func(a SeedApplication) bool { return a.Slug == slug })
	if i < 0 {
		return nil
	}
	return &s.Applications[i]
}

func (s *Seed) event(slug, name string) *SeedEvent {
	i := slices.IndexFunc(s.Events, func(e SeedEvent) bool { return e.Slug == slug && e.Name == name })
	if i < 0 {
		return nil
	}
	return &s.Events[i]
}

func (s *Seed) hasWorkflow(id string) bool {
	return slices.ContainsFunc(s.Applications, func(a SeedApplication) bool { return slices.Contains(a.Workflows, id) }) ||
		slices.ContainsFunc(s.Events, func(e SeedEvent) bool { return e.Workflow == id })
}

func (s *Seed) datastoresOf(c *Config) []datastore {
	var list []datastore
	for _, d := range s.Datastores {
		if d.Application == c.Slug {
			list = append(list, datastore{ID: newID(), Name: cmp.Or(d.Name, d.Slug), Slug: d.Slug, ConfigID: c.ConfigID, records: d.Records})
		}
	}
	return list
}

func (a *SeedApplication) field(id string) *SeedField {
	i := slices.IndexFunc(a.Fields, func(f SeedField) bool { return f.ID == id })
	if i < 0 {
		return nil
	}
	return &a.Fields[i]
}

// inOrder sorts switches as the application lists its workflows.
func (a *SeedApplication) inOrder(left, right WorkflowSwitch) int {
	return cmp.Compare(slices.Index(a.Workflows, left.ID), slices.Index(a.Workflows, right.ID))
}
