// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package kubernetes checks the manifests of the documentation against the types of Kubernetes, and against each other.
// It is a separate module, so that collectors with the receiver do not depend on its dependencies.
package kubernetes

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

const file = "../../examples/deploy/kubernetes.yaml"

type manifests struct {
	config   *corev1.ConfigMap
	replicas *appsv1.StatefulSet
	services map[string]*corev1.Service
	budget   *policyv1.PodDisruptionBudget
	ingress  *networkingv1.Ingress
}

// read returns the manifests. It fails for unknown kinds, unknown keys, duplicate keys and wrong types.
func read(t *testing.T) manifests {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme} {
		require.NoError(t, add(scheme))
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
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
	case *appsv1.StatefulSet:
		m.replicas = object
	case *corev1.Service:
		m.services[object.Name] = object
	case *policyv1.PodDisruptionBudget:
		m.budget = object
	case *networkingv1.Ingress:
		m.ingress = object
	default:
		assert.Fail(t, "unexpected", "%T", object)
	}
}

// TestManifests follows the references between the manifests.
func TestManifests(t *testing.T) {
	m := read(t)
	pod := m.replicas.Spec.Template
	container := pod.Spec.Containers[0]
	ports := map[string]int32{}
	for _, port := range container.Ports {
		ports[port.Name] = port.ContainerPort
	}
	assert.Equal(t, map[string]int32{"jira": 8087, "metrics": 8888, "health": 13133}, ports)
	assert.EqualValues(t, 2, *m.replicas.Spec.Replicas)
	assert.Equal(t, m.replicas.Spec.Selector.MatchLabels, pod.Labels)
	assert.Equal(t, m.replicas.Spec.Selector, m.budget.Spec.Selector)
	require.Contains(t, m.services, m.replicas.Spec.ServiceName)
	assert.True(t, m.services[m.replicas.Spec.ServiceName].Spec.PublishNotReadyAddresses)
	for name, service := range m.services {
		assert.Equal(t, pod.Labels, service.Spec.Selector)
		for _, port := range service.Spec.Ports {
			assert.Contains(t, ports, port.TargetPort.StrVal, name)
		}
	}
	target := func(probe *corev1.Probe) string { return probe.HTTPGet.Port.StrVal + probe.HTTPGet.Path }
	assert.Equal(t, "health/", target(container.StartupProbe))
	assert.Equal(t, "health/", target(container.LivenessProbe), "a full queue must not cause a restart")
	assert.Equal(t, "jira/health", target(container.ReadinessProbe))
	path := m.ingress.Spec.Rules[0].HTTP.Paths[0]
	assert.Equal(t, "/jira/events", path.Path)
	assert.Equal(t, path.Backend.Service.Port.Name, m.services[path.Backend.Service.Name].Spec.Ports[0].Name)
	assert.Equal(t, m.ingress.Spec.TLS[0].Hosts[0], m.ingress.Spec.Rules[0].Host)
}

// TestVolumes compares the volumes of the pod with their mounts.
func TestVolumes(t *testing.T) {
	m := read(t)
	mounts := map[string]string{}
	for _, mount := range m.replicas.Spec.Template.Spec.Containers[0].VolumeMounts {
		mounts[mount.Name] = mount.MountPath
	}
	state := m.replicas.Spec.VolumeClaimTemplates[0].Name
	config := m.replicas.Spec.Template.Spec.Volumes[0]
	assert.Equal(t, map[string]string{state: "/var/lib/otelcol-jira", config.Name: "/etc/otelcol-jira"}, mounts)
	assert.Equal(t, m.config.Name, config.ConfigMap.Name)
	assert.Contains(t, m.config.Data, "collector.yaml", "the image reads this file")
}

// TestRestricted compares the pod with the strictest of the Pod Security Standards.
func TestRestricted(t *testing.T) {
	pod := read(t).replicas.Spec.Template.Spec
	context := pod.Containers[0].SecurityContext
	assert.True(t, *pod.SecurityContext.RunAsNonRoot)
	assert.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, pod.SecurityContext.SeccompProfile.Type)
	assert.False(t, *context.AllowPrivilegeEscalation)
	assert.Equal(t, []corev1.Capability{"ALL"}, context.Capabilities.Drop)
	assert.True(t, *context.ReadOnlyRootFilesystem)
	assert.NotNil(t, pod.Containers[0].Resources.Limits.Memory())
}
