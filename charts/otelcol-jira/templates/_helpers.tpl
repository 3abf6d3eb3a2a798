{{- define "otelcol-jira.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "otelcol-jira.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "otelcol-jira.labels" -}}
{{ include "otelcol-jira.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* The options of the receiver, in JSON, for fromJson. */}}
{{- define "otelcol-jira.receiver" -}}
{{ dig "receivers" "jira" dict .Values.config | default dict | toJson }}
{{- end }}

{{/* "true" if the receiver listens. Otherwise it polls, or the collector has no receiver jira. */}}
{{- define "otelcol-jira.listens" -}}
{{- $jira := include "otelcol-jira.receiver" . | fromJson }}
{{- if and $jira (dig "listen" true $jira) }}true{{ end }}
{{- end }}

{{/* The path of the webhook. The receiver adds the slash that it may lack. */}}
{{- define "otelcol-jira.path" -}}
/{{ dig "path" "/jira/events" (include "otelcol-jira.receiver" . | fromJson) | trimPrefix "/" }}
{{- end }}

{{/* The path of the health check of the receiver, or nothing if a probe cannot use it. */}}
{{- define "otelcol-jira.healthPath" -}}
{{- $jira := include "otelcol-jira.receiver" . | fromJson }}
{{- $path := dig "health_path" "/health" $jira }}
{{- if and (include "otelcol-jira.listens" .) $path (not $jira.auth) (not (dig "tls" "client_ca_file" "" $jira)) -}}
/{{ trimPrefix "/" $path }}
{{- end }}
{{- end }}

{{/* "true" if the collector may not have a second replica. */}}
{{- define "otelcol-jira.alone" -}}
{{- $jira := include "otelcol-jira.receiver" . | fromJson }}
{{- $polls := has (dig "poll" "mode" "off" $jira) (list "full" "repair") }}
{{- $writes := eq (dig "registration" "mode" "off" $jira) "manage" }}
{{- if or $polls $writes (hasKey (.Values.config.connectors | default dict) "jira_flow") }}true{{ end }}
{{- end }}

{{/* The name of the Secret of the webhook, or nothing. */}}
{{- define "otelcol-jira.webhookSecret" -}}
{{- if .Values.webhookSecret.value }}{{ include "otelcol-jira.name" . }}{{ else }}{{ .Values.webhookSecret.existingSecret }}{{ end }}
{{- end }}

{{/* Four fifths of the limit of the memory, in the notation of Go. */}}
{{- define "otelcol-jira.goMemoryLimit" -}}
{{- $limit := .Values.resources.limits.memory }}
{{- $mebibytes := ternary (mul 1024 (trimSuffix "Gi" $limit)) (trimSuffix "Mi" $limit | int64) (hasSuffix "Gi" $limit) }}
{{- div (mul 4 $mebibytes) 5 }}MiB
{{- end }}

{{/* A duration such as 90s, 1m or 1m30s in seconds. */}}
{{- define "otelcol-jira.seconds" -}}
{{- $minutes := regexFind "^[0-9]+m" . | trimSuffix "m" | default "0" }}
{{- $seconds := regexFind "[0-9]+s$" . | trimSuffix "s" | default "0" }}
{{- add (mul 60 $minutes) $seconds }}
{{- end }}

{{/* The time to stop: preStop, shutdown_delay, the deliveries in the pipeline, and ten seconds for the exporters. */}}
{{- define "otelcol-jira.gracePeriod" -}}
{{- $jira := include "otelcol-jira.receiver" . | fromJson }}
{{- $delay := include "otelcol-jira.seconds" (dig "shutdown_delay" "0s" $jira) }}
{{- $pipeline := include "otelcol-jira.seconds" (dig "write_timeout" "1m" $jira) }}
{{- add 5 $delay $pipeline 10 }}
{{- end }}

{{/* Rejects values that do not fit together. The schema rejects single values. */}}
{{- define "otelcol-jira.check" -}}
{{- $listens := include "otelcol-jira.listens" . }}
{{- if and (include "otelcol-jira.alone" .) (gt (int .Values.replicas) 1) }}
{{- fail "replicas: polling, registration::mode manage and the connector jira_flow need one replica; set replicas: 1" }}
{{- end }}
{{- if and .Values.webhookSecret.value .Values.webhookSecret.existingSecret }}
{{- fail "webhookSecret: existingSecret and value exclude each other; set one of them" }}
{{- end }}
{{- if and (contains "JIRA_WEBHOOK_SECRET" (toJson .Values.config)) (not (include "otelcol-jira.webhookSecret" .)) }}
{{- fail "webhookSecret: the configuration uses JIRA_WEBHOOK_SECRET, and no Secret contains it; set webhookSecret.existingSecret" }}
{{- end }}
{{- $backend := dig "exporters" "otlp_http" (dict "endpoint" "none") .Values.config }}
{{- if not (or $backend.endpoint $backend.logs_endpoint) }}
{{- fail "config.exporters.otlp_http.endpoint: no address; set the address of your backend, such as http://backend.observability.svc:4318" }}
{{- end }}
{{- if and .Values.ingress.enabled (not $listens) }}
{{- fail "ingress.enabled: the receiver does not listen; set ingress.enabled: false" }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) }}
{{- fail "ingress.host: no host; set the host of the URL of the webhook in Jira" }}
{{- end }}
{{- end }}
