"""PodProbe: woken by its own changes, and by its prober where what a probe amounts to has changed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from operators.controllers import state
from operators.core import objects, probe, selectors
from operators.core.objects import PODPROBES, PODS, Key, Obj
from operators.core.plan import Plan
from operators.core.pods import Pod
from operators.core.probe import Member, Observed
from operators.core.probe.spec import condition_of
from operators.core.probed import PREFIX
from operators.probes.prober import Prober
from operators.runtime.controller import Controller, Watch, Writes
from operators.runtime.informer import Informers
from operators.runtime.wake import NAMESPACE


def podprobe_controller(_group: str) -> Controller[Observed]:
    """Declare the controller of PodProbes, with a prober of its own."""
    prober = Prober()
    return Controller(
        name="podprobe",
        resource=PODPROBES,
        watches=(Watch(PODS, _pod_changed, after=0.02, replay=True),),
        observe=partial(_observe, prober),
        plan=probe.plan,
        report=probe.report,
        announce=probe.announce,
        gone=_gone,
        beside=prober.run,
        state=state.PODPROBE,
        writes=(Writes(PODS, ("patch",), "status"), Writes(PODS, ("create",), "eviction")),
    )


def _observe(prober: Prober, informers: Informers, parent: Obj, now: datetime) -> Observed:
    key, type_ = objects.key(parent), condition_of(parent)
    name, selector = parent["spec"].get("container", ""), selectors.of(parent)
    members, left = [], []
    for pod in sorted(informers[PODS].by(NAMESPACE, key[0]), key=lambda pod: pod.name):
        if pod.probed is None:
            continue
        if selector.matches(pod.labels):
            members.append(Member(pod, pod.probed.container(name), prober.states(key, pod.uid)))
        elif type_ in pod.probed.conditions:
            left.append(pod)
    return Observed(parent, tuple(members), tuple(left), now)


def _pod_changed(_: Informers, old: Pod | None, new: Pod | None) -> Iterator[Key]:
    """Wake the PodProbes whose condition a pod has: it may be wrong, or nobody's. The prober wakes all others."""
    for pod in (old, new):
        if pod is not None and pod.probed is not None:
            for type_ in pod.probed.conditions:
                if type_.startswith(PREFIX):
                    yield pod.namespace, type_.removeprefix(PREFIX)


def _gone(informers: Informers, key: Key) -> Plan:
    """Leave nothing behind that nobody would ever change again."""
    return probe.release(key[1], informers[PODS].by(NAMESPACE, key[0]), datetime.now(UTC))
