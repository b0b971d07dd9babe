{{- define "kafka-warden.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "kafka-warden.labels" -}}
app.kubernetes.io/name: kafka-warden
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "kafka-warden.selector" -}}
app.kubernetes.io/name: kafka-warden
app.kubernetes.io/component: webhook
{{- end }}

{{/* The account of the webhook, as the API server names it. */}}
{{- define "kafka-warden.user" -}}
system:serviceaccount:{{ .Release.Namespace }}:kafka-warden
{{- end }}

{{/* The CA bundle that stands in a webhook configuration now: an upgrade must not wipe what the webhook injected. */}}
{{- define "kafka-warden.caBundle" -}}
{{- $present := lookup "admissionregistration.k8s.io/v1" .kind "" "kafka-warden" -}}
{{- range ($present.webhooks | default list) -}}
{{- if eq .name $.webhook }}{{ .clientConfig.caBundle }}{{ end -}}
{{- end -}}
{{- end }}

{{- define "kafka-warden.namespaceSelector" -}}
matchLabels:
  kafka-warden.io/enroll: 'true'
matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values:
      - kube-system
      - {{ .Release.Namespace }}
      {{- range .Values.excludedNamespaces }}
      - {{ . }}
      {{- end }}
{{- end }}

{{- define "kafka-warden.notIgnored" -}}
matchExpressions:
  - { key: kafka-warden.io/ignore, operator: NotIn, values: ['true'] }
{{- end }}

{{- define "kafka-warden.conditionsSchema" -}}
type: array
x-kubernetes-list-type: map
x-kubernetes-list-map-keys: [type]
items:
  type: object
  required: [type, status, lastTransitionTime, reason, message]
  properties:
    type: { type: string }
    status: { type: string, enum: ['True', 'False', Unknown] }
    observedGeneration: { type: integer, format: int64 }
    lastTransitionTime: { type: string, format: date-time }
    reason: { type: string }
    message: { type: string, maxLength: 32768 }
{{- end }}
