{{- define "gvDetails" }}
## {{ .GroupVersionString }}
{{- $group := . }}
{{ range .SortedKinds }}
- {{ $group.TypeForKind . | markdownRenderTypeLink }}
{{- end }}
{{- range .SortedKinds }}{{ template "type" ($group.TypeForKind .) }}{{ end }}

## Types
{{ range .SortedTypes }}{{ if not .GVK }}{{ template "type" . }}{{ end }}{{ end }}
{{- end -}}
