{{/* The name of the scheduler's objects, and of its Lease. */}}
{{- define "kopfwerk.scheduler.fullname" -}}
{{- include "kopfwerk.fullname" . }}-scheduler
{{- end }}

{{/* Whether new pods are given to the scheduler by a webhook, for want of policies that mutate: "true" or nothing. */}}
{{- define "kopfwerk.scheduler.webhook" -}}
{{- with .Values.scheduler }}
{{- if and .enabled .replaceDefault (semverCompare "<1.36-0" $.Capabilities.KubeVersion.Version) }}
{{- if not (include "kopfwerk.webhook" $) }}
{{- fail "before Kubernetes 1.36 scheduler.replaceDefault needs the operator's webhook, which is there with webhook.enabled and without native.enabled; else name the scheduler in your pods: schedulerName" }}
{{- end }}true
{{- end }}
{{- end }}
{{- end }}

{{/* Whose pods are left to the default scheduler: the values of a namespaceSelector. */}}
{{- define "kopfwerk.scheduler.excluded" -}}
{{- append (default list .Values.scheduler.excludedNamespaces) .Release.Namespace | uniq | toYaml }}
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

{{/*
Fail where a profile leaves out a predicate of which kube-scheduler has the filter: it would refuse the same nodes all the
same. Of `profiles`, by the filters that are on in `plugins`, and those that are with all nodes in `filters`.
*/}}
{{- define "kopfwerk.scheduler.checkProfiles" -}}
{{- range $profile, $content := .profiles }}
{{- $listed := $content.predicates }}
{{- if and $listed (kindIs "slice" $listed) (not (has "*" $listed)) }}
{{- range $filter := $.plugins.filter.enabled }}
{{- if not (has $filter.name $listed) }}
{{- $said := printf "scheduler.profiles: profile %q: %s cannot be left out: kube-scheduler" $profile $filter.name }}
{{- if has $filter $.filters.room.filter.enabled }}
{{- fail (printf "%s refuses nodes by it however it is set up, for that is how it finds whom to evict" $said) }}
{{- end }}
{{- $also := ternary " and scheduler.preemption=room" "" (has $filter $.filters.all.filter.enabled) }}
{{- fail (printf "%s finds nodes by it, unless it shows them all: that takes scheduler.nodes=all%s" $said $also) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
