// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

// Version is a version, also called a release, of a project.
type Version struct {
	Entity
	Name        string
	Released    *bool
	Archived    *bool
	StartDate   string // YYYY-MM-DD
	ReleaseDate string // YYYY-MM-DD
	ProjectID   string
	MergedInto  Named // version that took over the issues of this version
}

// Title returns the name.
func (v *Version) Title() string { return v.Name }

func (v *Version) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "name":
		return decodeText(d, &v.Name)
	case "released":
		return decodeBool(d, &v.Released)
	case "archived":
		return decodeBool(d, &v.Archived)
	case "startDate":
		return decodeDate(d, &v.StartDate)
	case "releaseDate":
		return decodeDate(d, &v.ReleaseDate)
	case "projectId":
		return decodeText(d, &v.ProjectID)
	default:
		return v.Entity.decodeMember(d, key)
	}
}
