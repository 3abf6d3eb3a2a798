package jirareceiver

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/golden"
)

const readme = "../README.md"

func readReadme(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(readme)
	require.NoError(t, err)
	return string(content)
}

// TestReadmeRecord posts the body in the README and compares what it becomes with the record in the README.
func TestReadmeRecord(t *testing.T) {
	_, section, found := strings.Cut(readReadme(t), "\n## The record\n")
	require.True(t, found)
	body := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(section)
	record := regexp.MustCompile("(?s)```text\n(.*?)```").FindStringSubmatch(section)
	require.NotEmpty(t, body)
	require.NotEmpty(t, record)

	next := &sink{}
	r := start(t, next, nil)
	r.post(t, []byte(body[1]))
	require.Len(t, next.AllLogs(), 1)
	assert.Equal(t, record[1], golden.Printed(next.AllLogs()[0]))
}

// TestReadmeNamesEveryOption holds the table of options against the configuration's keys and defaults.
func TestReadmeNamesEveryOption(t *testing.T) {
	_, section, found := strings.Cut(readReadme(t), "\n## Configuration\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	rows := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_:]+)` \\| (.*?) \\|").FindAllStringSubmatch(section, -1) {
		rows[row[1]] = row[2]
	}
	cfg := createDefaultConfig().(*Config)
	options := options("", reflect.ValueOf(cfg.Jira))
	options["endpoint"] = cfg.Server.NetAddr.Endpoint
	options["max_request_body_size"] = strconv.FormatInt(cfg.Server.MaxRequestBodySize, 10)
	options["read_timeout"] = "30s"
	options["write_timeout"] = "1m"
	for key, value := range options {
		documented, found := rows[key]
		if assert.True(t, found, "README.md does not document %s", key) && value != "" {
			assert.Equal(t, "`"+value+"`", documented, "default of %s", key)
		}
		delete(rows, key)
	}
	assert.Empty(t, rows, "README.md documents what is no option")
}

// options returns the keys of a configuration and its defaults, "" for what has none.
func options(prefix string, v reflect.Value) map[string]string {
	found := map[string]string{}
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("mapstructure")
		switch {
		case key == "":
		case v.Field(i).Kind() == reflect.Struct:
			maps.Copy(found, options(prefix+key+"::", v.Field(i)))
		case v.Field(i).Type() == reflect.TypeFor[time.Duration]():
			found[prefix+key] = shortDuration(v.Field(i).Interface().(time.Duration))
		case v.Field(i).Kind() == reflect.Pointer || v.Field(i).Kind() == reflect.Map || v.Field(i).Kind() == reflect.Slice:
			found[prefix+key] = ""
		default:
			found[prefix+key] = fmt.Sprint(v.Field(i).Interface())
		}
	}
	return found
}

// shortDuration writes 2h0m0s as people do.
func shortDuration(d time.Duration) string {
	return strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(d.String())
}

// TestReadmeExplainsEveryReason holds the table of reasons against the code.
func TestReadmeExplainsEveryReason(t *testing.T) {
	source, err := os.ReadFile("failure.go")
	require.NoError(t, err)
	kinds := regexp.MustCompile(`&kind\{http\.\w+, "(\w+)", [^,]+, "(.*)"\}`).FindAllStringSubmatch(string(source), -1)
	require.Len(t, kinds, len(reasons(t)))
	readme := readReadme(t)
	for _, kind := range kinds {
		assert.Contains(t, readme, "\n| `"+kind[1]+"` | "+kind[2]+" |\n")
	}
}
