// Package schedule tells when the runs of a cron schedule are due, also where clocks are moved.
package schedule

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule says when runs are due. A time of day that the clocks of its zone skip
// is the moment in which they jump, and one that they show twice is the first of
// the two, so that what is due once a day comes once a day. A schedule that names
// every hour goes by the time that passes.
type Schedule struct {
	spec      cron.Schedule // of a zone whose clocks are never moved
	zone      *time.Location
	everyHour bool
}

var fiveFields = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// hoursOfADay are the bits of all hours in a cron.SpecSchedule.
const hoursOfADay = 1<<24 - 1

// Parse reads the five fields of cron, and the name of a time zone, which
// may be empty for UTC. Its errors are for the user.
func Parse(text, zone string) (Schedule, error) {
	if strings.ContainsAny(text, "@=") { // which the library understands, and TZ= without a space ends in a panic
		return Schedule{}, fmt.Errorf("schedule %q must be five fields, without words with @ and without TZ=: use timeZone", text)
	}
	understood, err := normal(text)
	if err != nil {
		return Schedule{}, fmt.Errorf("schedule %q: %w", text, err)
	}
	parsed, err := fiveFields.Parse(understood)
	if err != nil {
		return Schedule{}, fmt.Errorf("schedule %q cannot be understood", text)
	}
	location, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		return Schedule{}, fmt.Errorf("timeZone %q is unknown: give a name of the IANA database, such as Europe/Berlin", zone)
	}
	hours := parsed.(*cron.SpecSchedule).Hour
	s := Schedule{spec: parsed, zone: location, everyHour: hours&hoursOfADay == hoursOfADay}
	if s.next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() { // a leap year: even 29 February comes soon
		return Schedule{}, fmt.Errorf("schedule %q never comes: no month has that day", text)
	}
	return s, nil
}

// next is when the first run after t is due; zero if that is more than four years away.
func (s Schedule) next(t time.Time) time.Time {
	if s.everyHour {
		return s.nextElapsed(t)
	}
	// Only what the clocks show a second time is passed over, so that it ends soon.
	for wall := s.wall(t); ; {
		if wall = s.spec.Next(wall); wall.IsZero() {
			return time.Time{}
		}
		if at := s.instant(wall); at.After(t) {
			return at
		}
	}
}

// nextElapsed is next for a schedule of every hour: it looks at one stretch of time
// after the other in which the clocks are not moved.
func (s Schedule) nextElapsed(t time.Time) time.Time {
	for within := t; ; {
		local := within.In(s.zone)
		_, offset := local.Zone()
		_, end := local.ZoneBounds()
		run := s.spec.Next(t.In(time.FixedZone("", offset)))
		if run.IsZero() || end.IsZero() || run.Before(end) {
			return run.UTC()
		}
		within, t = end, end.Add(-time.Nanosecond) // end itself may be the next
	}
}

// wall is what the clocks of the zone show at t, as if that were UTC.
func (s Schedule) wall(t time.Time) time.Time {
	_, offset := t.In(s.zone).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// instant is when the clocks of the zone show a wall time first, or jump over it.
func (s Schedule) instant(wall time.Time) time.Time {
	at := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, s.zone)
	start, end := at.ZoneBounds()
	switch shown := s.wall(at); {
	case shown.After(wall): // skipped, and taken for a time after the jump
		return start.UTC()
	case shown.Before(wall): // or before it
		return end.UTC()
	case start.IsZero():
		return at.UTC()
	}
	_, before := start.Add(-time.Nanosecond).Zone()
	if first := wall.Add(-time.Duration(before) * time.Second); first.Before(start) {
		return first
	}
	return at.UTC()
}

// Agenda is what a schedule asks for at one moment.
type Agenda struct {
	// Run is the time in the schedule to start a run for now; zero if there is none.
	Run time.Time
	// Late is the time in the schedule of a run for which it is too late now; zero
	// if there is none.
	Late time.Time
	// Next is when to look again; zero if that is more than four years away.
	Next time.Time
	// Since is to be remembered in the place of the one that was given. It is
	// another one only if that was too far in the future.
	Since time.Time
}

// clockSlack is how far clocks are expected to be wrong. A last run that is in the
// future by less must not be repeated; one by more was started while the clock was
// wrong, and must not stop the schedule until then.
const clockSlack = time.Hour

// Agenda says what to do now, if the last run was for since, or if the schedule
// exists since then. Of several runs that were missed only the last counts, and
// that only until the deadline; a deadline of zero is none.
func (s Schedule) Agenda(since, now time.Time, deadline time.Duration) Agenda {
	if since.After(now.Add(clockSlack)) {
		since = now
	}
	if since.After(now) {
		return Agenda{Next: s.next(since), Since: since}
	}
	a := Agenda{Run: s.last(since, now), Next: s.next(now), Since: since}
	if !a.Run.IsZero() && deadline > 0 && now.Sub(a.Run) > deadline {
		a.Run, a.Late = time.Time{}, a.Run
	}
	return a
}

// last is when the last run that was due after since, and until now, was due; zero
// if there was none. It halves the time in between rather than walking through
// it, so that years of missed runs cost no more than a few.
func (s Schedule) last(since, now time.Time) time.Time {
	run := s.next(since)
	if run.IsZero() || run.After(now) {
		return time.Time{}
	}
	// There is no run after end, and runs are a minute apart at least.
	for end := now; end.Sub(run) >= time.Minute; {
		middle := run.Add(end.Sub(run) / 2)
		if later := s.next(middle); later.IsZero() || later.After(now) {
			end = middle
		} else {
			run = later
		}
	}
	return run
}
