package simulator

import "net/http"

// application is what customers can connect, as the API answers it.
type application struct {
	Name        string `json:"name"`
	Slug        string `json:"slug"`
	Icon        string `json:"icon"`
	Description string `json:"description"`
	AuthType    string `json:"auth_type"`
	Connected   *bool  `json:"connected,omitempty"` // only where an account is named
}

func (s *Server) listApplications(q *request) (any, error) {
	list := []application{}
	for _, a := range s.seed.Applications {
		list = append(list, a.seenBy(q.account))
	}
	return list, nil
}

func (s *Server) getApplicationBySlug(q *request) (any, error) {
	a := s.seed.application(q.path("slug"))
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
	return refuse(http.StatusNotFound, codeInvalidApp, "application %q does not exist", slug)
}
