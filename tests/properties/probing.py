"""What must hold of PodProbes, whatever befalls the operator, and what probes find."""

import asyncio
from collections.abc import Callable, Sequence

from operators.core import objects, pods, selectors
from operators.core.objects import PODPROBES, PODS, Obj
from operators.core.pods import Pod
from operators.core.probe.restarts import entries
from operators.core.probe.spec import Kind, Probe, condition_of, read
from operators.core.probed import PREFIX, Container
from operators.probes.found import SUCCESS, Found, failure, unknown
from operators.runtime.informer import Informers
from tests.properties.rules import Rules
from tests.properties.store import Change, Store
from tests.support.builders import NOW
from tests.support.probes import CONDITION


class Truth:
    """How containers really are, which only a probe can tell."""

    def __init__(self) -> None:
        self.store: Store
        self.busy: set[str] = set()
        """IDs of containers that are alive and cannot serve."""
        self.hung: set[str] = set()
        """IDs of containers that do nothing any more."""
        self.ever_hung: set[str] = set()
        self.in_the_way = 0
        """How many tries cannot be made."""
        self.heeds = True
        """Whether containers end that are asked to."""

    def hang(self, container: str) -> None:
        """Let one do nothing any more."""
        self.hung.add(container)
        self.ever_hung.add(container)

    def serves(self, container: str) -> bool:
        """Whether it is ready."""
        return container not in self.busy | self.hung


class Network:
    """Stands for the tries of a prober: what it finds is true at the moment."""

    truth: Truth

    def __init__(self, _client: object, _wheel: object) -> None:
        """Need nothing."""

    def close(self) -> None:
        """Have nothing to close."""

    def begin(
        self, probe: Probe, pod: Pod, _container: Container, told: Callable[[Found], None]
    ) -> Callable[[], object]:
        """Find out how a container is, a moment later, if the pod is still there."""
        return asyncio.get_running_loop().call_later(0.003, lambda: told(self._found(probe, pod))).cancel

    def _found(self, probe: Probe, pod: Pod) -> Found:
        if self.truth.in_the_way:
            self.truth.in_the_way -= 1
            return unknown("a try that could not be made")
        there = self.truth.store.find(pod.uid)
        identity = container_of(there) if there else ""
        well = identity not in self.truth.hung if probe.kind == Kind.LIVENESS else self.truth.serves(identity)
        return SUCCESS if identity and well else failure("connection refused")

    async def run(self, pod: Pod, _container: str, _command: Sequence[str]) -> Found:
        """End a container, if it heeds that."""
        await asyncio.sleep(0.003)
        there = self.truth.store.find(pod.uid)
        if not there or not self.truth.heeds:
            return failure("no such thing")
        start_again(self.truth.store, there, by_operator=True)
        return SUCCESS


def container_of(pod: Obj) -> str:
    """Return the ID of a pod's container, empty where it has not been started."""
    states = pod["status"].get("containerStatuses") or [{}]
    return str(states[0].get("containerID", ""))


def start_again(store: Store, pod: Obj, *, by_operator: bool = False) -> None:
    """Let a kubelet start a pod's container again."""
    count = pod["status"]["containerStatuses"][0]["restartCount"] + 1
    status = {"containerStatuses": [running(store, pod, count)]}
    store.patch(PODS, objects.key(pod), {"status": status}, by_operator=by_operator)


def running(store: Store, pod: Obj, count: int) -> Obj:
    """Return the state of a container that has just been started, for the how manieth time."""
    since = objects.format_time(store.now())
    state = {"running": {"startedAt": since}}
    return {"name": "app", "containerID": f"{objects.uid(pod)}/{count}", "restartCount": count, "state": state}


class ProbeRules(Rules):
    """The condition ends at the truth; restarts keep their limit and are of what is dead; no foreign pod is touched."""

    resources = (PODPROBES, PODS)
    controllers = ("podprobe",)

    def __init__(self) -> None:
        super().__init__()
        self.truth = Network.truth = Truth()
        self.size = 0
        self._planned = {"": (0, NOW)}
        """From which version of the pods, and when, a PodProbe was planned last, by its UID."""
        self._restarted: dict[str, dict[str, tuple[str, int]]] = {}
        """The container that was restarted, and at which version, by the UID of its pod, by that of the PodProbe."""

    def plans_from(self, parent: Obj, informers: Informers) -> None:
        """Note what the plan rests on."""
        super().plans_from(parent, informers)
        self._planned[objects.uid(parent)] = informers[PODS].revision, self.store.now()

    def others_act(self) -> None:
        """Let somebody keep the number of pods, and take away what has ended."""
        self.truth.store = self.store
        for pod in self.store.all(PODS):
            if pod["status"]["phase"] == "Failed":
                self.store.remove(PODS, objects.key(pod))
        there = [pod for pod in self.store.all(PODS) if objects.labels(pod)["app"] == "web"]
        for _ in range(self.size - len(there)):
            self.make_pod("web", gated=bool(self.store.version % 2))

    def make_pod(self, app: str, *, gated: bool) -> None:
        """Let somebody create a pod."""
        meta = {"namespace": "ns", "name": f"{app}-{self.store.version}", "labels": {"app": app}}
        spec: Obj = {"containers": [{"name": "app", "image": "app:1"}]}
        if gated:
            spec["readinessGates"] = [{"conditionType": CONDITION}]
        self.store.create(PODS, {"metadata": meta, "spec": spec})

    def reported(self, pod: Obj) -> Obj:
        """Have an address and a container once it runs."""
        states = pod["status"].get("containerStatuses") or [running(self.store, pod, 0)]
        return {"podIP": "10.0.0.1", "containerStatuses": states}

    def check(self, change: Change) -> None:
        """Check one write."""
        super().check(change)
        if not change.by_operator or change.resource != PODS:
            return
        before, after = change.before, change.after
        self._expect(before is not None, "the operator created a pod")
        assert before is not None
        if after is not None and _without_conditions(before) == _without_conditions(after):
            self._check_conditions(before, after)
        else:
            self._check_restart(before, change.version)

    def _check_conditions(self, before: Obj, after: Obj) -> None:
        """Only conditions of PodProbes change, of pods that have one or that one selects."""
        changed = [
            one for one in (*_conditions(before), *_conditions(after)) if _said(before, one) != _said(after, one)
        ]
        self._expect(all(type_.startswith(PREFIX) for type_ in changed), f"{changed} are others' conditions")
        for type_ in changed:
            chosen = any(condition_of(p) == type_ and self._chose(p, before) for p in self._podprobes())
            self._expect(chosen or type_ in _conditions(before), f"{objects.name(before)} is no PodProbe's")

    def _check_restart(self, pod: Obj, version: int) -> None:
        """A restart is on record, of a container that was dead, and one of no more at a time than may be."""
        uid, container = objects.uid(pod), container_of(pod)
        self._expect(container in self.truth.ever_hung, f"{container} never failed, and was restarted")
        deciding = [p for p in self._podprobes() if any(entry.uid == uid for entry in entries(p["status"]))]
        self._expect(bool(deciding), f"{objects.name(pod)} was restarted, and that was not on record")
        parent = deciding[-1]
        self._expect(self._chose(parent, pod), f"{objects.name(pod)} is another's, and was restarted")
        known = self._restarted.setdefault(objects.uid(parent), {})
        known.pop(uid, None)
        missing, limit = self._missing(parent), read(parent).restart.limit
        self._expect(missing < int(limit), f"{objects.name(pod)} is restarted, and {missing} others are")
        known[uid] = container, version

    def _missing(self, parent: Obj) -> int:
        """Return how many pods were missing through restarts when the plan was made, as far as it could know."""
        known = self._restarted[objects.uid(parent)]
        revision, moment = self._planned[objects.uid(parent)]
        recovery = read(parent).restart.recovery
        decided = {e.uid: e.time for p in self._podprobes() for e in entries(p["status"]) if e.uid in known}
        decided = {uid: time for uid, time in decided.items() if moment - time < recovery}
        seen = self._pods_seen(revision)
        gone: set[str] = set()
        ended: set[str] = set()
        for uid in decided:
            container, version = known[uid]
            if version > revision or uid not in seen or seen[uid].terminating:
                gone.add(uid)
            elif not seen[uid].ready and _id(seen[uid]) != container:
                ended.add(uid)
        first = min(decided.values(), default=NOW)
        new = [pod for uid, pod in seen.items() if pod.ready and not pod.terminating and uid not in known]
        replaced = sum(pod.created >= first and pod.labels["app"] == "web" for pod in new)
        return max(0, len(gone) - replaced) + len(ended)

    def _pods_seen(self, revision: int) -> dict[str, Pod]:
        """Return the pods as they were at a version, by UID."""
        last: dict[str, Obj | None] = {}
        for change in self.store.history:
            if change.version > revision:
                break
            obj = change.after or change.before
            if change.resource == PODS and obj is not None:
                last[objects.uid(obj)] = change.after
        return {uid: pods.parse(obj) for uid, obj in last.items() if obj is not None}

    def _podprobes(self) -> list[Obj]:
        """Return every version of every PodProbe that there ever was."""
        return [change.after for change in self.store.history if change.resource == PODPROBES and change.after]

    def _chose(self, podprobe: Obj, pod: Obj) -> bool:
        """Whether a version of a PodProbe selects what a pod was at any time."""
        versions = [change.after for change in self.store.history if change.resource == PODS and change.after]
        selector = selectors.of(podprobe)
        return any(
            selector.matches(objects.labels(version))
            for version in versions
            if objects.uid(version) == objects.uid(pod)
        )

    def check_rest(self) -> None:
        """Check that each condition says what is true, that nothing dead is left, and that nobody else has one.

        What has ended is left as it is.
        """
        by_name = {condition_of(podprobe): podprobe for podprobe in self.store.all(PODPROBES)}
        for pod in self.store.all(PODS):
            said = {type_: _said(pod, type_) for type_ in _conditions(pod) if type_.startswith(PREFIX)}
            gates = {gate["conditionType"] for gate in pod["spec"].get("readinessGates") or ()}
            parsed = pods.parse(pod)
            if parsed.probed is None:
                continue
            for type_, podprobe in by_name.items():
                if not selectors.of(podprobe).matches(parsed.labels):
                    continue
                if read(podprobe).probes.get(Kind.READINESS):
                    assert said.pop(type_, None) == str(self.truth.serves(container_of(pod))), objects.name(pod)
                assert container_of(pod) not in self.truth.hung, f"{objects.name(pod)} is dead, and was left so"
            assert all(type_ in gates and status == "True" for type_, status in said.items()), objects.name(pod)
        for podprobe in self.store.all(PODPROBES):
            chosen = [p for p in map(pods.parse, self.store.all(PODS)) if selectors.of(podprobe).matches(p.labels)]
            assert podprobe["status"]["matched"] == sum(pod.probed is not None for pod in chosen)


def _id(pod: Pod) -> str:
    container = pod.probed.container("") if pod.probed else None
    return container.id if container else ""


def _conditions(pod: Obj) -> list[str]:
    return [one["type"] for one in pod["status"].get("conditions") or ()]


def _said(pod: Obj, type_: str) -> str:
    return next((one["status"] for one in pod["status"].get("conditions") or () if one["type"] == type_), "")


def _without_conditions(pod: Obj) -> Obj:
    """Return all of a pod but what says how its probes stand, and its version."""
    status = {name: value for name, value in pod["status"].items() if name != "conditions"}
    meta = {name: value for name, value in pod["metadata"].items() if name != "resourceVersion"}
    return pod | {"metadata": meta, "status": status}
