# Copyright The otel-jira Authors
# SPDX-License-Identifier: Apache-2.0

# Rules about names, after the policies of the semantic conventions:
# https://github.com/open-telemetry/opentelemetry-weaver-packages/tree/main/policies/check/naming_conventions
# https://github.com/open-telemetry/semantic-conventions/tree/main/policies
package policies

import rego.v1

# Lower-case letters and digits in words, which dots and underscores separate.
is_name(text) if regex.match(`^[a-z][a-z0-9]*([._][a-z0-9]+)*$`, text)

# Generated code has a constant for each name, in which a dot becomes an underscore.
constant(name) := replace(name, ".", "_")

is_within(name, namespace) if startswith(name, concat("", [namespace, "."]))

# names holds the names of each kind.
names := {
	"attribute": {a.key | some a in input.registry.attributes},
	"event": {e.name | some e in input.registry.events},
	"metric": {m.name | some m in input.registry.metrics},
}

finding(rule, name, message) := {"rule": rule, "name": name, "message": message}

deny contains finding(sprintf("%s_name_format", [kind]), name, "is not a name in lower case") if {
	some kind, name
	names[kind][name]
	not is_name(name)
}

deny contains finding(sprintf("%s_constant_collision", [kind]), name, sprintf("becomes the same constant as %s", [other])) if {
	some kind, name, other
	names[kind][name]
	names[kind][other]
	name != other
	constant(name) == constant(other)
}

# An event may be the namespace of another event.
deny contains finding(sprintf("%s_is_namespace", [kind]), name, sprintf("is the namespace of %s", [other])) if {
	some kind in ["attribute", "metric"]
	some name, other
	names[kind][name]
	names[kind][other]
	is_within(other, name)
}

deny contains finding("attribute_without_namespace", name, "has no namespace") if {
	some name in names.attribute
	not contains(name, ".")
}

# Part of a name that upstream reserves for references to large values.
deny contains finding("reserved_segment", name, "contains the reserved part blob_ref") if {
	some name in names.attribute
	"blob_ref" in split(name, ".")
}

# A name that ends in _ref is a reference to the value of the attribute without this end.
deny contains finding("reference_without_value", name, "refers to an attribute that does not exist") if {
	some name in names.attribute
	endswith(name, "_ref")
	not names.attribute[trim_suffix(name, "_ref")]
}

members(attribute) := object.get(attribute.type, "members", []) if is_object(attribute.type)

deny contains finding("member_id_format", attribute.key, sprintf("has the member %s", [member.id])) if {
	some attribute in input.registry.attributes
	some member in members(attribute)
	not is_name(member.id)
}

deny contains finding("member_collision", attribute.key, sprintf("has two members like %s", [first.id])) if {
	some attribute in input.registry.attributes
	some i, first in members(attribute)
	some j, second in members(attribute)
	i < j
	same_member(first, second)
}

same_member(first, second) if constant(first.id) == constant(second.id)

same_member(first, second) if first.value == second.value
