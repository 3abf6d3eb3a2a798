// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/config/confignet"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/active"
	"github.com/otel-jira/collector/jirareceiver/internal/dedup"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
	"github.com/otel-jira/collector/jirareceiver/internal/registration"
	"github.com/otel-jira/collector/jirareceiver/internal/status"
)

// Validate reports all mistakes of Unmarshal and all invalid values.
func (cfg *Config) Validate() error {
	return cfg.mistakes.Join(errors.Join(
		cfg.validateServer(),
		cfg.validateListen(),
		cfg.API.Problems(cfg.SiteURL),
		cfg.Poll.Problems(&cfg.API, time.Now()),
		cfg.Registration.Problems(&cfg.API, len(cfg.Signature.Secrets) > 0 || len(cfg.Token.Values) > 0),
		cfg.validateAuthentication(),
		cfg.validatePaths(),
		cfg.validateSiteURL(),
		cfg.validateMaxTextLength(),
		cfg.validateMaxConnections(),
		cfg.validateShutdownDelay(),
		cfg.Signature.validate(),
		cfg.Token.validate(),
		cfg.Status.validate(cfg.SiteURL),
		cfg.Events.validate(),
		cfg.Changelog.validate(),
		cfg.validateCustomFields(),
		cfg.validateQueryAttributes(),
		cfg.Severity.validate(),
		cfg.Include.validate(),
		cfg.Deduplication.validate(),
		cfg.validateAdmission(),
	))
}

func (cfg *Config) validateServer() error {
	var errs []error
	if !isAddress(cfg.ServerConfig.NetAddr) {
		errs = append(errs, errors.New("endpoint: "+hints["endpoint"]))
	}
	if cfg.ServerConfig.MaxRequestBodySize <= 0 {
		errs = append(errs, fmt.Errorf("max_request_body_size: %d is not a positive number; "+
			"set the largest body in bytes, such as %d", cfg.ServerConfig.MaxRequestBodySize, defaultMaxBodySize))
	}
	for _, name := range cfg.ServerConfig.CompressionAlgorithms {
		if !slices.Contains(allowedEncodings, name) {
			errs = append(errs, fmt.Errorf("compression_algorithms: %q is not an encoding that the receiver decodes "+
				"within its limits; choose from %q", name, allowedEncodings))
		}
	}
	for _, timeout := range []struct {
		key   string
		value time.Duration
	}{
		{"read_timeout", cfg.ServerConfig.ReadTimeout},
		{"read_header_timeout", cfg.ServerConfig.ReadHeaderTimeout},
		{"write_timeout", cfg.ServerConfig.WriteTimeout},
		{"keepalive::idle_timeout", cfg.idleTimeout()},
	} {
		if timeout.value != 0 && timeout.value < time.Millisecond {
			errs = append(errs, fmt.Errorf("%s: %s is less than a millisecond; write it with a unit, such as 30s",
				timeout.key, timeout.value))
		}
	}
	return errors.Join(errs...)
}

// idleTimeout is 0 without keep-alives.
func (cfg *Config) idleTimeout() time.Duration {
	if keepalive := cfg.ServerConfig.Keepalive.Get(); keepalive != nil {
		return keepalive.IdleTimeout
	}
	return 0
}

// isAddress reports whether a TCP address has the form host:port, or whether an address of another transport is set.
func isAddress(addr confignet.AddrConfig) bool {
	if !strings.HasPrefix(string(addr.Transport), "tcp") {
		return addr.Endpoint != ""
	}
	_, port, err := net.SplitHostPort(addr.Endpoint)
	if err != nil || port == "" {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

func (cfg *Config) validateListen() error {
	switch {
	case cfg.Listen || cfg.Poll.Mode == active.ModeFull:
		return nil
	case cfg.Poll.Mode == active.ModeRepair:
		return errors.New("listen: false, but poll::mode repair leaves changes to their webhooks; " +
			"set listen to true, or poll::mode to full")
	default:
		return errors.New("listen: false, and polling is off, so that the receiver would do nothing; " +
			"set listen to true, or poll::mode to full")
	}
}

func (cfg *Config) validateAuthentication() error {
	if cfg.AllowUnauthenticated || cfg.authenticated() || !cfg.Listen {
		return nil
	}
	advice := ""
	if cfg.Poll.IsOn() {
		advice = "set listen to false if the receiver only polls; or "
	}
	return errors.New("no authentication is configured; " + advice + "set signature::secrets to the secret of the webhook " +
		"in Jira, token::values for senders that cannot sign, auth to an authenticator extension, or tls::client_ca_file; " +
		"or set allow_unauthenticated to true to accept unauthenticated deliveries")
}

// authenticated reports whether the receiver, an extension or TLS authenticates senders.
func (cfg *Config) authenticated() bool {
	return len(cfg.Signature.Secrets) > 0 ||
		len(cfg.Token.Values) > 0 ||
		cfg.ServerConfig.Auth.HasValue() ||
		cfg.ServerConfig.TLS.HasValue() && cfg.ServerConfig.TLS.Get().ClientCAFile != ""
}

func (cfg *Config) validatePaths() error {
	var errs []error
	if cfg.Path == "" {
		errs = append(errs, fmt.Errorf("path: empty; set the path of the URL registered in Jira, such as %s",
			defaultPath))
	}
	for _, path := range []struct{ key, value string }{{"path", cfg.Path}, {"health_path", cfg.HealthPath}} {
		if path.value != "" && !isPlainPath(path.value) {
			errs = append(errs, fmt.Errorf("%s: not the path of a URL; write it like %s, without query, fragment, "+
				"spaces and escapes", path.key, defaultPath))
		}
	}
	if cfg.Path != "" && cfg.Path == cfg.HealthPath {
		errs = append(errs, errors.New("health_path: the same as path; "+
			"choose another, or set it to \"\" for no health check"))
	}
	return errors.Join(errs...)
}

func isPlainPath(path string) bool {
	u, err := url.Parse(path)
	return err == nil && u.Path == path && u.EscapedPath() == path &&
		strings.HasPrefix(path, "/") && !strings.Contains(path, "//")
}

func (cfg *Config) validateSiteURL() error {
	if cfg.SiteURL == "" {
		return nil
	}
	if mistake := mistakeInSite(cfg.SiteURL); mistake != "" {
		return errors.New("site_url: " + mistake)
	}
	return nil
}

// mistakeInSite returns the part of the message after the key, or "" if the address can be the address of a site.
func mistakeInSite(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil ||
		strings.ContainsAny(address, "?#") {
		return "not the address of a Jira site; write it like https://acme.atlassian.net " +
			"or https://jira.example.com/context, without user, query and fragment"
	}
	if record.IsPage(u) {
		return "the address of a page; cut it to https://host or https://host/context"
	}
	return ""
}

func (cfg *Config) validateMaxTextLength() error {
	if cfg.MaxTextLength <= 0 {
		return fmt.Errorf("max_text_length: %d is not a positive number; "+
			"set the largest number of characters of a text, such as %d", cfg.MaxTextLength, defaultMaxTextLength)
	}
	return nil
}

func (cfg *Config) validateMaxConnections() error {
	if cfg.MaxConnections <= 0 {
		return fmt.Errorf("max_connections: %d is not a positive number; "+
			"set the largest number of open connections, such as %d", cfg.MaxConnections, defaultMaxConnections)
	}
	return nil
}

func (cfg *Config) validateShutdownDelay() error {
	if cfg.ShutdownDelay != 0 && cfg.ShutdownDelay < time.Millisecond {
		return fmt.Errorf("shutdown_delay: %s is less than a millisecond; "+
			"write it with a unit, such as 5s, or 0 for no delay", cfg.ShutdownDelay)
	}
	return nil
}

func (cfg *SignatureConfig) validate() error {
	return validateSecrets("signature::secrets", cfg.Secrets)
}

func (cfg *TokenConfig) validate() error {
	errs := []error{validateSecrets("token::values", cfg.Values)}
	if len(cfg.Values) > 0 && cfg.Header == "" && cfg.QueryParameter == "" {
		errs = append(errs, errors.New("token: neither token::header nor token::query_parameter is set; "+
			"set the header or the parameter that carries the token"))
	}
	if strings.ContainsAny(cfg.Header, " \t:") {
		errs = append(errs, errors.New("token::header: not the name of a header; "+
			"write it without colon and spaces, such as "+defaultTokenHeader))
	}
	return errors.Join(errs...)
}

// validateSecrets finds the most common mistakes: a secret is empty because its environment variable is not set, or
// ends with a line break because it comes from a file.
func validateSecrets(path string, secrets []configopaque.String) error {
	var errs []error
	for i, secret := range secrets {
		if strings.TrimSpace(string(secret)) == "" {
			errs = append(errs, fmt.Errorf("%s[%d]: empty; set the environment variable, or fill the file, "+
				"that it refers to", path, i))
			continue
		}
		if strings.TrimSpace(string(secret)) != string(secret) {
			errs = append(errs, fmt.Errorf("%s[%d]: begins or ends with white space or a line break; "+
				"write the file without a line break at its end, for example with printf %%s", path, i))
		}
	}
	return errors.Join(errs...)
}

// validate checks the mappings. All records have the configured site, if it is set.
func (cfg *StatusConfig) validate(siteURL string) error {
	errs := []error{validateMappings("status", cfg.Mapping, cfg.Projects)}
	seen := map[string]string{}
	for _, address := range slices.Sorted(maps.Keys(cfg.Sites)) {
		path := "status::sites::" + address
		errs = append(errs, validateMappings(path, cfg.Sites[address].Mapping, cfg.Sites[address].Projects))
		if mistake := mistakeInSite(address); mistake != "" {
			errs = append(errs, fmt.Errorf("%s: %s", path, mistake))
			continue
		}
		site := record.SiteURL(address)
		if other, taken := seen[site]; taken {
			errs = append(errs, fmt.Errorf("%s: the same site as %s; keep one", path, other))
		}
		if siteURL != "" && record.SiteURL(siteURL) != site {
			errs = append(errs, fmt.Errorf("%s: not the site of site_url, which all records have; "+
				"remove site_url if several sites send events, or remove this site", path))
		}
		seen[site] = address
	}
	return errors.Join(errs...)
}

func validateMappings(path string, mapping map[string][]string, projects map[string]ProjectStatusConfig) error {
	errs := []error{within(path+"::mapping", status.Mapping(mapping).Validate())}
	seen := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(projects)) {
		path := path + "::projects::" + key
		errs = append(errs, within(path+"::mapping", status.Mapping(projects[key].Mapping).Validate()))
		if len(strings.Fields(key)) != 1 {
			errs = append(errs, fmt.Errorf("%s: not the key of a project; write it like OPS", path))
		}
		folded := status.FoldProjectKey(key)
		if other, taken := seen[folded]; taken {
			errs = append(errs, fmt.Errorf("%s: the same project as %s; keep one", path, other))
		}
		seen[folded] = key
	}
	return errors.Join(errs...)
}

// within puts the path before an error, and before each error of errors.Join.
func within(path string, err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, e := range joined.Unwrap() {
			errs = append(errs, within(path, e))
		}
		return errors.Join(errs...)
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", path, err)
}

// validate reports each pattern with a mistake, such as one of Jira's own names, which match no event type.
func (cfg *EventsConfig) validate() error {
	var errs []error
	for _, list := range []struct {
		key      string
		patterns []string
	}{{"events::include", cfg.Include}, {"events::exclude", cfg.Exclude}} {
		for i, pattern := range list.patterns {
			if mistake := mistakeIn(pattern); mistake != "" {
				errs = append(errs, fmt.Errorf("%s[%d]: %q %s", list.key, i, pattern, mistake))
			}
		}
	}
	return errors.Join(errs...)
}

// mistakeIn returns the part of the message after the pattern, or "" if the pattern can match an event type. The filter
// decides about events, so that a pattern cannot select the records of changed fields, which changelog: split adds.
func mistakeIn(pattern string) string {
	switch {
	case strings.ContainsAny(pattern, `^$()+|\{}`), strings.Contains(pattern, ".."):
		return "is a regular expression; write * for any text, such as jira.issue.*"
	case pattern == record.EventFieldChanged:
		return "belongs to another event; write the type of that event, such as jira.issue.updated"
	case record.IsNamespace(pattern):
		return "matches no event; write " + pattern + ".*"
	case !record.CanMatch(pattern):
		return "matches no event; write an event type, such as jira.issue.created, or a pattern, such as jira.sprint.*"
	default:
		return ""
	}
}

func (mode ChangelogMode) validate() error {
	if mode != ChangelogAttributes && mode != ChangelogSplit {
		return fmt.Errorf("changelog: %q is not a mode; write %s, or %s for one more record for each changed field",
			mode, ChangelogAttributes, ChangelogSplit)
	}
	return nil
}

var (
	customFieldID = regexp.MustCompile(`^customfield_\d+$`)
	alias         = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	attributeName = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$`)
)

func (cfg *Config) validateCustomFields() error {
	var errs []error
	seen := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(cfg.CustomFields)) {
		name := cfg.CustomFields[id]
		if !customFieldID.MatchString(id) {
			errs = append(errs, fmt.Errorf("custom_fields::%s: %q is not the id of a custom field; "+
				"write the id first and then an alias, such as customfield_10016: story_points", id, id))
		}
		if !alias.MatchString(name) {
			errs = append(errs, fmt.Errorf("custom_fields::%s: %q is not the end of an attribute name; "+
				"write an alias in lower case, such as story_points", id, name))
		}
		if other, taken := seen[name]; taken {
			errs = append(errs, fmt.Errorf("custom_fields::%s: the same alias as %s; choose another", id, other))
		}
		seen[name] = id
	}
	return errors.Join(errs...)
}

func (cfg *Config) validateQueryAttributes() error {
	var errs []error
	seen := map[string]string{}
	for _, parameter := range slices.Sorted(maps.Keys(cfg.QueryAttributes)) {
		attribute := cfg.QueryAttributes[parameter]
		if parameter == "" || !attributeName.MatchString(attribute) {
			errs = append(errs, fmt.Errorf("query_attributes::%s: %q is not the name of an attribute; "+
				"write it like jira.issue.key", parameter, attribute))
		}
		if record.IsReserved(attribute) {
			errs = append(errs, fmt.Errorf("query_attributes::%s: only the receiver sets %s; "+
				"choose another attribute", parameter, attribute))
		} else if option := record.OptionOf(attribute); option != "" && !cfg.Include.has(option) {
			errs = append(errs, fmt.Errorf("query_attributes::%s: %s contains personal data; "+
				"set %s to true, or choose another attribute", parameter, attribute, option))
		}
		if strings.HasPrefix(parameter, "jira.") && !strings.HasPrefix(attribute, "jira.") {
			errs = append(errs, fmt.Errorf("query_attributes::%s: not a parameter; "+
				"write the parameter first and then its attribute, such as issue: jira.issue.key", parameter))
		}
		if parameter == cfg.Token.QueryParameter {
			errs = append(errs, fmt.Errorf("query_attributes::%s: this parameter carries the token, "+
				"which records must not contain; use another parameter", parameter))
		}
		if other, taken := seen[attribute]; taken {
			errs = append(errs, fmt.Errorf("query_attributes::%s: the same attribute as %s; choose another",
				parameter, other))
		}
		seen[attribute] = parameter
	}
	return errors.Join(errs...)
}

func (cfg *SeverityConfig) validate() error {
	var errs []error
	seen := map[string]string{}
	for _, priority := range slices.Sorted(maps.Keys(cfg.Priorities)) {
		if _, known := record.ParseSeverity(cfg.Priorities[priority]); !known {
			errs = append(errs, fmt.Errorf("severity::priorities::%s: %q is not a severity; "+
				"write trace, debug, info, warn, error or fatal", priority, cfg.Priorities[priority]))
		}
		name := status.Fold(priority)
		if other, taken := seen[name]; taken {
			errs = append(errs, fmt.Errorf("severity::priorities::%s: the same priority as %s; keep one",
				priority, other))
		}
		seen[name] = priority
	}
	return errors.Join(errs...)
}

// has reports whether an option is set.
func (cfg *IncludeConfig) has(option string) bool {
	return map[string]bool{
		"include::user_details": cfg.UserDetails,
		"include::description":  cfg.Description,
		"include::comment_body": cfg.CommentBody,
		"include::payload":      cfg.Payload,
	}[option]
}

// minUserHashKey is the smallest number of characters of a key that cannot be guessed if it is random.
const minUserHashKey = 16

func (cfg *IncludeConfig) validate() error {
	key := cfg.userHashKey()
	switch {
	case cfg.UserHashKey == nil:
		return nil
	case strings.TrimSpace(key) == "":
		return errors.New("include::user_hash_key: empty; set the environment variable, or fill the file, " +
			"that it refers to")
	case strings.TrimSpace(key) != key:
		return errors.New("include::user_hash_key: begins or ends with white space or a line break; " +
			"write the file without a line break at its end, for example with printf %s")
	case utf8.RuneCountInString(key) < minUserHashKey:
		return fmt.Errorf("include::user_hash_key: shorter than %d characters; "+
			"make a random key, for example with openssl rand -hex 32", minUserHashKey)
	}
	return nil
}

func (cfg *DeduplicationConfig) validate() error {
	if !cfg.Enabled {
		return nil
	}
	var errs []error
	if cfg.Window < time.Second {
		errs = append(errs, fmt.Errorf("deduplication::window: %s is less than a second; "+
			"write it with a unit, such as 2h, or set deduplication::enabled to false", cfg.Window))
	}
	if cfg.File != "" && cfg.Storage != nil {
		errs = append(errs, errors.New("deduplication::storage: deduplication::file is set as well; "+
			"keep one of them, and file if the storage is a local file"))
	}
	if cfg.MaxEntries <= 0 || cfg.MaxEntries > dedup.MaxEntries {
		errs = append(errs, fmt.Errorf("deduplication::max_entries: %d is not a number from 1 to %d; "+
			"set the largest number of delivery IDs, such as %d, or set deduplication::enabled to false",
			cfg.MaxEntries, dedup.MaxEntries, defaultMaxEntries))
	}
	return errors.Join(errs...)
}

func (cfg *Config) validateAdmission() error {
	var errs []error
	admission := cfg.Admission
	if admission.MaxInFlightBytes < cfg.ServerConfig.MaxRequestBodySize {
		errs = append(errs, fmt.Errorf("admission::max_in_flight_bytes: %d is less than max_request_body_size, "+
			"so that the receiver would never accept the largest bodies; set %d or more",
			admission.MaxInFlightBytes, cfg.ServerConfig.MaxRequestBodySize))
	}
	if admission.RetryAfter < time.Second {
		errs = append(errs, fmt.Errorf("admission::retry_after: %s is less than a second; "+
			"write it with a unit, such as %s", admission.RetryAfter, defaultRetryAfter))
	}
	return errors.Join(append(errs, admission.Disk.validate())...)
}

func (cfg *DiskConfig) validate() error {
	var errs []error
	if i := slices.Index(cfg.Directories, ""); i >= 0 {
		errs = append(errs, fmt.Errorf("admission::disk::directories[%d]: empty; "+
			"set the environment variable that it refers to", i))
	}
	if cfg.MinFreeBytes <= 0 {
		errs = append(errs, fmt.Errorf("admission::disk::min_free_bytes: %d is not a positive number; "+
			"set a number of bytes, such as %d", cfg.MinFreeBytes, defaultMinFree))
	}
	return errors.Join(errs...)
}

// isActive reports whether the receiver sends requests to Jira.
func (cfg *Config) isActive() bool { return cfg.Poll.IsOn() || cfg.Registration.IsOn() }

// Warning describes a valid setting whose effect the administrator may not intend. It contains no secret.
type Warning struct {
	Message string // names the consequence
	Hint    string
	Kind    string   // of the values, such as secrets; "" without values
	Values  []string // keys of the configuration, or entries of a list
}

func (w Warning) fields() []zap.Field {
	hint := zap.String("hint", w.Hint)
	if w.Kind == "" {
		return []zap.Field{hint}
	}
	return []zap.Field{zap.Strings(w.Kind, w.Values), hint}
}

const (
	hintStorage  = "set poll::storage to a storage extension"
	hintSpelling = "check the spelling"
)

// Warnings returns the warnings that the receiver logs when it starts.
func (cfg *Config) Warnings() []Warning {
	var warnings []Warning
	for _, possible := range slices.Concat(cfg.warningsAboutSettings(), cfg.warningsAboutValues()) {
		if possible.applies {
			warnings = append(warnings, possible.Warning)
		}
	}
	return warnings
}

type possibleWarning struct {
	applies bool
	Warning
}

func (cfg *Config) warningsAboutSettings() []possibleWarning {
	isManaged := cfg.Registration.Mode == registration.ModeManage
	return []possibleWarning{
		{cfg.Listen && !cfg.authenticated(), Warning{
			Message: "The receiver accepts unauthenticated deliveries, " +
				"because allow_unauthenticated is true; every client that reaches the endpoint can post events",
			Hint: "set signature::secrets",
		}},
		{cfg.Poll.IsOn() && cfg.Poll.Storage == nil, Warning{
			Message: "poll::storage is not set; changes that happen while the receiver is stopped are not recorded",
			Hint:    hintStorage,
		}},
		{cfg.API.IsSet() && !cfg.isActive(), Warning{
			Message: "api has no effect, because poll::mode and registration::mode are off",
			Hint:    "set one of them, or remove api",
		}},
		{cfg.LeaderElector != nil && !cfg.isActive(), Warning{
			Message: "k8s_leader_elector has no effect, because poll::mode and registration::mode are off",
			Hint:    "set one of them, or remove k8s_leader_elector",
		}},
		{cfg.Listen && cfg.Poll.IsOn() && !cfg.Deduplication.ByEvent, Warning{
			Message: "deduplication::by_event: false has no effect, because polling recognises events in any case",
			Hint:    "remove deduplication::by_event",
		}},
		{cfg.isActive() && !cfg.API.HasCredentials(), Warning{
			Message: "api::auth is not set; the receiver sends no credentials to Jira",
			Hint:    "set api::auth::authenticator to the extension with the credentials",
		}},
		{isManaged && cfg.Poll.Storage == nil, Warning{
			Message: "poll::storage is not set; the receiver writes the secret of the webhook to Jira again after each start",
			Hint:    hintStorage,
		}},
	}
}

func (cfg *Config) warningsAboutValues() (warnings []possibleWarning) {
	add := func(kind string, values []string, message, hint string) {
		warnings = append(warnings, possibleWarning{len(values) > 0, Warning{message, hint, kind, values}})
	}
	add("events", registration.UnknownEvents(cfg.Registration.Events),
		"registration::events contains events that Jira does not document", hintSpelling)
	add("secrets", cfg.secretsWith(func(secret string) bool { return strings.Contains(secret, "$") }),
		"A secret contains $; in a configuration file the collector reads $$ as $, "+
			"and the receiver rejects deliveries if the sender uses another secret",
		"compare it with the secret of the sender")
	add("secrets", cfg.secretsWith(isQuoted),
		"A secret begins and ends with a quote; "+
			"the quotes belong to the secret, "+
			"and the receiver rejects deliveries if the sender uses the secret without quotes",
		"remove the quotes if the secret of the sender has none")
	add("options", cfg.Include.ambiguousKeys(),
		"A key contains $ or begins and ends with a quote; "+
			"in a configuration file the collector reads $$ as $, "+
			"and two receivers make different hashes of one login name if their keys differ",
		"use a key without $ and quotes; another key changes all hashes")
	include, exclude := record.Undocumented(cfg.Events.Include), record.Undocumented(cfg.Events.Exclude)
	add("patterns", include, includeWarning(len(include) == len(cfg.Events.Include)), hintSpelling)
	add("patterns", exclude, "Patterns of events::exclude match no event that Jira documents", hintSpelling)
	return warnings
}

func includeWarning(all bool) string {
	if all {
		return "No pattern of events::include matches an event that Jira documents; " +
			"the receiver records no documented event"
	}
	return "Patterns of events::include match no event that Jira documents"
}

// secretsWith returns the keys of the secrets and tokens that have a property.
func (cfg *Config) secretsWith(property func(string) bool) (keys []string) {
	for _, list := range []struct {
		key     string
		secrets []configopaque.String
	}{{"signature::secrets", cfg.Signature.Secrets}, {"token::values", cfg.Token.Values}} {
		for i, secret := range list.secrets {
			if property(string(secret)) {
				keys = append(keys, fmt.Sprintf("%s[%d]", list.key, i))
			}
		}
	}
	return keys
}

// ambiguousKeys returns the options with a key that another configuration may read in another way.
func (cfg *IncludeConfig) ambiguousKeys() (options []string) {
	if key := cfg.userHashKey(); strings.Contains(key, "$") || isQuoted(key) {
		options = append(options, "include::user_hash_key")
	}
	return options
}

func isQuoted(s string) bool {
	return len(s) > 1 && s[0] == s[len(s)-1] && strings.ContainsAny(s[:1], `"'`)
}
