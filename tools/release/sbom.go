// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/google/licensecheck"
)

// thirdParty is the file with the licences of all modules in a binary.
const thirdParty = "third-party-licenses.txt"

// allowedLicenses are the SPDX ids of the licences that a dependency may have. All allow to distribute the binary under
// the licence of the project.
var allowedLicenses = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0"}

// module is a Go module in a binary.
type module struct {
	path, version string
	licenses      []string // SPDX ids
	text          string   // of all licences and notices
}

// describe writes the bill of materials of a binary, and its licences. It fails for a module without an allowed
// licence.
func (r release) describe(p platform) error {
	modules, err := r.modules(p)
	if err != nil {
		return err
	}
	if err := checkLicenses(modules); err != nil {
		return err
	}
	writeLicenses := func(w io.Writer) error { return writeLicenseTexts(w, modules) }
	if err := writeTo(filepath.Join(p.dir(), thirdParty), writeLicenses); err != nil {
		return err
	}
	return writeTo(r.file(p.String()+".cdx.json"), func(w io.Writer) error {
		return cyclonedx.NewBOMEncoder(w, cyclonedx.BOMFileFormatJSON).SetPretty(true).Encode(r.bom(modules))
	})
}

// modules reads the modules that Go has recorded in a binary, with their licences from the module cache.
func (r release) modules(p platform) (modules []module, err error) {
	info, err := buildinfo.ReadFile(filepath.Join(p.dir(), p.program()))
	if err != nil {
		return nil, err
	}
	folders, err := moduleFolders()
	if err != nil {
		return nil, err
	}
	folders["std"] = runtime.GOROOT() //nolint:staticcheck // `go run` and `make release` use the same Go
	for _, dependency := range info.Deps {
		version := dependency.Version
		if dependency.Replace != nil { // this repository
			version = "v" + r.version
		}
		modules = append(modules, module{path: dependency.Path, version: version})
	}
	modules = append(modules, module{path: "std", version: info.GoVersion})
	for i := range modules {
		if err := modules[i].readLicenses(folders[modules[i].path]); err != nil {
			return nil, fmt.Errorf("%s: %w", modules[i].path, err)
		}
	}
	return modules, nil
}

// moduleFolders returns the folder of each module of the distribution.
func moduleFolders() (map[string]string, error) {
	command := exec.Command("go", "list", "-m", "-json=Path,Dir", "all")
	command.Dir = sources
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return nil, err
	}
	folders := map[string]string{}
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var m struct{ Path, Dir string }
		err := decoder.Decode(&m)
		if errors.Is(err, io.EOF) {
			return folders, nil
		}
		if err != nil {
			return nil, err
		}
		folders[m.Path] = m.Dir
	}
}

var licenseFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice)([.-].*)?$`)

const (
	// minLicensePercent is the least share of a licence file that must be the text of known licences.
	minLicensePercent = 75
	unknownLicense    = "NOASSERTION" // as SPDX names it
)

func (m *module) readLicenses(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() || !licenseFile.MatchString(entry.Name()) {
			continue
		}
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return err
		}
		m.text += strings.TrimSpace(string(content)) + "\n"
		coverage := licensecheck.Scan(content)
		for _, match := range coverage.Match {
			m.licenses = append(m.licenses, match.ID)
		}
		if coverage.Percent < minLicensePercent && !strings.HasPrefix(strings.ToLower(entry.Name()), "notice") {
			m.licenses = append(m.licenses, unknownLicense)
		}
	}
	slices.Sort(m.licenses)
	m.licenses = slices.Compact(m.licenses)
	return nil
}

func checkLicenses(modules []module) (err error) {
	for _, m := range modules {
		if len(m.licenses) == 0 {
			err = errors.Join(err, fmt.Errorf("%s: no known licence", m.path))
		}
		for _, license := range m.licenses {
			if !slices.Contains(allowedLicenses, license) {
				err = errors.Join(err, fmt.Errorf("%s: the licence %s is not in the list of allowed licences", m.path, license))
			}
		}
	}
	return err
}

// writeLicenseTexts writes each text once, after the modules to which it applies.
func writeLicenseTexts(w io.Writer, modules []module) error {
	byText := map[string][]string{}
	for _, m := range modules {
		byText[m.text] = append(byText[m.text], m.path+" "+m.version)
	}
	type group struct{ modules, text string }
	var groups []group
	for text, names := range byText {
		groups = append(groups, group{strings.Join(names, "\n"), text})
	}
	slices.SortFunc(groups, func(a, b group) int { return cmp.Compare(a.modules, b.modules) })
	for _, g := range groups {
		if _, err := fmt.Fprintf(w, "%s\n\n%s\n%s\n\n", g.modules, g.text, strings.Repeat("=", 80)); err != nil {
			return err
		}
	}
	return nil
}

func (r release) bom(modules []module) *cyclonedx.BOM {
	bom := cyclonedx.NewBOM()
	main := component(module{path: modulePath + "/" + distribution, version: "v" + r.version, licenses: []string{"Apache-2.0"}})
	main.Type = cyclonedx.ComponentTypeApplication
	bom.Metadata = &cyclonedx.Metadata{Timestamp: r.time.Format(time.RFC3339), Component: &main}
	var components []cyclonedx.Component
	var references []string
	for _, m := range modules {
		c := component(m)
		components = append(components, c)
		references = append(references, c.BOMRef)
	}
	bom.Components = &components
	bom.Dependencies = &[]cyclonedx.Dependency{{Ref: main.BOMRef, Dependencies: &references}}
	return bom
}

func component(m module) cyclonedx.Component {
	packageURL := "pkg:golang/" + m.path + "@" + url.QueryEscape(m.version) + "?type=module"
	var licenses cyclonedx.Licenses
	for _, license := range m.licenses {
		licenses = append(licenses, cyclonedx.LicenseChoice{License: &cyclonedx.License{ID: license}})
	}
	return cyclonedx.Component{
		BOMRef: packageURL, Type: cyclonedx.ComponentTypeLibrary, Name: m.path, Version: m.version, PackageURL: packageURL, Licenses: &licenses,
	}
}
