// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import "strings"

// IsReserved reports whether an attribute belongs to the receiver alone: it describes the resource, the scope, the
// identity or the completeness of a record.
func IsReserved(key string) bool {
	switch key {
	case attrServiceName, attrSiteURL, attrSiteType, attrSchemaVersion, attrRecordUID, attrRecordOriginal, attrRecordTruncated:
		return true
	default:
		return false
	}
}

// optionsOf holds the options without which records do not contain an attribute. A key that ends in a dot stands for
// all attributes below it.
var optionsOf = map[string]string{
	attrRecordOriginal:       "include::payload",
	attrIssueDescription:     "include::description",
	attrAlertDescription:     "include::description",
	attrAlertDetails:         "include::description",
	attrCommentBody:          "include::comment_body",
	attrWorklogComment:       "include::comment_body",
	attrAlertNote:            "include::comment_body",
	attrSatisfactionComment:  "include::comment_body",
	attrAlertRecipientName:   optionUserDetails,
	attrCustomPersonName:     optionUserDetails,
	attrCustomPersonFullName: optionUserDetails,
	attrApproverName:         optionUserDetails,
	attrApproverFullName:     optionUserDetails,
}

const optionUserDetails = "include::user_details"

// OptionOf returns the option without which records do not contain an attribute, because it holds personal data, or "".
func OptionOf(key string) string {
	for _, user := range []userKeys{actorKeys, assigneeKeys, reporterKeys, creatorKeys, subjectKeys} {
		if key == user.name || key == user.fullName || key == user.email {
			return optionUserDetails
		}
	}
	for _, person := range []personKeys{
		commentAuthorKeys, commentUpdateAuthorKeys, worklogAuthorKeys, worklogUpdateAuthorKeys, attachmentAuthorKeys,
		projectLeadKeys, alertOwnerKeys,
	} {
		if key == person.name {
			return optionUserDetails
		}
	}
	return optionsOf[key[:strings.LastIndex(key, ".")+1]] + optionsOf[key]
}
