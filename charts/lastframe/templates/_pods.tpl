{{/* Settings shared by all pods. */}}

{{/* Takes (list $ values uid): the user that the pod runs as, and its placement. */}}
{{- define "lastframe.pod" -}}
{{- $root := index . 0 }}
{{- $part := index . 1 }}
{{- $uid := index . 2 -}}
serviceAccountName: {{ include "lastframe.fullname" $root }}
automountServiceAccountToken: false
# Otherwise Kubernetes would set variables such as OPS_PORT for a Service named `ops`.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ $uid }}
  runAsGroup: {{ $uid }}
  fsGroup: {{ $uid }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $part.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $part.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $part.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $part.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{- define "lastframe.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{- define "lastframe.own-container" -}}
image: {{ include "lastframe.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{ include "lastframe.container" . }}
{{- end }}

{{/* Takes (list $ "api"): spreads the pods over nodes and zones. */}}
{{- define "lastframe.spread" -}}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "lastframe.selector" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}

{{/* Probes of the ops port: alive, and ready to serve. */}}
{{- define "lastframe.probes" -}}
startupProbe:
  httpGet: { path: /livez, port: ops }
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /livez, port: ops }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: { path: /readyz, port: ops }
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
{{- end }}
