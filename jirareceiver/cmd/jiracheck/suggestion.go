// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// suggest returns a part of a configuration that contains the configured mapping and the given statuses. Each status has
// the mapped value of its category. Without statuses, it returns "".
func (m mappings) suggest(receiver string, statuses []usedStatus) string {
	if len(statuses) == 0 {
		return ""
	}
	s := suggestion{values: map[string]*yaml.Node{}}
	for value, entries := range m.cfg.Mapping {
		for _, entry := range entries {
			s.add(strings.TrimSpace(value), scalar(entry))
		}
	}
	for _, u := range group(statuses) {
		for _, e := range u.entries() {
			if e.value == "" {
				s.open = append(s.open, "Choose a value for "+plain(u.String()))
				continue
			}
			entry := scalar(e.entry)
			entry.LineComment = "new: " + plain(strings.TrimPrefix(u.String(), e.entry+" "))
			s.add(e.value, entry)
		}
	}
	return s.encode(receiver)
}

// suggestion is a mapping of statuses.
type suggestion struct {
	values map[string]*yaml.Node // lists of entries by mapped value
	open   []string              // sentences about statuses whose category has no meaning
}

func (s *suggestion) add(value string, entry *yaml.Node) {
	if s.values[value] == nil {
		s.values[value] = &yaml.Node{Kind: yaml.SequenceNode}
	}
	s.values[value].Content = append(s.values[value].Content, entry)
}

func (s *suggestion) encode(receiver string) string {
	node := &yaml.Node{Kind: yaml.MappingNode}
	for _, value := range slices.Sorted(maps.Keys(s.values)) {
		node.Content = append(node.Content, scalar(value), s.values[value])
	}
	for _, key := range []string{"mapping", "status", receiver, "receivers"} {
		name := scalar(key)
		if key == "mapping" {
			name.HeadComment = strings.Join(s.open, "\n")
		}
		node = &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{name, node}}
	}
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	_ = encoder.Encode(node) // texts cannot fail
	return b.String()
}

// scalar returns a text in a configuration, in which the collector reads $$ as $.
func scalar(text string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(strings.ReplaceAll(plain(text), "$", "$$"))
	return n
}
