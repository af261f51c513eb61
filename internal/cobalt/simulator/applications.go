package simulator

import (
	"fmt"
	"net/http"
)

// application is what customers can connect, as the API answers it.
type application struct {
	Name        string `json:"name"`
	Slug        string `json:"slug"`
	Icon        string `json:"icon"`
	Description string `json:"description"`
	AuthType    string `json:"auth_type"`
	Connected   *bool  `json:"connected,omitempty"` // only where an account is named
}

// EnableApplication makes an application of the seed one that customers can
// use, as all are at first, or not, in every environment. One that is not
// enabled is to the API as if it did not exist, and nothing is written to the
// configs it has; those stay and can be read and deleted. It panics if the seed
// has no such application.
func (s *Server) EnableApplication(slug string, enabled bool) {
	if s.seed.application(slug) == nil {
		panic(fmt.Sprintf("simulator: the seed has no application %q", slug))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disabled[slug] = !enabled
}

// enabled is the application of that slug, or nil if there is none that can be
// used now.
func (s *Server) enabled(slug string) *SeedApplication {
	if s.disabled[slug] {
		return nil
	}
	return s.seed.application(slug)
}

func (s *Server) listApplications(q *request) (any, error) {
	list := []application{}
	for _, a := range s.seed.Applications {
		if !s.disabled[a.Slug] {
			list = append(list, a.seenBy(q.account))
		}
	}
	return list, nil
}

func (s *Server) getApplicationBySlug(q *request) (any, error) {
	a := s.enabled(q.path("slug"))
	if a == nil {
		return nil, unknownApplication(q.path("slug"))
	}
	return a.seenBy(q.account), nil
}

// seenBy takes an application as connected once credentials were migrated,
// which is the only way that the API has.
func (a SeedApplication) seenBy(viewer *account) application {
	seen := application{Name: a.Name, Slug: a.Slug, Icon: a.Icon, Description: a.Description, AuthType: a.AuthType}
	if viewer != nil {
		_, connected := viewer.credentials[a.Slug]
		seen.Connected = &connected
	}
	return seen
}

func unknownApplication(slug string) error {
	return refuse(http.StatusNotFound, codeInvalidApp, "application %q does not exist or is not enabled", slug)
}
