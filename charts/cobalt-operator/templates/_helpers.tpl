{{- define "cobalt-operator.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Short enough that every suffix of this chart still fits into 63 characters. */}}
{{- define "cobalt-operator.fullname" -}}
{{- $name := include "cobalt-operator.name" . }}
{{- $default := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- .Values.fullnameOverride | default $default | trunc 45 | trimSuffix "-" }}
{{- end }}

{{- define "cobalt-operator.serviceAccountName" -}}
{{- $default := .Values.serviceAccount.create | ternary (include "cobalt-operator.fullname" .) "default" }}
{{- .Values.serviceAccount.name | default $default }}
{{- end }}

{{/* What never changes of a release, since selectors cannot: takes a list of the root and the component. */}}
{{- define "cobalt-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "cobalt-operator.name" (index . 0) }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Labels of every object: takes a list of the root and the component. A label of the user never replaces one of ours. */}}
{{- define "cobalt-operator.labels" -}}
{{- $root := index . 0 }}
{{- $ours := include "cobalt-operator.selectorLabels" . | fromYaml }}
{{- $_ := set $ours "app.kubernetes.io/version" $root.Chart.AppVersion }}
{{- $_ := set $ours "app.kubernetes.io/managed-by" $root.Release.Service }}
{{- $_ := set $ours "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") }}
{{- merge $ours $root.Values.commonLabels | toYaml }}
{{- end }}

{{/* Takes a list of the root and the values of an image. */}}
{{- define "cobalt-operator.image" -}}
{{- $image := index . 1 }}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default (index . 0).Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "cobalt-operator.simulatorOrigin" -}}
http://{{ include "cobalt-operator.fullname" . }}-simulator.{{ .Release.Namespace }}.svc
{{- end }}

{{/* Combinations that would install and then not work. */}}
{{- define "cobalt-operator.validate" -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.leaderElection.enabled) }}
{{- fail "replicas: more than one needs leaderElection.enabled" }}
{{- end }}
{{- with .Values.leaderElection }}
{{- if le (int .leaseDurationSeconds) (int .renewDeadlineSeconds) }}
{{- fail "leaderElection.leaseDurationSeconds must be more than leaderElection.renewDeadlineSeconds" }}
{{- end }}
{{- if le (mul 10 (int .renewDeadlineSeconds)) (mul 12 (int .retryPeriodSeconds)) }}
{{- fail "leaderElection.renewDeadlineSeconds must be more than 1.2 times leaderElection.retryPeriodSeconds" }}
{{- end }}
{{- end }}
{{- with .Values.metrics }}
{{- if and (not .enabled) (or .serviceMonitor.enabled .podMonitor.enabled) }}
{{- fail "metrics.serviceMonitor and metrics.podMonitor need metrics.enabled" }}
{{- end }}
{{- if and .podMonitor.enabled .secure (not .podMonitor.authorization) }}
{{- fail "metrics.podMonitor needs metrics.podMonitor.authorization, or metrics.secure=false" }}
{{- end }}
{{- end }}
{{- end }}
