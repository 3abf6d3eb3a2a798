// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package kubernetes checks the manifests of the documentation and the Helm chart against the types of Kubernetes, against
// each other, and by a start of the collector with their configuration. It is a separate module, so that collectors with
// the receiver do not depend on its dependencies.
package kubernetes

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

const file = "../../examples/deploy/kubernetes.yaml"

type manifests struct {
	config     *corev1.ConfigMap
	secret     *corev1.Secret
	replicas   *appsv1.StatefulSet
	deployment *appsv1.Deployment
	services   map[string]*corev1.Service
	budget     *policyv1.PodDisruptionBudget
	ingress    *networkingv1.Ingress
	policy     *networkingv1.NetworkPolicy
	monitor    *monitoringv1.ServiceMonitor
}

// decode returns the manifests of a file. It fails for unknown kinds, unknown keys, duplicate keys and wrong types.
func decode(t *testing.T, content []byte) manifests {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme, monitoringv1.AddToScheme,
	} {
		require.NoError(t, add(scheme))
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	m := manifests{services: map[string]*corev1.Service{}}
	for documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content))); ; {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return m
		}
		require.NoError(t, err)
		object, _, err := decoder.Decode(document, nil, nil)
		require.NoError(t, err, string(document))
		m.add(t, object)
	}
}

func (m *manifests) add(t *testing.T, object runtime.Object) {
	t.Helper()
	switch object := object.(type) {
	case *corev1.ConfigMap:
		m.config = object
	case *corev1.Secret:
		m.secret = object
	case *appsv1.StatefulSet:
		m.replicas = object
	case *appsv1.Deployment:
		m.deployment = object
	case *corev1.Service:
		m.services[object.Name] = object
	case *policyv1.PodDisruptionBudget:
		m.budget = object
	case *networkingv1.Ingress:
		m.ingress = object
	case *networkingv1.NetworkPolicy:
		m.policy = object
	case *monitoringv1.ServiceMonitor:
		m.monitor = object
	default:
		assert.Fail(t, "unexpected", "%T", object)
	}
}

// pod returns the template of the pods, and the selector of the workload that owns them.
func (m *manifests) pod() (corev1.PodTemplateSpec, *metav1.LabelSelector) {
	if m.replicas != nil {
		return m.replicas.Spec.Template, m.replicas.Spec.Selector
	}
	return m.deployment.Spec.Template, m.deployment.Spec.Selector
}

func (m *manifests) container() corev1.Container {
	pod, _ := m.pod()
	return pod.Spec.Containers[0]
}

// ports returns the ports of the container by name.
func (m *manifests) ports() map[string]int32 {
	ports := map[string]int32{}
	for _, port := range m.container().Ports {
		ports[port.Name] = port.ContainerPort
	}
	return ports
}

func manual(t *testing.T) manifests {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	return decode(t, content)
}

// all returns the manifests of the documentation, and of the chart under each file of values.
func all(t *testing.T) map[string]manifests {
	t.Helper()
	every := map[string]manifests{"kubernetes.yaml": manual(t)}
	for _, file := range valuesFiles(t) {
		every[file] = decode(t, install(t, file).documents)
	}
	return every
}

// TestReferences follows the references between the manifests.
func TestReferences(t *testing.T) {
	for name, m := range all(t) {
		t.Run(name, func(t *testing.T) {
			pod, selector := m.pod()
			assert.True(t, selects(t, selector, pod.Labels))
			for name, service := range m.services {
				assert.True(t, selects(t, &metav1.LabelSelector{MatchLabels: service.Spec.Selector}, pod.Labels), name)
				for _, port := range service.Spec.Ports {
					assert.Equal(t, m.ports()[port.TargetPort.StrVal], port.Port, "%s %s", name, port.Name)
				}
			}
			if m.replicas != nil {
				require.Contains(t, m.services, m.replicas.Spec.ServiceName)
				assert.True(t, m.services[m.replicas.Spec.ServiceName].Spec.PublishNotReadyAddresses)
			}
			if m.budget != nil {
				assert.Equal(t, selector, m.budget.Spec.Selector)
			}
			if m.ingress != nil {
				backend := m.ingress.Spec.Rules[0].HTTP.Paths[0].Backend.Service
				assert.Equal(t, backend.Port.Name, m.services[backend.Name].Spec.Ports[0].Name)
				assert.Equal(t, m.ingress.Spec.TLS[0].Hosts[0], m.ingress.Spec.Rules[0].Host)
			}
		})
	}
}

func selects(t *testing.T, selector *metav1.LabelSelector, set map[string]string) bool {
	t.Helper()
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	require.NoError(t, err)
	return !parsed.Empty() && parsed.Matches(labels.Set(set))
}

// TestProbes checks that a full queue makes no pod restart, and that no pod gets deliveries meanwhile.
func TestProbes(t *testing.T) {
	for name, m := range all(t) {
		t.Run(name, func(t *testing.T) {
			target := func(probe *corev1.Probe) string { return probe.HTTPGet.Port.StrVal + probe.HTTPGet.Path }
			readiness := "jira/health"
			if _, listens := m.ports()["jira"]; !listens {
				readiness = "health/"
			}
			assert.Equal(t, "health/", target(m.container().StartupProbe))
			assert.Equal(t, "health/", target(m.container().LivenessProbe), "a full queue must not cause a restart")
			assert.Equal(t, readiness, target(m.container().ReadinessProbe))
		})
	}
}

// TestVolumes compares the volumes of the pod with their mounts.
func TestVolumes(t *testing.T) {
	for name, m := range all(t) {
		t.Run(name, func(t *testing.T) {
			pod, _ := m.pod()
			volumes := []string{}
			if m.replicas != nil {
				volumes = append(volumes, m.replicas.Spec.VolumeClaimTemplates[0].Name)
			}
			for _, volume := range pod.Spec.Volumes {
				volumes = append(volumes, volume.Name)
			}
			mounts, paths := []string{}, map[string]string{}
			for _, mount := range m.container().VolumeMounts {
				mounts = append(mounts, mount.Name)
				paths[mount.Name] = mount.MountPath
			}
			assert.ElementsMatch(t, volumes, mounts)
			assert.Equal(t, "/var/lib/otelcol-jira", paths["state"])
			assert.Equal(t, "/etc/otelcol-jira", paths["config"])
			assert.Equal(t, m.config.Name, pod.Spec.Volumes[0].ConfigMap.Name)
			assert.Contains(t, m.config.Data, "collector.yaml", "the image reads this file")
		})
	}
}

// TestRestricted compares the pod with the strictest of the Pod Security Standards.
func TestRestricted(t *testing.T) {
	for name, m := range all(t) {
		t.Run(name, func(t *testing.T) {
			pod, _ := m.pod()
			context := m.container().SecurityContext
			assert.False(t, *pod.Spec.AutomountServiceAccountToken)
			assert.True(t, *pod.Spec.SecurityContext.RunAsNonRoot)
			assert.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, pod.Spec.SecurityContext.SeccompProfile.Type)
			assert.False(t, *context.AllowPrivilegeEscalation)
			assert.Equal(t, []corev1.Capability{"ALL"}, context.Capabilities.Drop)
			assert.True(t, *context.ReadOnlyRootFilesystem)
			assert.Contains(t, m.container().Resources.Limits, corev1.ResourceMemory)
		})
	}
}

// TestManual checks the values of the manifests in the documentation that the chart leaves to its users.
func TestManual(t *testing.T) {
	m := manual(t)
	assert.Equal(t, map[string]int32{"jira": 8087, "metrics": 8888, "health": 13133}, m.ports())
	assert.EqualValues(t, 2, *m.replicas.Spec.Replicas)
	assert.Equal(t, "/jira/events", m.ingress.Spec.Rules[0].HTTP.Paths[0].Path)
}
