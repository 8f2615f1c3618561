{{/* Names and labels. Selectors must never change: they are immutable in an existing release. */}}

{{- define "lastframe.fullname" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "lastframe.slowServer" -}}
{{ .Values.slowServer.serviceName | default (printf "%s-slow-server" (include "lastframe.fullname" .)) }}
{{- end }}

{{/* Takes (list $ "api"): the labels that select the pods of a part. */}}
{{- define "lastframe.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: lastframe
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "lastframe.labels" -}}
{{- $root := index . 0 -}}
{{ include "lastframe.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Takes (list $ "api"). Contains no version, or every upgrade would restart Redis too. */}}
{{- define "lastframe.podLabels" -}}
{{ include "lastframe.selector" . }}
{{- with (index . 0).Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "lastframe.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
