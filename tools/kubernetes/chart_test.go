// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

const chartFolder = "../../charts/otelcol-jira"

// valuesFiles returns the names of the example values of the chart.
func valuesFiles(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob(chartFolder + "/ci/*-values.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		names = append(names, filepath.Base(file))
	}
	return names
}

// rendered is the output of `helm install`.
type rendered struct {
	documents []byte
	notes     string
}

// install renders the chart with example values, and further values.
func install(t *testing.T, valuesFile string, more ...string) rendered {
	t.Helper()
	result, err := tryInstall(t, valuesFile, more...)
	require.NoError(t, err)
	return result
}

// tryInstall returns the error of the schema, or of a template that rejects the values. The file may be empty.
func tryInstall(t *testing.T, valuesFile string, more ...string) (rendered, error) {
	t.Helper()
	values := chartutil.Values{}
	if valuesFile != "" {
		read, err := chartutil.ReadValuesFile(chartFolder + "/ci/" + valuesFile)
		require.NoError(t, err)
		values = read
	}
	for _, text := range more {
		var overrides map[string]any
		require.NoError(t, yaml.UnmarshalStrict([]byte(text), &overrides))
		values = merge(values, overrides)
	}
	chart, err := loader.Load(chartFolder)
	require.NoError(t, err)
	release := chartutil.ReleaseOptions{Name: "otelcol-jira", Namespace: "jira-events", IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, values, release, chartutil.DefaultCapabilities)
	if err != nil {
		return rendered{}, err
	}
	files, err := engine.Render(chart, all)
	if err != nil {
		return rendered{}, err
	}
	var result rendered
	var documents []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if filepath.Base(name) == "NOTES.txt" {
			result.notes = files[name]
		} else if strings.TrimSpace(files[name]) != "" {
			documents = append(documents, files[name])
		}
	}
	result.documents = []byte(strings.Join(documents, "\n---\n"))
	return result, nil
}

// merge returns values in which overrides take precedence, as with several files of values. In contrast to the merge of
// Helm's packages, null stays, so that it removes a default of the chart.
func merge(values, overrides map[string]any) map[string]any {
	merged := maps.Clone(values)
	for key, override := range overrides {
		below, isMap := override.(map[string]any)
		before, wasMap := merged[key].(map[string]any)
		if isMap && wasMap {
			merged[key] = merge(before, below)
		} else {
			merged[key] = override
		}
	}
	return merged
}

// TestLint lints the chart as `helm lint --strict` does.
func TestLint(t *testing.T) {
	for _, file := range valuesFiles(t) {
		values, err := chartutil.ReadValuesFile(chartFolder + "/ci/" + file)
		require.NoError(t, err)
		for _, message := range lint.All(chartFolder, values, "jira-events", true).Messages {
			assert.Less(t, message.Severity, support.WarningSev, "%s: %s", file, message)
		}
	}
}

// TestChartIsManual compares the chart with the manifests of the documentation, which users can read without Helm.
func TestChartIsManual(t *testing.T) {
	want, got := manual(t), decode(t, install(t, "webhooks-values.yaml", "replicas: 2").documents)
	assert.YAMLEq(t, want.config.Data["collector.yaml"], got.config.Data["collector.yaml"])
	assert.Equal(t, want.ingress.Annotations, got.ingress.Annotations)
	assert.Equal(t, want.ingress.Spec, got.ingress.Spec)
	assert.Equal(t, want.budget.Spec.MaxUnavailable, got.budget.Spec.MaxUnavailable)
	assert.Equal(t, want.replicas.Spec.VolumeClaimTemplates, got.replicas.Spec.VolumeClaimTemplates)
	assert.Equal(t, podSpec(want), podSpec(got))
}

// podSpec returns the specification of the pod without the image, the amount of GOMEMLIMIT, and the labels of selectors.
func podSpec(m manifests) corev1.PodSpec {
	pod, _ := m.pod()
	spec := pod.Spec.DeepCopy()
	spec.TopologySpreadConstraints[0].LabelSelector = nil
	container := &spec.Containers[0]
	container.Image, container.ImagePullPolicy, container.Args = "", "", nil
	for i := range container.Env {
		container.Env[i].Value = ""
	}
	return *spec
}

// TestValues checks what values do to the manifests.
func TestValues(t *testing.T) {
	render := func(file, values string) manifests { return decode(t, install(t, file, values).documents) }

	m := render("webhooks-values.yaml", "resources: {limits: {memory: 512Mi}}")
	assert.Equal(t, "409MiB", variables(m)["GOMEMLIMIT"])
	assert.Equal(t, "819MiB", variables(render("webhooks-values.yaml", ""))["GOMEMLIMIT"])
	assert.Nil(t, m.budget, "one replica, and a budget would do nothing")
	assert.Nil(t, m.secret)

	m = render("replicas-values.yaml", "")
	pod, _ := m.pod()
	assert.EqualValues(t, 5+5+90+10, *pod.Spec.TerminationGracePeriodSeconds)
	assert.NotContains(t, m.ingress.Annotations, "nginx.ingress.kubernetes.io/upstream-hash-by")
	assert.Contains(t, m.ingress.Annotations, "nginx.ingress.kubernetes.io/proxy-body-size")
	assert.Equal(t, "jira", m.policy.Spec.Ingress[0].Ports[0].Port.StrVal)
	assert.Len(t, m.policy.Spec.Ingress[0].From, 1)
	assert.Equal(t, "prometheus", m.monitor.Labels["release"])

	m = render("trial-values.yaml", "")
	assert.Nil(t, m.replicas)
	assert.NotNil(t, m.deployment, "without storage")
	assert.Equal(t, "a secret for the trial", m.secret.StringData["secret"])
	assert.Equal(t, m.secret.Name, m.container().Env[0].ValueFrom.SecretKeyRef.Name)

	m = render("polling-values.yaml", "storage: {enabled: false}")
	assert.EqualValues(t, "Recreate", m.deployment.Spec.Strategy.Type, "two pods would poll at the same time")
	assert.NotContains(t, m.services, "otelcol-jira", "nothing listens")
	assert.NotContains(t, variables(m), "JIRA_WEBHOOK_SECRET")

	m = render("webhooks-values.yaml", "config: {receivers: {jira: {tls: {cert_file: a, key_file: b}, path: /hook, health_path: /up}}}")
	assert.EqualValues(t, "HTTPS", m.container().ReadinessProbe.HTTPGet.Scheme)
	assert.Equal(t, "/up", m.container().ReadinessProbe.HTTPGet.Path)
	assert.Equal(t, "/hook", m.ingress.Spec.Rules[0].HTTP.Paths[0].Path)
	m = render("webhooks-values.yaml", "config: {receivers: {jira: {path: hook, health_path: up}}}")
	assert.Equal(t, "/up", m.container().ReadinessProbe.HTTPGet.Path, "the receiver adds the slash")
	assert.Equal(t, "/hook", m.ingress.Spec.Rules[0].HTTP.Paths[0].Path)
	m = render("webhooks-values.yaml", `config: {receivers: {jira: {health_path: ""}}}`)
	assert.Equal(t, "health", m.container().ReadinessProbe.HTTPGet.Port.StrVal, "the receiver has no health check")
	m = render("webhooks-values.yaml", "config: {receivers: {jira: {auth: {authenticator: basicauth}}}}")
	assert.Equal(t, "/", m.container().ReadinessProbe.HTTPGet.Path, "the probe has no credentials")
}

func variables(m manifests) map[string]string {
	all := map[string]string{}
	for _, variable := range m.container().Env {
		all[variable.Name] = variable.Value
	}
	return all
}

// TestScrapedPorts checks that the ServiceMonitor finds one Service for each port, so that nothing is scraped twice.
func TestScrapedPorts(t *testing.T) {
	m := decode(t, install(t, "flow-values.yaml", "networkPolicy: {enabled: true}").documents)
	assert.Equal(t, map[string]int32{"jira": 8087, "metrics": 8888, "health": 13133, "flow": 9464}, m.ports())
	var scraped []string
	for _, endpoint := range m.monitor.Spec.Endpoints {
		scraped = append(scraped, endpoint.Port)
		found := 0
		for _, service := range m.services {
			if !selects(t, &m.monitor.Spec.Selector, service.Labels) {
				continue
			}
			for _, port := range service.Spec.Ports {
				if port.Name == endpoint.Port {
					found++
				}
			}
		}
		assert.Equal(t, 1, found, endpoint.Port)
	}
	assert.Equal(t, []string{"metrics", "flow"}, scraped)
	var allowed []string
	for _, rule := range m.policy.Spec.Ingress {
		for _, port := range rule.Ports {
			allowed = append(allowed, port.Port.StrVal)
		}
	}
	assert.Equal(t, []string{"jira", "metrics", "flow"}, allowed)
}

// TestRestart checks that a change of the configuration or of the secret replaces the pods, and that nothing else does.
func TestRestart(t *testing.T) {
	annotations := func(values string) map[string]string {
		m := decode(t, install(t, "trial-values.yaml", values).documents)
		pod, _ := m.pod()
		return pod.Annotations
	}
	before := annotations("")
	assert.Equal(t, before, annotations("replicas: 2"))
	assert.NotEqual(t, before, annotations("config: {receivers: {jira: {changelog: split}}}"))
	assert.NotEqual(t, before, annotations("webhookSecret: {value: another secret}"))
}

// TestMistakes checks that mistakes are refused before anything reaches the cluster.
func TestMistakes(t *testing.T) {
	for _, mistake := range []struct{ file, values, message string }{
		{"", "", "webhookSecret: the configuration uses JIRA_WEBHOOK_SECRET, and no Secret contains it; set webhookSecret.existingSecret"},
		{"", "webhookSecret: {existingSecret: a}", "config.exporters.otlp_http.endpoint: no address; set the address of your backend"},
		{"trial-values.yaml", "webhookSecret: {existingSecret: a}", "webhookSecret: existingSecret and value exclude each other; set one of them"},
		{"polling-values.yaml", "replicas: 2", "replicas: polling, registration::mode manage and the connector jira_flow need one replica; set replicas: 1"},
		{"flow-values.yaml", "replicas: 2", "replicas: polling, registration::mode manage and the connector jira_flow need one replica; set replicas: 1"},
		{"webhooks-values.yaml", "{replicas: 2, config: {receivers: {jira: {registration: {mode: manage}}}}}", "set replicas: 1"},
		{"webhooks-values.yaml", "{replicas: 2, config: {receivers: {jira: {poll: {mode: repair}}}}}", "set replicas: 1"},
		{"polling-values.yaml", "ingress: {enabled: true}", "ingress.enabled: the receiver does not listen; set ingress.enabled: false"},
		{"webhooks-values.yaml", `ingress: {host: ""}`, "ingress.host: no host; set the host of the URL of the webhook in Jira"},

		{"webhooks-values.yaml", "replica: 2", "additional properties 'replica' not allowed"},
		{"webhooks-values.yaml", "replicas: 0", "at '/replicas': minimum: got 0, want 1"},
		{"webhooks-values.yaml", `replicas: "2"`, "at '/replicas': got string, want integer"},
		{"webhooks-values.yaml", "ingress: {hosts: [a]}", "at '/ingress': additional properties 'hosts' not allowed"},
		{"webhooks-values.yaml", "ingress: {host: https://jira-events.example.com}", "at '/ingress/host'"},
		{"webhooks-values.yaml", "resources: {limits: {memory: 1.5Gi}}", "at '/resources/limits/memory'"},
		{"webhooks-values.yaml", "resources: {limits: {memory: null}}", "at '/resources/limits': missing property 'memory'"},
		{"webhooks-values.yaml", "extraEnv: [{name: PORT, value: 8080}]", "at '/extraEnv/0/value': got number, want string"},
		{"webhooks-values.yaml", "storage: {size: 5}", "at '/storage/size': got number, want string"},
		{"webhooks-values.yaml", "extraMetricsPorts: {metrics: 9464}", "at '/extraMetricsPorts/metrics'"},
		{"webhooks-values.yaml", "extraMetricsPorts: {Flow: 9464}", "at '/extraMetricsPorts': additional properties 'Flow' not allowed"},
		{"webhooks-values.yaml", "config: {receivers: {jira: {endpoint: localhost:8087}}}", "at '/config/receivers/jira/endpoint'"},
		{"webhooks-values.yaml", "config: {receivers: {jira: {write_timeout: 500ms}}}", "at '/config/receivers/jira/write_timeout'"},
		{"webhooks-values.yaml", "config: {extensions: {health_check: null}}", "at '/config/extensions': missing property 'health_check'"},
		{"webhooks-values.yaml", "config: {exporter: {debug: {}}}", "at '/config': additional properties 'exporter' not allowed"},
	} {
		_, err := tryInstall(t, mistake.file, mistake.values)
		assert.ErrorContains(t, err, mistake.message, "%s %s", mistake.file, mistake.values)
	}
}

// TestPackage checks that `make chart` packages the chart for the version of the collector that the manifest of ocb names.
func TestPackage(t *testing.T) {
	manifest, err := os.ReadFile("../../builder-config.yaml")
	require.NoError(t, err)
	version := regexp.MustCompile(`(?m)^ {2}version: (.+)$`).FindSubmatch(manifest)
	require.NotNil(t, version)
	folder := t.TempDir()
	output, err := exec.CommandContext(t.Context(), "make", "-C", "../..", "chart", "DIST="+folder).CombinedOutput()
	require.NoError(t, err, string(output))
	packaged, err := loader.Load(fmt.Sprintf("%s/otelcol-jira-%s.tgz", folder, version[1]))
	require.NoError(t, err)
	chart, err := loader.Load(chartFolder)
	require.NoError(t, err)
	assert.Equal(t, string(version[1]), packaged.Metadata.Version)
	assert.Equal(t, string(version[1]), packaged.Metadata.AppVersion, "the tag of the image")
	assert.ElementsMatch(t, chart.Raw, packaged.Raw)
}

// TestNotes checks the advice after an installation.
func TestNotes(t *testing.T) {
	notes := func(file string) string { return install(t, file).notes }
	assert.Contains(t, notes("webhooks-values.yaml"), "   https://jira-events.example.com/jira/events\n")
	assert.Contains(t, notes("webhooks-values.yaml"), "in the key secret of the Secret jira-webhook")
	assert.Contains(t, notes("replicas-values.yaml"), "log.record.uid")
	assert.Contains(t, notes("trial-values.yaml"), "rollout status deployment/otelcol-jira\n")
	assert.Contains(t, notes("trial-values.yaml"), "WARNING: without storage")
	assert.Contains(t, notes("polling-values.yaml"), "logs statefulset/otelcol-jira")
	for _, file := range valuesFiles(t) {
		assert.NotContains(t, notes(file), "a secret for the trial")
		assert.NotRegexp(t, `\n\n\n|[ \t]\n`, notes(file), file)
	}
}

// TestChartPage compares the table of values on the page of the chart with the values and their defaults.
func TestChartPage(t *testing.T) {
	page, err := os.ReadFile(chartFolder + "/README.md")
	require.NoError(t, err)
	documented := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-zA-Z.]+)` \\| (.*?) \\|").FindAllSubmatch(page, -1) {
		documented[string(row[1])] = strings.Trim(string(row[2]), "`")
	}
	chart, err := loader.Load(chartFolder)
	require.NoError(t, err)
	want := map[string]string{}
	flatten(want, "", chart.Values)
	assert.Equal(t, want, documented)
}

// whole contains the values whose contents the page does not list.
var whole = []string{"config", "ingress.annotations", "podSecurityContext", "resources.requests"}

// flatten adds the defaults of values to defaults. An empty default is documented as none.
func flatten(defaults map[string]string, prefix string, values map[string]any) {
	for key, value := range values {
		below, isMap := value.(map[string]any)
		switch {
		case slices.Contains(whole, prefix+key):
			defaults[prefix+key] = "see values.yaml"
		case isMap && len(below) > 0:
			flatten(defaults, prefix+key+".", below)
		case strings.Trim(fmt.Sprint(value), "map[]") == "":
			defaults[prefix+key] = "none"
		default:
			defaults[prefix+key] = fmt.Sprint(value)
		}
	}
}

// TestChartPageValues renders the chart with each file of values on its page.
func TestChartPageValues(t *testing.T) {
	page, err := os.ReadFile(chartFolder + "/README.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)\n( *)```yaml\n(.*?)```").FindAllSubmatch(page, -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		values := strings.ReplaceAll("\n"+string(block[2]), "\n"+string(block[1]), "\n")
		decode(t, install(t, "", values).documents)
	}
}
