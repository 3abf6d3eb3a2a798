// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

// Transition is the transition of the workflow whose post-function sent the event.
type Transition struct {
	Named
	Workflow Named
	From, To Named // statuses
}

func (t *Transition) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "transitionId":
		return decodeText(d, &t.ID)
	case "transitionName":
		return decodeText(d, &t.Name)
	case "workflowId":
		return decodeText(d, &t.Workflow.ID)
	case "workflowName":
		return decodeText(d, &t.Workflow.Name)
	case "from_status":
		return t.From.decode(d)
	case "to_status":
		return t.To.decode(d)
	default:
		return d.Skip()
	}
}
