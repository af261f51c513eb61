package cobalt

import (
	"context"
	"encoding/json"
	"iter"
)

// Datastore is a table of records that belongs to a config.
type Datastore struct {
	ID       string
	Name     string
	Slug     string
	ConfigID string
}

// UnmarshalJSON reads the datastore in any of the API's dialects, one of which
// tells only its name.
func (d *Datastore) UnmarshalJSON(text []byte) error {
	var name string
	if json.Unmarshal(text, &name) == nil && name != "" {
		*d = Datastore{Name: name}
		return nil
	}
	o, err := parse(text)
	if err != nil {
		return err
	}
	*d = Datastore{ID: o.text("_id", "id"), Name: o.text("name"), Slug: o.text("slug"), ConfigID: o.text("config_id")}
	return nil
}

// ListDatastores returns the datastores of an account's configs.
func (c *Client) ListDatastores(ctx context.Context, account string) iter.Seq2[Datastore, error] {
	return list[Datastore](ctx, c, get("listConfigDatastores", "/public/datastore").as(account))
}

// ListDatastoreRecords returns the records of a datastore, each a JSON object.
func (c *Client) ListDatastoreRecords(ctx context.Context, account, id string) iter.Seq2[json.RawMessage, error] {
	return list[json.RawMessage](ctx, c, get("listDatastoreRecords", "/public/datastore/{datastore_id}/records", id).as(account))
}

// SearchDatastoreRecords returns the records of a datastore that match query, a
// JSON object.
func (c *Client) SearchDatastoreRecords(ctx context.Context, account, id string, query json.RawMessage) iter.Seq2[json.RawMessage, error] {
	q := post("searchDatastoreRecords", "/public/datastore/{datastore_id}/search", id).as(account)
	return list[json.RawMessage](ctx, c, q.with(searchBody{query}))
}

type searchBody struct {
	Query json.RawMessage `json:"query,omitempty"`
}
