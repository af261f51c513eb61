package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Config is the settings of one application for one account.
//
// The contract's Config has no property for the config_id that a caller may
// choose, so one is answered beside it. Calls accept either id.
type Config struct {
	ID              string           `json:"_id"`
	ConfigID        string           `json:"config_id"`
	Slug            string           `json:"slug"`
	LinkedAccountID string           `json:"linked_account_id"`
	Fields          map[string]any   `json:"fields"` // by id, without those that have no value
	Workflows       []WorkflowSwitch `json:"workflows"`
	CreatedAt       time.Time        `json:"created_at"`
	UpdatedAt       time.Time        `json:"updated_at"`

	datastores []datastore
}

// WorkflowSwitch says whether a workflow of the application is on.
type WorkflowSwitch struct {
	ID      string `json:"id"`
	Enabled bool   `json:"enabled"`
}

// upsertConfig gets or creates. A config is identified by its account and its
// id alone, as the paths of the other calls are; to ask for an id that another
// application uses is refused.
func (s *Server) upsertConfig(q *request) (any, error) {
	slug := q.body.text("slug")
	app := s.enabled(slug)
	if app == nil {
		return nil, unknownApplication(slug)
	}
	id := q.body.text("config_id")
	if id == "" {
		id = q.account.defaultConfigID(slug)
	}
	c := q.account.config(id)
	if c == nil {
		c = s.newConfig(q, app, id)
		q.account.configs = append(q.account.configs, c)
	}
	if c.Slug != slug {
		return nil, refuse(http.StatusBadRequest, codeValidation, "config_id %q belongs to a config of application %q", id, c.Slug)
	}
	return c, nil
}

// defaultConfigID is the id of a config that is asked for without one: the id
// of the account, as in Cobalt. There, applications share it; here, where the
// application is no part of the identity, every application but the first gets
// its slug appended.
func (a *account) defaultConfigID(slug string) string {
	own := fmt.Sprintf("%s-%s", a.LinkedAccountID, slug)
	shared := a.config(a.LinkedAccountID)
	if shared != nil && shared.Slug == slug {
		return a.LinkedAccountID
	}
	if shared != nil || a.config(own) != nil {
		return own
	}
	return a.LinkedAccountID
}

func (s *Server) newConfig(q *request, app *SeedApplication, id string) *Config {
	c := &Config{
		ID:              newID(),
		ConfigID:        id,
		Slug:            app.Slug,
		LinkedAccountID: q.account.LinkedAccountID,
		Fields:          map[string]any{},
		Workflows:       []WorkflowSwitch{},
		CreatedAt:       q.now,
		UpdatedAt:       q.now,
	}
	for _, field := range app.Fields {
		if field.Value != nil {
			c.Fields[field.ID] = field.Value
		}
	}
	for _, workflow := range app.Workflows {
		c.Workflows = append(c.Workflows, WorkflowSwitch{ID: workflow})
	}
	c.datastores = s.seed.datastoresOf(c)
	return c
}

// config is the one of that id, chosen or given, or nil.
func (a *account) config(id string) *Config {
	for _, c := range a.configs {
		if c.ConfigID == id {
			return c
		}
	}
	for _, c := range a.configs {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// config is the one that the path names.
func (q *request) config() (*Config, error) {
	id := q.path("config_id")
	if c := q.account.config(id); c != nil {
		return c, nil
	}
	return nil, refuse(http.StatusNotFound, codeNotFound, "config %q does not exist", id)
}

func (s *Server) listInstalledConfigs(q *request) (any, error) {
	return append([]*Config{}, q.account.configs...), nil
}

func (s *Server) getConfigByID(q *request) (any, error) {
	return q.config()
}

func (s *Server) deleteConfig(q *request) (any, error) {
	c, err := q.config()
	if err != nil {
		return nil, err
	}
	q.account.configs = slices.DeleteFunc(q.account.configs, func(other *Config) bool { return other == c })
	return nil, nil
}

// updateConfig writes all of the body or, if it names anything that the
// application does not have, nothing.
func (s *Server) updateConfig(q *request) (any, error) {
	c, err := q.config()
	if err != nil {
		return nil, err
	}
	app := s.enabled(c.Slug)
	if app == nil {
		return nil, unknownApplication(c.Slug)
	}
	fields := q.body.object("fields")
	for id := range fields {
		if app.field(id) == nil {
			return nil, refuse(http.StatusBadRequest, codeValidation, "fields: application %q has no field %q", c.Slug, id)
		}
	}
	switches, err := s.switched(app, c.Workflows, q.body.objects("workflows"))
	if err != nil {
		return nil, err
	}
	if q.body.has("fields") {
		c.Fields = s.written(c.Fields, fields)
	}
	if q.body.has("workflows") {
		c.Workflows = switches
	}
	c.UpdatedAt = q.now
	return c, nil
}

// switched is what becomes of the workflows of a config. One that is sent
// without enabled stays as it is.
func (s *Server) switched(app *SeedApplication, present []WorkflowSwitch, sent []object) ([]WorkflowSwitch, error) {
	result := slices.Clone(present)
	if s.options.Replace {
		result = []WorkflowSwitch{}
	}
	for i, workflow := range sent {
		id := workflow.text("id")
		if !slices.Contains(app.Workflows, id) {
			return nil, refuse(http.StatusBadRequest, codeInvalidFlow, "workflows[%d].id: application %q has no workflow %q", i, app.Slug, id)
		}
		is := func(w WorkflowSwitch) bool { return w.ID == id }
		enabled, isSent := workflow["enabled"].(bool)
		if before := slices.IndexFunc(present, is); !isSent && before >= 0 {
			enabled = present[before].Enabled
		}
		result = append(slices.DeleteFunc(result, is), WorkflowSwitch{ID: id, Enabled: enabled})
	}
	slices.SortFunc(result, app.inOrder)
	return result, nil
}
