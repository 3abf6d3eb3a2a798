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

	"github.com/otel-jira/collector/jirareceiver/internal/auth"
	"github.com/otel-jira/collector/jirareceiver/internal/dedup"
	"github.com/otel-jira/collector/jirareceiver/internal/diskguard"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
	"github.com/otel-jira/collector/jirareceiver/internal/status"
)

// Config configures the receiver. In a configuration file, the keys of both parts stand side by side.
type Config struct {
	// Server holds the settings of the HTTP server. Their defaults are confighttp's, but for the endpoint, the size of a body,
	// its encodings and the timeouts.
	Server confighttp.ServerConfig `mapstructure:",squash"`
	// Jira holds the receiver's own settings.
	Jira JiraConfig `mapstructure:",squash"`
}

// JiraConfig says which deliveries are accepted and what their records hold.
type JiraConfig struct {
	// Path is the URL path to which Jira posts. Default: /jira/events.
	Path string `mapstructure:"path"`
	// HealthPath answers GET with 200 while the receiver accepts deliveries. Empty: none. Default: /health.
	HealthPath string `mapstructure:"health_path"`
	// SiteURL is https://host[/context] of the Jira that sends. Default: derived from the links in each body.
	SiteURL string `mapstructure:"site_url"`
	// Signature checks what Jira signs with the secret of a webhook.
	Signature SignatureConfig `mapstructure:"signature"`
	// Token checks a shared token, for senders that cannot sign. With Signature as well, either is enough.
	Token TokenConfig `mapstructure:"token"`
	// AllowUnauthenticated permits a configuration without any authentication. It switches none off. Default: false.
	AllowUnauthenticated bool `mapstructure:"allow_unauthenticated"`
	// Status maps the statuses of workflows to a common vocabulary.
	Status StatusConfig `mapstructure:"status"`
	// Events says which events become records. Default: all.
	Events EventsConfig `mapstructure:"events"`
	// Changelog says where changed fields go. Default: attributes.
	Changelog ChangelogMode `mapstructure:"changelog"`
	// CustomFields maps the ids of custom fields, as in customfield_10016, to the last part of the names of their attributes,
	// jira.issue.custom.<alias>. Default: none.
	CustomFields map[string]string `mapstructure:"custom_fields"`
	// QueryAttributes maps parameters of the query to attributes. They are written when the body does not tell them, as
	// without a body. No signature covers them. Default: none.
	QueryAttributes map[string]string `mapstructure:"query_attributes"`
	// Severity says which events are more than INFO.
	Severity SeverityConfig `mapstructure:"severity"`
	// Include adds to the records what they leave out by default.
	Include IncludeConfig `mapstructure:"include"`
	// Deduplication recognises repeated deliveries.
	Deduplication DeduplicationConfig `mapstructure:"deduplication"`
	// Admission bounds what is processed at a time.
	Admission AdmissionConfig `mapstructure:"admission"`
	// MaxConnections is how many connections are open at a time. Beyond them, the receiver closes a connection that has not sent an
	// authentic delivery: the oldest one of the sender that has the most. Default: 1000.
	MaxConnections int `mapstructure:"max_connections"`
	// ShutdownDelay is how long the receiver still takes deliveries when it is to stop, while its health is 503, so that a load
	// balancer sends them elsewhere. Default: 0.
	ShutdownDelay time.Duration `mapstructure:"shutdown_delay"`
	// MaxTextLength is the number of runes kept of any text, but for the payload. Default: 4096.
	MaxTextLength int `mapstructure:"max_text_length"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// SignatureConfig configures the verification of X-Hub-Signature.
type SignatureConfig struct {
	// Secrets are the secrets of webhooks. A delivery signed with any one of them is accepted. Default: none.
	Secrets []configopaque.String `mapstructure:"secrets"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// TokenConfig configures shared tokens.
type TokenConfig struct {
	// Values are the tokens. A delivery that presents any one of them is accepted. Default: none.
	Values []configopaque.String `mapstructure:"values"`
	// Header is the request header that carries the token. Empty: none. Default: X-Jira-Token.
	Header string `mapstructure:"header"`
	// QueryParameter is the query parameter that carries the token. Default: none, since URLs end up in logs.
	QueryParameter string `mapstructure:"query_parameter"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// StatusConfig configures the mapping of statuses. The first place that knows a status decides: the project, the
// mapping, the built-in table, the status category.
type StatusConfig struct {
	// Mapping lists, for each mapped value, the names or ids of the statuses that it stands for. Default: none.
	Mapping map[string][]string `mapstructure:"mapping"`
	// Projects holds a mapping for each project key. Default: none.
	Projects map[string]ProjectStatusConfig `mapstructure:"projects"`
	// UseDefaultMapping looks a status up in the built-in table. Default: true.
	UseDefaultMapping bool `mapstructure:"use_default_mapping"`
	// CategoryFallback maps a status by its category when nothing else does. Default: true.
	CategoryFallback bool `mapstructure:"category_fallback"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// ProjectStatusConfig is the status mapping of one project.
type ProjectStatusConfig struct {
	// Mapping is as that for all projects, and wins over it.
	Mapping map[string][]string `mapstructure:"mapping"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// EventsConfig selects events by name, as jira.issue.created. In patterns, * stands for any text, as in jira.sprint.*.
type EventsConfig struct {
	// Include lists patterns of the events that become records. Default: all events.
	Include []string `mapstructure:"include"`
	// Exclude lists patterns of events that do not, even if included. Deliveries of them are accepted. Default: none.
	Exclude []string `mapstructure:"exclude"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// ChangelogMode says where the changed fields of an issue go.
type ChangelogMode string

const (
	// ChangelogAttributes lists them in the record of the event.
	ChangelogAttributes ChangelogMode = "attributes"
	// ChangelogSplit adds a record for each of them.
	ChangelogSplit ChangelogMode = "split"
)

// SeverityConfig configures the severity of records.
type SeverityConfig struct {
	// Priorities maps names or ids of priorities to trace, debug, info, warn, error or fatal, or one of their finer steps, as
	// error2. Default: info for all.
	Priorities map[string]string `mapstructure:"priorities"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// IncludeConfig names what records leave out by default, because it is about people or may be.
type IncludeConfig struct {
	// UserDetails adds the names and e-mail addresses of users. Default: false.
	UserDetails bool `mapstructure:"user_details"`
	// Description adds the description of issues, and changes of description and environment. Default: false.
	Description bool `mapstructure:"description"`
	// CommentBody adds the text of comments. Default: false.
	CommentBody bool `mapstructure:"comment_body"`
	// Payload adds the whole body as it was received, with all that it says of people. Default: false.
	Payload bool `mapstructure:"payload"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// DeduplicationConfig configures the memory of deliveries. Those that Jira does not number, which only Jira Cloud does, are
// never duplicates.
type DeduplicationConfig struct {
	// Enabled answers a delivery whose number was accepted before without handing it on again. Default: true.
	Enabled bool `mapstructure:"enabled"`
	// Window is how long a delivery is remembered. Default: 2h. Jira Cloud repeats a delivery for 75 minutes at most: five
	// times, each up to 15 minutes after the last.
	Window time.Duration `mapstructure:"window"`
	// MaxEntries is how many deliveries are remembered. The oldest are forgotten first. Default: 100000.
	MaxEntries int `mapstructure:"max_entries"`
	// File is the file that keeps the memory over a restart. A damaged file does not stop the start. Default: none.
	File string `mapstructure:"file"`
	// Storage is a storage extension that keeps the memory over a restart, for storages that are not a local file. Default: none.
	Storage *component.ID `mapstructure:"storage"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// AdmissionConfig bounds the memory that deliveries take.
type AdmissionConfig struct {
	// MaxInFlightBytes is the number of bytes of all bodies that are read or processed at a time. Deliveries beyond it are
	// answered with 429. Default: 128 MiB.
	MaxInFlightBytes int64 `mapstructure:"max_in_flight_bytes"`
	// RetryAfter is when a sender is asked to come back that was turned away with 429 or 503. Default: 30s. Jira Cloud comes
	// back after 5 to 15 minutes whatever it is told.
	RetryAfter time.Duration `mapstructure:"retry_after"`
	// Disk rejects deliveries while a disk is nearly full.
	Disk DiskConfig `mapstructure:"disk"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// DiskConfig configures how much free space the disks must have.
type DiskConfig struct {
	// Directories are on the disks that must have free space, such as the directory of a persistent queue. Default: none.
	Directories []string `mapstructure:"directories"`
	// MinFreeBytes is the free space that each of the disks must have. Deliveries are answered with 503 while a disk has less.
	// Default: 256 MiB.
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
	// defaultMaxConnections is many times what Jira and a proxy open: Jira Cloud has 30 deliveries to a URL under way at a time.
	defaultMaxConnections = 1000
	defaultWindow         = 2 * time.Hour
	defaultMaxEntries     = 100_000
	defaultMaxInFlight    = 128 << 20
	defaultRetryAfter     = 30 * time.Second
	defaultMinFree        = 256 << 20

	// defaultMaxBodySize is what Jira Cloud sends at most, in bytes. Jira does not repeat what is refused as too large.
	defaultMaxBodySize = 25 << 20
	// defaultHeaderTimeout ends connections that send no request, or nothing at all. Jira's headers are a few hundred bytes.
	defaultHeaderTimeout = 10 * time.Second
	// defaultReadTimeout ends deliveries that stall, so that they cannot hold up a shutdown for ever.
	defaultReadTimeout = 30 * time.Second
	// defaultWriteTimeout counts from the same moment. It leaves the pipeline as much time again before the answer is due.
	defaultWriteTimeout = 2 * defaultReadTimeout
)

// defaultEncodings are those of bodies. Jira's bodies have none; a proxy may add one.
var defaultEncodings = []string{"", "gzip", "zlib", "deflate"}

// allowedEncodings are of bodies too: x-gzip is another name of gzip.
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
		Server: server,
		Jira: JiraConfig{
			Path:          defaultPath,
			HealthPath:    defaultHealthPath,
			Token:         TokenConfig{Header: defaultTokenHeader},
			Status:        StatusConfig{UseDefaultMapping: true, CategoryFallback: true},
			Changelog:     ChangelogAttributes,
			Deduplication: DeduplicationConfig{Enabled: true, Window: defaultWindow, MaxEntries: defaultMaxEntries},
			Admission: AdmissionConfig{
				MaxInFlightBytes: defaultMaxInFlight,
				RetryAfter:       defaultRetryAfter,
				Disk:             DiskConfig{MinFreeBytes: defaultMinFree},
			},
			MaxConnections: defaultMaxConnections,
			MaxTextLength:  defaultMaxTextLength,
		},
	}
}

// mapper returns the status mapper that the configuration describes.
func (cfg *StatusConfig) mapper() *status.Mapper {
	projects := make(map[string]status.Mapping, len(cfg.Projects))
	for key, project := range cfg.Projects {
		projects[key] = project.Mapping
	}
	return status.NewMapper(status.Options{
		Mapping:          cfg.Mapping,
		Projects:         projects,
		UseDefault:       cfg.UseDefaultMapping,
		CategoryFallback: cfg.CategoryFallback,
	})
}

// byPriority returns the severities of folded names and ids of priorities.
func (cfg *SeverityConfig) byPriority() map[string]plog.SeverityNumber {
	severities := make(map[string]plog.SeverityNumber, len(cfg.Priorities))
	for priority, name := range cfg.Priorities {
		severities[status.Fold(priority)], _ = record.ParseSeverity(name)
	}
	return severities
}

// waitTimeout is how long a delivery waits for the outcome of another with the same number. With the default write_timeout,
// it leaves time to answer.
const waitTimeout = 10 * time.Second

// newAuthenticator returns what checks signatures and tokens.
func (cfg *JiraConfig) newAuthenticator() *auth.Authenticator {
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
func (cfg *DeduplicationConfig) newCache(now func() time.Time) *dedup.Cache {
	if !cfg.Enabled {
		return nil
	}
	return dedup.New(dedup.Options{Window: cfg.Window, MaxEntries: cfg.MaxEntries, WaitTimeout: waitTimeout, Now: now})
}
