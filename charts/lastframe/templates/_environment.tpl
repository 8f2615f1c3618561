{{/* The environment of api and worker. files/variables.yaml lists the variables of each. */}}

{{/* Takes (list $ "api"): variables of `config` that the part reads, and those set by the chart. */}}
{{- define "lastframe.config" -}}
{{- $root := index . 0 }}
{{- $part := index . 1 }}
{{- $variables := $root.Files.Get "files/variables.yaml" | fromYaml }}
{{- range $name, $value := $root.Values.config }}
{{- if has $part (get $variables.config $name | default list) }}
{{ $name }}: {{ include "lastframe.text" $value | quote }}
{{- end }}
{{- end }}
OPS_HOST: {{ $root.Values.listenAddress | quote }}
{{- if eq $part "api" }}
OPS_PORT: "9088"
HOST: {{ $root.Values.listenAddress | quote }}
PORT: "8088"
{{- else }}
OPS_PORT: "9089"
{{- end }}
{{- if include "lastframe.hasSources" $root }}
SOURCES_FILE: /etc/lastframe/sources/sources.yaml
{{- end }}
{{- include "lastframe.redisConfig" . }}
{{- end }}

{{/* Takes (list $ "api"): the Redis variables that are not secret. */}}
{{- define "lastframe.redisConfig" -}}
{{- $root := index . 0 }}
{{- with include "lastframe.redisUrl" $root }}
REDIS_URL: {{ . | quote }}
{{- end }}
{{- with $root.Values.externalRedis }}
{{- if .framesUrl }}
FRAMES_REDIS_URL: {{ .framesUrl | quote }}
{{- end }}
{{- if .caSecret.name }}
REDIS_CA_FILE: /etc/lastframe/redis-ca/{{ .caSecret.key }}
{{- end }}
{{- if .clientCertSecret }}
REDIS_CERT_FILE: /etc/lastframe/redis-client/tls.crt
REDIS_KEY_FILE: /etc/lastframe/redis-client/tls.key
{{- end }}
{{- end }}
{{- end }}

{{/* Joins a list with commas, and writes large whole numbers without an exponent. */}}
{{- define "lastframe.text" -}}
{{- if kindIs "slice" . }}{{ join "," . }}
{{- else if kindIs "float64" . }}{{ int64 . }}
{{- else }}{{ . }}
{{- end }}
{{- end }}

{{/* REDIS_URL, unless it is secret. */}}
{{- define "lastframe.redisUrl" -}}
{{- if .Values.redis.bundled }}
{{- if not .Values.redis.passwordSecret.name }}redis://{{ include "lastframe.fullname" . }}-redis:6379{{ end }}
{{- else }}{{ .Values.externalRedis.url }}
{{- end }}
{{- end }}

{{/* Takes (list $ "api"): the variables whose values are in Secrets. */}}
{{- define "lastframe.secretEnv" -}}
{{- $root := index . 0 }}
{{- $part := index . 1 }}
{{- $variables := $root.Files.Get "files/variables.yaml" | fromYaml }}
{{- $processes := merge (dict) $variables.secret $variables.config }}
{{- with $root.Values.redis }}
{{- if and .bundled .passwordSecret.name }}
- name: REDIS_PASSWORD
  {{- include "lastframe.fromSecret" .passwordSecret | nindent 2 }}
- name: REDIS_URL
  value: redis://:$(REDIS_PASSWORD)@{{ include "lastframe.fullname" $root }}-redis:6379
{{- end }}
{{- end }}
{{- with $root.Values.externalRedis }}
{{- $isWorker := eq $part "worker" }}
{{- $url := and $isWorker (ne .workerUrlSecret.name "") | ternary .workerUrlSecret .urlSecret }}
{{- $framesUrl := and $isWorker (ne .workerFramesUrlSecret.name "") | ternary .workerFramesUrlSecret .framesUrlSecret }}
{{- if $url.name }}
- name: REDIS_URL
  {{- include "lastframe.fromSecret" $url | nindent 2 }}
{{- end }}
{{- if $framesUrl.name }}
- name: FRAMES_REDIS_URL
  {{- include "lastframe.fromSecret" $framesUrl | nindent 2 }}
{{- end }}
{{- end }}
{{- range $name, $secret := $root.Values.secretEnv }}
{{- if has $part (get $processes $name | default (list "api" "worker")) }}
- name: {{ $name }}
  {{- include "lastframe.fromSecret" $secret | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "lastframe.fromSecret" -}}
valueFrom:
  secretKeyRef:
    name: {{ .name }}
    key: {{ .key }}
{{- end }}

{{- define "lastframe.hasSources" -}}
{{- with .Values -}}
{{ if or .sources.file .sources.existingSecret .slowServer.enabled }}true{{ end }}
{{- end }}
{{- end }}

{{/* The content of SOURCES_FILE, with the slow server's source before the others. */}}
{{- define "lastframe.sourcesFile" -}}
{{- $file := deepCopy .Values.sources.file }}
{{- if .Values.slowServer.enabled }}
{{- $match := printf "http://%s:8888/*" (include "lastframe.slowServer" .) }}
{{- $own := dict "name" "slow-server" "match" $match "networks" .Values.slowServer.networks }}
{{- $_ := set $file "sources" (prepend ($file.sources | default list) $own) }}
{{- end }}
{{- toYaml $file }}
{{- end }}

{{/* Volumes of api and worker, and their mounts. */}}
{{- define "lastframe.volumes" -}}
{{- if include "lastframe.hasSources" . }}
- name: sources
  {{- if .Values.sources.existingSecret }}
  secret:
    secretName: {{ .Values.sources.existingSecret }}
  {{- else }}
  configMap:
    name: {{ include "lastframe.fullname" . }}-sources
  {{- end }}
{{- end }}
{{- with .Values.externalRedis }}
{{- if .caSecret.name }}
- name: redis-ca
  secret:
    secretName: {{ .caSecret.name }}
    items: [{ key: {{ .caSecret.key }}, path: {{ .caSecret.key }} }]
{{- end }}
{{- if .clientCertSecret }}
- name: redis-client
  secret:
    secretName: {{ .clientCertSecret }}
{{- end }}
{{- end }}
{{- end }}

{{- define "lastframe.volumeMounts" -}}
{{- if include "lastframe.hasSources" . }}
# The whole folder, because a single mounted file would never be updated.
- { name: sources, mountPath: /etc/lastframe/sources, readOnly: true }
{{- end }}
{{- if .Values.externalRedis.caSecret.name }}
- { name: redis-ca, mountPath: /etc/lastframe/redis-ca, readOnly: true }
{{- end }}
{{- if .Values.externalRedis.clientCertSecret }}
- { name: redis-client, mountPath: /etc/lastframe/redis-client, readOnly: true }
{{- end }}
{{- end }}
