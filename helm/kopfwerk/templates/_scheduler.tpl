{{/* The name of the scheduler's objects, and of its Lease. */}}
{{- define "kopfwerk.scheduler.fullname" -}}
{{- include "kopfwerk.fullname" . }}-scheduler
{{- end }}

{{/* The image of kube-scheduler: the cluster's own version, unless another is asked for. */}}
{{- define "kopfwerk.scheduler.image" -}}
{{- with .Values.scheduler.kubeScheduler.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- $version := semver $.Capabilities.KubeVersion.Version }}
{{- printf "%s:%s" .repository (default (printf "v%d.%d.%d" $version.Major $version.Minor $version.Patch) .tag) }}
{{- end }}
{{- end }}
{{- end }}
