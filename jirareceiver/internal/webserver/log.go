// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package webserver

import (
	"log"
	"regexp"
	"strings"

	"go.uber.org/zap"
)

// newErrorLog returns a logger for the messages of net/http. It samples them, because the peer decides how many
// connections fail, and removes addresses.
func newErrorLog(warnings *zap.Logger) *log.Logger {
	return log.New(errorLog{warnings}, "", 0)
}

type errorLog struct{ warnings *zap.Logger }

// messages are the log messages for texts of net/http, by their prefix.
var messages = []struct {
	prefix, message string
	confidential    bool // the rest of the text may contain any data
}{
	{prefix: "http: TLS handshake error", message: "TLS handshake failed"},
	{prefix: "http: Accept error", message: "Accepting a connection failed"},
	{prefix: "http: panic serving", message: "A request failed with a panic", confidential: true},
	{prefix: "http2: panic serving", message: "A request failed with a panic", confidential: true},
	{prefix: "", message: "The HTTP server reports an error"},
}

// Write logs one text of net/http.
func (l errorLog) Write(text []byte) (int, error) {
	for _, known := range messages {
		if rest, found := strings.CutPrefix(string(text), known.prefix); found {
			if known.confidential {
				rest = ""
			}
			l.warnings.Warn(known.message, zap.String("error", withoutAddresses(rest)))
			break
		}
	}
	return len(text), nil
}

// address matches an IP address with or without a port.
var address = regexp.MustCompile(`\[[0-9A-Fa-f:.]+(%\w+)?\](:\d+)?|\d{1,3}(\.\d{1,3}){3}(:\d+)?`)

// withoutAddresses returns the first line of a text without addresses.
func withoutAddresses(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimPrefix(strings.TrimSpace(address.ReplaceAllString(line, "address")), "from address: ")
}
