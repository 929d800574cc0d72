"""Which state metrics each kind has: a table of where in an object each figure is.

The suffixes are kube-state-metrics'. A metric is `kopfwerk_KIND_SUFFIX`; its labels are `namespace` and the kind's own.
"""

from collections.abc import Callable, Iterator
from typing import Final

from operators.controllers.zones import time_zone
from operators.core.cronjob import delay, next_after_last, zone_name
from operators.core.objects import Obj
from operators.core.statefulset.observed import is_rolling, max_unavailable, partition, replicas
from operators.runtime.state import Family, Labels, condition, conditions, figure, moment, owner, text


def _of_statefulset(suffix: str, help_: str, count: Callable[[Obj], float]) -> Family:
    """Return a metric that upstream's controller has, with upstream's labels."""

    def series(obj: Obj, labels: Labels) -> Iterator[tuple[Labels, float]]:
        policy = obj["spec"].get("podManagementPolicy", "OrderedReady")
        named = {"statefulset_namespace": labels["namespace"], "statefulset_name": labels["statefulset"]}
        yield {**named, "pod_management_policy": policy}, count(obj)

    return Family(suffix, help_, series, prefix="statefulset_controller")


def _unavailable(obj: Obj) -> float:
    return float(max(0, replicas(obj) - (obj.get("status") or {}).get("availableReplicas", 0)))


def _next_run(obj: Obj, labels: Labels) -> Iterator[tuple[Labels, float]]:
    """Yield when a CronJob's first run after the last one starts, or was to start; none where it is suspended."""
    zone = time_zone(zone_name(obj))
    if zone is not None and (found := next_after_last(obj, zone)) is not None:
        yield labels, (found + delay(obj)).timestamp()


def _settings(obj: Obj, labels: Labels) -> Iterator[tuple[Labels, float]]:
    """Yield what a CronJob is told to do, in labels."""
    spec = obj["spec"]
    named = {"schedule": spec["schedule"], "concurrency_policy": spec.get("concurrencyPolicy", "Allow")}
    yield {**labels, **named, "timezone": spec.get("timeZone") or "local"}, 1.0


def _active(obj: Obj, labels: Labels) -> Iterator[tuple[Labels, float]]:
    yield labels, float(len((obj.get("status") or {}).get("active") or ()))


def _new(obj: Obj, labels: Labels) -> Iterator[tuple[Labels, float]]:
    yield labels, float(max(0, replicas(obj) - partition(obj)) if is_rolling(obj) else 0)


_COMMON: Final = (
    moment("created", "metadata.creationTimestamp", "When it was created"),
    moment("deletion_timestamp", "metadata.deletionTimestamp", "When its deletion began"),
    figure("metadata_generation", "metadata.generation", "The generation of what is wanted"),
    figure(
        "status_observed_generation", "status.observedGeneration", "The generation that the controller last acted on"
    ),
)

DEPLOYMENT: Final = (
    *_COMMON,
    figure("spec_replicas", "spec.replicas", "Pods wanted", absent=1),
    figure("spec_paused", "spec.paused", "Whether its rollouts are paused"),
    figure("status_replicas", "status.replicas", "Pods"),
    figure("status_replicas_ready", "status.readyReplicas", "Ready pods"),
    figure("status_replicas_available", "status.availableReplicas", "Available pods"),
    figure("status_replicas_unavailable", "status.unavailableReplicas", "Pods that are lacking or not available"),
    figure("status_replicas_updated", "status.updatedReplicas", "Pods of the newest template"),
    figure("status_terminating_replicas", "status.terminatingReplicas", "Pods on their way out", absent=None),
    conditions("status_condition", "Conditions"),
)

REPLICASET: Final = (
    *_COMMON,
    figure("spec_replicas", "spec.replicas", "Pods wanted", absent=1),
    figure("status_replicas", "status.replicas", "Pods"),
    figure("status_fully_labeled_replicas", "status.fullyLabeledReplicas", "Pods with every label of the template"),
    figure("status_ready_replicas", "status.readyReplicas", "Ready pods"),
    figure("status_terminating_replicas", "status.terminatingReplicas", "Pods on their way out", absent=None),
    owner("owner", "Its controller"),
)

STATEFULSET: Final = (
    *_COMMON,
    figure("replicas", "spec.replicas", "Pods wanted", absent=1),
    figure("ordinals_start", "spec.ordinals.start", "The first pod's number", absent=None),
    figure("status_replicas", "status.replicas", "Pods"),
    figure("status_replicas_ready", "status.readyReplicas", "Ready pods"),
    figure("status_replicas_available", "status.availableReplicas", "Available pods"),
    figure("status_replicas_current", "status.currentReplicas", "Pods of the current revision"),
    figure("status_replicas_updated", "status.updatedReplicas", "Pods of the newest revision"),
    Family(
        "rollout_replicas", "Pods that a rollout is to make new: all from the partition on, none with OnDelete", _new
    ),
    text("status_current_revision", "status.currentRevision", "revision", "The current revision"),
    text("status_update_revision", "status.updateRevision", "revision", "The newest revision"),
    _of_statefulset("statefulset_max_unavailable", "How many pods a rollout may have unavailable", max_unavailable),
    _of_statefulset("statefulset_unavailable_replicas", "Pods that are lacking or not available", _unavailable),
)

DAEMONSET: Final = (
    *_COMMON,
    figure("status_desired_number_scheduled", "status.desiredNumberScheduled", "Nodes that should have a pod"),
    figure("status_current_number_scheduled", "status.currentNumberScheduled", "Nodes that should and do"),
    figure("status_updated_number_scheduled", "status.updatedNumberScheduled", "Nodes with a newest pod"),
    figure("status_number_misscheduled", "status.numberMisscheduled", "Nodes that have a pod and should not"),
    figure("status_number_ready", "status.numberReady", "Nodes with a ready pod"),
    figure("status_number_available", "status.numberAvailable", "Nodes with an available pod"),
    figure("status_number_unavailable", "status.numberUnavailable", "Nodes without an available pod"),
)

JOB: Final = (
    *(family for family in _COMMON if family.suffix != "status_observed_generation"),  # its status has none
    figure("spec_parallelism", "spec.parallelism", "Pods that may run at a time", absent=1),
    figure("spec_completions", "spec.completions", "Pods that have to succeed", absent=None),
    figure("spec_active_deadline_seconds", "spec.activeDeadlineSeconds", "Its deadline", absent=None),
    figure("status_active", "status.active", "Pods that run or are about to"),
    figure("status_succeeded", "status.succeeded", "Pods or indexes that have succeeded"),
    figure("status_failed", "status.failed", "Pods that have failed"),
    moment("status_start_time", "status.startTime", "When it began"),
    moment("status_completion_time", "status.completionTime", "When it was complete"),
    condition("complete", "Complete", "Whether it has succeeded"),
    condition("failed", "Failed", "Whether it has failed"),
    conditions("status_condition", "Conditions"),
    owner("owner", "Its controller"),
)

PODPROBE: Final = (
    *_COMMON,
    figure("status_matched", "status.matched", "Pods that it probes"),
    figure("status_restarts", "status.restarts", "Restarts that it has decided on"),
    *(
        figure(f"status_{kind}_{what}", f"status.{kind}.{what}", f"Pods whose {kind} probe is {what}", absent=None)
        for kind in ("readiness", "liveness", "startup")
        for what in ("passing", "failing")
    ),
)


def _of_service(suffix: str, help_: str, facts: Callable[[Obj], Iterator[Labels]]) -> Family:
    """Return a metric that says things in labels; a Service of ours has in its status what was allocated for it."""

    def series(obj: Obj, labels: Labels) -> Iterator[tuple[Labels, float]]:
        for found in facts(obj):
            yield {**labels, **found}, 1.0

    return Family(suffix, help_, series)


def _service_info(obj: Obj) -> Iterator[Labels]:
    spec, status = obj["spec"], obj.get("status") or {}
    yield {
        "cluster_ip": status.get("clusterIP") or spec.get("clusterIP", ""),
        "external_name": spec.get("externalName", ""),
        "external_traffic_policy": spec.get("externalTrafficPolicy", ""),
        "load_balancer_ip": spec.get("loadBalancerIP", ""),
    }


def _service_type(obj: Obj) -> Iterator[Labels]:
    yield {"type": obj["spec"].get("type", "ClusterIP")}


def _ingress(obj: Obj) -> Iterator[Labels]:
    for entry in ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ():
        yield {"ip": entry.get("ip", ""), "hostname": entry.get("hostname", "")}


def _external_ips(obj: Obj) -> Iterator[Labels]:
    yield from ({"external_ip": address} for address in obj["spec"].get("externalIPs") or ())


SERVICE: Final = (
    *(family for family in _COMMON if family.suffix != "status_observed_generation"),
    _of_service("info", "Its addresses and policies", _service_info),
    _of_service("spec_type", "Its type", _service_type),
    _of_service("spec_external_ip", "Its external addresses", _external_ips),
    _of_service("status_load_balancer_ingress", "The addresses of its load balancer", _ingress),
    conditions("status_condition", "Conditions"),
)

CRONJOB: Final = (
    *(family for family in _COMMON if family.suffix != "status_observed_generation"),  # its status has none
    Family("info", "Its schedule", _settings),
    Family("next_schedule_time", "When the first run after the last one starts, or was to", _next_run),
    Family("status_active", "Jobs that have not ended", _active),
    moment("status_last_schedule_time", "status.lastScheduleTime", "The time of the last run that was started"),
    moment("status_last_successful_time", "status.lastSuccessfulTime", "When the last Job that succeeded did"),
    figure("spec_suspend", "spec.suspend", "Whether no runs are started"),
    figure("spec_starting_deadline_seconds", "spec.startingDeadlineSeconds", "How late a run may start", absent=None),
    figure("spec_successful_job_history_limit", "spec.successfulJobsHistoryLimit", "Successful Jobs kept", absent=None),
    figure("spec_failed_job_history_limit", "spec.failedJobsHistoryLimit", "Failed Jobs kept", absent=None),
)
