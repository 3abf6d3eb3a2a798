// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"debug/buildinfo"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBOM compares the bill of materials with the modules in the binary.
func TestBOM(t *testing.T) {
	file, err := os.Open(find(t, "*_linux_"+runtime.GOARCH+".cdx.json"))
	require.NoError(t, err)
	defer file.Close()
	var bom cyclonedx.BOM
	require.NoError(t, cyclonedx.NewBOMDecoder(file, cyclonedx.BOMFileFormatJSON).Decode(&bom))
	components := map[string]cyclonedx.Component{}
	for _, c := range *bom.Components {
		components[c.Name] = c
	}
	p := platform{"linux", runtime.GOARCH}
	info, err := buildinfo.ReadFile(filepath.Join(p.dir(), p.program()))
	require.NoError(t, err)
	require.Greater(t, len(info.Deps), 100)
	assert.Len(t, components, len(info.Deps)+1, "and the standard library")
	for _, dependency := range info.Deps {
		require.Contains(t, components, dependency.Path)
		assert.NotEmpty(t, *components[dependency.Path].Licenses, dependency.Path)
	}
	assert.Equal(t, bom.Metadata.Component.Version, components[modulePath].Version)
	assert.Equal(t, info.GoVersion, components["std"].Version)
}

// TestLicenses reads the licences of modules, and compares the verdict.
func TestLicenses(t *testing.T) {
	apache, err := os.ReadFile("LICENSE")
	require.NoError(t, err)
	const gpl = "This program is free software: you can redistribute it and/or modify it under the terms of the GNU General Public License " +
		"as published by the Free Software Foundation, either version 3 of the License, or (at your option) any later version."
	for _, test := range []struct {
		name  string
		files map[string]string
		want  string // in the error
	}{
		{"allowed", map[string]string{"LICENSE": string(apache)}, ""},
		{"allowed with a notice", map[string]string{"LICENSE.txt": string(apache), "NOTICE": "Copyright Somebody"}, ""},
		{"not allowed", map[string]string{"COPYING": gpl}, "example.com/module: the licence GPL-3.0"},
		{"one of two not allowed", map[string]string{"LICENSE": string(apache), "LICENSE-GPL": gpl}, "GPL-3.0"},
		{"own words", map[string]string{"LICENCE.md": "You may use this on Mondays."}, "the licence NOASSERTION"},
		{"no licence", map[string]string{"README.md": string(apache)}, "example.com/module: no known licence"},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			for name, content := range test.files {
				require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600))
			}
			m := module{path: "example.com/module"}
			require.NoError(t, m.readLicenses(folder))
			err := checkLicenses([]module{m})
			if test.want == "" {
				require.NoError(t, err)
				var texts strings.Builder
				require.NoError(t, writeLicenseTexts(&texts, []module{m}))
				assert.Contains(t, texts.String(), "Apache License")
				return
			}
			require.ErrorContains(t, err, test.want)
		})
	}
}
