package simulator

import (
	"encoding/json"
	"maps"
	"net/http"
)

// fieldValue is a field of a config, as the API answers it.
type fieldValue struct {
	ID    string  `json:"id"`
	Name  string  `json:"name"`
	Value *string `json:"value,omitempty"` // nil: it has none
}

func (s *Server) getConfigFields(q *request) (any, error) {
	c, err := q.config()
	if err != nil {
		return nil, err
	}
	list := []fieldValue{}
	for _, field := range s.seed.application(c.Slug).Fields {
		list = append(list, c.valueOf(field))
	}
	return list, nil
}

func (s *Server) getFieldValueByID(q *request) (any, error) {
	c, field, err := s.field(q)
	if err != nil {
		return nil, err
	}
	return c.valueOf(*field), nil
}

// updateFieldValueByID needs a value, though the contract does not say so:
// clearing a field is another call.
func (s *Server) updateFieldValueByID(q *request) (any, error) {
	c, field, err := s.writableField(q)
	if err != nil {
		return nil, err
	}
	if !q.body.has("value") {
		return nil, refuse(http.StatusBadRequest, codeMissingField, "value is missing")
	}
	c.Fields = maps.Clone(c.Fields)
	c.Fields[field.ID] = q.body.text("value")
	c.UpdatedAt = q.now
	return nil, nil
}

// deleteFieldValueByID takes the field back to the application's value for it,
// if it has one.
func (s *Server) deleteFieldValueByID(q *request) (any, error) {
	c, field, err := s.writableField(q)
	if err != nil {
		return nil, err
	}
	c.Fields = maps.Clone(c.Fields)
	delete(c.Fields, field.ID)
	if field.Value != nil {
		c.Fields[field.ID] = field.Value
	}
	c.UpdatedAt = q.now
	return nil, nil
}

// getRuleEngineOptions answers the fields and operators that rules can use.
// The contract leaves the shape open.
func (s *Server) getRuleEngineOptions(q *request) (any, error) {
	c, err := q.config()
	if err != nil {
		return nil, err
	}
	fields := []map[string]string{}
	for _, field := range s.seed.application(c.Slug).Fields {
		fields = append(fields, map[string]string{"id": field.ID, "name": field.Name})
	}
	return map[string]any{
		"fields":    fields,
		"operators": []string{"eq", "neq", "start_with", "end_with", "greater_or_equal", "less_or_equal"},
	}, nil
}

// field is the one that the path names, and its config.
func (s *Server) field(q *request) (*Config, *SeedField, error) {
	c, err := q.config()
	if err != nil {
		return nil, nil, err
	}
	id := q.path("field_id")
	field := s.seed.application(c.Slug).field(id)
	if field == nil {
		return nil, nil, refuse(http.StatusNotFound, codeNotFound, "config %q has no field %q", c.ConfigID, id)
	}
	return c, field, nil
}

// writableField is field, if its application is enabled.
func (s *Server) writableField(q *request) (*Config, *SeedField, error) {
	c, field, err := s.field(q)
	if err == nil && s.enabled(c.Slug) == nil {
		err = unknownApplication(c.Slug)
	}
	return c, field, err
}

// valueOf is a field as text, the only type that the contract has for a single
// value: anything but a string is its JSON.
func (c *Config) valueOf(field SeedField) fieldValue {
	result := fieldValue{ID: field.ID, Name: field.Name}
	switch value := c.Fields[field.ID].(type) {
	case nil:
	case string:
		result.Value = &value
	default:
		encoded, _ := json.Marshal(value) // came from JSON or YAML
		text := string(encoded)
		result.Value = &text
	}
	return result
}
