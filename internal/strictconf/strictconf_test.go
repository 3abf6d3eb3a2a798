// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"
)

type config struct {
	Server    server                             `mapstructure:",squash"`
	Keepalive configoptional.Optional[keepalive] `mapstructure:"keepalive"`
	Secrets   []configopaque.String              `mapstructure:"secrets"`
	Storage   *component.ID                      `mapstructure:"storage"`
	Rules     []rule                             `mapstructure:"rules"`
	Projects  map[string]rule                    `mapstructure:"projects"`
	mistakes  Mistakes
}

type server struct {
	Endpoint string  `mapstructure:"endpoint"`
	Rate     float64 `mapstructure:"rate"`
}

type keepalive struct {
	IdleTimeout time.Duration `mapstructure:"idle_timeout"`
}

type rule struct {
	Limit time.Duration `mapstructure:"limit"`
	Names []string      `mapstructure:"names"`
}

func (c *config) Unmarshal(conf *confmap.Conf) error {
	c.mistakes = Unmarshal(conf, c, map[string]string{"port": "write it in endpoint"}, func() error { return nil })
	return nil
}

func load(t *testing.T, text string) *config {
	t.Helper()
	var content map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &content))
	c := &config{Server: server{Endpoint: "default"}}
	require.NoError(t, confmap.NewFromStringMap(content).Unmarshal(c))
	return c
}

func TestValid(t *testing.T) {
	c := load(t, `
endpoint: localhost:1
keepalive: {enabled: true, idle_timeout: 5s}
storage: file_storage/jira
rules: [{limit: 5s, names: [a]}]
projects: {OPS: {limit: 1h}, "a.b": }
secrets: [hunter2]
`)
	require.NoError(t, c.mistakes.Join(nil))
	assert.Equal(t, Mistakes{}, c.mistakes)
	assert.Equal(t, 5*time.Second, c.Keepalive.Get().IdleTimeout)
	assert.Equal(t, time.Hour, c.Projects["OPS"].Limit)
	wrong := errors.New("endpoint: wrong")
	assert.EqualError(t, c.mistakes.Join(wrong), "endpoint: wrong")
	assert.EqualError(t, c.mistakes.Join(errors.Join(wrong, errors.Join(errors.New("x")))), "\n  endpoint: wrong\n  x")
}

func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"edpoint: x":                        "edpoint: there is no such key; did you mean endpoint?",
		"endpiont: x":                       "endpiont: there is no such key; did you mean endpoint?",
		"End-Point: x":                      "End-Point: there is no such key; did you mean endpoint?",
		"port: 1":                           "port: there is no such key; write it in endpoint",
		"zzz: 1":                            "zzz: there is no such key; check its spelling and its indentation",
		"idle_timeout: 5s":                  "idle_timeout: there is no such key; did you mean keepalive::idle_timeout?",
		"idle: 5s":                          "idle: there is no such key; did you mean keepalive::idle_timeout?",
		"keepalive: {endpoint: x}":          "keepalive::endpoint: there is no such key; did you mean endpoint?",
		"keepalive: {enabeld: true}":        "keepalive::enabeld: there is no such key; did you mean keepalive::enabled?",
		"keepalive: {zzz: 1}":               "keepalive::zzz: there is no such key; write one of these keys: enabled, idle_timeout",
		"keepalive: 5s":                     "keepalive: not a section; write its keys below it, indented: enabled, idle_timeout",
		"rules: [{limit: 5s}, {limits: 1}]": "rules[1]::limits: there is no such key; did you mean rules[1]::limit?",
		"rules: [{limit: soon}]":            `rules[0]::limit: "soon" is not a duration; write it with the units h, m and s, such as 1h30m`,
		"rules: [{names: {a: b}}]":          "rules[0]::names: not a list; write a list, such as [one, another]",
		"projects: {a.b: {limit: soon}}":    `projects::a.b::limit: "soon" is not a duration; write it with the units h, m and s, such as 1h30m`,
		"projects: {OPS: {limt: 5s}}":       "projects::OPS::limt: there is no such key; did you mean projects::OPS::limit?",
		"secrets: [48151623]":               "secrets[0]: not a text; put secrets and tokens in quotes",
		"storage: a b":                      `storage: "a b" is not the id of an extension; write its type, or type/name`,
		"rate: 5/s":                         `rate: "5/s" is not a number; write it without a unit`,
		"endpoint: 5":                       "endpoint: not a text; put it in quotes",
	} {
		assert.EqualError(t, load(t, text).mistakes.Join(nil), want, text)
	}
}

// TestAll reads the values without a mistake, and leaves out the errors that follow from a mistake.
func TestAll(t *testing.T) {
	c := load(t, "edpoint: x\nrate: 7\nkeepalive: {idle_timeout: soon}\nrules: [{limt: 5s, limit: 6s}]")
	assert.InDelta(t, 7, c.Server.Rate, 0)
	assert.Empty(t, c.Rules)
	assert.EqualError(t, c.mistakes.Join(errors.Join(
		errors.New("rate: 7 is too much; set 5"),
		errors.New("endpoint: the default is wrong"),
		errors.New("rate: needs an endpoint"),
		errors.New("keepalive::idle_timeout: 0 is too short"),
		errors.New("storage: not set"),
		errors.New("there is no authentication"),
	)), `
  edpoint: there is no such key; did you mean endpoint?
  keepalive::idle_timeout: "soon" is not a duration; write it with the units h, m and s, such as 1h30m
  rules[0]::limt: there is no such key; did you mean rules[0]::limit?
  rate: 7 is too much; set 5`)
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"signatur", "signature", 1}, {"sginature", "signature", 1}, {"kitten", "sitting", 3}} {
		assert.Equal(t, tt.want, distance(tt.a, tt.b))
		assert.Equal(t, tt.want, distance(tt.b, tt.a))
	}
}
