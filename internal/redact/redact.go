// Package redact takes secrets out of texts that people can read, and cuts those that are too long.
package redact

import (
	"index/suffixarray"
	"strings"
	"unicode/utf8"
)

// Mark stands where a secret was.
const Mark = "[redacted]"

// ellipsis is the end of a text that was cut.
const ellipsis = "…"

// mostFound is how many occurrences of secrets are looked at for each byte of a text. Only
// a text that was made to be slow has more: nothing of it is shown.
const mostFound = 16

// Secrets are values that no text may show. The zero value has none.
type Secrets struct{ values map[string]struct{} }

// Add adds a value; an empty one is none.
func (s *Secrets) Add(value string) {
	if value == "" {
		return
	}
	if s.values == nil {
		s.values = map[string]struct{}{}
	}
	s.values[value] = struct{}{}
}

// Redact returns the beginning of a text, of at most so many bytes, without secrets. More
// of the text is not looked at, so what it costs depends on most and on the secrets
// alone. Of a secret that a cut goes through, here or where the text comes from, no
// part is left. Where secrets overlap, all of them go.
func (s *Secrets) Redact(text string, most int) string {
	shown := strings.TrimSuffix(Cut(text, most), ellipsis)
	wasCut := len(shown) < len(text)
	shown = strings.ToValidUTF8(s.cover(shown, wasCut), "")
	if wasCut || len(shown) > most {
		shown = Cut(shown, most-len(ellipsis)) + ellipsis
	}
	return shown
}

// cover puts a mark in the place of each stretch of text that holds secrets.
func (s *Secrets) cover(text string, wasCut bool) string {
	if len(s.values) == 0 || text == "" {
		return text
	}
	ends, ok := s.find(text)
	if !ok {
		return Mark
	}
	if wasCut {
		if begun := s.begun(text); begun > 0 {
			ends[len(text)-begun] = len(text)
		}
	}
	var clean strings.Builder
	for at := 0; at < len(text); {
		end := ends[at]
		if end == 0 {
			clean.WriteByte(text[at])
			at++
			continue
		}
		for at++; at < end; at++ { // another may begin in this one, and end later
			end = max(end, ends[at])
		}
		clean.WriteString(Mark)
	}
	return clean.String()
}

// find returns, for each place in text at which secrets begin, where the longest of them
// ends. It gives up if there are too many. It orders the text rather than the secrets:
// they may be a thousand times as long.
func (s *Secrets) find(text string) (ends []int, ok bool) {
	ends = make([]int, len(text))
	index, left := suffixarray.New([]byte(text)), mostFound*len(text)
	for value := range s.values {
		if len(value) > len(text) {
			continue
		}
		places := index.Lookup([]byte(value), left+1)
		if left -= len(places); left < 0 {
			return nil, false
		}
		for _, at := range places {
			ends[at] = max(ends[at], at+len(value))
		}
	}
	return ends, true
}

// begun is how many of the last bytes of a text may be the beginning of a secret.
func (s *Secrets) begun(text string) int {
	longest := 0
	for value := range s.values {
		tail := text[max(0, len(text)-len(value)+1):]
		for len(tail) > longest {
			at := strings.IndexByte(tail, value[0])
			if at < 0 {
				break
			}
			if tail = tail[at:]; strings.HasPrefix(value, tail) {
				longest = max(longest, len(tail))
				break
			}
			tail = tail[1:]
		}
	}
	return longest
}

// Cut is as much of a text as there is room for, in bytes, without half a character.
func Cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	end := max(most, 0)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// CutCharacters is Cut with the room in characters.
func CutCharacters(text string, most int) string {
	for at := range text {
		if most == 0 {
			return text[:at]
		}
		most--
	}
	return text
}

// Shorten is Cut that says if that is not all.
func Shorten(text string, most int) string { return (&Secrets{}).Redact(text, most) }
