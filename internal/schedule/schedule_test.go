package schedule

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/robfig/cron/v3"
)

func TestParseSchedule(t *testing.T) {
	for name, tc := range map[string]struct{ schedule, zone, wantErr string }{
		"five fields":        {schedule: "0 9 * * 1"},
		"steps and lists":    {schedule: "*/15 8-18/2,20 1 * *"},
		"names":              {schedule: "0 9 ? JAN-MAR MON,FRI", zone: "Europe/Berlin"},
		"leap day":           {schedule: "0 0 29 2 *"},
		"spaces":             {schedule: " 0  9 *  * 1 "},
		"nothing":            {schedule: "", wantErr: "has 0 fields"},
		"four fields":        {schedule: "0 9 * *", wantErr: "has 4 fields"},
		"seconds":            {schedule: "0 0 9 * * 1", wantErr: "has 6 fields"},
		"minute 60":          {schedule: "60 9 * * 1", wantErr: `minute "60": "60" is none of 0 to 59`},
		"step zero":          {schedule: "*/0 * * * *", wantErr: `minute "*/0": "0" is no step: give a number from 1 to 60`},
		"step too long":      {schedule: "*/61 * * * *", wantErr: `"61" is no step: give a number from 1 to 60`},
		"step of all":        {schedule: "*/60 */24 * */12 *"},
		"week too long":      {schedule: "0 9 * * */8", wantErr: `"8" is no step: give a number from 1 to 7`},
		"two steps":          {schedule: "*/5/5 * * * *", wantErr: `"5/5" is no step`},
		"last day":           {schedule: "0 9 L * *", wantErr: `day of month "L": "L" is none of 1 to 31`},
		"last Friday":        {schedule: "0 9 * * 5L", wantErr: `"5L" is none of 0 to 7 and sun to sat`},
		"third Friday":       {schedule: "0 9 * * 5#3", wantErr: `"5#3" is none of 0 to 7`},
		"not a day":          {schedule: "0 9 * * MOO", wantErr: `"MOO" is none of 0 to 7 and sun to sat`},
		"day eight":          {schedule: "0 9 * * 8", wantErr: `"8" is none of 0 to 7`},
		"not a month":        {schedule: "0 9 * MOO *", wantErr: `"MOO" is none of 1 to 12 and jan to dec`},
		"backwards":          {schedule: "0 20-6 * * *", wantErr: `20 comes after 6: write it as two ranges`},
		"three ends":         {schedule: "0 1-2-3 * * *", wantErr: `"2-3" is none of 0 to 23`},
		"star and more":      {schedule: "0 *-3 * * *", wantErr: `"*" is none of 0 to 23`},
		"nothing in a list":  {schedule: "0,,5, * * * *"},
		"only a comma":       {schedule: ", * * * *", wantErr: `minute "," is empty`},
		"no end":             {schedule: "0 5- * * *", wantErr: `"" is none of 0 to 23`},
		"every":              {schedule: "@every 1h", wantErr: "without words with @"},
		"daily":              {schedule: "@daily", wantErr: "without words with @"},
		"zone inside":        {schedule: "TZ=Europe/Berlin 0 9 * * 1", wantErr: "use timeZone"},
		"zone and no space":  {schedule: "TZ=UTC", wantErr: "use timeZone"},
		"cron zone inside":   {schedule: "CRON_TZ=UTC 0 9 * * 1", wantErr: "use timeZone"},
		"30 February":        {schedule: "0 0 30 2 *", wantErr: "never comes"},
		"every hour of none": {schedule: "* * 31 4,6 *", wantErr: "never comes"},
		"unknown zone":       {schedule: "0 9 * * 1", zone: "Europe/Atlantis", wantErr: `"Europe/Atlantis" is unknown`},
		"local zone":         {schedule: "0 9 * * 1", zone: "Local", wantErr: `"Local" is unknown`},
		"path as zone":       {schedule: "0 9 * * 1", zone: "../UTC", wantErr: "is unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(tc.schedule, tc.zone)
			if tc.wantErr == "" && err != nil || tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)) {
				t.Errorf("got error %v, want one with %q", err, tc.wantErr)
			}
		})
	}
}

// TestSunday: it is 0 and 7, and the first and the last day of a week.
func TestSunday(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ week, want string }{
		"Seven":          {"7", "Sun"},
		"Zero":           {"0", "Sun"},
		"EndOfWeek":      {"5-7", "Sun Fri Sat"},
		"Weekend":        {"sat-sun", "Sun Sat"},
		"LongWeekend":    {"FRI-SUN", "Sun Fri Sat"},
		"MixedNames":     {"sat-7", "Sun Sat"},
		"AllDays":        {"0-7", "Sun Mon Tue Wed Thu Fri Sat"},
		"WorkAndRest":    {"1-7", "Sun Mon Tue Wed Thu Fri Sat"},
		"EverySecond":    {"1-7/2", "Sun Mon Wed Fri"},
		"FromFriday":     {"5/1", "Fri Sat"},
		"FromSunday":     {"7/2", "Sun"},
		"InAList":        {"1,7", "Sun Mon"},
		"OnlySunday":     {"7-7", "Sun"},
		"FirstDays":      {"sun-tue", "Sun Mon Tue"},
		"AllWithAStep":   {"*/3", "Sun Wed Sat"},
		"AllNoMatterHow": {"?", "Sun Mon Tue Wed Thu Fri Sat"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Parse("0 9 * * "+tc.week, "")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			sunday := time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)
			for at := s.next(sunday); at.Before(sunday.AddDate(0, 0, 7)); at = s.next(at) {
				got = append(got, at.Format("Mon"))
			}
			if got := strings.Join(got, " "); got != tc.want {
				t.Errorf("%s: %s, want %s", tc.week, got, tc.want)
			}
		})
	}
}

// TestNextRun: each run follows the one before. Times are written with the offset
// that the clocks have then.
func TestNextRun(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, schedule, zone, after string
		want                          []string
	}{
		"strictly after": {
			reason: "a run that was started is not due again", schedule: "0 9 * * 1", after: "2026-11-23T09:00:00Z",
			want: []string{"2026-11-30T09:00:00Z"},
		},
		"a moment before": {
			reason: "one that was not is", schedule: "0 9 * * 1", after: "2026-11-23T08:59:59.999Z",
			want: []string{"2026-11-23T09:00:00Z"},
		},
		"zone": {
			reason: "nine o'clock is another moment in summer", schedule: "0 9 28-29 3 *", zone: "Europe/Berlin", after: "2026-01-01T00:00:00Z",
			want: []string{"2026-03-28T09:00:00+01:00", "2026-03-29T09:00:00+02:00"},
		},
		"skipped time of day": {
			reason: "02:30 does not exist on that day: the run comes when the clocks jump", schedule: "30 2 * * *", zone: "Europe/Berlin", after: "2026-03-28T00:00:00Z",
			want: []string{"2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"},
		},
		"several skipped at once": {
			reason: "they become one", schedule: "15,45 2,3 * * *", zone: "Europe/Berlin", after: "2026-03-29T00:00:00Z",
			want: []string{"2026-03-29T03:00:00+02:00", "2026-03-29T03:15:00+02:00", "2026-03-29T03:45:00+02:00", "2026-03-30T02:15:00+02:00"},
		},
		"time of day shown twice": {
			reason: "once a day is once a day", schedule: "30 2 * * *", zone: "Europe/Berlin", after: "2026-10-24T12:00:00Z",
			want: []string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"},
		},
		"made in the second showing": {
			reason: "the first is over", schedule: "30 2 * * *", zone: "Europe/Berlin", after: "2026-10-25T02:10:00+01:00",
			want: []string{"2026-10-26T02:30:00+01:00"},
		},
		"every hour, spring": {
			reason: "an hour after 01:00 is 03:00", schedule: "0 * * * *", zone: "Europe/Berlin", after: "2026-03-29T00:30:00+01:00",
			want: []string{"2026-03-29T01:00:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-29T04:00:00+02:00"},
		},
		"every hour, autumn": {
			reason: "an hour after 02:00 is 02:00", schedule: "0 * * * *", zone: "Europe/Berlin", after: "2026-10-25T01:30:00+02:00",
			want: []string{"2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T03:00:00+01:00"},
		},
		"every hour of one day": {
			reason: "days end when the clocks say so", schedule: "30 * 25 10 *", zone: "Europe/Berlin", after: "2026-10-25T23:00:00+01:00",
			want: []string{"2026-10-25T23:30:00+01:00", "2027-10-25T00:30:00+02:00"},
		},
		"midnight does not exist": {
			reason: "in Chile the clocks jump at midnight", schedule: "0 0 6 9 *", zone: "America/Santiago", after: "2026-01-01T00:00:00Z",
			want: []string{"2026-09-06T01:00:00-03:00", "2027-09-06T00:00:00-03:00"},
		},
		"day without midnight": {
			reason: "it is a day like any other", schedule: "0 5 6 9 *", zone: "America/Santiago", after: "2026-01-01T00:00:00Z",
			want: []string{"2026-09-06T05:00:00-03:00"},
		},
		"every hour of a day without midnight": {
			reason: "it begins at one", schedule: "0 * 6 9 *", zone: "America/Santiago", after: "2026-01-01T00:00:00Z",
			want: []string{"2026-09-06T01:00:00-03:00", "2026-09-06T02:00:00-03:00"},
		},
		"half an hour": {
			reason: "on Lord Howe Island they move by half an hour", schedule: "45 1 * * *", zone: "Australia/Lord_Howe", after: "2026-04-04T00:00:00Z",
			want: []string{"2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30"},
		},
		"leap day": {
			reason: "years may pass", schedule: "0 0 29 2 *", after: "2025-01-01T00:00:00Z",
			want: []string{"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, at := mustParse(t, tc.schedule, tc.zone), instantOf(t, tc.after)
			var got, want []time.Time
			for _, text := range tc.want {
				at = s.next(at)
				got, want = append(got, at), append(want, instantOf(t, text))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestAYearOfRuns follows a clock in Berlin through a year, with both changes of it.
func TestAYearOfRuns(t *testing.T) {
	for name, tc := range map[string]struct {
		schedule string
		want     int
		check    func(t *testing.T, before, run time.Time)
	}{
		"every day in the hour that moves": {schedule: "30 2 * * *", want: 365, check: func(t *testing.T, before, run time.Time) {
			if !before.IsZero() && run.YearDay() != before.YearDay()+1 {
				t.Errorf("%s follows %s", run, before)
			}
		}},
		"every Monday": {schedule: "0 9 * * 1", want: 52, check: func(t *testing.T, _, run time.Time) {
			if run.Weekday() != time.Monday || run.Format("15:04") != "09:00" {
				t.Errorf("a run at %s", run)
			}
		}},
		"every hour": {schedule: "0 * * * *", want: 365 * 24, check: func(t *testing.T, before, run time.Time) {
			if !before.IsZero() && run.Sub(before) != time.Hour {
				t.Errorf("%s follows %s", run, before)
			}
		}},
		"every quarter of the hour that moves": {schedule: "*/15 2 * * *", want: 365*4 - 3, check: func(*testing.T, time.Time, time.Time) {}},
		"every month":                          {schedule: "0 0 1 * *", want: 12, check: func(*testing.T, time.Time, time.Time) {}},
	} {
		t.Run(name, func(t *testing.T) {
			s := mustParse(t, tc.schedule, "Europe/Berlin")
			now, end := time.Date(2026, 1, 1, 0, 0, 0, -1, s.zone), time.Date(2027, 1, 1, 0, 0, 0, -1, s.zone)
			var before time.Time
			var runs int
			for since := now; now.Before(end); now = now.Add(13 * time.Minute) { // now and then somebody looks
				a := s.Agenda(since, now, 0)
				if a.Next.IsZero() || !a.Next.After(now) {
					t.Fatalf("at %s the next run is at %s", now, a.Next)
				}
				if a.Run.IsZero() {
					continue
				}
				if a.Run.After(now) || now.Sub(a.Run) >= 13*time.Minute {
					t.Fatalf("at %s the run of %s is due", now, a.Run)
				}
				tc.check(t, before, a.Run.In(s.zone))
				runs, since, before = runs+1, a.Run, a.Run.In(s.zone)
			}
			if runs != tc.want {
				t.Errorf("%d runs, want %d", runs, tc.want)
			}
		})
	}
}

// TestAgenda: runs are at nine o'clock on each day.
func TestAgenda(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, since, now string
		deadline           time.Duration
		run, late, next    string
		forgets            bool
	}{
		"nothing yet": {
			reason: "a new schedule waits for its first time", since: "2026-11-23T09:00:00Z", now: "2026-11-23T12:00:00Z",
			next: "2026-11-24T09:00:00Z",
		},
		"on time": {
			reason: "the moment itself counts", since: "2026-11-23T09:00:00Z", now: "2026-11-24T09:00:00Z",
			run: "2026-11-24T09:00:00Z", next: "2026-11-25T09:00:00Z",
		},
		"after downtime": {
			reason: "of three missed runs one is made up for", since: "2026-11-20T09:00:00Z", now: "2026-11-23T10:00:00Z",
			run: "2026-11-23T09:00:00Z", next: "2026-11-24T09:00:00Z",
		},
		"made up for": {
			reason: "and only once", since: "2026-11-23T09:00:00Z", now: "2026-11-23T10:00:00Z",
			next: "2026-11-24T09:00:00Z",
		},
		"within the deadline": {
			reason: "the deadline itself counts", since: "2026-11-22T09:00:00Z", now: "2026-11-23T09:05:00Z", deadline: 5 * time.Minute,
			run: "2026-11-23T09:00:00Z", next: "2026-11-24T09:00:00Z",
		},
		"past the deadline": {
			reason: "too late is too late, and the runs before it are later still", since: "2026-11-20T09:00:00Z", now: "2026-11-23T09:05:01Z", deadline: 5 * time.Minute,
			late: "2026-11-23T09:00:00Z", next: "2026-11-24T09:00:00Z",
		},
		"years forward": {
			reason: "a clock that was far behind, or an operator that was down for long", since: "2016-11-23T09:00:00Z", now: "2026-11-23T08:00:00Z",
			run: "2026-11-22T09:00:00Z", next: "2026-11-23T09:00:00Z",
		},
		"a little back": {
			reason: "the run of nine must not be repeated when it is nine again", since: "2026-11-23T09:00:00Z", now: "2026-11-23T08:59:00Z",
			next: "2026-11-24T09:00:00Z",
		},
		"years back": {
			reason: "a clock that was far ahead must not stop the schedule for years", since: "2030-11-23T09:00:00Z", now: "2026-11-23T08:59:00Z",
			next: "2026-11-23T09:00:00Z", forgets: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := mustParse(t, "0 9 * * *", "").Agenda(instantOf(t, tc.since), instantOf(t, tc.now), tc.deadline)
			want := Agenda{Run: instantOf(t, tc.run), Late: instantOf(t, tc.late), Next: instantOf(t, tc.next), Since: instantOf(t, tc.since)}
			if tc.forgets {
				want.Since = instantOf(t, tc.now)
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(Agenda{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestClockJumps: no run is started twice, and none is lost but those that were
// missed while the clock jumped.
func TestClockJumps(t *testing.T) {
	s := mustParse(t, "0 * * * *", "Europe/Berlin")
	since := instantOf(t, "2026-11-23T08:00:00Z")
	for _, step := range []struct{ reason, now, run string }{
		{"as expected", "2026-11-23T09:00:01Z", "2026-11-23T09:00:00Z"},
		{"corrected by two seconds", "2026-11-23T08:59:59Z", ""},
		{"the same hour again", "2026-11-23T09:00:02Z", ""},
		{"as expected", "2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z"},
		{"a year ahead", "2027-11-23T10:30:00Z", "2027-11-23T10:00:00Z"},
		{"and back", "2026-11-23T10:31:00Z", ""},
		{"as expected", "2026-11-23T11:00:00Z", "2026-11-23T11:00:00Z"},
		{"three days ahead", "2026-11-26T11:00:00Z", "2026-11-26T11:00:00Z"},
		{"and it stays", "2026-11-26T12:00:00Z", "2026-11-26T12:00:00Z"},
	} {
		now, want := instantOf(t, step.now), instantOf(t, step.run)
		got := s.Agenda(since, now, 0)
		if !got.Run.Equal(want) {
			t.Fatalf("%s, at %s: the run of %s is due, want %s", step.reason, now, got.Run, want)
		}
		if since = got.Since; !got.Run.IsZero() {
			since = got.Run
		}
	}
}

// TestMissedRunsCostLittle: a clock that jumped by decades makes nobody wait.
func TestMissedRunsCostLittle(t *testing.T) {
	for _, text := range []string{"* * * * *", "* 2 * * *", "0 9 * * 1", "0 0 29 2 *", "59 23 31 12 *"} {
		s := mustParse(t, text, "Europe/Berlin")
		counted := &countedSchedule{Schedule: s.spec}
		s.spec = counted
		a := s.Agenda(instantOf(t, "1970-01-01T00:00:00Z"), instantOf(t, "2026-11-23T09:00:30Z"), 0)
		if a.Run.IsZero() || a.Next.IsZero() || counted.calls > 1000 {
			t.Errorf("%s: run %s, next %s, after %d looks into the calendar; want at most 1000", text, a.Run, a.Next, counted.calls)
		}
	}
}

// countedSchedule counts how often it is asked.
type countedSchedule struct {
	cron.Schedule
	calls int
}

func (c *countedSchedule) Next(t time.Time) time.Time {
	c.calls++
	return c.Schedule.Next(t)
}

func mustParse(t *testing.T, text, zone string) Schedule {
	t.Helper()
	s, err := Parse(text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// instantOf is a time in UTC; the zero time for an empty text.
func instantOf(t *testing.T, text string) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}
