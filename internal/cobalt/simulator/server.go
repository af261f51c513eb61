// Package simulator is the Cobalt API in memory: every operation of the
// contract, with authentication, validation, state that lasts as long as the
// process, and faults on demand. It serves this project's tests and demo, and
// anybody's CI.
//
// Where the contract says nothing, the simulator picks one answer and the code
// says so where it is given.
package simulator

import (
	"cmp"
	"crypto/rand"
	"maps"
	"net/http"
	"path"
	"sync"
	"time"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/contract"
)

// BasePath is where the API is served; the paths of the contract follow it.
const BasePath = "/api/v2"

// Options are what a server is made from. The zero value serves the default
// seed to nobody: at least one key is needed.
type Options struct {
	// Keys are the API keys and the environment that each one opens. Several
	// keys may open the same one; environments share nothing but the seed.
	Keys map[string]string
	// Now is the clock of everything but delays; nil is time.Now.
	Now func() time.Time
	// Replace settles what the contract leaves open: whether updateConfig
	// (fields, workflows), createWebhook (events) and upsertLinkedAccount
	// (your_app) merge what they are sent into what is there, or put it in its
	// place. Parts that are not sent at all stay as they are either way, and a
	// value of null means none.
	Replace bool
	// RequestsPerSecond and Burst limit each environment; 0 is no limit.
	RequestsPerSecond float64
	Burst             int
	// Pending and Running are how long an execution is in these states.
	Pending, Running time.Duration
	// TokenTTL is how long session tokens last; 0 is 24 hours.
	TokenTTL time.Duration
	// Seed is what there is from the start; nil is DefaultSeed.
	Seed *Seed
}

// Server is the API. It is safe for concurrent use.
type Server struct {
	options Options
	seed    *Seed
	mux     *http.ServeMux
	signing []byte // signs session tokens

	mu           sync.Mutex // guards everything below
	keys         map[string]string
	environments map[string]*environment
	disabled     map[string]bool    // applications, by slug
	outcomes     map[string]Outcome // by workflow
	faults       []*Fault
	calls        map[string]int
	log          []*Call
}

// New returns a server that has only what its seed says.
func New(options Options) *Server {
	s := &Server{
		options:      options,
		seed:         options.Seed,
		mux:          http.NewServeMux(),
		signing:      []byte(rand.Text()),
		keys:         map[string]string{},
		environments: map[string]*environment{},
		disabled:     map[string]bool{},
		outcomes:     map[string]Outcome{},
		calls:        map[string]int{},
	}
	if s.seed == nil {
		s.seed = DefaultSeed()
	}
	maps.Copy(s.outcomes, s.seed.Outcomes)
	if s.options.Now == nil {
		s.options.Now = time.Now
	}
	s.options.TokenTTL = cmp.Or(options.TokenTTL, 24*time.Hour)
	for key, name := range options.Keys {
		s.AddKey(key, name)
	}
	s.mountAPI()
	s.mountControl()
	return s
}

// ServeHTTP answers a request to the API under BasePath or to the simulator's
// own endpoints under /_simulator.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if path.Clean(r.URL.Path) != r.URL.Path {
		// An empty or dotted path element is an error of the caller, which a
		// redirect by the mux would hide.
		noOperation(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// AddKey lets key open the environment of that name, which exists from then on.
func (s *Server) AddKey(key, environment string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[key] = environment
	if s.environments[environment] == nil {
		s.environments[environment] = s.newEnvironment(environment)
	}
}

// RevokeKey makes key unknown. What is in its environment stays.
func (s *Server) RevokeKey(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.keys, key)
}

func (s *Server) mountAPI() {
	for _, route := range routes {
		s.mux.HandleFunc(route.method+" "+BasePath+route.path, func(w http.ResponseWriter, r *http.Request) {
			s.serve(route, w, r)
		})
	}
	s.mux.HandleFunc("GET "+BasePath+"/openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		answer{status: http.StatusOK, contentType: "application/yaml", body: contract.Document}.write(w)
	})
	s.mux.HandleFunc("/", noOperation)
}

// serve answers one call: recorded first, then spoiled by a fault or done.
func (s *Server) serve(route route, w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.options.Now().UTC().Format(http.TimeFormat))
	call := s.record(route, r)
	q := &request{route: route, http: r, call: call}
	q.raw, q.unreadable = readBody(w, r) // first, so that a caller hanging up later is noticed
	fault := s.nextFault(q)

	var result answer
	if fault.worksFirst() {
		result = s.perform(q)
	}
	fault.wait(r.Context())
	if fault.HangUp != "" {
		panic(http.ErrAbortHandler) // closes the connection without an answer
	}
	switch {
	case fault.replacesAnswer():
		result = fault.answer()
	case !fault.worksFirst():
		result = s.perform(q)
	}
	s.conclude(call, result.status)
	if fault.Truncate {
		result.writeHalf(w)
	}
	result.write(w)
}

// perform does what the operation of the route does and encodes its answer,
// under the lock, so that nothing changes in between.
func (s *Server) perform(q *request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, err := s.run(q)
	if err != nil {
		return refused(err)
	}
	a := encoded(cmp.Or(q.status, http.StatusOK), value)
	a.fault = q.fault
	return a
}

func (s *Server) run(q *request) (any, error) {
	q.now = s.options.Now().UTC()
	if err := s.authenticate(q); err != nil {
		return nil, err
	}
	q.call.Environment = q.env.name
	if err := q.env.throttle(q.now); err != nil {
		return nil, err
	}
	if err := q.findAccount(); err != nil {
		return nil, err
	}
	if err := q.decode(); err != nil {
		return nil, err
	}
	return q.route.do(s, q)
}

// environment is what the keys of one name share.
type environment struct {
	name     string
	limiter  *limiter
	accounts map[string]*account
	tokens   map[string]*SessionToken
}

func (s *Server) newEnvironment(name string) *environment {
	return &environment{
		name:     name,
		limiter:  newLimiter(s.options.RequestsPerSecond, s.options.Burst),
		accounts: map[string]*account{},
		tokens:   map[string]*SessionToken{},
	}
}

// Calls counts by operationId the requests that reached the API, also those
// that were refused or met a fault.
func (s *Server) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}
