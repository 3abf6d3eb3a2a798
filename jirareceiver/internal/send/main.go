// Command send posts the bodies of a folder to a receiver as Jira would, in the order of their names, and prints what the
// receiver answers. With JIRA_WEBHOOK_SECRET set it signs them.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

const (
	secretVariable = "JIRA_WEBHOOK_SECRET"
	timeout        = 10 * time.Second
	maxAnswer      = 4096
)

func main() {
	url := flag.String("url", "http://localhost:8087/jira/events", "where the receiver listens")
	dir := flag.String("dir", "testdata/life", "folder with the bodies")
	flag.Parse()
	if err := sendAll(*url, *dir, []byte(os.Getenv(secretVariable))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func sendAll(url, dir string, secret []byte) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("no *.json in %s", dir)
	}
	how := "unsigned: " + secretVariable + " is not set"
	if len(secret) > 0 {
		how = "signed with " + secretVariable
	}
	fmt.Printf("POST %s (%s)\n", url, how)
	refused := 0
	for _, file := range files {
		accepted, err := sendFile(url, file, secret)
		if err != nil {
			return err
		}
		if !accepted {
			refused++
		}
	}
	if refused > 0 {
		return fmt.Errorf("%d of %d were refused. At 401, see that %s is the same for the collector", refused, len(files), secretVariable)
	}
	return nil
}

func sendFile(url, file string, secret []byte) (accepted bool, err error) {
	body, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	status, answer, err := post(url, body, secret)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return false, fmt.Errorf("nothing listens at %s: start the collector with `make run` in another terminal", url)
	}
	if err != nil {
		return false, err
	}
	fmt.Printf("  %-20s %s %s\n", filepath.Base(file), status, bytes.TrimSpace(answer))
	return strings.HasPrefix(status, "2"), nil
}

func post(url string, body, secret []byte) (status string, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	d := jirasim.Delivery{ID: rand.Text(), Flow: jirasim.Primary, Body: body}
	request, err := jirasim.NewRequest(ctx, url, secret, d, 0)
	if err != nil {
		return "", nil, err
	}
	response, err := http.DefaultClient.Do(request) //nolint:gosec // the user says where to
	if err != nil {
		return "", nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return response.Status, answer, err
}
