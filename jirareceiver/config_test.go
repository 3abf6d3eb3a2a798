// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/active"
	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// userHashKey is a number, which must stay a text.
const userHashKey = "1234567890123456"

// loadConfig resolves, unmarshals and validates a file of testdata/config, as the collector does.
func loadConfig(t *testing.T, name string) (*Config, error) {
	t.Helper()
	t.Setenv("JIRA_WEBHOOK_SECRET", "the new one")
	t.Setenv("JIRA_TOKEN", "12345") // a number, which must stay a text
	t.Setenv("JIRA_USER_HASH_KEY", userHashKey)
	t.Setenv("JIRA_START_FROM", "2026-01-31") // a time in YAML, which must stay a text
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs:              []string{"file:" + testbodies.File(t, "config/"+name+".yaml")},
		ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory(), envprovider.NewFactory()},
	})
	require.NoError(t, err)
	conf, err := resolver.Resolve(t.Context())
	require.NoError(t, err)
	sub, err := conf.Sub("jira")
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	if err := sub.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

func TestValidConfigs(t *testing.T) {
	for _, name := range testbodies.Names(t, "config/valid/*.yaml") {
		t.Run(name, func(t *testing.T) {
			_, err := loadConfig(t, "valid/"+name)
			assert.NoError(t, err)
		})
	}
}

func TestDefaults(t *testing.T) {
	cfg, err := loadConfig(t, "valid/minimal")
	require.NoError(t, err)

	assert.Equal(t, "localhost:8087", cfg.ServerConfig.NetAddr.Endpoint)
	assert.EqualValues(t, 26214400, cfg.ServerConfig.MaxRequestBodySize)
	assert.Equal(t, 10*time.Second, cfg.ServerConfig.ReadHeaderTimeout)
	assert.Equal(t, 30*time.Second, cfg.ServerConfig.ReadTimeout)
	assert.Equal(t, time.Minute, cfg.ServerConfig.WriteTimeout, "runs from the same moment as read_timeout, so it has to be longer")
	assert.Empty(t, cfg.API.ClientConfig.Endpoint)
	assert.Equal(t, 2*time.Minute, cfg.API.ClientConfig.Timeout)
	assert.Equal(t, &Config{
		ServerConfig: cfg.ServerConfig,
		Listen:       true,
		API:          active.APIConfig{ClientConfig: cfg.API.ClientConfig, RequestsPerSecond: 5, MaxConcurrentRequests: 4},
		Poll: active.PollConfig{
			Mode: "off", Interval: 5 * time.Minute, Overlap: 10 * time.Minute, Grace: 15 * time.Minute, Include: []string{"changelog", "comments", "worklogs"},
		},
		Path:           "/jira/events",
		HealthPath:     "/health",
		Signature:      SignatureConfig{Secrets: []configopaque.String{"the new one"}},
		Token:          TokenConfig{Header: "X-Jira-Token"},
		Status:         StatusConfig{UseDefaultMapping: true, CategoryFallback: true},
		Changelog:      "attributes",
		Registration:   active.RegistrationConfig{Mode: "off", Name: "otelcol-jira", Interval: 10 * time.Minute},
		Deduplication:  DeduplicationConfig{Enabled: true, ByEvent: true, Window: 2 * time.Hour, MaxEntries: 100000},
		Admission:      AdmissionConfig{MaxInFlightBytes: 134217728, RetryAfter: 30 * time.Second, Disk: DiskConfig{MinFreeBytes: 268435456}},
		MaxConnections: 1000,
		MaxTextLength:  4096,
	}, cfg)
	assert.NoError(t, componenttest.CheckConfigStruct(cfg))
}

func TestEveryOptionIsRead(t *testing.T) {
	cfg, err := loadConfig(t, "valid/everything")
	require.NoError(t, err)

	hashKey := configopaque.String(userHashKey)
	elector := component.MustNewIDWithName("k8s_leader_elector", "jira")
	storage := component.MustNewIDWithName("file_storage", "jira")
	assert.Equal(t, "0.0.0.0:8443", cfg.ServerConfig.NetAddr.Endpoint)
	assert.EqualValues(t, 1048576, cfg.ServerConfig.MaxRequestBodySize)
	assert.Equal(t, 20*time.Second, cfg.ServerConfig.ReadTimeout)
	assert.Equal(t, 30*time.Second, cfg.ServerConfig.Keepalive.Get().IdleTimeout)
	assert.Equal(t, "/etc/otelcol-jira/clients.crt", cfg.ServerConfig.TLS.Get().ClientCAFile)
	assert.Equal(t, "basicauth", cfg.ServerConfig.Auth.Get().Config.AuthenticatorID.String())
	assert.Equal(t, "https://jira.example.com/context", cfg.API.ClientConfig.Endpoint)
	assert.Equal(t, "bearertokenauth/jira", cfg.API.ClientConfig.Auth.Get().AuthenticatorID.String())
	assert.Equal(t, time.Minute, cfg.API.ClientConfig.Timeout)
	assert.Equal(t, "http://proxy.example.com:3128", cfg.API.ClientConfig.ProxyURL)
	assert.Equal(t, &Config{
		ServerConfig: cfg.ServerConfig,
		API:          active.APIConfig{ClientConfig: cfg.API.ClientConfig, RequestsPerSecond: 2.5, MaxConcurrentRequests: 2},
		Poll: active.PollConfig{
			Mode: "full", Interval: 15 * time.Minute, Overlap: 30 * time.Minute, Grace: 20 * time.Minute, Projects: []string{"OPS", "WEB"},
			JQL: "labels = release", Include: []string{"changelog", "worklogs"}, StartFrom: "2026-01-31T08:00:00+01:00", Storage: &storage,
		},
		Path:                 "/hooks/jira",
		HealthPath:           "",
		SiteURL:              "https://jira.example.com/context",
		Signature:            SignatureConfig{Secrets: []configopaque.String{"the new one", "the old one"}},
		Token:                TokenConfig{Values: []configopaque.String{"12345"}, Header: "X-Automation-Token", QueryParameter: "token"},
		AllowUnauthenticated: true,
		Status: StatusConfig{
			Mapping:  map[string][]string{"canceled": {"Won't do", "10042"}, "waiting": {"Blocked"}},
			Projects: map[string]ProjectStatusConfig{"OPS": {Mapping: map[string][]string{"done": {"Verified"}}}},
			Sites: map[string]SiteStatusConfig{"https://jira.example.com/context": {
				Mapping:  map[string][]string{"done": {"Abgenommen"}},
				Projects: map[string]ProjectStatusConfig{"WEB": {Mapping: map[string][]string{"waiting": {"Verified"}}}},
			}},
		},
		Events:          EventsConfig{Include: []string{"jira.issue.*", "jira.sprint.*"}, Exclude: []string{"jira.issue.deleted", "*.updated", "jira.deploy_2", "jira.sprint.paused", "jira.automation.*"}},
		Changelog:       "split",
		CustomFields:    map[string]string{"customfield_10016": "story_points"},
		QueryAttributes: map[string]string{"issue": "jira.issue.key"},
		Registration: active.RegistrationConfig{
			Mode: "verify", Name: "otelcol-jira-eu", URL: "https://hooks.example.com/jira/events",
			Events: []string{"jira:issue_updated"}, JQL: "project = OPS", Interval: 20 * time.Minute,
		},
		LeaderElector: &elector,
		Deduplication: DeduplicationConfig{Window: 3 * time.Hour, MaxEntries: 500, File: "/var/lib/otelcol-jira/deliveries", Storage: &storage},
		Admission: AdmissionConfig{
			MaxInFlightBytes: 2097152, RetryAfter: time.Minute, Disk: DiskConfig{Directories: []string{"/var/lib/otelcol-jira"}, MinFreeBytes: 1073741824},
		},
		Severity:       SeverityConfig{Priorities: map[string]string{"Highest": "error", "2": "WARN"}},
		Include:        IncludeConfig{UserDetails: true, UserHashKey: &hashKey, Description: true, CommentBody: true, Payload: true},
		MaxConnections: 200,
		ShutdownDelay:  5 * time.Second,
		MaxTextLength:  100,
	}, cfg)
}

// TestStartFromIsAText loads a date that YAML reads as a time.
func TestStartFromIsAText(t *testing.T) {
	for _, name := range []string{"start_from_date", "start_from_variable"} {
		cfg, err := loadConfig(t, "valid/"+name)
		require.NoError(t, err)
		assert.Equal(t, "2026-01-31T00:00:00Z", cfg.Poll.StartFrom, name)
	}
}

// TestInvalidConfigs includes misspelt keys at every level. Without the strict decoding in Unmarshal,
// confighttp.ServerConfig would ignore them.
func TestInvalidConfigs(t *testing.T) {
	want := map[string][]string{
		"no_authentication":                 {"no authentication is configured; set signature::secrets", "token::values", "auth", "tls::client_ca_file", "allow_unauthenticated"},
		"tls_without_client_ca":             {"no authentication is configured"},
		"secret_from_unset_variable":        {"signature::secrets[1]: empty; set the environment variable"},
		"secret_with_newline":               {"signature::secrets[0]: begins or ends with white space or a line break; write the file without a line break at its end, for example with printf %s"},
		"token_with_space":                  {"token::values[0]: begins or ends with white space"},
		"event_regular_expression":          {"is a regular expression; write * for any text", `events::include[1]: "jira.(issue|comment).*" is a regular`, `events::include[2]: "jira.issue..*" is a regular`},
		"event_namespace":                   {`events::exclude[0]: "jira.comment" matches no event; write jira.comment.*`},
		"site_url_of_page":                  {"site_url: the address of a page; cut it to https://host or https://host/context"},
		"site_url_of_page_of_government":    {"site_url: the address of a page; cut it"},
		"site_url_of_page_in_context":       {"site_url: the address of a page; cut it"},
		"compression_unbounded":             {`compression_algorithms: "snappy" is not an encoding`, `"zstd" is not an encoding`, `choose from ["" "gzip" "zlib" "deflate" "x-gzip"]`},
		"user_hash_key_short":               {"include::user_hash_key: shorter than 16 characters; make a random key"},
		"user_hash_key_with_newline":        {"include::user_hash_key: begins or ends with white space or a line break"},
		"user_hash_key_from_unset_variable": {"include::user_hash_key: empty; set the environment variable"},
		"token_empty":                       {"token::values[0]: empty; set the environment variable"},
		"token_nowhere":                     {"neither token::header nor token::query_parameter is set"},
		"secret_not_in_a_list":              {"signature::secrets: not a list; write a list"},
		"secret_as_number":                  {"signature::secrets[0]: not a text; put secrets and tokens in quotes"},
		"secret_blank":                      {"signature::secrets[0]: empty"},
		"token_header_with_colon":           {"token::header: not the name of a header"},
		"body_size_negative":                {"max_request_body_size: -5 is not a positive number; set the largest body in bytes"},
		"status_id_as_number":               {"status::mapping::done[0]: not a text; put it in quotes"},
		"status_site_by_name":               {"status::sites::acme: not the address of a Jira site"},
		"site_url_without_host":             {"site_url: not the address of a Jira site"},
		"site_url_with_query":               {"site_url: not the address of a Jira site"},
		"site_url_with_user":                {"site_url: not the address of a Jira site"},
		"misspelt_key":                      {"signatures: there is no such key; did you mean signature?"},
		"misspelt_key_in_status":            {"status::category_fallbacks: there is no such key; did you mean status::category_fallback?"},
		"misspelt_key_in_project":           {"status::projects::OPS::mappings: there is no such key; did you mean status::projects::OPS::mapping?"},
		"misspelt_server_key":               {"max_request_body_sizes: there is no such key; did you mean max_request_body_size?"},
		"misspelt_key_in_tls":               {"tls::client_ca_files: there is no such key; did you mean tls::client_ca_file?"},
		"endpoint_empty":                    {"endpoint: not an address; write host:port"},
		"endpoint_as_url":                   {"endpoint: not an address"},
		"endpoint_without_port":             {"endpoint: not an address"},
		"header_timeout_without_unit":       {"read_header_timeout: 10ns is less than a millisecond; write it with a unit"},
		"two_kinds_of_mistakes":             {"pathh: there is no such key; did you mean path?", "status::mapping::In Review: not a list"},
		"number_misspelt":                   {"max_text_length: ", "is not a whole number; write it without a unit"},
		"path_as_url":                       {"path: not the path of a URL"},
		"shutdown_delay_negative":           {"shutdown_delay: -5s is less than a millisecond; write it with a unit, such as 5s, or 0"},
		"max_connections_zero":              {"max_connections: 0 is not a positive number; set the largest number of open connections"},
		"timeout_without_unit":              {"read_timeout: 60ns is less than a millisecond; write it with a unit, such as 30s"},
		"mapping_reversed":                  {"status::mapping::In Review: not a list; write the mapped value first", "status::projects::OPS::mapping::Verified: not a list"},
		"path_empty":                        {"path: empty; set the path"},
		"path_with_query":                   {"path: not the path of a URL; write it like /jira/events"},
		"paths_same":                        {"health_path: the same as path; choose another"},
		"site_url_without_scheme":           {"site_url: not the address of a Jira site; write it like https://"},
		"max_text_length_zero":              {"max_text_length: 0 is not a positive number; set"},
		"status_in_two_values":              {`status::mapping: status "verified" is listed under both "done" and "processing"; keep it under one`},
		"status_in_two_values_of_project":   {`status::projects::OPS::mapping: status "10042" is listed under both "canceled" and "done"`},
		"status_empty":                      {"status::mapping: a mapped value is empty", `status::mapping: "done" lists an empty status`},
		"project_twice":                     {"status::projects::ops: the same project as OPS; keep one"},
		"event_of_jira":                     {`events::include[1]: "jira:issue_updated" matches no event; write an event type, such as jira.issue.created`},
		"event_misspelt":                    {`events::include[0]: "jira.isue.*" matches no event`, `events::exclude[0]: "jira.sprints.closed" matches no event`},
		"event_of_split":                    {`events::include[0]: "jira.issue.field_changed" belongs to another event; write the type of that event`},
		"project_by_name":                   {"status::projects::Web shop: not the key of a project; write it like OPS"},
		"query_attributes_reversed":         {"query_attributes::jira.issue.key: not a parameter; write the parameter first"},
		"event_pattern_broken":              {`events::exclude[0]: "jira.[issue" matches no event`},
		"changelog_mode":                    {`changelog: "record" is not a mode; write attributes, or split`},
		"custom_field_by_name":              {`custom_fields::Story points: "Story points" is not the id of a custom field; write the id first`},
		"custom_field_alias":                {`custom_fields::customfield_10016: "`, `" is not the end of an attribute name`},
		"custom_field_twice":                {"custom_fields::customfield_10017: the same alias as customfield_10016; choose another"},
		"query_token":                       {"query_attributes::token: this parameter carries the token"},
		"query_attribute_personal":          {"query_attributes::user: user.name contains personal data; set include::user_details to true", "query_attributes::uid: only the receiver sets log.record.uid"},
		"query_attribute_twice":             {"query_attributes::key: the same attribute as issue; choose another"},
		"query_attribute_name":              {`" is not the name of an attribute; write it like jira.issue.key`},
		"severity_unknown":                  {`severity::priorities::Highest: "`, `" is not a severity; write trace, debug, info, warn, error or fatal`},
		"severity_priority_twice":           {"severity::priorities::highest: the same priority as Highest; keep one"},
		"window_without_unit":               {"deduplication::window: 2ns is less than a second; write it with a unit, such as 2h, or set"},
		"deduplication_twice":               {"deduplication::storage: deduplication::file is set as well; keep one of them"},
		"max_entries_huge":                  {"deduplication::max_entries: 1000000000 is not a number from 1 to 10000000; set the largest number of delivery IDs, such as 100000"},
		"max_entries_zero":                  {"deduplication::max_entries: 0 is not a number from 1 to"},
		"admission_below_body_size":         {"admission::max_in_flight_bytes: 1000 is less than max_request_body_size", "set 26214400 or more"},
		"disk_directory_empty":              {"admission::disk::directories[1]: empty; set the environment variable"},
		"disk_min_free_zero":                {"admission::disk::min_free_bytes: 0 is not a positive number; set a number of bytes, such as 268435456"},
		"retry_after_without_unit":          {"admission::retry_after: 30ns is less than a second; write it with a unit, such as 30s"},
		"window_in_days":                    {"deduplication::window: ", "is not a duration; write it with the units h, m and s"},
		"switch_as_text":                    {"allow_unauthenticated: ", "is not a switch; write true or false"},
		"size_with_unit":                    {"max_request_body_size: ", "is not a whole number; write it without a unit, and sizes in bytes"},
		"changelog_as_switch":               {"changelog: ", "is not a mode; write attributes or split"},
		"include_as_list":                   {"include: not a section; write its keys below it, indented: comment_body"},
		"custom_fields_as_list":             {"custom_fields: not a section; write pairs below it"},
		"misspelt_key_in_events":            {"events::includes: there is no such key; did you mean events::include?"},
		"listen_without_polling":            {"listen: false, and polling is off, so that the receiver would do nothing; set listen to true, or poll::mode to full"},
		"polling_without_endpoint":          {"api::endpoint: not set; set it to the address of Jira, such as https://acme.atlassian.net, or set poll::mode to off"},
		"polling_without_listen_false":      {"no authentication is configured; set listen to false if the receiver only polls; or set signature::secrets"},
		"poll_mode_unknown":                 {`poll::mode: "fast" is not a mode; write off, repair or full`},
		"repair_without_listening":          {"listen: false, but poll::mode repair leaves changes to their webhooks; set listen to true, or poll::mode to full"},
		"registration_mode_unknown":         {`registration::mode: "auto" is not a mode; write off, verify or manage`},
		"registration_everything": {
			"api::endpoint: not set", "registration::name: empty", "registration::interval: 1s is less than 1m",
			"registration::jql: contains ORDER BY", "registration::mode: manage would register", "registration::url: not an address",
		},
		"registration_http_on_cloud":    {"registration::url: Jira Cloud posts only to https; set an address with https"},
		"poll_grace_long":               {"poll::grace: 1h0m0s is not between 1m and 45m; write a time between them, with the unit"},
		"poll_mode_as_switch":           {"poll::mode: ", "is not a mode; write off, repair or full"},
		"poll_interval_without_unit":    {"poll::interval: 300ns is less than 1m; write 1m or more, with the unit"},
		"poll_overlap_short":            {"poll::overlap: 1m0s is less than 5m; write 5m or more, with the unit"},
		"poll_project_by_name":          {`poll::projects[1]: "Web shop" is not the key of a project; write it like OPS`},
		"poll_projects_as_map":          {"poll::projects: not a list; write a list, such as [one, another]"},
		"poll_jql_ordered":              {"poll::jql: contains ORDER BY, but the receiver adds its own order; remove it"},
		"poll_include_unknown":          {`poll::include[1]: "attachments" is not a kind of change; choose from changelog, comments, worklogs`},
		"start_from_unreadable":         {`poll::start_from: "31.01.2026" is not a date or a time; write it like 2026-01-31 or 2026-01-31T08:00:00Z`},
		"start_from_in_future":          {"poll::start_from: in the future; set a date in the past, or remove it"},
		"start_from_without_storage":    {"poll::storage: not set, so that each start would read the past again; set it to a storage extension, such as file_storage, or remove poll::start_from"},
		"start_from_as_number":          {"poll::start_from: ", "is not a date; write it in quotes"},
		"api_as_text":                   {"api: not a section; write its keys below it, indented", "poll: not a section; write its keys below it, indented"},
		"api_auth_as_text":              {"api::auth: not a section; write its keys below it, indented"},
		"api_endpoint_without_scheme":   {"api::endpoint: not an address; use https://host[/context]"},
		"api_endpoint_with_user":        {"api::endpoint: contains credentials; use an authenticator extension"},
		"api_endpoint_with_query":       {"api::endpoint: contains a query or a fragment; use https://host[/context]"},
		"api_endpoint_of_page":          {"api::endpoint: the address of a page; cut it to https://host or https://host/context"},
		"api_timeout_without_unit":      {"api::timeout: 30ns is less than a millisecond; write it with a unit, such as 30s"},
		"api_endpoint_of_rest":          {"api::endpoint: contains the path of the REST API; use https://host[/context]"},
		"api_gateway_without_id":        {"api::endpoint: the API gateway needs the id of the site; use https://api.atlassian.com/ex/jira/<cloudId>"},
		"api_gateway_without_site_url":  {"site_url: not set, although api::endpoint is the API gateway and not the site; set the address of the site, such as https://acme.atlassian.net"},
		"api_credentials_over_http":     {"api::endpoint: http would send the credentials unencrypted to another machine; use https"},
		"api_header_over_http":          {"api::endpoint: http would send the credentials unencrypted to another machine; use https"},
		"requests_per_second_zero":      {"api::requests_per_second: 0 is not a positive number; set a rate, such as 5"},
		"requests_per_second_with_unit": {"api::requests_per_second: ", "is not a number; write it without a unit"},
		"max_concurrent_requests_zero":  {"api::max_concurrent_requests: 0 is not a positive number; set a number of requests, such as 4"},
		"misspelt_key_in_api":           {"api::authenticator: there is no such key; did you mean api::auth::authenticator?"},
		"misspelt_key_in_api_tls":       {"api::tls::ca_files: there is no such key; did you mean api::tls::ca_file?"},
		"misspelt_key_in_poll":          {"poll::intervall: there is no such key; did you mean poll::interval?"},
		"polling_everything_at_once": {
			"site_url: not set", "api::requests_per_second: -1 is", "api::max_concurrent_requests: -1 is", `poll::mode: "on" is`, "poll::interval: 1s is",
			"poll::overlap: 1m0s is", `poll::projects[0]: "" is`, "poll::jql: contains", `poll::include[0]: "comment" is`, `poll::start_from: "yesterday" is`,
			"listen: false, and polling is off",
		},
		"everything_at_once": {
			"path: empty", "site_url: not", "max_text_length: -1", "values[0]: empty", "neither token::header nor", "is listed under both",
		},
	}

	names := testbodies.Names(t, "config/invalid/*.yaml")
	require.Len(t, names, len(want), "every file of testdata/config/invalid has its message here")
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			_, err := loadConfig(t, "invalid/"+name)
			require.Error(t, err)
			for _, text := range want[name] {
				assert.ErrorContains(t, err, text)
			}
			assert.NotContains(t, err.Error(), "hunter2", "a message shows a secret")
			assert.NotContains(t, err.Error(), "48151623", "a message shows a secret")
		})
	}
}

// TestWaitTimeout checks that the wait for an earlier attempt leaves time for the response.
func TestWaitTimeout(t *testing.T) {
	for writeTimeout, want := range map[time.Duration]time.Duration{
		0:                   10 * time.Second,
		defaultWriteTimeout: 10 * time.Second,
		5 * time.Second:     2500 * time.Millisecond,
	} {
		cfg := createDefaultConfig().(*Config)
		cfg.ServerConfig.WriteTimeout = writeTimeout
		assert.Equal(t, want, cfg.waitTimeout(), writeTimeout)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	cfg, err := loadConfig(t, "valid/everything")
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.NotContains(t, fmt.Sprintf(verb, cfg), "the new one")
		assert.NotContains(t, fmt.Sprintf(verb, cfg), "12345")
	}
}

// poll configures a receiver that only polls.
func (cfg *Config) poll() {
	cfg.Listen, cfg.API.ClientConfig.Endpoint = false, "https://acme.atlassian.net"
	cfg.Poll.Mode, cfg.Poll.Storage = "full", new(component.MustNewID("file_storage"))
	cfg.API.ClientConfig.Headers.Set("Authorization", "a credential")
}

// TestWarnings covers settings that are valid. The warning names the consequence and the place, and contains no secret.
func TestWarnings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		configure func(*Config)
		want      string
		field     zap.Field
	}{
		{"nothing", func(*Config) {}, "", zap.Skip()},
		{"unauthenticated", func(c *Config) { c.Signature.Secrets, c.AllowUnauthenticated = nil, true }, "every client that reaches the endpoint can post events", zap.Skip()},
		{"dollar in a secret", func(c *Config) { c.Signature.Secrets = append(c.Signature.Secrets, "hunter$2") }, "reads $$ as $", zap.Strings("secrets", []string{"signature::secrets[1]"})},
		{"dollar in a token", func(c *Config) { c.Token.Values = []configopaque.String{"$hunter2"} }, "reads $$ as $", zap.Strings("secrets", []string{"token::values[0]"})},
		{"quotes", func(c *Config) {
			c.Token.Values = []configopaque.String{`"hunter2"`, "'hunter2'", `hunter"2`, `"hunter2'`}
		}, "begins and ends with a quote", zap.Strings("secrets", []string{"token::values[0]", "token::values[1]"})},
		{"dollar in the key of hashes", func(c *Config) { c.Include.UserHashKey = new(configopaque.String("hunter$2hunter$2")) }, "if their keys differ", zap.Strings("options", []string{"include::user_hash_key"})},
		{"quotes around the key of hashes", func(c *Config) { c.Include.UserHashKey = new(configopaque.String("'hunter2hunter2hunter2'")) }, "if their keys differ", zap.Strings("options", []string{"include::user_hash_key"})},
		{"polling and listening", func(c *Config) { c.poll(); c.Listen = true }, "", zap.Skip()},
		{"without credentials", func(c *Config) { c.poll(); c.API.ClientConfig.Headers = nil }, "the receiver sends no credentials to Jira", zap.Skip()},
		{"polling only", func(c *Config) { c.poll(); c.Signature.Secrets = nil }, "", zap.Skip()},
		{"polling without storage", func(c *Config) { c.poll(); c.Poll.Storage = nil }, "changes that happen while the receiver is stopped are not recorded", zap.Skip()},
		{"API without polling", func(c *Config) { c.poll(); c.Poll.Mode, c.Listen = "off", true }, "api has no effect, because poll::mode and registration::mode are off", zap.Skip()},
		{"elector without polling", func(c *Config) { c.LeaderElector = new(component.MustNewID("elector")) }, "k8s_leader_elector has no effect", zap.Skip()},
		{"by_event while polling", func(c *Config) { c.poll(); c.Listen, c.Deduplication.ByEvent = true, false }, "by_event: false has no effect", zap.Skip()},
		{"by_event without polling", func(c *Config) { c.Deduplication.ByEvent = false }, "", zap.Skip()},
		{"no known event included", func(c *Config) { c.Events.Include = []string{"jira.issue.upated"} }, "the receiver records no documented event", zap.Strings("patterns", []string{"jira.issue.upated"})},
		{"an unknown event included", func(c *Config) { c.Events.Include = []string{"jira.issue.*", "jira.issue.upated"} }, "Patterns of events::include match no event", zap.Strings("patterns", []string{"jira.issue.upated"})},
		{"an unknown event excluded", func(c *Config) { c.Events.Exclude = []string{"jira.issue.upated"} }, "Patterns of events::exclude match no event", zap.Strings("patterns", []string{"jira.issue.upated"})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			cfg.Signature.Secrets = []configopaque.String{"good"}
			tt.configure(cfg)
			assert.NoError(t, cfg.Validate())
			warnings := cfg.Warnings()
			if tt.want == "" {
				assert.Empty(t, warnings)
				return
			}
			if assert.Len(t, warnings, 1) {
				assert.Contains(t, warnings[0].Message, tt.want)
				assert.NotEmpty(t, warnings[0].Hint)
				fields := warnings[0].fields()
				assert.Equal(t, zap.String("hint", warnings[0].Hint), fields[len(fields)-1])
				if tt.field != zap.Skip() {
					assert.True(t, tt.field.Equals(fields[0]), "%v", fields[0])
				} else {
					assert.Len(t, fields, 1)
				}
				assert.NotContains(t, strings.ToLower(fmt.Sprint(warnings[0])), "hunter")
			}
		})
	}
}

// TestSiteURLs validates sites of Data Center with contexts, and pages of sites.
func TestSiteURLs(t *testing.T) {
	t.Parallel()
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
		err := (&Config{SiteURL: address}).validateSiteURL()
		assert.Equal(t, valid, err == nil, address)
	}
}

// TestSchemaAgreesWithValidation searches the schema for the values and patterns of the validation, which the generator
// of the schema repeats.
func TestSchemaAgreesWithValidation(t *testing.T) {
	t.Parallel()
	schema, err := os.ReadFile("config.schema.json")
	require.NoError(t, err)
	var compact bytes.Buffer
	require.NoError(t, json.Compact(&compact, schema))
	encodingsEnum, err := json.Marshal(allowedEncodings)
	require.NoError(t, err)
	assert.Contains(t, compact.String(), `{"enum":`+string(encodingsEnum)+`}`)
	for _, pattern := range []*regexp.Regexp{customFieldID, alias, attributeName} {
		text, err := json.Marshal(pattern.String())
		require.NoError(t, err)
		assert.Contains(t, compact.String(), `"pattern":`+strings.TrimSuffix(string(text), `"`))
	}
}
