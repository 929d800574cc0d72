{{/* The chart's name, for labels. */}}
{{- define "kopfwerk.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* What the names of objects begin with. 32 characters leave room for -webhook-certificate: a CronJob's name has 52 at most. */}}
{{- define "kopfwerk.fullname" -}}
{{- $name := include "kopfwerk.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 32 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 32 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 32 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* By what the pods of a component are selected: dict "root" $ "component" "operator". */}}
{{- define "kopfwerk.selector" -}}
app.kubernetes.io/name: {{ include "kopfwerk.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* Labels of every object: dict "root" $ "component" "operator". */}}
{{- define "kopfwerk.labels" -}}
{{ include "kopfwerk.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The image: a digest says more than a tag. */}}
{{- define "kopfwerk.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "kopfwerk.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "kopfwerk.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is needed where serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* Whether custom resources are validated by us: "true" or nothing. */}}
{{- define "kopfwerk.webhook" -}}
{{- if and .Values.webhook.enabled (not .Values.native.enabled) }}true{{ end }}
{{- end }}

{{/* The mode, which is also its rules' name in files/rules.yaml. */}}
{{- define "kopfwerk.mode" -}}
{{- ternary "native" "kopfwerk" .Values.native.enabled }}
{{- end }}

{{/* How a Deployment's pods are replaced. The default's numbers stay behind another type, which Kubernetes refuses. */}}
{{- define "kopfwerk.strategy" -}}
{{- with .Values.strategy }}
{{- ternary (omit . "rollingUpdate") . (eq (get . "type") "Recreate") | toYaml }}
{{- end }}
{{- end }}

{{/* What every pod of the chart has in common, whatever it runs. */}}
{{- define "kopfwerk.pod" -}}
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end }}

{{/* What every container of the chart has in common. */}}
{{- define "kopfwerk.container" -}}
image: {{ include "kopfwerk.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
{{- end }}

{{/* The custom resources, as kubectl takes them. */}}
{{- define "kopfwerk.resources" -}}
{{- $names := list }}
{{- range $path, $_ := .Files.Glob "files/crds/*.yaml" }}
{{- $names = append $names ($.Files.Get $path | fromYaml).metadata.name }}
{{- end }}
{{- join "," $names }}
{{- end }}
