{{- define "antiphon.name" -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "antiphon.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "antiphon.labels" -}}
{{ include "antiphon.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "antiphon.secret" -}}
{{ .Values.secrets.existing | default (include "antiphon.name" .) }}
{{- end -}}

{{- /* Where the fronts find engines. */ -}}
{{- define "antiphon.engineUrl" -}}
{{- if .Values.router.enabled -}}
http://{{ include "antiphon.name" . }}-router:8000
{{- else if .Values.engine.enabled -}}
http://{{ include "antiphon.name" . }}-engine:8000
{{- else -}}
{{ required "engine.url: say where the engines are, or enable engine" .Values.engine.url }}
{{- end -}}
{{- end -}}

{{- define "antiphon.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "antiphon.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
