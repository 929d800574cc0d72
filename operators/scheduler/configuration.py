"""The configuration of a kube-scheduler whose replaceable filters and scores are off and which asks the extender.

What stays in kube-scheduler, each plugin whole, because a part of it without the rest fails or forgets:

- SchedulingGates: the Binding API refuses a gated pod.
- PrioritySort and DefaultBinder: it does not start without a queue sort and a bind plugin.
- VolumeBinding, VolumeRestrictions, VolumeZone, NodeVolumeLimits and DynamicResources: they keep state of their own
  from PreFilter to PreBind, and cost nothing for a pod without volumes or claims.
- NodeDeclaredFeatures: what a node declares is between the kubelet and kube-scheduler of one version.
- DefaultPreemption, with the filters of what evicting pods can help against: its dry run knows only the filters of
  plugins, and without one that refuses there is no victim and the extender is never asked.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

KEPT: Final = (
    "SchedulingGates",
    "PrioritySort",
    "VolumeRestrictions",
    "NodeVolumeLimits",
    "VolumeBinding",
    "VolumeZone",
    "DefaultPreemption",
    "NodeDeclaredFeatures",
    "DynamicResources",
    "DefaultBinder",
)
"""The plugins that go on in kube-scheduler, at every one of their extension points."""

ROOM: Final = ("NodePorts", "NodeResourcesFit")
"""The filters by which kube-scheduler finds out that evicting pods would make room."""
AROUND: Final = ("PodTopologySpread", "InterPodAffinity")
"""Those by which it finds out that other pods are in the way. For a pod that they are about they look at every node."""

ARGUMENTS: Final = ("--feature-gates=ContextualLogging=false",)
"""What kube-scheduler is told beside its configuration.

It makes a logger for each node that it tries a pod on, nearly always in vain, and it tries all of them.
"""
ENVIRONMENT: Final = {"GOGC": "400"}
"""Its garbage, the names of all nodes for each pod, is collected a fourth as often."""


@dataclass(frozen=True, slots=True)
class Extender:
    """How kube-scheduler reaches the extender, and what it asks of it.

    `preempts` says for what pods are evicted: for all that evicting helps against, as upstream does, or for room alone,
    which costs nothing for pods with affinity or spread. Where it never does, the extender sees every node.
    """

    url: str
    preempts: Literal["all", "room", "never"] = "all"
    binds: bool = True
    timeout: str = "5s"


def configuration(
    extender: Extender,
    kubeconfig: str,
    scheduler_name: str = "default-scheduler",
    lease: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """Return a KubeSchedulerConfiguration.

    The kubeconfig is part of it because kube-scheduler ignores its own flag where it is given a configuration; an empty
    one stands for the account of the pod that it runs in. Several elect a leader by `lease`, a namespace and a name.
    Every node is looked at: with no filters of its own kube-scheduler would otherwise show the extender a part of them.
    """
    kept = [name for name in KEPT if extender.preempts != "never" or name != "DefaultPreemption"]
    plugins: dict[str, Any] = {
        "multiPoint": {"disabled": [{"name": "*"}], "enabled": [{"name": name} for name in kept]}
    }
    filters: tuple[str, ...] = {"all": ROOM + AROUND, "room": ROOM, "never": ()}[extender.preempts]
    if filters:
        enabled = {"enabled": [{"name": name} for name in filters]}
        plugins |= {"preFilter": enabled, "filter": enabled}
    verbs = {"filterVerb": "filter", "prioritizeVerb": "prioritize"}
    verbs |= {"preemptVerb": "preempt"} if filters else {}
    verbs |= {"bindVerb": "bind"} if extender.binds else {}
    return {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": kubeconfig, "qps": 1000, "burst": 2000},
        "leaderElection": _election(lease),
        "percentageOfNodesToScore": 100,
        "podMaxBackoffSeconds": 2,
        "profiles": [{"schedulerName": scheduler_name, "plugins": plugins, "pluginConfig": _plugin_config(extender)}],
        "extenders": [
            {
                "urlPrefix": extender.url,
                **verbs,
                "weight": 1,
                "nodeCacheCapable": True,
                "ignorable": False,
                "httpTimeout": extender.timeout,
            }
        ],
    }


def _election(lease: tuple[str, str] | None) -> dict[str, Any]:
    if lease is None:
        return {"leaderElect": False}
    namespace, name = lease
    return {"leaderElect": True, "resourceNamespace": namespace, "resourceName": name}


def _plugin_config(extender: Extender) -> list[dict[str, Any]]:
    """Have preemption look at every node: of those that it looks at by its own rules, ours may refuse any number."""
    if extender.preempts == "never":
        return []
    every = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "DefaultPreemptionArgs",
        "minCandidateNodesPercentage": 100,
    }
    return [{"name": "DefaultPreemption", "args": every}]
