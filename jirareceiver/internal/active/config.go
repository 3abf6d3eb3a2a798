// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
	"github.com/otel-jira/collector/jirareceiver/internal/registration"
)

// APIConfig configures the requests to Jira's REST API.
type APIConfig struct {
	// ClientConfig holds the settings of the HTTP client. confighttp defines their defaults, except for the timeout.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// RequestsPerSecond is the largest rate of requests. Default: 5.
	RequestsPerSecond float64 `mapstructure:"requests_per_second"`
	// MaxConcurrentRequests is the largest number of requests at the same time. Default: 4.
	MaxConcurrentRequests int `mapstructure:"max_concurrent_requests"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// PollConfig configures the reading of changes.
type PollConfig struct {
	// Mode is off, full or repair. In the mode full, the receiver records all changes that it reads from the REST API. In
	// the mode repair, it records the changes whose webhook has not arrived. Default: off.
	Mode Mode `mapstructure:"mode"`
	// Interval is the time between the starts of two runs. Default: 5m.
	Interval time.Duration `mapstructure:"interval"`
	// Overlap is how late the search index of Jira may show a change. Each run reads the changes of this time again, and
	// records only those that no earlier run has found. Default: 10m.
	Overlap time.Duration `mapstructure:"overlap"`
	// Grace is how long the mode repair leaves a change to its webhook, with the repetitions of Jira Cloud. Default: 15m.
	Grace time.Duration `mapstructure:"grace"`
	// Projects are the keys of the projects to read. Default: all projects that the account can browse.
	Projects []string `mapstructure:"projects"`
	// JQL restricts the issues further. It contains no ORDER BY. Default: none.
	JQL string `mapstructure:"jql"`
	// Include selects the changes to read: changelog, comments and worklogs. The creation of issues is always read.
	// Default: all.
	Include []string `mapstructure:"include"`
	// StartFrom is the date, or the time in RFC 3339, from which the receiver reads the past once. It needs a storage.
	// Default: none.
	StartFrom string `mapstructure:"start_from"`
	// Storage is a storage extension that keeps the position over a restart. Without it, changes that happen while the
	// receiver is stopped are not recorded. Default: none.
	Storage *component.ID `mapstructure:"storage"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// RegistrationConfig configures the check of the webhook that is registered in Jira.
type RegistrationConfig struct {
	// Mode is off, verify or manage. The mode verify reports if the webhook in Jira is not as configured. The mode manage
	// also creates and updates it, and never deletes one. Both need an administrator of Jira. Default: off.
	Mode registration.Mode `mapstructure:"mode"`
	// Name is the name of the webhook in Jira. Default: otelcol-jira.
	Name string `mapstructure:"name"`
	// URL is the address at which Jira reaches the receiver.
	URL string `mapstructure:"url"`
	// Events are the events of the webhook, in Jira's names. Default: all that the receiver knows.
	Events []string `mapstructure:"events"`
	// JQL restricts the issues of the webhook. Default: none.
	JQL string `mapstructure:"jql"`
	// Interval is the time between two checks. Default: 10m.
	Interval time.Duration `mapstructure:"interval"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// Mode is the use of the REST API.
type Mode string

const (
	// ModeOff sends no requests.
	ModeOff Mode = "off"
	// ModeFull reads all changes.
	ModeFull Mode = "full"
	// ModeRepair reads the changes whose webhook has not arrived.
	ModeRepair Mode = "repair"
)

// The contents that PollConfig.Include selects.
const (
	includeChangelog = "changelog"
	includeComments  = "comments"
	includeWorklogs  = "worklogs"
)

var contents = []string{includeChangelog, includeComments, includeWorklogs}

const (
	defaultRequestsPerSecond     = 5
	defaultMaxConcurrentRequests = 4
	// defaultTimeout leaves Jira time for a page of issues with long histories.
	defaultTimeout  = 2 * time.Minute
	defaultInterval = 5 * time.Minute
	defaultOverlap  = 10 * time.Minute
	defaultGrace    = 15 * time.Minute

	defaultName = "otelcol-jira"

	minInterval = time.Minute
	minOverlap  = 5 * time.Minute
	minGrace    = time.Minute
	// maxGrace leaves Loki an hour: it refuses lines that are an hour older than the newest line of their stream.
	maxGrace = 45 * time.Minute
)

// NewAPIConfig returns the defaults.
func NewAPIConfig() APIConfig {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = defaultTimeout
	return APIConfig{
		ClientConfig:          client,
		RequestsPerSecond:     defaultRequestsPerSecond,
		MaxConcurrentRequests: defaultMaxConcurrentRequests,
	}
}

// NewPollConfig returns the defaults.
func NewPollConfig() PollConfig {
	return PollConfig{
		Mode: ModeOff, Interval: defaultInterval, Overlap: defaultOverlap, Grace: defaultGrace,
		Include: slices.Clone(contents),
	}
}

// NewRegistrationConfig returns the defaults.
func NewRegistrationConfig() RegistrationConfig {
	return RegistrationConfig{
		Mode: registration.ModeOff, Name: defaultName, Interval: registration.DefaultInterval,
	}
}

// IsOn reports whether the receiver checks the registration.
func (cfg *RegistrationConfig) IsOn() bool {
	return cfg.Mode == registration.ModeVerify || cfg.Mode == registration.ModeManage
}

// IsSet reports whether there is an address of a Jira.
func (cfg *APIConfig) IsSet() bool { return cfg.ClientConfig.Endpoint != "" }

// IsOn reports whether the receiver reads changes.
func (cfg *PollConfig) IsOn() bool { return cfg.Mode == ModeFull || cfg.Mode == ModeRepair }

// grace is 0 in the mode full, which leaves no change to webhooks.
func (cfg *PollConfig) grace() time.Duration {
	if cfg.Mode == ModeRepair {
		return cfg.Grace
	}
	return 0
}

// checksIdentity reports whether polling compares the ids of changes with those of webhooks.
func (cfg *PollConfig) checksIdentity() bool {
	return cfg.Mode == ModeRepair && cfg.includes(includeChangelog)
}

// source returns the source of the events of all runs but the back-fill.
func (cfg *PollConfig) source() jira.Source {
	if cfg.Mode == ModeRepair {
		return jira.SourceRepair
	}
	return jira.SourcePoll
}

// Problems returns all mistakes in the settings of the API. The address of the site may be configured beside them.
func (cfg *APIConfig) Problems(siteURL string) error {
	var errs []error
	if cfg.IsSet() {
		errs = append(errs, cfg.endpointProblems(siteURL))
	}
	if !(cfg.RequestsPerSecond > 0) { // also not a number
		errs = append(errs, fmt.Errorf("api::requests_per_second: %g is not a positive number; set a rate, such as %d",
			cfg.RequestsPerSecond, defaultRequestsPerSecond))
	}
	if timeout := cfg.ClientConfig.Timeout; timeout > 0 && timeout < time.Millisecond {
		errs = append(errs, fmt.Errorf("api::timeout: %s is less than a millisecond; write it with a unit, such as 30s",
			timeout))
	}
	if cfg.MaxConcurrentRequests <= 0 {
		errs = append(errs, fmt.Errorf("api::max_concurrent_requests: %d is not a positive number; "+
			"set a number of requests, such as %d", cfg.MaxConcurrentRequests, defaultMaxConcurrentRequests))
	}
	return errors.Join(errs...)
}

func (cfg *APIConfig) endpointProblems(siteURL string) error {
	endpoint, err := jiraapi.ParseEndpoint(cfg.ClientConfig.Endpoint)
	switch {
	case err != nil:
		return fmt.Errorf("api::endpoint: %w", err)
	case record.IsPage(endpoint):
		return errors.New("api::endpoint: the address of a page; cut it to https://host or https://host/context")
	case jiraapi.IsGateway(endpoint) && siteURL == "":
		return errors.New("site_url: not set, although api::endpoint is the API gateway and not the site; " +
			"set the address of the site, such as https://acme.atlassian.net")
	case endpoint.Scheme == "http" && cfg.HasCredentials() && !isLoopback(endpoint):
		return errors.New("api::endpoint: http would send the credentials unencrypted to another machine; use https")
	default:
		return nil
	}
}

// HasCredentials reports whether requests may carry credentials.
func (cfg *APIConfig) HasCredentials() bool {
	return cfg.ClientConfig.Auth.HasValue() || len(cfg.ClientConfig.Headers) > 0
}

func isLoopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || ip != nil && ip.IsLoopback()
}

// orderBy matches the part of JQL that orders the result. A text in quotes may contain it.
var (
	orderBy = regexp.MustCompile(`(?i)\border\s+by\b`)
	quoted  = regexp.MustCompile(`"(\\.|[^"\\])*"|'(\\.|[^'\\])*'`)
)

// projectKey matches the key of a project of a usual site. Administrators of Data Center can allow other characters.
var projectKey = regexp.MustCompile(`^\S+$`)

// Problems returns all mistakes in the settings of polling.
func (cfg *PollConfig) Problems(api *APIConfig, now time.Time) error {
	var errs []error
	if cfg.Mode != ModeOff && !cfg.IsOn() {
		errs = append(errs, fmt.Errorf("poll::mode: %q is not a mode; write %s, %s or %s",
			cfg.Mode, ModeOff, ModeRepair, ModeFull))
	}
	if cfg.IsOn() && !api.IsSet() {
		errs = append(errs, errors.New("api::endpoint: not set; set it to the address of Jira, "+
			"such as https://acme.atlassian.net, or set poll::mode to off"))
	}
	for _, duration := range []struct {
		key        string
		value, min time.Duration
	}{{"interval", cfg.Interval, minInterval}, {"overlap", cfg.Overlap, minOverlap}} {
		if duration.value < duration.min {
			errs = append(errs, fmt.Errorf("poll::%s: %s is less than %gm; write %[3]gm or more, with the unit",
				duration.key, duration.value, duration.min.Minutes()))
		}
	}
	if cfg.Grace < minGrace || cfg.Grace > maxGrace {
		errs = append(errs, fmt.Errorf("poll::grace: %s is not between %gm and %gm; write a time between them, with the unit",
			cfg.Grace, minGrace.Minutes(), maxGrace.Minutes()))
	}
	for i, key := range cfg.Projects {
		if !projectKey.MatchString(key) {
			errs = append(errs, fmt.Errorf("poll::projects[%d]: %q is not the key of a project; write it like OPS", i, key))
		}
	}
	if orderBy.MatchString(quoted.ReplaceAllString(cfg.JQL, "")) {
		errs = append(errs, errors.New("poll::jql: contains ORDER BY, but the receiver adds its own order; remove it"))
	}
	return errors.Join(append(errs, cfg.includeProblems(), cfg.startProblems(now))...)
}

func (cfg *PollConfig) includeProblems() error {
	var errs []error
	for i, name := range cfg.Include {
		if !slices.Contains(contents, name) {
			errs = append(errs, fmt.Errorf("poll::include[%d]: %q is not a kind of change; choose from %s",
				i, name, strings.Join(contents, ", ")))
		}
	}
	return errors.Join(errs...)
}

func (cfg *PollConfig) startProblems(now time.Time) error {
	start, err := cfg.start()
	switch {
	case err != nil:
		return fmt.Errorf("poll::start_from: %q is not a date or a time; write it like 2026-01-31 or "+
			"2026-01-31T08:00:00Z", cfg.StartFrom)
	case start.After(now):
		return errors.New("poll::start_from: in the future; set a date in the past, or remove it")
	case !start.IsZero() && cfg.Storage == nil:
		return errors.New("poll::storage: not set, so that each start would read the past again; " +
			"set it to a storage extension, such as file_storage, or remove poll::start_from")
	default:
		return nil
	}
}

// start returns the time of StartFrom, or zero without it. A date begins in UTC.
func (cfg *PollConfig) start() (time.Time, error) {
	if cfg.StartFrom == "" {
		return time.Time{}, nil
	}
	if start, err := time.Parse(time.DateOnly, cfg.StartFrom); err == nil {
		return start, nil
	}
	return time.Parse(time.RFC3339, cfg.StartFrom)
}

// Problems returns all mistakes in the settings of the registration. hasCredentials reports whether a secret or a token
// is configured with which Jira can authenticate.
func (cfg *RegistrationConfig) Problems(api *APIConfig, hasCredentials bool) error {
	if !cfg.IsOn() {
		if cfg.Mode == registration.ModeOff {
			return nil
		}
		return fmt.Errorf("registration::mode: %q is not a mode; write %s, %s or %s",
			cfg.Mode, registration.ModeOff, registration.ModeVerify, registration.ModeManage)
	}
	var errs []error
	if !api.IsSet() {
		errs = append(errs, errors.New("api::endpoint: not set; set it to the address of Jira, "+
			"such as https://acme.atlassian.net, or set registration::mode to off"))
	}
	if strings.TrimSpace(cfg.Name) == "" {
		errs = append(errs, errors.New("registration::name: empty; set the name of the webhook in Jira, such as "+defaultName))
	}
	if cfg.Interval < minInterval {
		errs = append(errs, fmt.Errorf("registration::interval: %s is less than %gm; write %[2]gm or more, with the unit",
			cfg.Interval, minInterval.Minutes()))
	}
	if orderBy.MatchString(quoted.ReplaceAllString(cfg.JQL, "")) {
		errs = append(errs, errors.New("registration::jql: contains ORDER BY, which webhooks cannot have; remove it"))
	}
	if cfg.Mode == registration.ModeManage && !hasCredentials {
		errs = append(errs, errors.New("registration::mode: manage would register a webhook that the receiver cannot "+
			"authenticate; set signature::secrets or token::values, or set the mode to verify"))
	}
	return errors.Join(append(errs, cfg.urlProblems(api))...)
}

func (cfg *RegistrationConfig) urlProblems(api *APIConfig) error {
	u, err := url.Parse(cfg.URL)
	isWeb := err == nil && u.Hostname() != "" && (u.Scheme == "https" || u.Scheme == "http")
	endpoint, err := jiraapi.ParseEndpoint(api.ClientConfig.Endpoint)
	isCloud := err == nil && (jiraapi.IsGateway(endpoint) || record.IsCloudHost(endpoint.Hostname()))
	const remedy = "set the address at which Jira reaches the receiver, such as https://hooks.example.com/jira/events"
	switch {
	case cfg.URL == "":
		return errors.New("registration::url: not set; " + remedy)
	case !isWeb:
		return errors.New("registration::url: not an address; " + remedy)
	case isCloud && u.Scheme != "https":
		return errors.New("registration::url: Jira Cloud posts only to https; set an address with https")
	default:
		return nil
	}
}
