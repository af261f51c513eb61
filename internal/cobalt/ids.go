package cobalt

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	maxID     = 256
	maxSecret = 16 << 10 // longer ones do not fit into servers' header limits
)

// routeWords are the literals which the API routes, now or in its other
// dialects, where an id could stand, by the path element before them.
var routeWords = map[string][]string{
	"linked-account": {"upsert", "integration"},
	"config":         {"all"},
	"event":          {"trigger"},
	"workflow":       {"enabled", "versions"},
}

// InvalidIDError says that an id cannot be used. Nothing has been sent.
type InvalidIDError struct {
	What string // the parameter's name in the contract
	ID   string // empty if it is secret
	Why  string
}

func (e *InvalidIDError) Error() string {
	return fmt.Sprintf("invalid %s %q: %s", e.What, truncate(e.ID, 64), e.Why)
}

// IsInvalidID reports whether err is an InvalidIDError.
func IsInvalidID(err error) bool {
	_, ok := errors.AsType[*InvalidIDError](err)
	return ok
}

// ValidateID checks an id or slug that travels in a header or body: 1 to 256
// printable ASCII characters without outer spaces.
func ValidateID(id string) error {
	return invalid("id", id, checkText(id, maxID))
}

// ValidatePathID checks an id or slug that becomes one element of a path:
// those of ValidateID that cannot be mistaken for more than one element. Route
// words are refused by the calls they concern.
func ValidatePathID(id string) error {
	return invalid("id", id, checkElement(id))
}

func invalid(what, id string, err error) error {
	if err == nil {
		return nil
	}
	return &InvalidIDError{What: what, ID: id, Why: err.Error()}
}

func checkText(s string, limit int) error {
	switch {
	case s == "":
		return errors.New("is empty")
	case len(s) > limit:
		return fmt.Errorf("is longer than %d characters", limit)
	case strings.TrimSpace(s) != s:
		return errors.New("starts or ends with white space")
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }):
		return errors.New("contains characters other than printable ASCII")
	}
	return nil
}

func checkElement(id string) error {
	if err := checkText(id, maxID); err != nil {
		return err
	}
	if i := strings.IndexAny(id, `/\%?#`); i >= 0 {
		return fmt.Errorf("contains %q", id[i])
	}
	if id == "." || id == ".." {
		return errors.New("is a relative path")
	}
	return nil
}

// checkRoute checks an id that stands after the path element parent.
func checkRoute(parent, id string) error {
	if err := checkElement(id); err != nil {
		return err
	}
	if slices.Contains(routeWords[parent], id) {
		return errors.New("is a route of the API")
	}
	return nil
}

// identified is an answer with an id of Cobalt's that is kept.
type identified interface{ id() string }

func (a *LinkedAccount) id() string { return a.ID }

func (c *Config) id() string { return c.ID }

func (w *webhooks) id() string {
	if len(*w) == 0 {
		return ""
	}
	return (*w)[0].ID
}

// fits makes sure that there is room for what is kept of an answer: an id that is cut is another id.
func fits(answer any) error {
	switch answer := answer.(type) {
	case identified:
		if len(answer.id()) > maxID {
			return errLongID
		}
	case *SessionToken:
		if len(answer.Token) > maxSecret {
			return errLongText
		}
	case *hostedPortal:
		if len(answer.url) > maxSecret {
			return errLongText
		}
	}
	return nil
}

// followable is the id of an execution, or nothing if no call could ask for it: then it is as if it was not told.
func followable(id string) string {
	if ValidatePathID(id) != nil {
		return ""
	}
	return id
}
