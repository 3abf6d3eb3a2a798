// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import "time"

// History is one entry of the changelog of an issue in Jira's REST API. The webhook of the same change contains its
// changelog, without the author and the time.
type History struct {
	Changelog
	Author  User // the zero value if Jira has deleted the account, or for some changes that Jira makes itself
	Created time.Time
}
