// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNginxRecipe restarts two collectors behind nginx with the recipe in examples/deploy, if nginx is installed.
func TestNginxRecipe(t *testing.T) {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("nginx is not installed")
	}
	lines := "\n| proxy_next_upstream\t shutdown_delay\t restarts\t sent\t not acknowledged\t lost\t |\n"
	for _, mode := range []struct {
		nextUpstream string
		delay        time.Duration
		loses        bool
	}{
		{"off", 0, true},
		{"error timeout", 0, true},
		{"error timeout", time.Duration(form(1, 5)) * time.Second, false},
	}[form(2, 0):] {
		t.Run(fmt.Sprintf("%s, %v", mode.nextUpstream, mode.delay), func(t *testing.T) {
			b := startBackend(t, willing)
			restarts := form(2, 8)
			results := rollingRestarts(t, b, mode.delay, restarts, func(addresses []string) string {
				return startNginx(t, nginx, string(read(t, root+"/examples/deploy/nginx.conf")), mode.nextUpstream, addresses)
			})
			lost, refused := b.missing(results), notAcknowledged(results)
			lines += fmt.Sprintf("| %s | %v | %d | %d | %d | %d |\n", mode.nextUpstream, mode.delay, restarts, len(results), refused, lost)
			assert.Zero(t, lost)
			if !mode.loses {
				assert.LessOrEqual(t, refused, restarts, "not acknowledged: see TestRollingRestarts")
			}
		})
	}
	t.Log(lines)
}

// startNginx runs a form of examples/deploy/nginx.conf without TLS in a new folder until the end of the test.
func startNginx(t *testing.T, nginx, recipe, nextUpstream string, upstreams []string) (url string) {
	t.Helper()
	dir, listen := t.TempDir(), address(t)
	for _, line := range []string{"listen [::]:443 ssl;", "ssl_certificate /etc/nginx/jira-events.crt;", "ssl_certificate_key /etc/nginx/jira-events.key;"} {
		require.Contains(t, recipe, line)
		recipe = strings.ReplaceAll(recipe, line, "")
	}
	second := "# server 192.0.2.2:8087 max_fails=0;"
	for _, replaced := range []string{"server 127.0.0.1:8087 ", second, "listen 443 ssl;", "proxy_next_upstream error timeout;"} {
		require.Contains(t, recipe, replaced)
	}
	recipe = strings.NewReplacer("server 127.0.0.1:8087 ", "server "+upstreams[0]+" ", second, "server "+upstreams[1]+" max_fails=0;",
		"listen 443 ssl;", "listen "+listen+";", "proxy_next_upstream error timeout;", "proxy_next_upstream "+nextUpstream+";",
		"/var/log/nginx/", dir+"/").Replace(recipe)
	config := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 512; }
http {
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi; uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
%[2]s
}`, dir, recipe)
	file := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	command := exec.CommandContext(t.Context(), nginx, "-p", dir, "-c", file, "-e", dir+"/error.log")
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", listen)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}, waitLimit, 10*time.Millisecond)
	response, err := http.Get("http://" + listen + "/")
	require.NoError(t, err)
	response.Body.Close()
	require.Equal(t, http.StatusNotFound, response.StatusCode)
	return "http://" + listen + "/jira/events"
}
