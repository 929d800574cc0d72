"""The custom resources: names, columns, rules, and what their own fields mean."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.support.crdgen import job_status, podprobe, rules
from tests.support.crdgen.schema import Definitions, Schema


def _column(name: str, path: str, kind: str = "string", priority: int = 0) -> dict[str, Any]:
    """Return a column of `kubectl get`; priority 1 shows with `-o wide` only."""
    return {"name": name, "type": kind, "jsonPath": path, **({"priority": priority} if priority else {})}


_AGE: Final = _column("Age", ".metadata.creationTimestamp", "date")

_WIDE: Final = (
    _column("Containers", ".spec.template.spec.containers[*].name", priority=1),
    _column("Images", ".spec.template.spec.containers[*].image", priority=1),
    _column("Selector", ".status.selector", priority=1),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One custom resource, as far as it is not read from the apiserver's OpenAPI."""

    kind: str
    plural: str
    short_names: tuple[str, ...]
    description: str
    fields: Mapping[str, str]
    """Descriptions, by path (`spec.replicas`)."""
    columns: tuple[dict[str, Any], ...]
    amendments: Mapping[str, rules.Amendment]
    """What is put into the schema, by path; `[]` goes to a list's items."""
    selectable: tuple[str, ...] = field(default=())
    group: str = "apps"
    """Of the built-in kind."""
    is_judged: bool = True
    """Whether it has the conditions by which generic tools judge custom resources."""
    additions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Fields, by path, that the built-in kind does not have."""
    is_scalable: bool = True
    """Whether it has the scale subresource, and `status.selector` for it."""
    schema: Callable[[Definitions], Schema] | None = None
    """Makes the schema of a kind that has no built-in one."""

    @property
    def root(self) -> str:
        """The name of the built-in kind's definition."""
        return f"io.k8s.api.{self.group}.v1.{self.kind}"


def _under(parent: str, amendments: Mapping[str, rules.Amendment]) -> dict[str, rules.Amendment]:
    return {f"{parent}.{path}": amendment for path, amendment in amendments.items()}


_SPEC_OF_BOTH: Final = {
    "spec": "What is wanted.",
    "spec.minReadySeconds": "For how many seconds a pod must have been ready, with no container crashing, to count as "
    "available. 0 by default: available as soon as it is ready.",
    "spec.selector": "Which pods belong to this object. It must match the template's labels, and never changes.",
    "spec.template": "What each pod is made from: an ordinary pod template, whose restartPolicy can only be Always.",
    "status": "What the controller last saw. Users do not write it.",
    "status.availableReplicas": "How many pods have been ready for at least minReadySeconds.",
    "status.conditions": "Facts about the present state, one of each type.",
    "status.observedGeneration": "The generation of the spec that this status is about.",
    "status.readyReplicas": "How many pods have the condition Ready.",
    "status.selector": "The selector as text, for the scale subresource and so for autoscalers.",
    "status.terminatingReplicas": "How many pods are being deleted and have not gone yet. "
    "They count in no other number here.",
}

REPLICASET: Final = Kind(
    kind="ReplicaSet",
    plural="replicasets",
    short_names=("krs",),
    description="Keeps a number of pods of one template running. Same fields and behaviour as ReplicaSet of apps/v1.",
    fields=_SPEC_OF_BOTH
    | {
        "spec.replicas": "How many pods there shall be. 1 by default.",
        "status.fullyLabeledReplicas": "How many pods have all the labels of the template.",
        "status.replicas": "How many pods there are, without those that are being deleted.",
    },
    columns=(
        _column("Desired", ".spec.replicas", "integer"),
        _column("Current", ".status.replicas", "integer"),
        _column("Ready", ".status.readyReplicas", "integer"),
        _AGE,
        *_WIDE,
    ),
    amendments=_under("spec", rules.POD_TEMPLATE)
    | {"spec": {"x-kubernetes-validations": list(rules.POD_TEMPLATE_RULES), "required": ["selector", "template"]}}
    | {"status": rules.at_most_replicas("fullyLabeledReplicas", "readyReplicas", "availableReplicas")}
    | _under(
        "status",
        rules.counts(
            "replicas",
            "fullyLabeledReplicas",
            "readyReplicas",
            "availableReplicas",
            "terminatingReplicas",
            "observedGeneration",
        ),
    ),
    selectable=(".status.replicas",),
)

DEPLOYMENT: Final = Kind(
    kind="Deployment",
    plural="deployments",
    short_names=("kdeploy",),
    description="Rolls a pod template out and keeps it running, through ReplicaSets of its own. "
    "Same fields and behaviour as Deployment of apps/v1.",
    fields=_SPEC_OF_BOTH
    | {
        "spec.paused": "Whether changes of the template wait. Scaling does not.",
        "spec.progressDeadlineSeconds": "After how many seconds without progress the rollout is reported as failed "
        "(condition Progressing, reason ProgressDeadlineExceeded). It goes on nevertheless. 600 by default.",
        "spec.replicas": "How many pods there shall be. 1 by default.",
        "spec.revisionHistoryLimit": "How many old ReplicaSets are kept to roll back to. 10 by default.",
        "spec.strategy": "How pods of the old template give way to pods of the new one.",
        "spec.strategy.type": "RollingUpdate (the default) replaces them gradually; Recreate first ends all old ones.",
        "spec.strategy.rollingUpdate": "The bounds of a rolling update. Nothing but RollingUpdate may have it.",
        "spec.strategy.rollingUpdate.maxSurge": "How many pods there may be above replicas during an update: a number, "
        "or a percentage of replicas, rounded up. 25% by default. Not 0 where maxUnavailable is.",
        "spec.strategy.rollingUpdate.maxUnavailable": "How many of the replicas may be missing during an update: a "
        "number, or a percentage of replicas, rounded down. 25% by default. Not 0 where maxSurge is.",
        "status.collisionCount": "How often a ReplicaSet's name was taken by another template; part of the hash in the "
        "name of the next one.",
        "status.replicas": "How many pods of any revision there are, without those that are being deleted.",
        "status.unavailableReplicas": "How many pods are missing for all replicas to be available.",
        "status.updatedReplicas": "How many pods there are of the present template.",
    },
    columns=(
        _column("Ready", ".status.readyReplicas"),
        _column("Up-to-date", ".status.updatedReplicas"),
        _column("Available", ".status.availableReplicas"),
        _AGE,
        _column("Desired", ".spec.replicas", "integer", priority=1),
        *_WIDE,
    ),
    amendments=_under("spec", rules.POD_TEMPLATE | rules.ROLLOUT)
    | {"spec": {"x-kubernetes-validations": [*rules.POD_TEMPLATE_RULES, *rules.ROLLOUT_RULES]}}
    | {"status": rules.at_most_replicas("updatedReplicas", "readyReplicas", "availableReplicas")}
    | _under(
        "status",
        rules.counts(
            "replicas",
            "updatedReplicas",
            "readyReplicas",
            "availableReplicas",
            "unavailableReplicas",
            "terminatingReplicas",
            "collisionCount",
            "observedGeneration",
        ),
    ),
)

_SCHEDULING: Final = "spec.scheduling"
_GANG: Final = f"{_SCHEDULING}.schedulingPolicy.gang"


def _scheduling(default: str) -> dict[str, str]:
    """Return the descriptions of the fields of a gang; `default` is how many pods it is of by default."""
    return {
        _SCHEDULING: "How the pods are placed, by Kopfwerk's scheduler. The built-in kind has it behind a feature "
        "gate, or not at all. It is there from the beginning or never.",
        f"{_SCHEDULING}.schedulingPolicy": "Which of the pods are placed together.",
        _GANG: "The pods are placed together or not at all.",
        f"{_GANG}.minCount": f"How many have to be placed for any to be. As many as {default} by default.",
    }


_GANG_SCHEMA: Final = {
    "type": "object",
    "required": ["schedulingPolicy"],
    "properties": {
        "schedulingPolicy": {
            "type": "object",
            "required": ["gang"],
            "properties": {
                "gang": {
                    "type": "object",
                    "properties": {"minCount": {"type": "integer", "format": "int32", "minimum": 1}},
                },
            },
        },
    },
}

_ROLLING: Final = "spec.updateStrategy.rollingUpdate"
_RETENTION: Final = "spec.persistentVolumeClaimRetentionPolicy"

STATEFULSET: Final = Kind(
    kind="StatefulSet",
    plural="statefulsets",
    short_names=("ksts",),
    description="Runs pods that each have a name, a place in an order, and claims of their own. "
    "Same fields and behaviour as StatefulSet of apps/v1.",
    fields={name: text for name, text in _SPEC_OF_BOTH.items() if name != "status.terminatingReplicas"}
    | {
        "spec.ordinals": "The numbers in the pods' names.",
        "spec.ordinals.start": "The first number. 0 by default.",
        _RETENTION: "What becomes of the claims that are made from volumeClaimTemplates.",
        f"{_RETENTION}.whenDeleted": "Whether they are kept (Retain, the default) or go (Delete) with the StatefulSet.",
        f"{_RETENTION}.whenScaled": "Whether they are kept (Retain, the default) or go (Delete) with a pod that is one "
        "too many.",
        "spec.podManagementPolicy": "OrderedReady (the default) makes each pod once the one before is available, and "
        "removes them in reverse; Parallel waits for none. It never changes.",
        "spec.replicas": "How many pods there shall be. 1 by default.",
        "spec.revisionHistoryLimit": "How many old revisions are kept to roll back to. 10 by default; a negative "
        "number keeps all.",
        "spec.serviceName": "The headless Service by which the pods have DNS names. It never changes.",
        "spec.updateStrategy": "How pods of an old template give way to pods of the present one.",
        "spec.updateStrategy.type": "RollingUpdate (the default) replaces them from the highest ordinal down; OnDelete "
        "waits for somebody to delete them.",
        _ROLLING: "The bounds of a rolling update. OnDelete may not have it.",
        f"{_ROLLING}.maxUnavailable": "How many pods may be unavailable during an update: a number, or a percentage of "
        "replicas, rounded down but at least 1. 1 by default.",
        f"{_ROLLING}.partition": "How many pods, counted from the first ordinal, keep the old template. 0 by default.",
        "spec.volumeClaimTemplates": "The claims that each pod gets. They outlive it, and the next pod of its name "
        "gets them again. They never change.",
        "status.collisionCount": "How often a revision's name was taken by another; part of the hash in the name of "
        "the next one.",
        "status.currentReplicas": "How many pods there are of currentRevision.",
        "status.currentRevision": "The revision that the pods were made from before the rollout that is under way.",
        "status.replicas": "How many pods there are.",
        "status.updateRevision": "The revision of the present template.",
        "status.updatedReplicas": "How many pods there are of updateRevision.",
    }
    | _scheduling("replicas"),
    columns=(
        _column("Ready", ".status.readyReplicas"),
        _AGE,
        _column("Desired", ".spec.replicas", "integer", priority=1),
        *_WIDE[:2],
    ),
    additions={_SCHEDULING: _GANG_SCHEMA},
    amendments=_under("spec", rules.POD_TEMPLATE | rules.STATEFUL)
    | {"spec": {"x-kubernetes-validations": list(rules.STATEFUL_RULES)}}
    | {"status": rules.at_most_replicas("currentReplicas", "updatedReplicas", "readyReplicas", "availableReplicas")}
    | _under(
        "status",
        rules.counts(
            "replicas",
            "currentReplicas",
            "updatedReplicas",
            "readyReplicas",
            "availableReplicas",
            "collisionCount",
            "observedGeneration",
        ),
    ),
)

DAEMONSET: Final = Kind(
    kind="DaemonSet",
    plural="daemonsets",
    short_names=("kds",),
    description="Runs a pod on each node that its template fits. Same fields and behaviour as DaemonSet of apps/v1.",
    fields={
        name: _SPEC_OF_BOTH[name]
        for name in (
            "spec",
            "spec.minReadySeconds",
            "spec.selector",
            "spec.template",
            "status",
            "status.conditions",
            "status.observedGeneration",
        )
    }
    | {
        "spec.revisionHistoryLimit": "How many old revisions are kept to roll back to. 10 by default.",
        "spec.updateStrategy": "How pods of an old template give way to pods of the present one.",
        "spec.updateStrategy.type": "RollingUpdate (the default) replaces them within the bounds below; OnDelete "
        "waits for somebody to delete them.",
        _ROLLING: "The bounds of a rolling update. Exactly one of the two is not 0.",
        f"{_ROLLING}.maxSurge": "On how many nodes a new pod may run beside an available old one: a number, or a "
        "percentage of the nodes, rounded up. 0 by default.",
        f"{_ROLLING}.maxUnavailable": "On how many nodes the pod may be missing during an update: a number, or a "
        "percentage of the nodes, rounded up. 1 by default.",
        "status.collisionCount": "How often a revision's name was taken by another; part of the hash in the name of "
        "the next one.",
        "status.currentNumberScheduled": "How many of the nodes that should have a pod have one.",
        "status.desiredNumberScheduled": "How many nodes should have a pod.",
        "status.numberAvailable": "On how many of them a pod has been ready for at least minReadySeconds.",
        "status.numberMisscheduled": "How many nodes have a pod and should not.",
        "status.numberReady": "On how many of the nodes that should have a pod it is ready.",
        "status.numberUnavailable": "On how many of them there is no available pod.",
        "status.selector": "The selector as text.",
        "status.updatedNumberScheduled": "On how many of them the pod is of the present template.",
    },
    columns=(
        _column("Desired", ".status.desiredNumberScheduled", "integer"),
        _column("Current", ".status.currentNumberScheduled", "integer"),
        _column("Ready", ".status.numberReady", "integer"),
        _column("Up-to-date", ".status.updatedNumberScheduled", "integer"),
        _column("Available", ".status.numberAvailable", "integer"),
        _column("Node Selector", ".spec.template.spec.nodeSelector"),
        _AGE,
        *_WIDE,
    ),
    amendments=_under("spec", rules.POD_TEMPLATE_OF_ALL | rules.DAEMON)
    | {"spec": {"x-kubernetes-validations": list(rules.DAEMON_RULES)}}
    | _under(
        "status",
        rules.counts(
            "currentNumberScheduled",
            "desiredNumberScheduled",
            "numberAvailable",
            "numberMisscheduled",
            "numberReady",
            "numberUnavailable",
            "updatedNumberScheduled",
            "collisionCount",
            "observedGeneration",
        ),
    ),
    is_scalable=False,
)

_BACKOFF: Final = "spec.podFailureBackoff"
_SECONDS: Final = {"type": "integer", "format": "int32", "minimum": 0}

JOB: Final = Kind(
    kind="Job",
    plural="jobs",
    short_names=("kjob",),
    group="batch",
    is_scalable=False,
    description="Runs pods until enough of them have succeeded. Same fields and behaviour as Job of batch/v1.",
    fields={
        "spec": "What is wanted.",
        "spec.activeDeadlineSeconds": "After how many seconds since startTime the Job fails, come what may.",
        "spec.backoffLimit": "How many pods may fail before the Job does. 6 by default, none where each index has a "
        "limit of its own.",
        "spec.backoffLimitPerIndex": "How many pods of one index may fail before the index does. Of an Indexed Job "
        "only. It never changes.",
        "spec.completionMode": "NonIndexed (the default): any pod that succeeds is a completion. Indexed: each pod has "
        "an index, and each index has to succeed once. It never changes.",
        "spec.completions": "How many pods have to succeed. With parallelism alone, the pods share a queue of "
        "work: the Job is complete once one has succeeded and all have ended.",
        "spec.managedBy": "Which controller looks after the Job: kubernetes.io/job-controller, the default, is the "
        "one of this kind. It never changes.",
        "spec.manualSelector": "Whether selector and the template's labels are as given; otherwise the pods have "
        "labels of their own.",
        "spec.maxFailedIndexes": "How many indexes may fail before the Job does, beside backoffLimitPerIndex.",
        "spec.parallelism": "How many pods may run at a time. 1 by default.",
        _BACKOFF: "How long a failed pod's replacement waits; twice as long with each failure in a row. The built-in "
        "kind has no such field.",
        f"{_BACKOFF}.baseSeconds": "The first time. 10 by default.",
        f"{_BACKOFF}.maxSeconds": "At most. 600 by default.",
        "spec.podFailurePolicy": "What a failed pod means: the first rule that is met decides. It never changes.",
        "spec.podReplacementPolicy": "TerminatingOrFailed: a pod that is being deleted is replaced at once. Failed: "
        "only when it has ended. The latter by default with a podFailurePolicy, else the former.",
        "spec.selector": "Which pods belong to the Job, with manualSelector. It never changes.",
        "spec.successPolicy": "Which indexes are enough for success, where not all are needed. It never changes.",
        "spec.suspend": "Whether there shall be no pods for the time being.",
        "spec.template": "What each pod is made from. Its restartPolicy is Never or OnFailure.",
        "spec.ttlSecondsAfterFinished": "How many seconds after its end the Job is deleted with its pods. Never "
        "without it.",
        "status": "What the controller last saw. Users do not write it.",
        "status.active": "How many pods run or are about to, without those that are being deleted.",
        "status.completedIndexes": "The indexes that have succeeded, as in `0,2,4-7`.",
        "status.completionTime": "When it was complete.",
        "status.conditions": "Facts about the present state, one of each type.",
        "status.failed": "How many pods have failed.",
        "status.failedIndexes": "The indexes that have failed for good.",
        "status.progress": "How many pods have succeeded, of how many.",
        "status.ready": "How many active pods are ready.",
        "status.startTime": "When it began, or was last resumed.",
        "status.state": "The condition that says most.",
        "status.succeeded": "How many pods, or indexes, have succeeded.",
        "status.terminating": "How many pods are being deleted and have not ended yet.",
        "status.uncountedTerminatedPods": "The pods, by UID, that have ended and are in no count yet.",
    }
    | _scheduling("parallelism"),
    columns=(
        _column("Status", ".status.state"),
        _column("Completions", ".status.progress"),
        _column("Started", ".status.startTime", "date"),
        _column("Finished", ".status.completionTime", "date"),
        _AGE,
        *_WIDE[:2],
    ),
    additions={
        _BACKOFF: {"type": "object", "properties": {"baseSeconds": dict(_SECONDS), "maxSeconds": dict(_SECONDS)}},
        _SCHEDULING: _GANG_SCHEMA,
        "status.progress": {"type": "string"},
        "status.state": {"type": "string"},
    },
    amendments=_under("spec", rules.JOB)
    | {"": job_status.WHOLE}
    | {"spec": {"x-kubernetes-validations": list(rules.JOB_RULES), "required": ["template"]}}
    | {"status": {"x-kubernetes-validations": list(job_status.RULES)}}
    | _under("status", job_status.FIELDS | rules.counts("active", "ready", "succeeded", "failed", "terminating")),
    selectable=(".status.succeeded",),
)

PODPROBE: Final = Kind(
    kind="PodProbe",
    plural="podprobes",
    short_names=("kprobe",),
    is_scalable=False,
    is_judged=False,
    schema=podprobe.schema,
    description="Probes the pods that a selector takes: readiness, liveness and startup, as probes of a container.",
    fields=podprobe.FIELDS,
    columns=(
        _column("Matched", ".status.matched", "integer"),
        _column("Ready", ".status.readiness.passing", "integer"),
        _column("Unready", ".status.readiness.failing", "integer"),
        _column("Live", ".status.liveness.passing", "integer"),
        _column("Dead", ".status.liveness.failing", "integer"),
        _column("Restarts", ".status.restarts", "integer"),
        _AGE,
        _column("Restart", ".spec.restart.method", priority=1),
        _column("Selector", ".spec.selector.matchLabels", priority=1),
    ),
    amendments=podprobe.AMENDMENTS,
)

_TEXT: Final = {"type": "string"}
_TEXTS: Final = {"type": "array", "items": _TEXT, "x-kubernetes-list-type": "atomic"}
_PORT: Final = {"type": "integer", "format": "int32"}

SERVICE: Final = Kind(
    kind="Service",
    plural="services",
    short_names=("kwsvc",),
    group="core",
    is_scalable=False,
    description="Gives pods an address and a name of their own. Same fields and behaviour as Service of v1, which it "
    "keeps one of, with the same name and no selector, for kube-proxy and DNS to serve.",
    fields={
        "spec": "What is wanted. Fields and defaults are those of the core Service; what the apiserver allocates is "
        "shown in the status.",
        "spec.clusterIP": "The address, or None for a Service that only DNS knows. Allocated where it is not given.",
        "spec.externalName": "The name that DNS answers with, for the type ExternalName.",
        "spec.ports": "The ports. A targetPort may be the name of a port of the pods, and differ from pod to pod.",
        "spec.publishNotReadyAddresses": "Whether pods count as ready whatever they are.",
        "spec.selector": "The labels of the pods that it stands for. Without one its EndpointSlices are somebody "
        "else's affair.",
        "spec.trafficDistribution": "Which pods are to be preferred: those of the same zone or of the same node.",
        "spec.type": "ClusterIP (the default), NodePort, LoadBalancer or ExternalName.",
        "status": "What the controller last saw. Users do not write it.",
        "status.clusterIP": "The address.",
        "status.clusterIPs": "The addresses, one of each family.",
        "status.conditions": "Facts about the present state, one of each type.",
        "status.externalAddress": "By which addresses it can be reached from outside.",
        "status.healthCheckNodePort": "The port of each node that says whether the node has ready pods.",
        "status.ipFamilies": "The families of its addresses.",
        "status.ipFamilyPolicy": "Whether it has addresses of one family or of both.",
        "status.loadBalancer": "What a load balancer says of itself.",
        "status.observedGeneration": "The generation of the spec that this status is about.",
        "status.portList": "The ports, in one text.",
        "status.ports": "The ports with those that were allocated on the nodes.",
        "status.selector": "The selector as text.",
    },
    columns=(
        _column("Type", ".spec.type"),
        _column("Cluster-IP", ".status.clusterIP"),
        _column("External-IP", ".status.externalAddress"),
        _column("Port(s)", ".status.portList"),
        _AGE,
        _column("Selector", ".status.selector", priority=1),
    ),
    selectable=(".spec.type",),
    additions={
        "status.clusterIP": _TEXT,
        "status.clusterIPs": _TEXTS,
        "status.externalAddress": _TEXT,
        "status.healthCheckNodePort": _PORT,
        "status.ipFamilies": _TEXTS,
        "status.ipFamilyPolicy": _TEXT,
        "status.observedGeneration": {"type": "integer", "format": "int64"},
        "status.portList": _TEXT,
        "status.ports": {
            "type": "array",
            "x-kubernetes-list-type": "atomic",
            "items": {
                "type": "object",
                "properties": {"name": _TEXT, "nodePort": _PORT, "port": _PORT, "protocol": _TEXT},
            },
        },
        "status.selector": _TEXT,
    },
    amendments=_under("spec", rules.SERVICE)
    | {
        "spec": {"x-kubernetes-validations": list(rules.SERVICE_RULES)},
        # until the controller has looked, there is a condition without a time
        "status.conditions[]": {"required": ["status", "type"]},
    },
)

_TEMPLATE: Final = "spec.jobTemplate"

CRONJOB: Final = Kind(
    kind="CronJob",
    plural="cronjobs",
    short_names=("kcj",),
    group="batch",
    is_scalable=False,
    is_judged=False,
    description="Runs Jobs by a schedule. Same fields and behaviour as CronJob of batch/v1.",
    fields={
        "spec": "What is wanted.",
        "spec.concurrencyPolicy": "What happens to a run that is due while another goes on: Allow (the default) starts "
        "it, Forbid leaves it out, Replace ends the other first.",
        "spec.failedJobsHistoryLimit": "How many failed Jobs are kept. 1 by default.",
        "spec.jitterSeconds": "Starts each run up to so many seconds after its time: how many depends on the "
        "CronJob's name, and is the same for all of its runs. 0 by default. The built-in kind has no such field.",
        _TEMPLATE: "What each Job is made from.",
        "spec.schedule": "When to run: five fields (minute, hour, day of the month, month, day of the week), or a "
        "macro such as @hourly.",
        "spec.startingDeadlineSeconds": "How late a run may start that was missed. Without it, the latest that was "
        "missed starts however late it is.",
        "spec.successfulJobsHistoryLimit": "How many successful Jobs are kept. 3 by default.",
        "spec.suspend": "Whether no runs are started for the time being. Those that are under way go on.",
        "spec.timeZone": "The time zone in which the schedule is meant, by its name in the tz database. UTC by "
        "default.",
        "status": "What the controller last saw. Users do not write it.",
        "status.active": "The Jobs that have not ended.",
        "status.activeJobs": "How many Jobs have not ended.",
        "status.lastScheduleTime": "The time of the last run that was started.",
        "status.lastSuccessfulTime": "When the last Job that succeeded did.",
        "status.nextScheduleTime": "The time of the next run. Absent while there is none, as in a suspended CronJob.",
        **{
            f"{_TEMPLATE}.{path}": text
            for path, text in JOB.fields.items()
            if path.startswith("spec.") and path not in ("spec.selector", "spec.manualSelector")
        },
    },
    columns=(
        _column("Schedule", ".spec.schedule"),
        _column("Timezone", ".spec.timeZone"),
        _column("Suspend", ".spec.suspend", "boolean"),
        _column("Active", ".status.activeJobs", "integer"),
        _column("Last Schedule", ".status.lastScheduleTime", "date"),
        _AGE,
        _column("Next Schedule", ".status.nextScheduleTime", priority=1),
        _column("Containers", f".{_TEMPLATE}.spec.template.spec.containers[*].name", priority=1),
        _column("Images", f".{_TEMPLATE}.spec.template.spec.containers[*].image", priority=1),
    ),
    additions={
        "spec.jitterSeconds": {"type": "integer", "format": "int32"},
        f"{_TEMPLATE}.{_BACKOFF}": JOB.additions[_BACKOFF],
        f"{_TEMPLATE}.{_SCHEDULING}": _GANG_SCHEMA,
        "status.activeJobs": {"type": "integer", "format": "int32", "minimum": 0},
        "status.nextScheduleTime": {"type": "string", "format": "date-time"},
    },
    amendments=_under("spec", rules.CRON_JOB)
    | {f"{_TEMPLATE}.spec": {"x-kubernetes-validations": list(rules.JOB_TEMPLATE_RULES)}}
    | {"metadata": {"properties": {"name": {"type": "string", **rules.SHORT_NAME}}}},
)

KINDS: Final = (REPLICASET, DEPLOYMENT, STATEFULSET, DAEMONSET, JOB, CRONJOB, SERVICE, PODPROBE)
