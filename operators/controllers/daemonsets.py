"""DaemonSet: woken by its own changes, its pods', its revisions', and by what changes which nodes it belongs on."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial

from operators.controllers import state
from operators.core import daemonset, nodes, objects, ready
from operators.core.daemonset import Observed, Placement, Retry
from operators.core.nodes import NODES
from operators.core.objects import PODS, Key, Obj, Resource, daemonsets
from operators.core.revisions import CONTROLLERREVISIONS
from operators.runtime.controller import Controller, Watch, Writes
from operators.runtime.informer import Informers
from operators.runtime.wake import OWNER, owned, owners

_SWEEP = timedelta(minutes=1)


def daemonset_controller(group: str) -> Controller[Observed]:
    """Declare the controller of an API group's DaemonSets."""
    resource, failures = daemonsets(group), _Failures()
    return Controller(
        name="daemonset",
        resource=resource,
        watches=(
            Watch(PODS, owners(resource)),
            Watch(CONTROLLERREVISIONS, owners(resource)),
            Watch(NODES, partial(_node_changed, resource)),
        ),
        observe=partial(_observe, failures),
        plan=daemonset.plan,
        report=ready.reporting(group, daemonset.report, lambda seen: seen.daemonset),
        state=state.DAEMONSET,
        writes=(
            Writes(PODS, ("create", "patch", "delete")),
            Writes(CONTROLLERREVISIONS, ("create", "patch", "delete")),
        ),
        remember=failures.remember,
    )


class _Failures:
    """When failed pods were deleted, by DaemonSet, generation and node. Like upstream's, it ends with the process."""

    def __init__(self) -> None:
        self._retries: dict[tuple[str, int], dict[str, Retry]] = {}
        self._swept: datetime | None = None

    def of(self, parent: Obj) -> dict[str, Retry]:
        """Return what is remembered of a DaemonSet: a new spec may end what failed, and starts anew."""
        return dict(self._retries.get(_attempt(parent), {}))

    def remember(self, observed: Observed, nodes: Iterable[str]) -> None:
        """Let the next failed pod on these nodes wait; forget what is long over."""
        now = observed.now
        retries = self._retries.setdefault(_attempt(observed.daemonset), {})
        for node in nodes:
            retries[node] = daemonset.after(retries.get(node), now)
        if self._swept is None or now - self._swept > _SWEEP:
            self._swept = now
            for attempt, retries in list(self._retries.items()):
                kept = {node: retry for node, retry in retries.items() if not retry.is_forgotten(now)}
                self._retries[attempt] = kept
                if not kept:
                    del self._retries[attempt]


def _attempt(parent: Obj) -> tuple[str, int]:
    return objects.uid(parent), (parent.get("status") or {}).get("observedGeneration", 0)


def _observe(failures: _Failures, informers: Informers, parent: Obj, now: datetime) -> Observed:
    revisions = tuple(owned(informers[CONTROLLERREVISIONS], parent))
    pods = tuple(owned(informers[PODS], parent))
    return Observed(parent, pods, revisions, tuple(informers[NODES].all()), now, failures.of(parent))


def _node_changed(resource: Resource, informers: Informers, old: Obj | None, new: Obj | None) -> Iterator[Key]:
    """Wake the DaemonSets for which a node has become another: one that takes their pods, or takes them no longer.

    Heartbeats change nothing that is looked at, so they end here at once.
    """
    if old is not None and new is not None and _facts(old) == _facts(new):
        return
    for parent in informers[resource].all():
        try:
            placement = Placement(parent["spec"]["template"])
            before = placement.on(old) if old is not None else None
            after = placement.on(new) if new is not None else None
        except (AttributeError, KeyError, TypeError):
            continue  # its own sync says what is wrong with it
        if daemonset.skips_not_ready_nodes(parent):
            yield objects.key(parent)
        elif before is None and after is not None and not (after.run or after.stay):
            if _has_pod_for(informers, parent, new):
                yield objects.key(parent)
        elif before != after:
            yield objects.key(parent)


def _has_pod_for(informers: Informers, parent: Obj, node: Obj | None) -> bool:
    """Whether a DaemonSet has a pod for a node that joins: where it does not belong there, only that is news."""
    name = objects.name(node) if node is not None else ""
    return any(pod.target_node == name for pod in informers[PODS].by(OWNER, objects.uid(parent)))


def _facts(node: Obj) -> tuple[object, ...]:
    """Return what placement and rollouts look at."""
    return node["metadata"].get("labels"), nodes.taints(node), nodes.is_ready(node)
