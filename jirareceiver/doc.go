//go:generate go tool -modfile=../tools/go.mod mdatagen metadata.yaml

// Package jirareceiver receives the webhooks of Jira Cloud and Jira Data Center, and hands each delivery to the logs
// pipeline as one log record.
package jirareceiver
