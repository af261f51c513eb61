package simulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// controlPath is where a test in another process steers the simulator. It asks
// for no credentials.
const controlPath = "/_simulator/"

func (s *Server) mountControl() {
	for pattern, do := range map[string]func(*http.Request) (any, error){
		"POST " + controlPath + "faults":   s.controlInject,
		"DELETE " + controlPath + "faults": s.controlClearFaults,
		"GET " + controlPath + "calls":     s.controlCalls,
		"DELETE " + controlPath + "calls":  s.controlResetCalls,
		"GET " + controlPath + "log":       s.controlLog,
		"GET " + controlPath + "state":     s.controlState,
		"POST " + controlPath + "keys":     s.controlAddKey,
		"DELETE " + controlPath + "keys":   s.controlRevokeKey,

		"POST " + controlPath + "applications":   s.controlEnable,
		"DELETE " + controlPath + "applications": s.controlDisable,
	} {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			value, err := do(r)
			switch {
			case err != nil:
				encoded(http.StatusBadRequest, map[string]string{"error": err.Error()}).write(w)
			case value == nil:
				w.WriteHeader(http.StatusNoContent)
			default:
				encoded(http.StatusOK, value).write(w)
			}
		})
	}
}

// faultRequest is a Fault in JSON, with its delay as people write it.
type faultRequest struct {
	Fault
	Delay string `json:"delay"` // such as 1.5s
}

func (s *Server) controlInject(r *http.Request) (any, error) {
	var sent faultRequest
	if err := decodeStrict(r, &sent); err != nil {
		return nil, err
	}
	if sent.Delay != "" {
		delay, err := time.ParseDuration(sent.Delay)
		if err != nil {
			return nil, fmt.Errorf("delay: %w", err)
		}
		sent.Fault.Delay = delay
	}
	if err := sent.validate(); err != nil {
		return nil, err
	}
	s.Inject(sent.Fault)
	return nil, nil
}

func (s *Server) controlClearFaults(*http.Request) (any, error) {
	s.ClearFaults()
	return nil, nil
}

func (s *Server) controlCalls(*http.Request) (any, error) { return s.Calls(), nil }

func (s *Server) controlLog(*http.Request) (any, error) { return s.Log(), nil }

func (s *Server) controlResetCalls(*http.Request) (any, error) {
	s.ResetCalls()
	return nil, nil
}

// controlState needs no environment as long as there is only one.
func (s *Server) controlState(r *http.Request) (any, error) {
	name, known := r.URL.Query().Get("environment"), s.environmentNames()
	if name == "" && len(known) == 1 {
		name = known[0]
	}
	if !slices.Contains(known, name) {
		return nil, fmt.Errorf("environment must be one of %q, not %q", known, name)
	}
	return s.State(name), nil
}

func (s *Server) environmentNames() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.environments))
}

// keyRequest names a key in a body, not in the address, which proxies log.
type keyRequest struct {
	Key         string `json:"key"`
	Environment string `json:"environment"`
}

func (s *Server) controlAddKey(r *http.Request) (any, error) {
	var sent keyRequest
	if err := decodeStrict(r, &sent); err != nil {
		return nil, err
	}
	if sent.Key == "" || sent.Environment == "" {
		return nil, fmt.Errorf("key and environment must not be empty")
	}
	s.AddKey(sent.Key, sent.Environment)
	return nil, nil
}

func (s *Server) controlRevokeKey(r *http.Request) (any, error) {
	var sent keyRequest
	if err := decodeStrict(r, &sent); err != nil {
		return nil, err
	}
	s.RevokeKey(sent.Key)
	return nil, nil
}

func (s *Server) controlEnable(r *http.Request) (any, error) {
	return nil, s.controlApplication(r, true)
}

func (s *Server) controlDisable(r *http.Request) (any, error) {
	return nil, s.controlApplication(r, false)
}

func (s *Server) controlApplication(r *http.Request, enabled bool) error {
	var sent struct {
		Slug string `json:"slug"`
	}
	if err := decodeStrict(r, &sent); err != nil {
		return err
	}
	if s.seed.application(sent.Slug) == nil {
		return fmt.Errorf("slug: the seed has no application %q", sent.Slug)
	}
	s.EnableApplication(sent.Slug, enabled)
	return nil
}

func decodeStrict(r *http.Request, into any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, bodyLimit))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("the body is not valid: %w", err)
	}
	return nil
}
