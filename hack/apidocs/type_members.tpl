{{- define "type_members" }}
| `{{ .Name }}` | {{ if contains "RawExtension" .Type.Name }}JSON{{ else }}{{ markdownRenderType .Type }}{{ end }} | {{ .Doc | replace "\n" " " | replace "|" "\\|" }} | {{ with .Default }}`{{ . }}`{{ end }} |
{{- $first := true }}
{{- range .Validation }}
{{- if hasPrefix "Required" . }} {{ if not $first }}, {{ end }}required{{ $first = false }}
{{- else if not (hasPrefix "Optional" .) }}{{ if not $first }},{{ end }} {{ . | replace "|" "\\|" }}{{ $first = false }}{{ end }}
{{- end }} |
{{- end -}}
