{{- define "type" }}{{ if markdownShouldRenderType . }}{{ $kind := .GVK }}

### {{ .Name }}

{{ .Doc }}
{{- if .References }}

In{{ range $i, $user := .SortedReferences }}{{ if $i }},{{ end }} {{ markdownRenderTypeLink $user }}{{ end }}.
{{- end }}
{{- if .Members }}

| field | type | what it is | default | bounds |
|---|---|---|---|---|
{{- range .Members }}{{ if not (and $kind (has .Name (list "kind" "apiVersion" "metadata"))) }}{{ template "type_members" . }}{{ end }}{{ end }}
{{- end }}
{{- if .EnumValues }}

| value | meaning |
|---|---|
{{- range .EnumValues }}
| `{{ .Name }}` | {{ regexReplaceAll "^\\w+:? " .Doc "" | replace "\n" " " | replace "|" "\\|" }} |
{{- end }}
{{- end }}
{{- end }}{{ end -}}
