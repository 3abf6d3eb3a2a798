package jirareceiver

import (
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.uber.org/zap"
)

// warning is a setting that is valid and may not do what it is meant to do.
type warning struct {
	message string // names the consequence
	field   zap.Field
}

// warnings returns the warnings that are logged at the start. No field contains a secret.
func (cfg *Config) warnings() []warning {
	var warnings []warning
	if !cfg.authenticated() {
		warnings = append(warnings, warning{"Anybody who reaches the endpoint can post events: allow_unauthenticated is set", zap.Skip()})
	}
	include, exclude := undocumented(cfg.Jira.Events.Include), undocumented(cfg.Jira.Events.Exclude)
	for _, found := range []struct {
		key     string
		entries []string
		message string
	}{
		{
			"secrets", cfg.secretsWith(func(secret string) bool { return strings.Contains(secret, "$") }),
			"A secret contains $: in a configuration file the collector reads $$ as $, and deliveries get 401 if the sender has another secret",
		},
		{
			"secrets", cfg.secretsWith(isQuoted),
			"A secret begins and ends with a quote, which is part of it: deliveries get 401 if the sender has the secret without quotes",
		},
		{"patterns", include, includeWarning(len(include) == len(cfg.Jira.Events.Include))},
		{"patterns", exclude, "Patterns of events::exclude match no event that Jira documents: they exclude no documented event; check the spelling"},
	} {
		if len(found.entries) > 0 {
			warnings = append(warnings, warning{found.message, zap.Strings(found.key, found.entries)})
		}
	}
	return warnings
}

func includeWarning(all bool) string {
	if all {
		return "No pattern of events::include matches an event that Jira documents: all documented events are dropped and answered with 200"
	}
	return "Patterns of events::include match no event that Jira documents: they record no documented event; check the spelling"
}

// secretsWith returns the keys of secrets and tokens.
func (cfg *Config) secretsWith(property func(string) bool) (keys []string) {
	for _, list := range []struct {
		key     string
		secrets []configopaque.String
	}{{"signature::secrets", cfg.Jira.Signature.Secrets}, {"token::values", cfg.Jira.Token.Values}} {
		for i, secret := range list.secrets {
			if property(string(secret)) {
				keys = append(keys, fmt.Sprintf("%s[%d]", list.key, i))
			}
		}
	}
	return keys
}

func isQuoted(s string) bool {
	return len(s) > 1 && s[0] == s[len(s)-1] && strings.ContainsAny(s[:1], `"'`)
}
