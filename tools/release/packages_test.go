// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sassoftware/go-rpmutils"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	configFile      = "/etc/otelcol-jira/collector.yaml"
	environmentFile = "/etc/otelcol-jira/environment"
	unitFile        = "/usr/lib/systemd/system/otelcol-jira.service"
	stateFolder     = "/var/lib/otelcol-jira"
)

// installed are files of all packages, and their modes.
var installed = map[string]int64{
	"/usr/bin/otelcol-jira":                 0o755,
	configFile:                              0o644,
	unitFile:                                0o644,
	"/usr/share/doc/otelcol-jira/copyright": 0o644,
	"/usr/share/doc/otelcol-jira/" + thirdParty:            0o644,
	"/usr/share/doc/otelcol-jira/examples/quickstart.yaml": 0o644,
}

func script(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile("tools/release/scripts/" + name + ".sh")
	require.NoError(t, err)
	return string(content)
}

// TestRPM reads the package for RPM.
func TestRPM(t *testing.T) {
	file, err := os.Open(find(t, "*.x86_64.rpm"))
	require.NoError(t, err)
	defer file.Close()
	rpm, err := rpmutils.ReadRpm(file)
	require.NoError(t, err)
	for tag, want := range map[int]string{
		rpmutils.NAME: distribution, rpmutils.LICENSE: "Apache-2.0", rpmutils.BUILDHOST: "localhost",
		rpmutils.POSTIN: script(t, "postinstall"), rpmutils.PREUN: script(t, "preremove"), rpmutils.POSTUN: script(t, "postremove"),
	} {
		value, err := rpm.Header.GetString(tag)
		require.NoError(t, err)
		assert.Equal(t, want, value)
	}
	requires, err := rpm.Header.GetStrings(rpmutils.REQUIRENAME)
	require.NoError(t, err)
	assert.Contains(t, requires, "shadow-utils")
	files, err := rpm.Header.GetFiles()
	require.NoError(t, err)
	modes := map[string]int64{}
	for _, f := range files {
		assert.Equal(t, "root root", f.UserName()+" "+f.GroupName(), f.Name())
		modes[f.Name()] = int64(f.Mode() & 0o7777)
		isConfig := f.Flags()&rpmutils.RPMFILE_CONFIG != 0 && f.Flags()&rpmutils.RPMFILE_NOREPLACE != 0
		assert.Equal(t, f.Name() == configFile, isConfig, "an upgrade keeps changes of the configuration")
	}
	assertInstalled(t, modes)
}

// TestAPK reads the package for Alpine: gzipped parts of one archive.
func TestAPK(t *testing.T) {
	file, err := os.Open(find(t, "*_x86_64.apk"))
	require.NoError(t, err)
	defer file.Close()
	compressed, err := gzip.NewReader(bufio.NewReader(file))
	require.NoError(t, err)
	modes, texts := map[string]int64{}, map[string]string{}
	for archive := tar.NewReader(compressed); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		modes["/"+header.Name] = header.Mode
		if strings.HasPrefix(header.Name, ".") {
			content, err := io.ReadAll(archive)
			require.NoError(t, err)
			texts[header.Name] = string(content)
		}
	}
	assertInstalled(t, modes)
	assert.Equal(t, script(t, "postinstall"), texts[".post-install"])
	assert.Equal(t, script(t, "postinstall"), texts[".post-upgrade"])
	assert.Equal(t, script(t, "preremove"), texts[".pre-deinstall"])
	assert.Equal(t, script(t, "postremove"), texts[".post-deinstall"])
	assert.Regexp(t, `(?m)^pkgver = \d+\.\d+\.\d+(_pre\d+)?$`, texts[".PKGINFO"])
	assert.Contains(t, texts[".PKGINFO"], "depend = ca-certificates\n")
}

func assertInstalled(t *testing.T, modes map[string]int64) {
	t.Helper()
	for file, mode := range installed {
		assert.Equal(t, mode, modes[file], file)
	}
}

// TestDebian installs an older package on a Debian system, changes the configuration, runs the collector as the unit
// describes, upgrades it, and removes it. The system is the folder in RELEASE_TEST_ROOT, or this machine; nothing
// changes it.
func TestDebian(t *testing.T) {
	if _, err := exec.LookPath("dpkg"); err != nil || runtime.GOOS != "linux" {
		t.Log("this test needs Debian, or a system that is based on it")
		return
	}
	if !isolated(t) {
		return
	}
	m := newDebian(t)
	older := release{version: "0.0.1", time: time.Unix(0, 0).UTC()}
	file, err := older.pack("deb", runtime.GOARCH, t.TempDir())
	require.NoError(t, err)
	m.install(t, file)
	secret := m.assertInstalledPackage(t)

	edited := m.read(t, configFile) + "# A change by the administrator.\n"
	require.NoError(t, os.WriteFile(m.path(configFile), []byte(edited), 0o600))
	require.NoError(t, os.Chmod(m.path(configFile), 0o644))
	c := m.startService(t)
	assert.Equal(t, 200, post(t, "delivery-1", secret))
	assert.Equal(t, 401, post(t, "delivery-2", "a wrong secret"))
	queued := metric(t, "otelcol_exporter_queue_size")
	assert.NotEqual(t, "0", queued, "no backend answers")
	m.assertReload(t, c)
	c.stop(t)

	m.install(t, find(t, "*_"+runtime.GOARCH+".deb"))
	assert.Equal(t, edited, m.read(t, configFile))
	assert.Equal(t, secret, m.assertInstalledPackage(t), "an upgrade keeps the secret")
	c = m.startService(t)
	assert.Equal(t, queued, metric(t, "otelcol_exporter_queue_size"), "an upgrade keeps the queue")
	assert.Equal(t, 200, post(t, "delivery-1", secret))
	assert.Equal(t, "1", metric(t, "otelcol_receiver_jira_deliveries", `outcome="duplicate"`), "an upgrade keeps the delivery IDs")
	c.stop(t)

	m.run(t, "/usr/bin/dpkg", "--remove", distribution)
	assert.NoFileExists(t, m.path("/usr/bin/otelcol-jira"))
	assert.NoFileExists(t, m.path(unitFile))
	assert.FileExists(t, m.path(environmentFile), "only a purge removes the secret")
	assert.FileExists(t, m.path(configFile))
	assert.FileExists(t, m.path(stateFolder+"/deliveries"))
	m.run(t, "/usr/bin/dpkg", "--purge", distribution)
	assert.NoDirExists(t, m.path("/etc/otelcol-jira"))
	assert.NoDirExists(t, m.path(stateFolder))
}

// newDebian mounts a writable layer in memory over a Debian system.
func newDebian(t *testing.T) machine {
	t.Helper()
	lower := "/"
	if root := os.Getenv("RELEASE_TEST_ROOT"); root != "" {
		lower = root
	}
	memory, m := t.TempDir(), machine{t.TempDir()}
	require.NoError(t, syscall.Mount("tmpfs", memory, "tmpfs", 0, ""))
	upper, work := filepath.Join(memory, "upper"), filepath.Join(memory, "work")
	require.NoError(t, os.Mkdir(upper, 0o755))
	require.NoError(t, os.Mkdir(work, 0o700))
	options := "lowerdir=" + lower + ",upperdir=" + upper + ",workdir=" + work
	require.NoError(t, syscall.Mount("overlay", m.root, "overlay", 0, options))
	m.writeHosts(t)
	require.NoError(t, syscall.Mount("proc", m.path("proc"), "proc", 0, ""))
	require.NoError(t, syscall.Mount("/dev", m.path("dev"), "", syscall.MS_BIND, ""))
	t.Cleanup(func() {
		for _, folder := range []string{m.path("dev"), m.path("proc"), m.root, memory} {
			assert.NoError(t, syscall.Unmount(folder, syscall.MNT_DETACH))
		}
	})
	return m
}

func (m machine) install(t *testing.T, file string) {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(m.path("package.deb"), content, 0o600))
	m.run(t, "/usr/bin/dpkg", "--force-confdef", "--force-confold", "--install", "/package.deb")
}

var secretLine = regexp.MustCompile(`(?m)^JIRA_WEBHOOK_SECRET=([0-9a-f]{64})$`)

// assertInstalledPackage checks files and rights after an installation, and returns the secret.
func (m machine) assertInstalledPackage(t *testing.T) (secret string) {
	t.Helper()
	for file, mode := range installed {
		info, err := os.Stat(m.path(file))
		if strings.HasPrefix(file, "/usr/share/doc/") && os.IsNotExist(err) {
			continue // images of Debian for containers leave out documentation
		}
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(mode), info.Mode(), file)
	}
	environment, err := os.Stat(m.path(environmentFile))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), environment.Mode())
	assert.Zero(t, environment.Sys().(*syscall.Stat_t).Uid)
	state, err := os.Stat(m.path(stateFolder))
	require.NoError(t, err)
	assert.Equal(t, os.ModeDir|0o700, state.Mode())
	assert.Equal(t, m.user(t, "otelcol-jira").Uid, state.Sys().(*syscall.Stat_t).Uid)
	match := secretLine.FindStringSubmatch(m.read(t, environmentFile))
	require.NotNil(t, match)
	return match[1]
}

// user returns the credential of a user of the machine.
func (m machine) user(t *testing.T, name string) *syscall.Credential {
	t.Helper()
	match := regexp.MustCompile(`(?m)^` + name + `:[^:]*:(\d+):(\d+):`).FindStringSubmatch(m.read(t, "/etc/passwd"))
	require.NotNil(t, match, "no user %s", name)
	return &syscall.Credential{Uid: parseID(t, match[1]), Gid: parseID(t, match[2])}
}

// unit returns the values of a key of the installed unit.
func (m machine) unit(t *testing.T, key string) (values []string) {
	t.Helper()
	for line := range strings.Lines(m.read(t, unitFile)) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), key+"="); found {
			values = append(values, value)
		}
	}
	require.NotEmpty(t, values, key)
	return values
}

// unitCommand returns a command of the unit, with its user and its environment.
func (m machine) unitCommand(t *testing.T, line string, variables ...string) *exec.Cmd {
	t.Helper()
	environment := m.unit(t, "Environment")
	for _, file := range m.unit(t, "EnvironmentFile") {
		for line := range strings.Lines(m.read(t, file)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				environment = append(environment, line)
			}
		}
	}
	line = strings.NewReplacer(variables...).Replace(line)
	return m.command(t, environment, m.user(t, m.unit(t, "User")[0]), words(line)...)
}

// words splits a line as systemd does, without escapes.
func words(line string) (words []string) {
	for _, word := range regexp.MustCompile(`'[^']*'|\S+`).FindAllString(line, -1) {
		words = append(words, strings.Trim(word, "'"))
	}
	return words
}

func (m machine) startService(t *testing.T) *collector {
	t.Helper()
	output, err := m.unitCommand(t, m.unit(t, "ExecStartPre")[0]).CombinedOutput()
	require.NoError(t, err, string(output))
	return start(t, m.unitCommand(t, m.unit(t, "ExecStart")[0]))
}

// assertReload reloads the service, first with a mistake in the configuration, which the collector must survive.
func (m machine) assertReload(t *testing.T, c *collector) {
	t.Helper()
	reload := func() error {
		for _, line := range m.unit(t, "ExecReload") {
			if err := m.unitCommand(t, line, "$MAINPID", strconv.Itoa(c.process.Pid)).Run(); err != nil {
				return err
			}
		}
		return nil
	}
	good := m.read(t, configFile)
	write := func(config string) {
		require.NoError(t, os.WriteFile(m.path(configFile), []byte(config), 0o600)) // keeps the mode of the file
	}
	write(strings.Replace(good, "signature:", "signatures:", 1))
	require.Error(t, reload())
	write(good)
	require.NoError(t, reload())
	const listening = "Waiting for Jira to post events"
	require.Eventually(t, func() bool { return strings.Count(c.output(t), listening) == 2 }, waitLimit, 10*time.Millisecond, c.output(t))
	c.awaitHealth(t)
}
