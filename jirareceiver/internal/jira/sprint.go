// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"bytes"
	"strings"
	"time"

	"github.com/go-faster/jx"
)

// Sprint is a sprint of a board.
type Sprint struct {
	Entity
	Name      string
	State     string // future, active or closed
	Goal      string
	Created   time.Time
	Start     time.Time
	End       time.Time // planned
	Completed time.Time
	BoardID   string // board on which the sprint was created
}

// Title returns the name.
func (s *Sprint) Title() string { return s.Name }

func (s *Sprint) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "name":
		return decodeText(d, &s.Name)
	case "state":
		return decodeText(d, &s.State)
	case "goal":
		return decodeText(d, &s.Goal)
	case "createdDate":
		return decodeTime(d, &s.Created)
	case "startDate":
		return decodeTime(d, &s.Start)
	case "endDate":
		return decodeTime(d, &s.End)
	case "completeDate":
		return decodeTime(d, &s.Completed)
	case "originBoardId":
		return decodeText(d, &s.BoardID)
	default:
		return s.Entity.decodeMember(d, key)
	}
}

// diffSprint returns the changes between two states of a sprint. The fields have Jira's names.
func diffSprint(before, after *Sprint) []Change {
	var changes []Change
	for _, f := range []struct{ field, from, to string }{
		{"name", before.Name, after.Name},
		{"state", before.State, after.State},
		{"goal", before.Goal, after.Goal},
		{"startDate", formatTime(before.Start), formatTime(after.Start)},
		{"endDate", formatTime(before.End), formatTime(after.End)},
		{"completeDate", formatTime(before.Completed), formatTime(after.Completed)},
		{"originBoardId", before.BoardID, after.BoardID},
	} {
		if f.from != f.to {
			changes = append(changes, Change{Field: f.field, FromText: f.from, ToText: f.to})
		}
	}
	return changes
}

// formatTime returns a time in the format in which Jira writes the times of sprints, or "" for the zero time.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(TimeFormat)
}

// The states of a sprint.
const (
	SprintFuture = "future"
	SprintActive = "active"
	SprintClosed = "closed"
)

// SprintRef is a sprint of an issue.
type SprintRef struct {
	ID, Name string
	State    string // SprintFuture, SprintActive or SprintClosed

	Start     time.Time // planned if the sprint is a future sprint
	Completed time.Time
}

// isSprint reports whether an object in a custom field is a sprint.
func (s SprintRef) isSprint() bool {
	return s.ID != "" && (s.State == SprintFuture || s.State == SprintActive || s.State == SprintClosed)
}

// sprintMarks are parts of every field with sprints: of a sprint as an object, and as a text.
var sprintMarks = [][]byte{[]byte(`"boardId"`), []byte(sprintClass)}

// SprintRefs are the sprints of an issue.
type SprintRefs struct {
	List  []SprintRef
	IsCut bool // whether the body contains more than MaxEntries sprints
}

// decodeSprints returns the sprints in an array, or none if its elements are not sprints. The field of the sprints has
// another id on each site, so that only its value shows which field it is.
func decodeSprints(d *decoding, array jx.Raw) (sprints SprintRefs) {
	if !bytes.Contains(array, sprintMarks[0]) && !bytes.Contains(array, sprintMarks[1]) {
		return sprints
	}
	// The error can be ignored: the caller has checked the JSON.
	_ = decodeEntries(d.part(array), &sprints.IsCut, func(d *decoding) error {
		sprints.List = append(sprints.List, SprintRef{})
		last := len(sprints.List) - 1
		err := sprints.List[last].decode(d)
		if !sprints.List[last].isSprint() {
			sprints.List = sprints.List[:last]
		}
		return err
	})
	return sprints
}

// decode reads a sprint. Data Center writes it as a text, and Jira Cloud as an object.
func (s *SprintRef) decode(d *decoding) error {
	if d.Next() == jx.String {
		var text string
		err := decodeText(d, &text)
		*s, _ = parseSprint(text)
		return err
	}
	return decodeInto(d, s, (*SprintRef).decodeMember)
}

func (s *SprintRef) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "id":
		return decodeText(d, &s.ID)
	case "name":
		return decodeText(d, &s.Name)
	case "state":
		err := decodeText(d, &s.State)
		s.State = strings.ToLower(s.State)
		return err
	case "startDate":
		return decodeTime(d, &s.Start)
	case "completeDate":
		return decodeTime(d, &s.Completed)
	default:
		return d.Skip()
	}
}

// sprintClass is the start of a sprint as Data Center, and Jira Cloud until 2020, write it: in the form in which Java
// prints an object, such as Sprint@5d2af540[id=7,rapidViewId=3,state=ACTIVE,name=Sprint 7,startDate=<null>].
const sprintClass = "com.atlassian.greenhopper.service.sprint.Sprint@"

// maxSprintString is the largest size in bytes of a text that is searched for a sprint. Jira's limits for the name and
// the goal of a sprint are lower.
const maxSprintString = 16 << 10

// parseSprint returns the sprint that a text describes.
func parseSprint(text string) (sprint SprintRef, ok bool) {
	if !strings.HasPrefix(text, sprintClass) || len(text) > maxSprintString {
		return SprintRef{}, false
	}
	_, properties, _ := strings.Cut(text, "[")
	properties, isComplete := strings.CutSuffix(properties, "]")
	if !isComplete {
		return SprintRef{}, false
	}
	properties = "," + properties
	name, rest, ok := cutSortedName(properties)
	if !ok {
		name, rest, ok = cutName(properties)
	}
	return SprintRef{
		ID:    property(rest, "id"),
		Name:  strings.Clone(name), // so that the record does not keep the whole text in memory
		State: strings.ToLower(property(rest, "state")),

		Start:     sprintTime(property(rest, "startDate")),
		Completed: sprintTime(property(rest, "completeDate")),
	}, ok
}

// sprintTime returns the time of a property, or the zero time for <null>.
func sprintTime(s string) time.Time {
	if len(s) > maxScalar {
		return time.Time{}
	}
	return parseTime(s)
}

// cutSortedName returns the name of a sprint whose properties are in alphabetical order, and the properties without the
// name and the goal. Only the name and the goal contain any text. The goal precedes the id, and rapidViewId follows the
// name.
func cutSortedName(properties string) (name, rest string, ok bool) {
	end := strings.LastIndex(properties, ",rapidViewId=")
	if end < 0 {
		return "", "", false
	}
	for start := 0; ; {
		next := strings.Index(properties[start:end], ",id=")
		if next < 0 {
			return "", "", false
		}
		start += next + 1
		if begin, found := nameAfterID(properties[start:end]); found {
			id := properties[start-1 : start+begin]
			times, _, _ := strings.Cut(properties[:start-1], goalProperty)
			return properties[start+begin+len("name=") : end], times + id + properties[end:], true
		}
	}
}

// nameAfterID returns the position of the property name. Only the id, and properties that follow it in alphabetical
// order, such as incompleteIssuesDestinationId, may precede the name.
func nameAfterID(properties string) (position int, found bool) {
	last := ""
	for !strings.HasPrefix(properties[position:], "name=") {
		length := strings.IndexByte(properties[position:], ',')
		if length < 0 {
			return 0, false
		}
		key, _, _ := strings.Cut(properties[position:position+length], "=")
		if key <= last || key > "name" {
			return 0, false
		}
		last = key
		position += length + 1
	}
	return position, true
}

// nameEnds start the properties that follow the name if the properties are in any other order. The name may contain
// commas, equals signs and brackets, so that only the next property marks its end.
var nameEnds = []string{
	",startDate=", ",endDate=", ",completeDate=", ",activatedDate=", goalProperty, ",sequence=", ",synced=",
	",autoStartStop=",
}

// goalProperty starts the goal, which contains any text.
const goalProperty = ",goal="

// cutName returns the name of a sprint whose goal does not precede it, and the properties before the name, and between
// the name and the goal.
func cutName(properties string) (name, rest string, ok bool) {
	rest, name, _ = strings.Cut(properties, ",name=")
	end := len(name)
	for _, next := range nameEnds {
		if i := strings.Index(name, next); i >= 0 {
			end = min(end, i)
		}
	}
	behind, _, _ := strings.Cut(name[end:], goalProperty)
	return name[:end], rest + behind, end < len(name)
}

// property returns the value of a property without free text, or "".
func property(properties, key string) string {
	_, value, _ := strings.Cut(properties, ","+key+"=")
	value, _, _ = strings.Cut(value, ",")
	return strings.Clone(value)
}
