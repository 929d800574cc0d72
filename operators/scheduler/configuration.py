"""The configuration of a kube-scheduler that asks the extender, and whose scores and replaceable filters are off.

All scores are off, always. Filters are off as far as kube-scheduler is not to find a part of the nodes by them: where
it is to show every node, those stay that preemption needs, and no others.

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

OF_NODES: Final = ("NodeUnschedulable", "NodeName", "TaintToleration", "NodeAffinity")
"""The filters that look at nodes alone, by which kube-scheduler finds a part of the nodes that is worth looking at."""
ROOM: Final = ("NodePorts", "NodeResourcesFit")
"""The filters by which kube-scheduler finds out that evicting pods would make room."""
AROUND: Final = ("PodTopologySpread", "InterPodAffinity")
"""Those by which it finds out that other pods are in the way. For a pod that they are about they look at every node."""
IN_PART: Final = OF_NODES + ROOM + AROUND
"""All that it finds a part of the nodes by: a part that no filter has chosen may have no node that fits."""
_WITHOUT_PRE_FILTER: Final = ("NodeUnschedulable", "NodeName", "TaintToleration")

ARGUMENTS: Final = ("--feature-gates=ContextualLogging=false",)
"""What kube-scheduler is told beside its configuration.

It makes a logger for each node that it tries a pod on, nearly always in vain.
"""
ENVIRONMENT: Final = {"GOGC": "400"}
"""Its garbage, the names of the nodes for each pod, is collected a fourth as often."""


@dataclass(frozen=True, slots=True)
class Extender:
    """How kube-scheduler reaches the extender, and what it asks of it.

    `looks_at` says which nodes the extender chooses from: a part, as the default scheduler does, or all. For a part
    kube-scheduler looks for fitting ones with all of its filters, and stops when it has found `percentage` percent of
    the nodes, or 100. 0 stands for as many as by default, which on clusters of up to 5,000 nodes is 10 % and more.
    `preempts` says for what pods are evicted: for all that evicting helps against, as upstream does, or for room alone,
    which costs nothing for pods with affinity or spread. Where it never does, the extender sees every node. The latter
    two leave filters out, and so are for who looks at all nodes.
    `binds` says whether the extender binds; kube-scheduler does it by itself otherwise, and faster.
    The timeout is for all verbs, and long because planning a large group takes long.
    """

    url: str = ""
    preempts: Literal["all", "room", "never"] = "all"
    looks_at: Literal["all", "part"] = "part"
    percentage: int = 5
    binds: bool = False
    timeout: str = "30s"

    @property
    def arguments(self) -> list[str]:
        """What `kopfwerk scheduler-extender` has to be told for it to know how it is asked."""
        return ["--part"] if self.looks_at == "part" else []


def configuration(
    extender: Extender,
    kubeconfig: str,
    scheduler_name: str = "default-scheduler",
    lease: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """Return a KubeSchedulerConfiguration.

    The kubeconfig is part of it because kube-scheduler ignores its own flag where it is given a configuration; an empty
    one stands for the account of the pod that it runs in. Several elect a leader by `lease`, a namespace and a name.
    """
    kept = [name for name in KEPT if extender.preempts != "never" or name != "DefaultPreemption"]
    plugins: dict[str, Any] = {
        "multiPoint": {"disabled": [{"name": "*"}], "enabled": [{"name": name} for name in kept]}
    }
    plugins |= filters(extender)
    verbs = {"filterVerb": "filter", "prioritizeVerb": "prioritize"}
    verbs |= {"preemptVerb": "preempt"} if extender.preempts != "never" else {}
    verbs |= {"bindVerb": "bind"} if extender.binds else {}
    return {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": kubeconfig, "qps": 1000, "burst": 2000},
        "leaderElection": _election(lease),
        "percentageOfNodesToScore": 100 if extender.looks_at == "all" else extender.percentage,
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


def filters(extender: Extender) -> dict[str, Any]:
    """Return the plugins of kube-scheduler's own filters, beside those that are there whole."""
    names: tuple[str, ...] = {"all": ROOM + AROUND, "room": ROOM, "never": ()}[extender.preempts]
    if extender.looks_at == "part":
        names = IN_PART
    if not names:
        return {}
    return {
        "preFilter": {"enabled": [{"name": name} for name in names if name not in _WITHOUT_PRE_FILTER]},
        "filter": {"enabled": [{"name": name} for name in names]},
    }


def way_out(predicate: str) -> str:
    """Say what makes a profile work that leaves out a predicate of which kube-scheduler has the filter, if anything."""
    if predicate in ROOM:
        return "kube-scheduler refuses nodes by it however it is set up, for that is how it finds whom to evict"
    also = " and scheduler.preemption=room" if predicate in AROUND else ""
    return f"kube-scheduler finds nodes by it, unless it shows them all: that takes scheduler.nodes=all{also}"


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
