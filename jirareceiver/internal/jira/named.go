// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import "github.com/go-faster/jx"

// Named is an object with an id and a name, such as a priority.
type Named struct{ ID, Name string }

// decode reads an object. Some senders write only the name of a priority or a status, as a string.
func (n *Named) decode(d *decoding) error {
	if d.Next() == jx.String {
		n.ID = ""
		return decodeText(d, &n.Name)
	}
	return decodeInto(d, n, (*Named).decodeMember)
}

func (n *Named) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "id":
		return decodeText(d, &n.ID)
	case "name":
		return decodeText(d, &n.Name)
	default:
		return d.Skip()
	}
}

// Names is a list of names.
type Names struct {
	List  []string
	IsCut bool // whether the body contains more than MaxEntries names
}

// decodeNames reads an array of strings, or of objects with a name.
func decodeNames(d *decoding, names *Names) error {
	*names = Names{}
	return decodeEntries(d, &names.IsCut, func(d *decoding) error {
		var n Named
		err := n.decode(d)
		if n.Name != "" {
			names.List = append(names.List, n.Name)
		}
		return err
	})
}
