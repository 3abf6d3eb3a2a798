// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/basicauthextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/bearertokenauthextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/oauth2clientauthextension"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/pdata/pcommon"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	nooptrace "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otel-jira/collector/jirareceiver"
	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
)

// settings are the part of a configuration that concerns one receiver.
type settings struct {
	id   component.ID
	conf *confmap.Conf // of the whole collector
	cfg  *jirareceiver.Config
}

// load reads a configuration as the collector does, and validates the section of a receiver. It warns of environment
// variables that are not set.
func load(ctx context.Context, file, receiver string, warnings io.Writer) (*settings, error) {
	conf, err := resolve(ctx, file, warnings)
	if err != nil {
		return nil, err
	}
	s := &settings{conf: conf}
	if err := s.id.UnmarshalText([]byte(receiver)); err != nil {
		return nil, fmt.Errorf("-receiver: %w", err)
	}
	factory := jirareceiver.NewFactory()
	if s.id.Type() != factory.Type() {
		return nil, fmt.Errorf("-receiver: %s is not a receiver for Jira; write jira, or jira/name", receiver)
	}
	section := "receivers::" + s.id.String()
	if !conf.IsSet(section) {
		return nil, fmt.Errorf("%s: not in the file; %s", section, s.receiversOfJira())
	}
	s.cfg = factory.CreateDefaultConfig().(*jirareceiver.Config)
	if err := unmarshal(conf, section, s.cfg); err != nil {
		return nil, err
	}
	if !s.cfg.API.IsSet() {
		return nil, errors.New(section + "::api::endpoint: not set, so that there is no Jira to check; " +
			"set it to the address of Jira, such as https://acme.atlassian.net")
	}
	return s, nil
}

func resolve(ctx context.Context, file string, warnings io.Writer) (*confmap.Conf, error) {
	encoder := zapcore.NewConsoleEncoder(zapcore.EncoderConfig{
		MessageKey: "message", LevelKey: "level", EncodeLevel: zapcore.LowercaseLevelEncoder,
	})
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs:              []string{"file:" + file},
		ProviderFactories: []confmap.ProviderFactory{envprovider.NewFactory(), fileprovider.NewFactory()},
		ProviderSettings: confmap.ProviderSettings{
			Logger: zap.New(zapcore.NewCore(encoder, zapcore.AddSync(warnings), zap.WarnLevel)),
		},
		DefaultScheme: "env",
	})
	if err != nil {
		return nil, err
	}
	conf, err := resolver.Resolve(ctx)
	return conf, errors.Join(err, resolver.Shutdown(ctx))
}

// receiversOfJira returns advice about the receivers in the configuration.
func (s *settings) receiversOfJira() string {
	names := s.keys("receivers")
	names = slices.DeleteFunc(names, func(name string) bool { return name != "jira" && !strings.HasPrefix(name, "jira/") })
	if len(names) == 0 {
		return "the file contains no receiver for Jira"
	}
	return "set -receiver to " + strings.Join(names, " or ")
}

// keys returns the keys of a section in order, or nothing if it is not a section.
func (s *settings) keys(section string) []string {
	content, _ := s.conf.Get(section).(map[string]any)
	return slices.Sorted(maps.Keys(content))
}

// contains reports whether a list of the configuration contains a text.
func (s *settings) contains(list, text string) bool {
	entries, _ := s.conf.Get(list).([]any)
	return slices.Contains(entries, any(text))
}

// unmarshal reads and validates a section. The error names all invalid values.
func unmarshal(conf *confmap.Conf, section string, into any) error {
	sub, err := conf.Sub(section)
	if err == nil {
		err = sub.Unmarshal(into)
	}
	if err == nil {
		err = confmap.Validate(into)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", section, err)
	}
	return nil
}

// host gives the client the extension that authenticates requests.
type host map[component.ID]component.Component

// GetExtensions implements [component.Host].
func (h host) GetExtensions() map[component.ID]component.Component { return h }

var telemetry = component.TelemetrySettings{
	Logger:         zap.NewNop(), // extensions may log contents of files
	TracerProvider: nooptrace.NewTracerProvider(),
	MeterProvider:  noopmetric.NewMeterProvider(),
	Resource:       pcommon.NewResource(),
}

var authenticators = []extension.Factory{
	basicauthextension.NewFactory(), bearertokenauthextension.NewFactory(), oauth2clientauthextension.NewFactory(),
}

// connect returns a client for the Jira of the receiver, and a function that ends it. It sends no request.
func (s *settings) connect(ctx context.Context, clock jiraapi.Clock) (*jiraapi.Client, func(), error) {
	extensions, stop := host{}, func() {}
	if auth := s.cfg.API.ClientConfig.Auth.Get(); auth != nil {
		authenticator, err := s.start(ctx, auth.AuthenticatorID)
		if err != nil {
			return nil, nil, err
		}
		extensions[auth.AuthenticatorID] = authenticator
		stop = func() { _ = authenticator.Shutdown(context.WithoutCancel(ctx)) } // the process ends
	}
	client, err := jiraapi.New(ctx, extensions, telemetry, jiraapi.Options{
		Config:                s.cfg.API.ClientConfig,
		RequestsPerSecond:     s.cfg.API.RequestsPerSecond,
		MaxConcurrentRequests: s.cfg.API.MaxConcurrentRequests,
		UserAgent:             "jiracheck",
		Clock:                 clock,
	})
	if err != nil {
		stop()
		return nil, nil, err
	}
	return client, func() {
		client.Close()
		stop()
	}, nil
}

// start starts the extension that authenticates requests.
func (s *settings) start(ctx context.Context, id component.ID) (extension.Extension, error) {
	n := slices.IndexFunc(authenticators, func(f extension.Factory) bool { return f.Type() == id.Type() })
	section := "extensions::" + id.String()
	switch {
	case n < 0:
		return nil, fmt.Errorf("api::auth::authenticator: jiracheck does not have the extension %s; "+
			"use basicauth, bearertokenauth or oauth2client", id.Type())
	case !s.conf.IsSet(section):
		return nil, errors.New(section + ": not in the file, although api::auth::authenticator refers to it")
	}
	factory := authenticators[n]
	cfg := factory.CreateDefaultConfig()
	if err := unmarshal(s.conf, section, cfg); err != nil {
		return nil, err
	}
	created, err := factory.Create(ctx, extension.Settings{ID: id, TelemetrySettings: telemetry}, cfg)
	if err == nil {
		err = created.Start(ctx, host{})
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", section, err)
	}
	return created, nil
}
