// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"
)

// TestMistakes makes the mistakes of people who write a configuration, and compares the whole message. The collector
// writes the place of the component before it, such as "receivers::jira: ". Configurations without authentication allow
// it.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ yaml, want string }{
		{"signatures: {secrets: [hunter2]}", "signatures: there is no such key; did you mean signature?"},
		{"secrets: [hunter2]", "secrets: there is no such key; did you mean signature::secrets?"},
		{"signature: {secret: [hunter2]}", "signature::secret: there is no such key; did you mean signature::secrets?"},
		{"signature: {secrets: hunter2}", "signature::secrets: not a list; write a list, such as [one, another]"},
		{"signature: hunter2", "signature: not a section; write its keys below it, indented: secrets"},
		{"secret: hunter2", "secret: there is no such key; did you mean signature::secrets?"},
		{"token: {value: hunter2}", "token::value: there is no such key; did you mean token::values?"},
		{"token: hunter2", "token: not a section; write its keys below it, indented: header, query_parameter, values"},
		{"allow_unauthenticated: 'yes'", `allow_unauthenticated: "yes" is not a switch; write true or false`},
		{"endpoint: 8087", "endpoint: 8087 is not an address; write host:port, such as localhost:8087"},
		{"endpoint: '8087'", "endpoint: not an address; write host:port, such as localhost:8087"},
		{"endpoint: localhost", "endpoint: not an address; write host:port, such as localhost:8087"},
		{"endpoint: http://localhost:8087", "endpoint: not an address; write host:port, such as localhost:8087"},
		{"endpoint: localhost:99999", "endpoint: not an address; write host:port, such as localhost:8087"},
		{"port: 8087", "port: there is no such key; write host and port in endpoint, such as localhost:8087"},
		{"siteUrl: https://acme.atlassian.net", "siteUrl: there is no such key; did you mean site_url?"},
		{"site_url: acme.atlassian.net", "site_url: not the address of a Jira site; write it like https://acme.atlassian.net or https://jira.example.com/context, without user, query and fragment"},
		{"site_url: https://acme.atlassian.net/browse/OPS-1", "site_url: the address of a page; cut it to https://host or https://host/context"},
		{"mapping: {done: [Verified]}", "mapping: there is no such key; did you mean status::mapping?"},
		{"status: {done: [Verified]}", "status::done: there is no such key; write one of these keys: category_fallback, mapping, projects, sites, use_default_mapping"},
		{"status_mapping: {done: [Verified]}", "status_mapping: there is no such key; did you mean status::mapping?"},
		{"status: {mapping: {Verified: done}}", "status::mapping::Verified: not a list; write the mapped value first and then its statuses, such as done: [Verified]"},
		{"status: {mapping: [done]}", "status::mapping: not a section; write pairs below it, such as done: [Verified]"},
		{"status: {mapping: {done: [10001]}}", "status::mapping::done[0]: not a text; put it in quotes"},
		{"status: {mapping: {done: [Verified], closed: [verified]}}", `status::mapping: status "Verified" is listed under both "closed" and "done"; keep it under one`},
		{"status: {projects: {OPS: {done: [Verified]}}}", "status::projects::OPS::done: there is no such key; write one of these keys: mapping"},
		{"status: {projects: {Web shop: {mapping: {done: [Verified]}}}}", "status::projects::Web shop: not the key of a project; write it like OPS"},
		{"status: {sites: [https://acme.atlassian.net]}", "status::sites: not a section; write pairs below it, such as https://acme.atlassian.net: {mapping: {done: [Verified]}}"},
		{"status: {sites: {acme: {mapping: {done: [Verified]}}}}", "status::sites::acme: not the address of a Jira site; write it like https://acme.atlassian.net or https://jira.example.com/context, without user, query and fragment"},
		{"status: {sites: {https://acme.atlassian.net/browse/OPS-1: {}}}", "status::sites::https://acme.atlassian.net/browse/OPS-1: the address of a page; cut it to https://host or https://host/context"},
		{"status: {sites: {https://acme.atlassian.net: {}, https://ACME.atlassian.net/: {}}}", "status::sites::https://acme.atlassian.net: the same site as https://ACME.atlassian.net/; keep one"},
		{"site_url: https://other.atlassian.net\nstatus: {sites: {https://acme.atlassian.net: {}}}", "status::sites::https://acme.atlassian.net: not the site of site_url, which all records have; remove site_url if several sites send events, or remove this site"},
		{"status: {sites: {https://acme.atlassian.net: {mapping: {Verified: done}}}}", "status::sites::https://acme.atlassian.net::mapping::Verified: not a list; write the mapped value first and then its statuses, such as done: [Verified]"},
		{"status: {sites: {https://acme.atlassian.net: {projects: {OPS: {mappings: {}}}}}}", "status::sites::https://acme.atlassian.net::projects::OPS::mappings: there is no such key; did you mean status::sites::https://acme.atlassian.net::projects::OPS::mapping?"},
		{"status: {sites: {https://acme.atlassian.net: {projects: {OPS: {mapping: {done: [1]}}}}}}", "status::sites::https://acme.atlassian.net::projects::OPS::mapping::done[0]: not a text; put it in quotes"},
		{"status: {sites: {https://acme.atlassian.net: {projects: {Web shop: {}}}}}", "status::sites::https://acme.atlassian.net::projects::Web shop: not the key of a project; write it like OPS"},
		{"events: [jira.issue.*]", "events: not a section; write its keys below it, indented: exclude, include"},
		{"events: {include: ['jira:issue_updated']}", `events::include[0]: "jira:issue_updated" matches no event; write an event type, such as jira.issue.created, or a pattern, such as jira.sprint.*`},
		{"events: {includes: [jira.issue.*]}", "events::includes: there is no such key; did you mean events::include?"},
		{"changelog: true", "changelog: true is not a mode; write attributes or split"},
		{"changelog: splitted", `changelog: "splitted" is not a mode; write attributes, or split for one more record for each changed field`},
		{"custom_fields: [customfield_10016]", "custom_fields: not a section; write pairs below it, such as customfield_10016: story_points"},
		{"custom_fields: {story_points: customfield_10016}", `custom_fields::story_points: "story_points" is not the id of a custom field; write the id first and then an alias, such as customfield_10016: story_points`},
		{"custom_fields: {customfield_10016: Story Points}", `custom_fields::customfield_10016: "Story Points" is not the end of an attribute name; write an alias in lower case, such as story_points`},
		{"custom_fields: {10016: story_points}", `custom_fields::10016: "10016" is not the id of a custom field; write the id first and then an alias, such as customfield_10016: story_points`},
		{"query_attributes: {issue: issue.key.}", `query_attributes::issue: "issue.key." is not the name of an attribute; write it like jira.issue.key`},
		{"severity: {priorities: {Highest: eror}}", `severity::priorities::Highest: "eror" is not a severity; write trace, debug, info, warn, error or fatal`},
		{"severity: {Highest: error}", "severity::Highest: there is no such key; write one of these keys: priorities"},
		{"include: [payload]", "include: not a section; write its keys below it, indented: comment_body, description, payload, user_details, user_hash_key"},
		{"include: {user_detail: true}", "include::user_detail: there is no such key; did you mean include::user_details?"},
		{"deduplication: {window: 2d}", `deduplication::window: "2d" is not a duration; write it with the units h, m and s, such as 1h30m`},
		{"deduplication: {window: 2}", "deduplication::window: 2ns is less than a second; write it with a unit, such as 2h, or set deduplication::enabled to false"},
		{"deduplication: false", "deduplication: not a section; write its keys below it, indented: by_event, enabled, file, max_entries, storage, window"},
		{"deduplication: {storage: file storage}", `deduplication::storage: "file storage" is not the id of an extension; write its type, or type/name, such as file_storage/jira`},
		{"dedup: {enabled: false}", "dedup: there is no such key; did you mean deduplication?"},
		{"admission: {retry_after: 30}", "admission::retry_after: 30ns is less than a second; write it with a unit, such as 30s"},
		{"admission: {max_in_flight_bytes: 128MiB}", `admission::max_in_flight_bytes: "128MiB" is not a whole number; write it without a unit, and sizes in bytes`},
		{"max_request_body_size: 25MB", `max_request_body_size: "25MB" is not a whole number; write it without a unit, and sizes in bytes`},
		{"max_body_size: 1000", "max_body_size: there is no such key; did you mean max_request_body_size?"},
		{"max_text_length: 4k", `max_text_length: "4k" is not a whole number; write it without a unit`},
		{"read_timeout: 30", "read_timeout: 30ns is less than a millisecond; write it with a unit, such as 30s"},
		{"read_timeout: -3s", "read_timeout: -3s is less than a millisecond; write it with a unit, such as 30s"},
		{"read_timeout: thirty", `read_timeout: "thirty" is not a duration; write it with the units h, m and s, such as 1h30m`},
		{"tls: {cert: /a, key: /b}", "\n  tls::cert: there is no such key; did you mean tls::cert_file or tls::cert_pem?\n  tls::key: there is no such key; did you mean tls::key_file or tls::key_pem?"},
		{"tls: {min_version: 1.2}", "tls::min_version: not a text; put it in quotes"},
		{"tls: {min_version: '9'}", "\n  tls: TLS configuration must include both certificate and key for server connections\n  tls: config: invalid TLS min_version: unsupported TLS version: \"9\""},
		{"tls: true", "tls: not a section; write its keys below it, indented"},
		{"auth: basicauth", "auth: not a section; write its keys below it, indented: authenticator, enabled, request_params"},
		{"auth: {authenticator: basic auth}", `auth::authenticator: "basic auth" is not the id of an extension; write its type, or type/name`},
		{"path: https://hooks.example.com/jira/events", "path: not the path of a URL; write it like /jira/events, without query, fragment, spaces and escapes"},
		{"path: /jira/events?token=hunter2", "path: not the path of a URL; write it like /jira/events, without query, fragment, spaces and escapes"},
		{"health_path: /jira/events", `health_path: the same as path; choose another, or set it to "" for no health check`},
		{"poll: {mode: on}", `poll::mode: "on" is not a mode; write off, repair or full`},
		{"poll: {mode: full}", "api::endpoint: not set; set it to the address of Jira, such as https://acme.atlassian.net, or set poll::mode to off"},
		{"poll: full", "poll: not a section; write its keys below it, indented"},
		{"poll: {intervall: 5m}", "poll::intervall: there is no such key; did you mean poll::interval?"},
		{"poll: {mode: full, interval: 30s}\napi: {endpoint: https://acme.atlassian.net}", "poll::interval: 30s is less than 1m; write 1m or more, with the unit"},
		{"poll: {mode: full}\napi: {endpoint: acme.atlassian.net}", "api::endpoint: not an address; use https://host[/context]"},
		{"poll: {mode: full}\napi: {url: https://acme.atlassian.net}", "api::url: there is no such key; did you mean api::endpoint?"},
		{"poll: {mode: full}\napi: https://acme.atlassian.net", "api: not a section; write its keys below it, indented"},
		{"interval: 5m", "interval: there is no such key; did you mean poll::interval or registration::interval?"},
		{"storage: file_storage", "storage: there is no such key; did you mean deduplication::storage or poll::storage?"},
		{
			"api: {endpoint: https://acme.atlassian.net}\nregistration: {mode: verify}",
			"registration::url: not set; set the address at which Jira reaches the receiver, " +
				"such as https://hooks.example.com/jira/events",
		},
		{"registration: {mode: managed}", `registration::mode: "managed" is not a mode; write off, verify or manage`},
		{"middlewares: [{idd: x}]", "middlewares[0]::idd: there is no such key; did you mean middlewares[0]::id?"},
		{"cors: {allowed_origin: ['*']}", "cors::allowed_origin: there is no such key; did you mean cors::allowed_origins?"},
		{"keepalive: {idle_timeot: 5s}", "keepalive::idle_timeot: there is no such key; did you mean keepalive::idle_timeout?"},
		{"compression_algorithms: [br]", `compression_algorithms: "br" is not an encoding that the receiver decodes within its limits; choose from ["" "gzip" "zlib" "deflate" "x-gzip"]`},
		{"listen: false", "listen: false, and polling is off, so that the receiver would do nothing; set listen to true, or poll::mode to full"},
		{"k8s_leader_elector: [a]", "k8s_leader_elector: not the id of an extension; write it like k8s_leader_elector"},
		{"allow_unauthenticated: false", "no authentication is configured; set signature::secrets to the secret of the webhook in Jira, token::values for senders that cannot sign, auth to an authenticator extension, or tls::client_ca_file; or set allow_unauthenticated to true to accept unauthenticated deliveries"},
		{"signatures: {secrets: [hunter2]}\nendpoint: 8087\npoll: {intervall: 5m, mode: sometimes}\nsite_url: acme.atlassian.net\ntls: {cert_fil: x}\nmax_text_length: 0", "\n  endpoint: 8087 is not an address; write host:port, such as localhost:8087\n  poll::intervall: there is no such key; did you mean poll::interval?\n  signatures: there is no such key; did you mean signature?\n  tls::cert_fil: there is no such key; did you mean tls::cert_file?\n  poll::mode: \"sometimes\" is not a mode; write off, repair or full\n  site_url: not the address of a Jira site; write it like https://acme.atlassian.net or https://jira.example.com/context, without user, query and fragment\n  max_text_length: 0 is not a positive number; set the largest number of characters of a text, such as 4096"},
	} {
		var content map[string]any
		require.NoError(t, yaml.Unmarshal([]byte("allow_unauthenticated: true"), &content))
		require.NoError(t, yaml.Unmarshal([]byte(tt.yaml), &content), tt.yaml)
		cfg := createDefaultConfig().(*Config)
		require.NoError(t, confmap.NewFromStringMap(content).Unmarshal(cfg))
		assert.EqualError(t, confmap.Validate(cfg), tt.want, tt.yaml)
	}
}
