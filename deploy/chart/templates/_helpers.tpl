{{- define "kafka-warden.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end -}}
{{- end -}}
{{- end -}}

{{- define "kafka-warden.labels" -}}
app.kubernetes.io/name: kafka-warden
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "kafka-warden.selector" -}}
app.kubernetes.io/name: kafka-warden
app.kubernetes.io/component: webhook
{{- end -}}

{{/* The fence is about one account: the webhook's own. */}}
{{- define "kafka-warden.ofTheWebhook" -}}
- name: of-the-webhook
  expression: request.userInfo.username == 'system:serviceaccount:{{ .Release.Namespace }}:kafka-warden'
{{- end -}}

{{- define "kafka-warden.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "kafka-warden.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Namespaces whose workloads are reviewed: enrolled ones, never the system's or our own. */}}
{{- define "kafka-warden.namespaceSelector" -}}
matchExpressions:
  - key: kafka-warden.io/enroll
    operator: In
    values: ['true']
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values: [kube-system, kube-public, kube-node-lease, {{ .Release.Namespace }}]
{{- end -}}

{{/* Workloads that opted out are not even sent. */}}
{{- define "kafka-warden.objectSelector" -}}
matchExpressions:
  - key: kafka-warden.io/ignore
    operator: NotIn
    values: ['true']
{{- end -}}

{{/* What no review may stand in the way of, and what needs none. */}}
{{- define "kafka-warden.matchConditions" -}}
- name: not-a-cluster-controller
  expression: >-
    !(request.userInfo.username in ['system:serviceaccount:kube-system:generic-garbage-collector',
    'system:serviceaccount:kube-system:namespace-controller', 'system:kube-controller-manager'])
- name: not-being-deleted
  expression: '!has(object.metadata.deletionTimestamp)'
- name: changed
  expression: >-
    request.operation == 'CREATE' || object.spec != oldObject.spec ||
    ['kafka-warden.io/mode', 'kafka-warden.io/cluster', 'kafka-warden.io/profile', 'kafka-warden.io/inverse',
    'kafka-warden.io/layout', 'kafka-warden.io/image-profile', 'kafka-warden.io/kafka-version', 'kafka-warden.io/role',
    'kafka-warden.io/id-offset'].exists(key,
    (has(object.metadata.annotations) && key in object.metadata.annotations ? object.metadata.annotations[key] : '') !=
    (has(oldObject.metadata.annotations) && key in oldObject.metadata.annotations ? oldObject.metadata.annotations[key] : '')) ||
    ['kafka-warden.io/ignore', 'kafka-warden.io/cluster'].exists(key,
    (has(object.metadata.labels) && key in object.metadata.labels ? object.metadata.labels[key] : '') !=
    (has(oldObject.metadata.labels) && key in oldObject.metadata.labels ? oldObject.metadata.labels[key] : ''))
{{- end -}}

{{/* CEL that is true for pods that may run Kafka: while the webhook is down, no others are held up or waited for. */}}
{{- define "kafka-warden.looksLikeKafka" -}}
object.spec.template.spec.containers.exists(container,
(has(container.image) && container.image.lowerAscii().matches('kafka|cp-server')) ||
(has(container.env) && container.env.exists(variable, variable.name.startsWith('KAFKA_'))) ||
(has(container.command) && container.command.exists(word, word.contains('kafka-server-start'))) ||
(has(container.args) && container.args.exists(word, word.contains('kafka-server-start'))))
{{- end -}}

{{/* Nobody's guard may keep a namespace, an owner or a controller from taking away what is theirs. */}}
{{- define "kafka-warden.deletedByAPerson" -}}
- name: not-by-a-controller
  expression: >-
    !(request.userInfo.username in ['system:serviceaccount:kube-system:generic-garbage-collector',
    'system:serviceaccount:kube-system:namespace-controller', 'system:serviceaccount:kube-system:statefulset-controller',
    'system:serviceaccount:kube-system:pvc-protection-controller', 'system:kube-controller-manager'])
- name: not-being-deleted
  expression: '!has(oldObject.metadata.deletionTimestamp)'
{{- end -}}

{{- define "kafka-warden.confirmedDeletion" -}}
has(oldObject.metadata.annotations) && 'kafka-warden.io/confirm-delete' in oldObject.metadata.annotations && oldObject.metadata.annotations['kafka-warden.io/confirm-delete'] == oldObject.metadata.name
{{- end -}}

{{/* CEL that is true for a StatefulSet, as a policy's parameter, that is hardened and has pods. */}}
{{- define "kafka-warden.runsHardened" -}}
has(params.metadata.annotations) && 'kafka-warden.io/layout' in params.metadata.annotations && !has(params.metadata.deletionTimestamp) && has(params.status.replicas) && params.status.replicas > 0
{{- end -}}

{{/* metav1.Condition */}}
{{- define "kafka-warden.conditions" -}}
type: array
x-kubernetes-list-type: map
x-kubernetes-list-map-keys: [type]
items:
  type: object
  required: [type, status, reason, message, lastTransitionTime]
  properties:
    type: { type: string, maxLength: 316 }
    status: { type: string, enum: ['True', 'False', Unknown] }
    observedGeneration: { type: integer, format: int64, minimum: 0 }
    lastTransitionTime: { type: string, format: date-time }
    reason: { type: string, minLength: 1, maxLength: 1024 }
    message: { type: string, maxLength: 32768 }
{{- end -}}

{{/* Bytes, or bytes a second, as a Kubernetes quantity: 500, 20M, 1.5Gi. */}}
{{- define "kafka-warden.quantity" -}}
x-kubernetes-int-or-string: true
anyOf:
  - type: integer
  - type: string
minimum: 1
maxLength: 20
pattern: ^(0\.0*[1-9][0-9]*|[1-9][0-9]*(\.[0-9]+)?)(k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$
{{- end -}}
