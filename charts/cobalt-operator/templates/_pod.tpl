{{- define "cobalt-operator.args" -}}
{{- $origins := .Values.allowedAPIOrigins }}
{{- if .Values.simulator.enabled }}
{{- $origins = append $origins (include "cobalt-operator.simulatorOrigin" .) }}
{{- end -}}
{{- with .Values.leaderElection -}}
{{- if .enabled -}}
- --leader-elect
- --leader-elect-lease-duration={{ .leaseDurationSeconds }}s
- --leader-elect-renew-deadline={{ .renewDeadlineSeconds }}s
- --leader-elect-retry-period={{ .retryPeriodSeconds }}s
{{ end -}}
{{- end -}}
- --grace-period={{ .Values.terminationGracePeriodSeconds }}s
{{- if .Values.metrics.enabled }}
- --metrics-bind-address=:{{ .Values.metrics.port }}
- --metrics-secure={{ .Values.metrics.secure }}
{{- if .Values.metrics.certificateSecret }}
- --metrics-cert-dir={{ include "cobalt-operator.certificateFolder" . }}
{{- end }}
{{- else }}
- --metrics-bind-address=0
{{- end }}
- --health-probe-bind-address=:8081
{{- with .Values.watchNamespaces }}
- --watch-namespaces={{ join "," . }}
{{- end }}
- --allowed-api-origins={{ join "," $origins }}
- --sync-interval={{ .Values.syncInterval }}
- --progress-deadline={{ .Values.progressDeadline }}
- --max-concurrent-reconciles={{ .Values.maxConcurrentReconciles }}
- --zap-log-level={{ .Values.log.level }}
- --zap-encoder={{ .Values.log.format }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "cobalt-operator.certificateFolder" -}}
/metrics-certificate
{{- end }}

{{/* Nine tenths of the memory limit, which leaves room for what Go does not count; empty for limits in other units. */}}
{{- define "cobalt-operator.memoryLimit" -}}
{{- $limit := dig "limits" "memory" "" (.Values.resources | default dict) | toString }}
{{- if regexMatch "^[0-9]+Mi$" $limit -}}
{{ div (mul 9 (trimSuffix "Mi" $limit | int)) 10 }}MiB
{{- else if regexMatch "^[0-9]+Gi$" $limit -}}
{{ div (mul 9 1024 (trimSuffix "Gi" $limit | int)) 10 }}MiB
{{- end }}
{{- end }}

{{/* Without NO_PROXY, calls to the API server would go through the proxy as well. */}}
{{- define "cobalt-operator.env" -}}
{{- $given := dict }}
{{- range .Values.extraEnv }}{{ $_ := set $given .name true }}{{ end }}
{{- with include "cobalt-operator.memoryLimit" . }}
{{- if not (hasKey $given "GOMEMLIMIT") }}
- name: GOMEMLIMIT
  value: {{ . }}
{{- end }}
{{- end }}
{{- with .Values.proxy }}
{{- with .httpProxy }}
- name: HTTP_PROXY
  value: {{ quote . }}
{{- end }}
{{- with .httpsProxy }}
- name: HTTPS_PROXY
  value: {{ quote . }}
{{- end }}
{{- if or .httpProxy .httpsProxy }}
- name: NO_PROXY
  value: {{ join "," (compact (list "$(KUBERNETES_SERVICE_HOST)" ".svc" .noProxy)) | quote }}
{{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Constraints that do not say which pods they are about are about the operator's. */}}
{{- define "cobalt-operator.topologySpread" -}}
{{- $selector := dict "matchLabels" (include "cobalt-operator.selectorLabels" (list . "controller-manager") | fromYaml) }}
{{- range .Values.topologySpreadConstraints }}
{{ list (merge (deepCopy .) (hasKey . "labelSelector" | ternary dict (dict "labelSelector" $selector))) | toYaml }}
{{- end }}
{{- end }}
