// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// running is the command with a REST side.
type running struct {
	t     *testing.T
	lines *bufio.Scanner
	base  string
	stop  context.CancelFunc
	ended chan error
}

// start runs the command, and waits for the address of its REST side.
func start(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	in, out := io.Pipe()
	r := &running{t: t, lines: bufio.NewScanner(in), stop: stop, ended: make(chan error, 1)}
	go func() {
		err := run(ctx, append([]string{"-rest", "127.0.0.1:0"}, args...), out)
		out.Close()
		r.ended <- err
	}()
	t.Cleanup(stop)
	r.base = regexp.MustCompile(`http://\S+`).FindString(r.await("REST at"))
	return r
}

// await returns the next line with a text.
func (r *running) await(text string) string {
	r.t.Helper()
	for r.lines.Scan() {
		if strings.Contains(r.lines.Text(), text) {
			return r.lines.Text()
		}
	}
	require.Fail(r.t, "no line with "+text)
	return ""
}

// end interrupts the command, and returns its error.
func (r *running) end() error {
	r.stop()
	for r.lines.Scan() { // the command prints its summary
	}
	return <-r.ended
}

// get returns the answer to a request with a token.
func (r *running) get(resource, token string) (int, map[string]any) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.base+"/rest/api/2/"+resource, http.NoBody)
	require.NoError(r.t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	require.NoError(r.t, err)
	defer response.Body.Close()
	var body map[string]any
	if response.StatusCode == http.StatusOK {
		require.NoError(r.t, json.NewDecoder(response.Body).Decode(&body))
	}
	return response.StatusCode, body
}

// TestREST reads from the REST API the issues of the webhooks that jirasim sent. The REST API requires the token.
func TestREST(t *testing.T) {
	setSecrets(t, "", "")
	t.Setenv(restTokenVariable, "t0p")
	receiver := newReceiver(t, always(http.StatusOK))
	r := start(t, "-url", receiver.URL, "-scenario", "delivery", "-deployment", "data_center", "-rate", "10000")
	assert.True(t, strings.HasSuffix(r.base, "/context"))
	r.await("The REST side stays")
	status, body := r.get("search?jql=", "t0p")
	assert.Equal(t, http.StatusOK, status)
	assert.InDelta(t, 8, body["total"], 0)
	status, _ = r.get("search?jql=", "wrong")
	assert.Equal(t, http.StatusUnauthorized, status)
	assert.NoError(t, r.end())
}

// TestRESTAlone serves a history without webhooks, as far as it has happened.
func TestRESTAlone(t *testing.T) {
	setSecrets(t, "", "")
	t.Setenv(restTokenVariable, "")
	r := start(t, "-url", "", "-rate", "1000", "-deployment", "data_center", "-verbose")
	for range 40 {
		r.await("jira:issue_created")
		if _, body := r.get("search?jql=", ""); body["total"].(float64) > 0 {
			assert.NoError(t, r.end())
			return
		}
	}
	t.Fatal("no issues")
}

// TestRESTAtOnce serves a history that has happened.
func TestRESTAtOnce(t *testing.T) {
	setSecrets(t, "", "")
	t.Setenv(restTokenVariable, "")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	in, out := io.Pipe()
	go func() {
		_ = run(ctx, []string{"-rest", "127.0.0.1:0", "-url", "", "-at-once", "-scenario", "delivery"}, out)
		out.Close()
	}()
	lines := bufio.NewScanner(in)
	require.True(t, lines.Scan())
	assert.Equal(t, "The REST side shows 45 changes: 8 new issues, 21 updates of issues, 8 new and 0 edited comments, "+
		"8 new, 0 edited and 0 deleted worklogs", lines.Text())
	stop()
	for lines.Scan() { // the command may print more
	}
}

// TestRESTFollowsTheHistory stops time after a few events.
func TestRESTFollowsTheHistory(t *testing.T) {
	setSecrets(t, "", "")
	t.Setenv(restTokenVariable, "")
	r := start(t, "-url", "", "-speed-up", "0.0001", "-deployment", "data_center", "-verbose", "-start", "2026-03-02T08:00:00Z")
	r.await("sprint_created")
	_, info := r.get("serverInfo", "")
	assert.Equal(t, "2026-03-02T09:00:00.000+0100", info["serverTime"])
	_, body := r.get("search?jql=", "")
	assert.InDelta(t, 0, body["total"], 0)
	assert.NoError(t, r.end())
}

// TestRESTAdministrator has accounts with and without the right to manage webhooks.
func TestRESTAdministrator(t *testing.T) {
	setSecrets(t, "", "")
	t.Setenv(restTokenVariable, "")
	for _, isAdministrator := range []bool{true, false} {
		r := start(t, "-url", "", "-speed-up", "1", fmt.Sprintf("-rest-admin=%t", isAdministrator))
		_, body := r.get("mypermissions?permissions=ADMINISTER", "")
		permission := body["permissions"].(map[string]any)["ADMINISTER"].(map[string]any)
		assert.Equal(t, isAdministrator, permission["havePermission"])
		assert.NoError(t, r.end())
	}
}

func TestLargeREST(t *testing.T) {
	setSecrets(t, "", "")
	t.Setenv(restTokenVariable, "")
	r := start(t, "-url", "", "-issues", "1234", "-deployment", "data_center")
	_, body := r.get("search?jql=", "")
	assert.InDelta(t, 1234, body["total"], 0)
	assert.NoError(t, r.end())
}

func TestMistakesOfREST(t *testing.T) {
	setSecrets(t, "", "")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for _, test := range []struct {
		args   []string
		expect string
	}{
		{[]string{"-url", ""}, "-url: empty; set -rest"},
		{[]string{"-issues", "5"}, "only for the REST side; set -rest"},
		{[]string{"-issues", "5", "-rest", "127.0.0.1:0"}, "a large site sends no webhooks; set -url ''"},
		{[]string{"-at-once", "-rest", "127.0.0.1:0"}, "-at-once: webhooks need time; set -url ''"},
		{[]string{"-scenario", "../../../testdata/life", "-rest", "127.0.0.1:0"}, "a folder with bodies has no REST side"},
		{[]string{"-url", "", "-rest", taken.Addr().String()}, "address already in use"},
	} {
		assert.ErrorContains(t, run(t.Context(), test.args, io.Discard), test.expect)
	}
}
