package cobalt

import (
	"context"
	"encoding/json"
	"iter"
	"maps"
	"time"
)

// Config is the set-up of one application for one account.
type Config struct {
	ID              string // by which calls name it
	Slug            string // of the application
	LinkedAccountID string
	Fields          map[string]json.RawMessage // values by field id; unset ones are not in it
	Workflows       []ConfigWorkflow
	CreatedAt       time.Time // zero if not told
	UpdatedAt       time.Time // zero if not told
}

// UnmarshalJSON reads the config in any of the API's dialects.
func (c *Config) UnmarshalJSON(text []byte) error {
	o, err := parse(text)
	if err != nil {
		return err
	}
	*c = Config{
		ID:              o.text("config_id", "_id", "id"),
		Slug:            o.text("slug"),
		LinkedAccountID: o.text("linked_account_id", "account_id"),
		Fields:          o.fields("fields", "application_data_slots"),
		CreatedAt:       o.time("created_at", "createdAt", "created_At"),
		UpdatedAt:       o.time("updated_at", "updatedAt", "updated_At"),
	}
	for _, workflow := range o.objects("workflows") {
		c.Workflows = append(c.Workflows, ConfigWorkflow{ID: workflow.text("id", "_id"), Enabled: workflow.flag("enabled")})
	}
	if c.ID == "" && c.Slug == "" && c.LinkedAccountID == "" && len(c.Fields) == 0 { // whatever it is, it is no config
		return missingError("_id")
	}
	return nil
}

// fields reads the first of keys that holds fields: an object of values by id,
// or an array of field objects.
func (o object) fields(keys ...string) map[string]json.RawMessage {
	for _, key := range keys {
		if byID, err := parse(o[key]); err == nil {
			maps.DeleteFunc(byID, func(id string, _ json.RawMessage) bool { return !byID.has(id) })
			return byID
		}
		if !o.has(key) {
			continue
		}
		byID := map[string]json.RawMessage{}
		for _, field := range o.objects(key) {
			if id := field.text("id", "_id"); id != "" && field.has("value") {
				byID[id] = field["value"]
			}
		}
		return byID
	}
	return nil
}

// ConfigWorkflow switches one workflow of a config.
type ConfigWorkflow struct {
	ID      string `json:"id"`
	Enabled bool   `json:"enabled"`
}

// ConfigUpdate is what to change of a config. Nil parts are not sent; whether
// the API keeps what is missing from the others is not written down.
type ConfigUpdate struct {
	Fields    map[string]json.RawMessage `json:"fields,omitzero"`
	Workflows []ConfigWorkflow           `json:"workflows,omitzero"`
}

// ConfigField is one field of a config.
type ConfigField struct {
	ID    string
	Name  string          // a label, need not be unique
	Value json.RawMessage // nil if unset
}

// UnmarshalJSON reads the field in any of the API's dialects.
func (f *ConfigField) UnmarshalJSON(text []byte) error {
	o, err := parse(text)
	if err != nil {
		return err
	}
	*f = ConfigField{ID: o.text("id", "_id"), Name: o.text("name")}
	if o.has("value") {
		f.Value = o["value"]
	}
	return nil
}

// ListConfigs returns the configs of an account, for all its applications.
func (c *Client) ListConfigs(ctx context.Context, account string) iter.Seq2[Config, error] {
	return list[Config](ctx, c, get("listInstalledConfigs", "/public/config/all").as(account))
}

// GetConfig returns one config of an account.
func (c *Client) GetConfig(ctx context.Context, account, configID string) (*Config, error) {
	return do[Config](ctx, c, get("getConfigById", "/public/config/{config_id}", configID).as(account))
}

// UpsertConfig returns the config of an application, which it creates if there
// is none. With an empty configID, Cobalt chooses. It can be repeated.
func (c *Client) UpsertConfig(ctx context.Context, account, slug, configID string) (*Config, error) {
	q := post("upsertConfig", "/public/config").as(account).
		with(configKey{slug, configID}).refuse("slug", slug, checkText(slug, maxID))
	if configID != "" { // it will be a path element of other calls
		q = q.refuse("config_id", configID, checkRoute("config", configID))
	}
	return do[Config](ctx, c, q)
}

type configKey struct {
	Slug     string `json:"slug"`
	ConfigID string `json:"config_id,omitempty"`
}

// UpdateConfig writes fields and switches of a config.
func (c *Client) UpdateConfig(ctx context.Context, account, configID string, in ConfigUpdate) (*Config, error) {
	q := put("updateConfig", "/public/config/{config_id}", configID).as(account)
	return do[Config](ctx, c, q.with(in).hiding(in.Fields))
}

// DeleteConfig deletes a config.
func (c *Client) DeleteConfig(ctx context.Context, account, configID string) error {
	return exec(ctx, c, del("deleteConfig", "/public/config/{config_id}", configID).as(account))
}

// ListConfigFields returns the fields of a config with their names.
func (c *Client) ListConfigFields(ctx context.Context, account, configID string) iter.Seq2[ConfigField, error] {
	return list[ConfigField](ctx, c, get("getConfigFields", "/public/config/{config_id}/fields", configID).as(account))
}

const fieldPath = "/public/config/{config_id}/field/{field_id}"

// GetConfigField returns one field of a config.
func (c *Client) GetConfigField(ctx context.Context, account, configID, fieldID string) (*ConfigField, error) {
	return do[ConfigField](ctx, c, get("getFieldValueById", fieldPath, configID, fieldID).as(account))
}

// UpdateConfigField sets one field of a config to a string.
func (c *Client) UpdateConfigField(ctx context.Context, account, configID, fieldID, value string) error {
	q := put("updateFieldValueById", fieldPath, configID, fieldID).as(account)
	return exec(ctx, c, q.with(map[string]string{"value": value}).hiding(value))
}

// DeleteConfigField unsets one field of a config.
func (c *Client) DeleteConfigField(ctx context.Context, account, configID, fieldID string) error {
	return exec(ctx, c, del("deleteFieldValueById", fieldPath, configID, fieldID).as(account))
}

// GetRuleEngineOptions returns what rules of a config can refer to, as JSON of
// the API's making.
func (c *Client) GetRuleEngineOptions(ctx context.Context, account, configID string) (json.RawMessage, error) {
	q := get("getRuleEngineOptions", "/public/config/{config_id}/rule-engine/options", configID).as(account)
	options, err := do[json.RawMessage](ctx, c, q)
	if err != nil {
		return nil, err
	}
	return *options, nil
}
