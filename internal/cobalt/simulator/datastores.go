package simulator

import (
	"net/http"
	"reflect"
)

// datastore is one of a config, as the API answers it.
type datastore struct {
	ID       string `json:"_id"`
	Name     string `json:"name"`
	Slug     string `json:"slug"`
	ConfigID string `json:"config_id"`

	records []map[string]any // of the seed: shared, never changed
}

func (s *Server) listConfigDatastores(q *request) (any, error) {
	list := []datastore{}
	for _, c := range q.account.configs {
		list = append(list, c.datastores...)
	}
	return list, nil
}

func (s *Server) listDatastoreRecords(q *request) (any, error) {
	return q.recordsLike(nil)
}

// searchDatastoreRecords answers the records that have all the properties of
// the query; an empty query is one that they all match.
func (s *Server) searchDatastoreRecords(q *request) (any, error) {
	return q.recordsLike(q.body.object("query"))
}

func (q *request) recordsLike(query map[string]any) (any, error) {
	id := q.path("datastore_id")
	for _, c := range q.account.configs {
		for _, d := range c.datastores {
			if d.ID == id {
				return d.recordsLike(query), nil
			}
		}
	}
	return nil, refuse(http.StatusNotFound, codeNotFound, "datastore %q does not exist", id)
}

func (d datastore) recordsLike(query map[string]any) []map[string]any {
	found := []map[string]any{}
	for _, record := range d.records {
		if matches(record, query) {
			found = append(found, record)
		}
	}
	return found
}

func matches(record, query map[string]any) bool {
	for key, wanted := range query {
		if actual, ok := record[key]; !ok || !reflect.DeepEqual(actual, wanted) {
			return false
		}
	}
	return true
}
