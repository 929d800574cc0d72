"""EndpointSlice: woken by core Services, their pods, their slices, and by nodes that come, go and change zones.

Whose Services: in the place of kube-controller-manager those that have a selector; otherwise those that a Service of
ours keeps, whose selector is the one that counts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from operators.controllers import state
from operators.core import endpointslice, nodes, objects
from operators.core.endpointslice import ENDPOINTSLICES, MANAGERS, Figures, Observed, Triggers
from operators.core.nodes import NODES
from operators.core.objects import KOPFWERK, PODS, Key, Obj, services
from operators.core.plan import Outcome, Plan
from operators.core.pods import Pod
from operators.core.service import SERVICES
from operators.runtime import metrics
from operators.runtime.controller import Controller, Watch, Writes
from operators.runtime.informer import Informers
from operators.runtime.wake import NAMESPACE

_SETTLING = 1.0
"""Seconds after a change of a slice in which more are waited for, as upstream: most are the operator's own."""


def endpointslice_controller(group: str) -> Controller[Observed]:
    """Declare the controller of the slices of an API group's Services."""
    slices = _Slices(group)
    ours = (Watch(services(group), _same_name),) if group == KOPFWERK else ()
    return Controller(
        name="endpointslice",
        resource=SERVICES,
        watches=(
            *ours,
            Watch(PODS, slices.pod_changed),
            Watch(ENDPOINTSLICES, slices.slice_changed, after=_SETTLING),
            Watch(NODES, slices.node_changed),
        ),
        observe=slices.observe,
        plan=endpointslice.plan,
        report=_no_status,
        reports=False,
        state=() if group == KOPFWERK else state.SERVICE,
        writes=(Writes(ENDPOINTSLICES, ("create", "patch", "delete")),),
        measure=slices.measure,
        gone=slices.gone,
    )


class _Slices:
    """What the controller of a group looks at, and what it remembers: like upstream's, it ends with the process."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._triggers: dict[Key, Triggers] = {}
        self._figures: dict[Key, Figures] = {}

    def observe(self, informers: Informers, service: Obj, now: datetime) -> Observed:
        """Return a Service with its pods, its slices and the nodes that the pods are on."""
        selector, manager = self._selector(informers, service), MANAGERS[self._group]
        seen = Observed(service, selector, (), (), {}, manager, now)
        if not seen.is_kept or selector is None:
            return seen
        key = objects.key(service)
        pods = tuple(pod for pod in informers[PODS].by(NAMESPACE, key[0]) if _takes(selector, pod.labels))
        slices = tuple(s for s in informers[ENDPOINTSLICES].by(NAMESPACE, key[0])
                       if endpointslice.is_of(s, key[1], manager) and not objects.is_terminating(s))  # fmt: skip
        on = {pod.node: informers[NODES].get(("", pod.node)) for pod in pods}
        known = {name: node for name, node in on.items() if node is not None}
        triggered, self._triggers[key] = endpointslice.trigger(self._triggers.get(key), service, pods)
        is_aware = endpointslice.is_topology_aware(service)
        ratios = endpointslice.ratios(informers[NODES].all()) if is_aware else None
        return replace(seen, pods=pods, slices=slices, nodes=known, triggered=triggered, ratios=ratios)

    def measure(self, observed: Observed, plan: Plan) -> None:
        """Put into metrics what a plan changes, and what there is once it is carried out."""
        key = objects.key(observed.service)
        if not observed.is_kept:
            self._forget(key)
        elif key not in self._figures or any(plan.steps):
            changed = endpointslice.changes(observed, plan)
            metrics.slices_changed(changed)
            self._put(key, endpointslice.figures(observed, plan))

    def gone(self, _informers: Informers, key: Key) -> Plan:
        """Forget a Service that is gone: its slices go with it by themselves."""
        self._forget(key)
        return Plan()

    def _forget(self, key: Key) -> None:
        self._triggers.pop(key, None)
        self._put(key, Figures())
        self._figures.pop(key, None)

    def _put(self, key: Key, figures: Figures) -> None:
        metrics.slices_counted(self._figures.get(key, Figures()), figures)
        self._figures[key] = figures

    def pod_changed(self, informers: Informers, old: Pod | None, new: Pod | None) -> Iterator[Key]:
        """Wake the Services that a pod belonged to or now belongs to, where it has become another endpoint."""
        if old is not None and new is not None and old.labels == new.labels and _facts(old) == _facts(new):
            return
        present = [pod for pod in (old, new) if pod is not None]
        for service in informers[SERVICES].by(NAMESPACE, present[0].namespace):
            selector = self._selector(informers, service)
            if selector is not None and any(_takes(selector, pod.labels) for pod in present):
                yield objects.key(service)

    def slice_changed(self, _informers: Informers, old: Obj | None, new: Obj | None) -> Iterator[Key]:
        """Wake the Service that a slice is, or was, said to be for."""
        for slice_ in (old, new):
            if slice_ is not None and (name := endpointslice.service_of(slice_, MANAGERS[self._group])):
                yield objects.key(slice_)[0], name

    def node_changed(self, informers: Informers, old: Obj | None, new: Obj | None) -> Iterator[Key]:
        """Wake the Services whose endpoints' zone has changed, and those that are spread by the zones' CPU."""
        if old is not None and new is not None and _place(old) == _place(new):
            return
        for service in informers[SERVICES].all():
            if endpointslice.is_topology_aware(service) and self._selector(informers, service) is not None:
                yield objects.key(service)
        if old is not None and new is not None and nodes.zone(old) != nodes.zone(new):
            name = objects.name(new)
            for pod in informers[PODS].all():
                if pod.node == name:
                    yield from self.pod_changed(informers, None, pod)

    def _selector(self, informers: Informers, service: Obj) -> Mapping[str, str] | None:
        """Return the selector by which slices are to be kept for a core Service; None where they are not."""
        if self._group != KOPFWERK:
            return service["spec"].get("selector") or None
        owner, ours = objects.controller_of(service), informers[services(KOPFWERK)].get(objects.key(service))
        if owner is None or ours is None or owner.uid != objects.uid(ours):
            return None
        return ours["spec"].get("selector") or None


def _takes(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in selector.items())


def _facts(pod: Pod) -> tuple[object, ...]:
    """Return what an endpoint is made of, labels aside."""
    return (
        pod.ready,
        pod.is_kept_out,
        pod.terminating,
        pod.is_terminated,
        pod.ips,
        pod.node,
        pod.hostname,
        pod.subdomain,
        pod.uid,
    )


def _place(node: Obj) -> tuple[object, ...]:
    """Return what decides how endpoints are spread."""
    return nodes.zone(node), nodes.is_ready(node), nodes.allocatable_cpu(node)


def _same_name(informers: Informers, old: Obj | None, new: Obj | None) -> Iterator[Key]:
    """Wake the core Service of a Service of ours."""
    changed = new or old
    if changed is not None and informers[SERVICES].get(objects.key(changed)) is not None:
        yield objects.key(changed)


def _no_status(_observed: Observed, _outcome: Outcome) -> None:
    """Report nothing: the status of a core Service is its load balancer's."""
