package schedule

import (
	"testing"
	"time"
)

// FuzzParse: what is taken for a schedule has times that go on, whatever its zone's
// clocks do.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"0 9 * * 1", "*/15 8-18/2,20 1 * *", "30 2 * * *", "* * 29 2 *", "@daily", "TZ=UTC 0 9 * * *", "0 0 31 2 *", "60 * * * *", "? ? ? ? ?"} {
		for _, zone := range []string{"", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Local", "../etc/passwd"} {
			f.Add(text, zone, int64(1_795_000_000))
		}
	}
	f.Fuzz(func(t *testing.T, text, zone string, seconds int64) {
		s, err := Parse(text, zone)
		if err != nil {
			return
		}
		at := time.Unix(seconds%4_000_000_000, 0)
		for range 5 {
			next := s.next(at)
			if next.IsZero() {
				return
			}
			if !next.After(at) {
				t.Fatalf("%q in %q: after %s comes %s", text, zone, at, next)
			}
			at = next
		}
		if due := s.Agenda(at.Add(-time.Hour), at, 0); due.Run.IsZero() || due.Run.After(at) {
			t.Errorf("%q in %q: at %s nothing is due", text, zone, at)
		}
	})
}
