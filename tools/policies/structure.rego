# Copyright The otel-jira Authors
# SPDX-License-Identifier: Apache-2.0

# Rules about definitions, after the policies of the semantic conventions:
# https://github.com/open-telemetry/semantic-conventions/tree/main/policies
package policies

import rego.v1

is_registry(group) if startswith(group.id, "registry.")

deny contains finding("signal_in_registry", group.id, "is not a group of attributes") if {
	some group in input.groups
	is_registry(group)
	group.type != "attribute_group"
}

deny contains finding("reference_in_registry", group.id, sprintf("refers to %s", [attribute.ref])) if {
	some group in input.groups
	is_registry(group)
	some attribute in group.attributes
	attribute.ref
}

deny contains finding("definition_outside_registry", group.id, sprintf("defines %s", [attribute.id])) if {
	some group in input.groups
	not is_registry(group)
	some attribute in group.attributes
	attribute.id
}

deny contains finding("signal_id", group.id, sprintf("is not the id of %s", [name])) if {
	some group in input.groups
	name := {"event": group.name, "metric": group.metric_name}[group.type]
	group.id != sprintf("%s.%s", [group.type, name])
}

deny contains finding("attribute_twice", signal.name, sprintf("has %s twice", [key])) if {
	some signal in signals
	some i, j
	key := signal.attributes[i].key
	signal.attributes[j].key == key
	i < j
}

deny contains finding("event_name_attribute", event.name, "has the attribute event.name") if {
	some event in input.registry.events
	some attribute in event.attributes
	attribute.key == "event.name"
}

signals := array.concat(input.registry.events, input.registry.metrics)

deny contains finding("brief_missing", name, "has no brief") if {
	some defined in array.concat(signals, input.registry.attributes)
	object.get(defined, "brief", "") == ""
	name := object.get(defined, "key", object.get(defined, "name", ""))
}

deny contains finding("metric_brief", metric.name, "has a brief without a full stop") if {
	some metric in input.registry.metrics
	not endswith(metric.brief, ".")
}

# Units of UCUM that the metrics need, or a thing that is counted.
deny contains finding("metric_unit", metric.name, sprintf("has the unit %s", [metric.unit])) if {
	some metric in input.registry.metrics
	not metric.unit in {"1", "By", "s"}
	not regex.match(`^\{[a-z_]+\}$`, metric.unit)
}

# Only events and spans may have attributes with maps.
deny contains finding("complex_type", metric.name, sprintf("has %s", [attribute.key])) if {
	some metric in input.registry.metrics
	some attribute in metric.attributes
	attribute.type in {"any", "template[any]"}
}

maturity := {"development": 1, "alpha": 2, "beta": 3, "release_candidate": 4, "stable": 5}

deny contains finding("stability", signal.name, sprintf("is more stable than %s", [attribute.key])) if {
	some signal in signals
	some attribute in signal.attributes
	attribute.requirement_level != "opt_in"
	maturity[signal.stability] > maturity[attribute.stability]
}
