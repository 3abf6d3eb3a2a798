// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otel-jira/collector/internal/strictconf"
	"github.com/otel-jira/collector/jirareceiver/internal/active"
	"github.com/otel-jira/collector/jirareceiver/internal/auth"
	"github.com/otel-jira/collector/jirareceiver/internal/dedup"
	"github.com/otel-jira/collector/jirareceiver/internal/diskguard"
	"github.com/otel-jira/collector/jirareceiver/internal/ledger"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
	"github.com/otel-jira/collector/jirareceiver/internal/status"
)

// Config is the configuration of the receiver.
type Config struct {
	// ServerConfig holds the settings of the HTTP server. confighttp defines their defaults, except for the endpoint, the
	// size of a body, its encodings and the timeouts.
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`
	// Listen starts the HTTP server to which Jira posts. Without it, the receiver only polls. Default: true.
	Listen bool `mapstructure:"listen"`
	// API configures the requests to Jira's REST API. Default: no requests.
	API active.APIConfig `mapstructure:"api"`
	// Poll configures the reading of changes from the REST API.
	Poll active.PollConfig `mapstructure:"poll"`
	// Registration configures the check of the webhook that is registered in Jira.
	Registration active.RegistrationConfig `mapstructure:"registration"`
	// LeaderElector is an extension that elects the replica that polls. All replicas listen. Default: none, so that each
	// replica polls.
	LeaderElector *component.ID `mapstructure:"k8s_leader_elector"`
	// Path is the URL path to which Jira posts. Default: /jira/events.
	Path string `mapstructure:"path"`
	// HealthPath is the URL path of the health check, which responds with 200 while the receiver accepts deliveries and
	// does not stop. Empty: no health check. Default: /health.
	HealthPath string `mapstructure:"health_path"`
	// SiteURL is the address of the Jira site, https://host[/context]. Default: derived from the links in each payload.
	SiteURL string `mapstructure:"site_url"`
	// Signature configures the verification of signatures, which Jira makes with the secret of a webhook.
	Signature SignatureConfig `mapstructure:"signature"`
	// Token configures shared tokens, for senders that cannot sign. If signatures are configured as well, a valid
	// signature or a valid token is enough.
	Token TokenConfig `mapstructure:"token"`
	// AllowUnauthenticated permits a configuration without any authentication. It does not switch off a configured
	// authentication. Default: false.
	AllowUnauthenticated bool `mapstructure:"allow_unauthenticated"`
	// Status maps the statuses of workflows to a common vocabulary.
	Status StatusConfig `mapstructure:"status"`
	// Events selects the events that become records. Default: all.
	Events EventsConfig `mapstructure:"events"`
	// Changelog selects where the receiver writes changed fields: in attributes of the event, or in a record for each
	// changed field as well. Default: attributes.
	Changelog ChangelogMode `mapstructure:"changelog"`
	// CustomFields maps ids of custom fields, such as customfield_10016, to aliases. The attribute of a field is
	// jira.issue.custom.<alias>, and for people also jira.issue.custom_person.hash.<alias> and so on. The fields of
	// Jira Service Management have several attributes. Default: none.
	CustomFields map[string]string `mapstructure:"custom_fields"`
	// QueryAttributes maps query parameters to attributes. The receiver writes such an attribute if the payload does
	// not contain its value, for example if the payload is empty. No signature covers the query. Default: none.
	QueryAttributes map[string]string `mapstructure:"query_attributes"`
	// Severity maps the priority of an issue to the severity of its records.
	Severity SeverityConfig `mapstructure:"severity"`
	// Include adds contents that records omit by default, because they contain or may contain personal data.
	Include IncludeConfig `mapstructure:"include"`
	// Deduplication configures the recognition of duplicates.
	Deduplication DeduplicationConfig `mapstructure:"deduplication"`
	// Admission configures the limits beyond which the receiver rejects deliveries.
	Admission AdmissionConfig `mapstructure:"admission"`
	// MaxConnections is the largest number of open connections. Beyond it, the receiver closes a connection that has
	// not sent an authentic delivery: the oldest connection of the sender with the most connections. Default: 1000.
	MaxConnections int `mapstructure:"max_connections"`
	// ShutdownDelay is the time for which a stopping receiver still accepts deliveries. Meanwhile the health check
	// responds with 503, so that a load balancer sends deliveries elsewhere. Default: 0.
	ShutdownDelay time.Duration `mapstructure:"shutdown_delay"`
	// MaxTextLength is the largest number of characters of a text. The receiver cuts longer texts, except the payload.
	// Default: 4096.
	MaxTextLength int `mapstructure:"max_text_length"`

	mistakes strictconf.Mistakes // of Unmarshal

	// prevent unkeyed literal initialization
	_ struct{}
}

// SignatureConfig configures the verification of X-Hub-Signature.
type SignatureConfig struct {
	// Secrets are the secrets of webhooks. The receiver accepts a delivery that is signed with any of them. Default:
	// none.
	Secrets []configopaque.String `mapstructure:"secrets"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// TokenConfig configures shared tokens.
type TokenConfig struct {
	// Values are the tokens. The receiver accepts a delivery that carries any of them. Default: none.
	Values []configopaque.String `mapstructure:"values"`
	// Header is the request header that carries the token. Empty: no header. Default: X-Jira-Token.
	Header string `mapstructure:"header"`
	// QueryParameter is the query parameter that carries the token. Default: none, because URLs appear in logs.
	QueryParameter string `mapstructure:"query_parameter"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// StatusConfig configures the mapping of statuses. The receiver looks a status up in this order: the mapping of the
// project in the site, the mapping of the site, the mapping of the project, the mapping of all projects, the built-in
// table, the status category.
type StatusConfig struct {
	// Mapping lists the names or ids of statuses by their mapped value. Default: none.
	Mapping map[string][]string `mapstructure:"mapping"`
	// Projects holds a mapping for each project key. Default: none.
	Projects map[string]ProjectStatusConfig `mapstructure:"projects"`
	// Sites holds mappings for each site, by its address https://host[/context]. Default: none.
	Sites map[string]SiteStatusConfig `mapstructure:"sites"`
	// UseDefaultMapping enables the built-in table. Default: true.
	UseDefaultMapping bool `mapstructure:"use_default_mapping"`
	// CategoryFallback maps a status by its category if no mapping contains it. Default: true.
	CategoryFallback bool `mapstructure:"category_fallback"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// SiteStatusConfig holds the status mappings of one site. They take precedence over the mappings of all sites.
type SiteStatusConfig struct {
	// Mapping lists the names or ids of statuses by their mapped value. Default: none.
	Mapping map[string][]string `mapstructure:"mapping"`
	// Projects holds a mapping for each project key of this site. Default: none.
	Projects map[string]ProjectStatusConfig `mapstructure:"projects"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// ProjectStatusConfig is the status mapping of one project.
type ProjectStatusConfig struct {
	// Mapping takes precedence over the mapping of all projects, and has the same form.
	Mapping map[string][]string `mapstructure:"mapping"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// EventsConfig selects events by event type, such as jira.issue.created. In patterns, * matches any text, for example
// in jira.sprint.*.
type EventsConfig struct {
	// Include lists patterns of the events that become records. Default: all events.
	Include []string `mapstructure:"include"`
	// Exclude lists patterns of events that do not become records, even if an include pattern matches them. The
	// receiver accepts their deliveries. Default: none.
	Exclude []string `mapstructure:"exclude"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// ChangelogMode selects where the receiver writes the changed fields of an issue.
type ChangelogMode string

const (
	// ChangelogAttributes lists the changed fields in the record of the event.
	ChangelogAttributes ChangelogMode = "attributes"
	// ChangelogSplit adds a record for each changed field.
	ChangelogSplit ChangelogMode = "split"
)

// SeverityConfig configures the severity of records.
type SeverityConfig struct {
	// Priorities maps names or ids of priorities to trace, debug, info, warn, error or fatal, or to a finer step, such
	// as error2. Default: info for all priorities.
	Priorities map[string]string `mapstructure:"priorities"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// IncludeConfig selects contents that records omit by default, because they contain or may contain personal data.
type IncludeConfig struct {
	// UserDetails adds the names and e-mail addresses of users. Default: false.
	UserDetails bool `mapstructure:"user_details"`
	// UserHashKey is the key of the hashes that identify users in place of their login names. It has at least 16
	// characters. Default: the address of the site, so that everyone can test guesses of login names.
	UserHashKey *configopaque.String `mapstructure:"user_hash_key"`
	// Description adds the description of issues, and changes of description and environment. Default: false.
	Description bool `mapstructure:"description"`
	// CommentBody adds the text of comments, also of comments on the satisfaction with a service. Default: false.
	CommentBody bool `mapstructure:"comment_body"`
	// Payload adds the whole payload, including all personal data in it. Default: false.
	Payload bool `mapstructure:"payload"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// DeduplicationConfig configures the cache of delivery IDs. Deliveries without an ID are never duplicates. Only Jira
// Cloud sends an ID.
type DeduplicationConfig struct {
	// Enabled makes the receiver respond to a duplicate with 200 and not record it again. Default: true.
	Enabled bool `mapstructure:"enabled"`
	// ByEvent also recognises an event that another webhook, or polling, has delivered before, if Jira gives the change an
	// id. Default: true.
	ByEvent bool `mapstructure:"by_event"`
	// Window is the time for which the cache keeps a delivery ID. Default: 2h. Jira Cloud repeats a delivery for at
	// most 75 minutes: five times, each up to 15 minutes after the previous attempt.
	Window time.Duration `mapstructure:"window"`
	// MaxEntries is the largest number of delivery IDs in the cache. The cache drops the oldest first. Default: 100000.
	MaxEntries int `mapstructure:"max_entries"`
	// File is the file that keeps the cache over a restart. A damaged file does not prevent the start. Default: none.
	File string `mapstructure:"file"`
	// Storage is a storage extension that keeps the cache over a restart, for storages other than a local file.
	// Default: none.
	Storage *component.ID `mapstructure:"storage"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// AdmissionConfig configures the limits beyond which the receiver rejects deliveries.
type AdmissionConfig struct {
	// MaxInFlightBytes is the largest number of bytes of all bodies that the receiver reads or processes at a time. It
	// rejects deliveries beyond this limit with 429. Default: 128 MiB.
	MaxInFlightBytes int64 `mapstructure:"max_in_flight_bytes"`
	// RetryAfter is the value of the header Retry-After of responses with 429 or 503. Default: 30s. Jira Cloud ignores
	// the header, and tries again after 5 to 15 minutes.
	RetryAfter time.Duration `mapstructure:"retry_after"`
	// Disk rejects deliveries while a disk is nearly full.
	Disk DiskConfig `mapstructure:"disk"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// DiskConfig configures how much free space the disks must have.
type DiskConfig struct {
	// Directories are on the disks that must have free space, such as the directory of a persistent queue. Default:
	// none.
	Directories []string `mapstructure:"directories"`
	// MinFreeBytes is the free space that each of the disks must have. The receiver rejects deliveries with 503 while a
	// disk has less. Default: 256 MiB.
	MinFreeBytes int64 `mapstructure:"min_free_bytes"`
	// prevent unkeyed literal initialization
	_ struct{}
}

const (
	defaultEndpoint      = "localhost:8087"
	defaultPath          = "/jira/events"
	defaultHealthPath    = "/health"
	defaultTokenHeader   = "X-Jira-Token"
	defaultMaxTextLength = 4096
	// defaultMaxConnections is many times the number of connections that Jira and a proxy open: Jira Cloud has at most
	// 30 deliveries to a URL in progress.
	defaultMaxConnections = 1000
	defaultWindow         = 2 * time.Hour
	defaultMaxEntries     = 100_000
	defaultMaxInFlight    = 128 << 20
	defaultRetryAfter     = 30 * time.Second
	defaultMinFree        = 256 << 20

	// defaultMaxBodySize is the size of the largest body that Jira Cloud sends, in bytes. Jira does not repeat a
	// delivery that is rejected as too large.
	defaultMaxBodySize = 25 << 20
	// defaultHeaderTimeout ends connections that send no request. Jira's headers have a few hundred bytes.
	defaultHeaderTimeout = 10 * time.Second
	// defaultReadTimeout ends deliveries that stall, so that they cannot block a shutdown.
	defaultReadTimeout = 30 * time.Second
	// defaultWriteTimeout starts at the same moment as defaultReadTimeout. It leaves the pipeline as much time again
	// before the response is due.
	defaultWriteTimeout = 2 * defaultReadTimeout
)

// defaultEncodings are the content encodings that the receiver accepts by default. Jira does not encode bodies, but a
// proxy may.
var defaultEncodings = []string{"", "gzip", "zlib", "deflate"}

// allowedEncodings are the content encodings that a configuration may contain. x-gzip is another name of gzip.
var allowedEncodings = append(slices.Clone(defaultEncodings), "x-gzip")

var (
	_ component.Config    = (*Config)(nil)
	_ confmap.Unmarshaler = (*Config)(nil)
)

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = defaultEndpoint
	server.MaxRequestBodySize = defaultMaxBodySize
	server.CompressionAlgorithms = slices.Clone(defaultEncodings)
	server.ReadHeaderTimeout = defaultHeaderTimeout
	server.ReadTimeout = defaultReadTimeout
	server.WriteTimeout = defaultWriteTimeout
	return &Config{
		ServerConfig: server,
		Listen:       true,
		API:          active.NewAPIConfig(),
		Poll:         active.NewPollConfig(),
		Registration: active.NewRegistrationConfig(),
		Path:         defaultPath,
		HealthPath:   defaultHealthPath,
		Token:        TokenConfig{Header: defaultTokenHeader},
		Status:       StatusConfig{UseDefaultMapping: true, CategoryFallback: true},
		Changelog:    ChangelogAttributes,
		Deduplication: DeduplicationConfig{
			Enabled: true, ByEvent: true, Window: defaultWindow, MaxEntries: defaultMaxEntries,
		},
		Admission: AdmissionConfig{
			MaxInFlightBytes: defaultMaxInFlight,
			RetryAfter:       defaultRetryAfter,
			Disk:             DiskConfig{MinFreeBytes: defaultMinFree},
		},
		MaxConnections: defaultMaxConnections,
		MaxTextLength:  defaultMaxTextLength,
	}
}

// Mapper returns the status mapper that the configuration describes.
func (cfg *StatusConfig) Mapper() *status.Mapper {
	sites := make(map[string]status.Site, len(cfg.Sites))
	for address, site := range cfg.Sites {
		sites[record.SiteURL(address)] = status.Site{Mapping: site.Mapping, Projects: projectMappings(site.Projects)}
	}
	return status.NewMapper(status.Options{
		Mapping:          cfg.Mapping,
		Projects:         projectMappings(cfg.Projects),
		Sites:            sites,
		UseDefault:       cfg.UseDefaultMapping,
		CategoryFallback: cfg.CategoryFallback,
	})
}

func projectMappings(projects map[string]ProjectStatusConfig) map[string]status.Mapping {
	mappings := make(map[string]status.Mapping, len(projects))
	for key, project := range projects {
		mappings[key] = project.Mapping
	}
	return mappings
}

// byPriority returns severities by the folded name or id of a priority.
func (cfg *SeverityConfig) byPriority() map[string]plog.SeverityNumber {
	severities := make(map[string]plog.SeverityNumber, len(cfg.Priorities))
	for priority, name := range cfg.Priorities {
		severities[status.Fold(priority)], _ = record.ParseSeverity(name)
	}
	return severities
}

// userHashKey returns "" without a key.
func (cfg *IncludeConfig) userHashKey() string {
	if cfg.UserHashKey == nil {
		return ""
	}
	return string(*cfg.UserHashKey)
}

// waitTimeout returns the time for which an attempt waits for the outcome of an earlier attempt of its delivery. It is
// at most half of write_timeout, so that time remains for the response.
func (cfg *Config) waitTimeout() time.Duration {
	const maxWait = 10 * time.Second
	if cfg.ServerConfig.WriteTimeout <= 0 { // no limit
		return maxWait
	}
	return min(maxWait, cfg.ServerConfig.WriteTimeout/2)
}

func (cfg *Config) newAuthenticator() *auth.Authenticator {
	return auth.New(auth.Options{
		Secrets:        plain(cfg.Signature.Secrets),
		Tokens:         plain(cfg.Token.Values),
		Header:         cfg.Token.Header,
		QueryParameter: cfg.Token.QueryParameter,
	})
}

func plain(secrets []configopaque.String) []string {
	texts := make([]string, len(secrets))
	for i, secret := range secrets {
		texts[i] = string(secret)
	}
	return texts
}

func (cfg *DiskConfig) newGuard(now func() time.Time, warnings *zap.Logger) *diskguard.Guard {
	return diskguard.New(diskguard.Options{
		Directories: cfg.Directories,
		MinFree:     uint64(cfg.MinFreeBytes), //nolint:gosec // validated to be positive
		Now:         now,
		Warnings:    warnings,
	})
}

// newCache returns nil without deduplication.
func (cfg *Config) newCache(now func() time.Time) *dedup.Cache {
	d := &cfg.Deduplication
	if !d.Enabled {
		return nil
	}
	return dedup.New(dedup.Options{Window: d.Window, MaxEntries: d.MaxEntries, WaitTimeout: cfg.waitTimeout(), Now: now})
}

// newLedger returns nil if an event that arrives by two ways is to be recorded twice. A poller alone needs no ledger.
func (cfg *Config) newLedger(now func() time.Time) *ledger.Ledger {
	if cfg.Listen && (cfg.Deduplication.Enabled && cfg.Deduplication.ByEvent || cfg.Poll.IsOn()) {
		return ledger.New(cfg.waitTimeout(), now)
	}
	return nil
}

// first returns the secret with which Jira is to sign, or "" without one.
func (cfg *SignatureConfig) first() string {
	if len(cfg.Secrets) == 0 {
		return ""
	}
	return string(cfg.Secrets[0])
}
