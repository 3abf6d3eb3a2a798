// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// TestWarnings has settings that are valid. The warning names the consequence and the place, and no secret.
func TestWarnings(t *testing.T) {
	for _, tt := range []struct {
		name      string
		configure func(*JiraConfig)
		want      string
		field     zap.Field
	}{
		{"nothing", func(*JiraConfig) {}, "", zap.Skip()},
		{"unauthenticated", func(c *JiraConfig) { c.Signature.Secrets, c.AllowUnauthenticated = nil, true }, "every client that reaches the endpoint can post events", zap.Skip()},
		{"dollar in a secret", func(c *JiraConfig) { c.Signature.Secrets = append(c.Signature.Secrets, "hunter$2") }, "reads $$ as $", zap.Strings("secrets", []string{"signature::secrets[1]"})},
		{"dollar in a token", func(c *JiraConfig) { c.Token.Values = []configopaque.String{"$hunter2"} }, "reads $$ as $", zap.Strings("secrets", []string{"token::values[0]"})},
		{"quotes", func(c *JiraConfig) {
			c.Token.Values = []configopaque.String{`"hunter2"`, "'hunter2'", `hunter"2`, `"hunter2'`}
		}, "begins and ends with a quote", zap.Strings("secrets", []string{"token::values[0]", "token::values[1]"})},
		{"no known event included", func(c *JiraConfig) { c.Events.Include = []string{"jira.issue.upated"} }, "the receiver records no documented event", zap.Strings("patterns", []string{"jira.issue.upated"})},
		{"an unknown event included", func(c *JiraConfig) { c.Events.Include = []string{"jira.issue.*", "jira.issue.upated"} }, "Patterns of events::include match no event", zap.Strings("patterns", []string{"jira.issue.upated"})},
		{"an unknown event excluded", func(c *JiraConfig) { c.Events.Exclude = []string{"jira.issue.upated"} }, "Patterns of events::exclude match no event", zap.Strings("patterns", []string{"jira.issue.upated"})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			cfg.Jira.Signature.Secrets = []configopaque.String{"good"}
			tt.configure(&cfg.Jira)
			assert.NoError(t, cfg.Validate())
			warnings := cfg.warnings()
			if tt.want == "" {
				assert.Empty(t, warnings)
				return
			}
			if assert.Len(t, warnings, 1) {
				assert.Contains(t, warnings[0].message, tt.want)
				assert.Equal(t, fields(tt.field), fields(warnings[0].field))
				assert.NotContains(t, strings.ToLower(warnings[0].message+fmt.Sprint(fields(warnings[0].field))), "hunter")
			}
		})
	}
}

func fields(f zap.Field) map[string]any {
	encoder := zapcore.NewMapObjectEncoder()
	f.AddTo(encoder)
	return encoder.Fields
}

// TestAddressesOfSites has contexts of Data Center, and pages.
func TestAddressesOfSites(t *testing.T) {
	for address, valid := range map[string]bool{
		"https://acme.atlassian.net":                  true,
		"https://acme.atlassian.net/":                 true,
		"https://acme.atlassian.net/wiki":             false,
		"https://acme.jira.com/x":                     false,
		"https://jira.example.com/context":            true,
		"https://jira.example.com/browser":            true,
		"https://jira.example.com/a/b/":               true,
		"https://jira.example.com/secure":             false,
		"https://jira.example.com/Browse/OPS-1":       false,
		"https://jira.example.com/a/rest/api/2":       false,
		"https://jira.example.com/servicedesk/x":      false,
		"https://atlassian.net.example.com/context":   true,
		"https://boards.example.com/plugins/servlet/": false,
	} {
		err := (&JiraConfig{SiteURL: address}).validateSiteURL()
		assert.Equal(t, valid, err == nil, address)
	}
}
