{{/* Rejects contradictory values, with a sentence that says what to do. */}}

{{- define "lastframe.checks" -}}
{{- include "lastframe.checkRedis" . }}
{{- include "lastframe.checkVariables" . }}
{{- include "lastframe.checkTracing" . }}
{{- include "lastframe.checkScale" . }}
{{- include "lastframe.checkEnd" (dict "name" "api" "part" .Values.api "preStop" .Values.api.preStopSeconds) }}
{{- include "lastframe.checkEnd" (dict "name" "worker" "part" .Values.worker "preStop" 0) }}
{{- include "lastframe.checkMemory" . }}
{{- with .Values }}
{{- if and .sources.existingSecret (or .sources.file .sources.files) }}
{{- fail "sources.existingSecret and sources.file are both set: put all sources into one of them." }}
{{- end }}
{{- if and .sources.existingSecret .slowServer.enabled }}
{{- fail "slowServer.enabled adds a source, which is impossible with sources.existingSecret: use sources.file." }}
{{- end }}
{{- if and .ingress.tlsSecret (not .ingress.host) }}
{{- fail "ingress.tlsSecret is set without ingress.host: set the host of its certificate." }}
{{- end }}
{{- end }}
{{- end }}

{{- define "lastframe.checkRedis" -}}
{{- $external := .Values.externalRedis }}
{{- $bundled := .Values.redis.bundled }}
{{- if and $bundled (or $external.url $external.urlSecret.name) }}
{{- fail "redis.bundled is true and externalRedis has a URL: set redis.bundled to false, or remove the URL." }}
{{- end }}
{{- if not (or $bundled $external.url $external.urlSecret.name) }}
{{- fail "redis.bundled is false and no external Redis is configured: set externalRedis.url or externalRedis.urlSecret." }}
{{- end }}
{{- if and $external.url $external.urlSecret.name }}
{{- fail "externalRedis.url and externalRedis.urlSecret are both set: keep one." }}
{{- end }}
{{- if and $external.framesUrl $external.framesUrlSecret.name }}
{{- fail "externalRedis.framesUrl and externalRedis.framesUrlSecret are both set: keep one." }}
{{- end }}
{{- if or (and $external.workerUrlSecret.name (not $external.urlSecret.name)) (and $external.workerFramesUrlSecret.name (not $external.framesUrlSecret.name)) }}
{{- fail "externalRedis: if the worker has its own URL in a Secret, the api needs one in a Secret too." }}
{{- end }}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.egress) (or (not $bundled) $external.framesUrl $external.framesUrlSecret.name) }}
{{- fail "networkPolicy.enabled blocks the external Redis: allow it in networkPolicy.egress." }}
{{- end }}
{{- end }}

{{- define "lastframe.checkTracing" -}}
{{- $isOn := or (hasKey .Values.config "OTEL_EXPORTER_OTLP_ENDPOINT") (hasKey .Values.config "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") }}
{{- if and $isOn .Values.networkPolicy.enabled (not .Values.networkPolicy.egress) }}
{{- fail "networkPolicy.enabled blocks the trace collector: allow it in networkPolicy.egress." }}
{{- end }}
{{- end }}

{{- define "lastframe.checkVariables" -}}
{{- $variables := .Files.Get "files/variables.yaml" | fromYaml }}
{{- range $name, $_ := .Values.config }}
{{- with get $variables.chart $name }}
{{- fail (printf "config.%s cannot be set: %s." $name .) }}
{{- end }}
{{- if hasKey $variables.secret $name }}
{{- fail (printf "config.%s would be readable in a ConfigMap: set it in secretEnv." $name) }}
{{- end }}
{{- end }}
{{- range $name, $_ := .Values.secretEnv }}
{{- with get $variables.chart $name }}
{{- fail (printf "secretEnv.%s cannot be set: %s." $name .) }}
{{- end }}
{{- if hasKey $.Values.config $name }}
{{- fail (printf "%s is in config and in secretEnv: keep one." $name) }}
{{- end }}
{{- end }}
{{- if ne (hasKey .Values.secretEnv "QUEUES_USER") (hasKey .Values.secretEnv "QUEUES_PASSWORD") }}
{{- fail "QUEUES_USER and QUEUES_PASSWORD: only one of them is in secretEnv; set both or neither." }}
{{- end }}
{{- end }}

{{- define "lastframe.checkScale" -}}
{{- if and .Values.worker.autoscaling.enabled .Values.worker.keda.enabled }}
{{- fail "worker.autoscaling and worker.keda are both enabled: two autoscalers would fight over the workers." }}
{{- end }}
{{- $scalers := dict "api.autoscaling" .Values.api.autoscaling "worker.autoscaling" .Values.worker.autoscaling "worker.keda" .Values.worker.keda }}
{{- range $name, $scaler := $scalers }}
{{- if gt (int $scaler.minReplicas) (int $scaler.maxReplicas) }}
{{- fail (printf "%s.minReplicas is %d, above its maxReplicas of %d." $name (int $scaler.minReplicas) (int $scaler.maxReplicas)) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Both drain for at most 13 s, see the closing steps in their main.ts. */}}
{{- define "lastframe.checkEnd" -}}
{{- $needed := add (int .preStop) 13 }}
{{- if le (int .part.terminationGracePeriodSeconds) $needed }}
{{- fail (printf "%s.terminationGracePeriodSeconds is %d: it must be longer than the %d s that shutdown takes." .name (int .part.terminationGracePeriodSeconds) $needed) }}
{{- end }}
{{- end }}

{{- define "lastframe.checkMemory" -}}
{{- with dig "limits" "memory" "" .Values.api.resources }}
{{- $frames := get $.Values.config "MEMORY_LIMIT" | default "256MiB" }}
{{- $unsent := hasKey $.Values.config "MAX_UNSENT_BYTES" | ternary (get $.Values.config "MAX_UNSENT_BYTES") "64MiB" }}
{{- $held := addf (include "lastframe.bytes" $frames | float64) (include "lastframe.bytes" $unsent | float64) }}
{{- $needed := addf $held (mulf 384 1048576) | int64 }}
{{- if lt (include "lastframe.bytes" . | int64) $needed }}
{{- fail (printf "api.resources.limits.memory is %v: it must cover MEMORY_LIMIT (%v), MAX_UNSENT_BYTES (%v) and 384 MiB." . $frames $unsent) }}
{{- end }}
{{- end }}
{{- if .Values.redis.bundled }}
{{- with dig "limits" "memory" "" .Values.redis.resources }}
{{- if le (include "lastframe.bytes" . | int64) (include "lastframe.bytes" $.Values.redis.maxMemory | int64) }}
{{- fail (printf "redis.resources.limits.memory is %v: it must exceed redis.maxMemory (%v)." . $.Values.redis.maxMemory) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Converts a size to bytes, in the form of Kubernetes (640Mi), Redis (512mb) or Lastframe (1MiB). */}}
{{- define "lastframe.bytes" -}}
{{- $text := . | toString }}
{{- $number := regexFind "^[0-9.]+" $text }}
{{- $unit := trimPrefix $number $text | lower }}
{{- $units := dict "" 1 "b" 1 "k" 1000 "m" 1000000 "g" 1000000000 "ki" 1024 "mi" 1048576 "gi" 1073741824 "kib" 1024 "mib" 1048576 "gib" 1073741824 "kb" 1024 "mb" 1048576 "gb" 1073741824 }}
{{- mulf ($number | float64) (get $units $unit) | int64 }}
{{- end }}
