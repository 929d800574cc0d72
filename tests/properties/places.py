"""What must hold after every single write of a DaemonSet, whatever befalls the operator.

What the operator could know when it made a plan is how pods and nodes were at the versions that its caches had: `_seen`
takes that from the store's own history, so that a cache which is wrong breaks rules too.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from operators.core import nodes, objects, pods, revisions
from operators.core.daemonset import Placement, skips_not_ready_nodes
from operators.core.daemonset.history import HASH_LABEL
from operators.core.daemonset.observed import allows_surge, bounds, is_rolling, min_ready_seconds
from operators.core.nodes import NODES
from operators.core.objects import PODS, Obj, Resource
from operators.core.pods import Pod
from operators.core.revisions import CONTROLLERREVISIONS
from operators.runtime.informer import Informers
from tests.properties.rules import Rules, is_controlled
from tests.properties.store import DAEMONSETS, Change
from tests.support.builders import NOW


@dataclass(frozen=True)
class Sight:
    """What a plan rests on: the moment, the versions of the caches, and which process it was made by."""

    moment: datetime = NOW
    pods: int = 0
    nodes: int = 0
    revisions: int = 0
    process: int = 0


@dataclass
class Seen:
    """The DaemonSet's pods and the nodes, as they were at that sight."""

    pods: dict[str, Pod] = field(default_factory=dict)
    nodes: dict[str, Obj] = field(default_factory=dict)


class PlaceRules(Rules):
    """One pod on a node, two while one surges; no rollout beyond its bounds; nobody else's pod is touched."""

    resources = (PODS, DAEMONSETS, CONTROLLERREVISIONS, NODES)
    controllers = ("daemonset",)

    def __init__(self) -> None:
        super().__init__()
        self._sights: dict[str, Sight] = {}
        self._made: set[str] = set()
        """The UIDs of the pods that the operator made."""
        self._doomed: set[str] = set()
        """The nodes on which the present plan has taken an available pod."""
        self._surged: set[str] = set()
        """The nodes on which the present plan has made a pod beside another."""
        self._failed: dict[tuple[int, int, str], datetime] = {}
        """When a failed pod was last deleted, by process, generation and node."""

    def plans_from(self, parent: Obj, informers: Informers) -> None:
        """Note which pods and nodes the plan rests on."""
        super().plans_from(parent, informers)
        self._sights[objects.uid(parent)] = Sight(
            moment=self.store.now(),
            pods=informers[PODS].revision,
            nodes=informers[NODES].revision,
            revisions=informers[CONTROLLERREVISIONS].revision,
            process=id(informers),
        )
        self._doomed, self._surged = set(), set()

    def check(self, change: Change) -> None:
        """Check one write."""
        super().check(change)
        if not change.by_operator or change.resource != PODS:
            return
        if change.before is None and change.after is not None:
            self._check_created(change.after)
        elif change.before is not None:
            self._check_changed(change.before, change.after)

    def _check_created(self, obj: Obj) -> None:
        """A pod is meant for a node that takes it, and where the operator has made one already only to surge."""
        owner, pod = objects.controller_of(obj), pods.parse(obj)
        assert owner is not None
        versions, seen = self._since_plan(owner.uid), self._seen(owner.uid)
        node = seen.nodes.get(pod.target_node)
        self._expect(node is not None, f"{pod.name} is for a node that there is not")
        assert node is not None
        fits = any(Placement(version["spec"]["template"]).on(node).run for version in versions)
        self._expect(fits, f"{pod.name} is for {pod.target_node}, which does not take it")
        self._made.add(pod.uid)
        found = [other for other in self._live(versions[-1], pod.target_node) if other.uid in self._made]
        most = 2 if any(allows_surge(version) for version in versions) else 1
        self._expect(len(found) <= most, f"{pod.target_node}: {len(found)} pods where there may be {most}")
        if len(found) == most == 2:
            self._surged.add(pod.target_node)
            fits = any(self._surges(version, seen) for version in versions)
            self._expect(fits, f"{pod.name} on {pod.target_node} is one more than may surge")

    def _surges(self, version: Obj, seen: Seen) -> bool:
        """Whether a version lets the present plan surge where it does: beside pods that are available, in bounds."""
        home = [name for name, node in seen.nodes.items() if Placement(version["spec"]["template"]).on(node).run]
        most, _ = bounds(version, len(home))
        waiting: set[str] = set()
        for name, node in seen.nodes.items():
            found = [pod for pod in seen.pods.values() if pod.target_node == name and _is_live(pod)]
            new = [pod for pod in found if self._is_present(version, pod)]
            old = [pod for pod in found if pod not in new]
            if name in self._surged:
                waits = any(self._is_available(version, pod) for pod in old)
            else:
                waits = bool(old) and bool(new) and not any(self._is_available(version, pod) for pod in new)
            if waits and (nodes.is_ready(node) or not skips_not_ready_nodes(version)):
                waiting.add(name)
        return len(waiting) <= most

    def _check_changed(self, before: Obj, after: Obj | None) -> None:
        """What is another's is not touched; what is deleted is of no use, one too many, or due for replacement."""
        name, owner = objects.name(before), objects.controller_of(before)
        if owner is not None:
            self._expect(not owner.uid.startswith("foreign"), f"{name} is another's, and was written")
        is_deletion = after is None or (objects.is_terminating(after) and not objects.is_terminating(before))
        if not is_deletion or owner is None:
            return
        seen, versions = self._seen(owner.uid), self._since_plan(owner.uid)
        pod = seen.pods.get(objects.uid(before))
        self._expect(pod is not None, f"{name} was deleted, and was none of its own")
        assert pod is not None
        if pod.phase == "Failed":
            self._check_back_off(versions, seen, pod)
        if pod.is_terminated:
            return
        self._expect(
            any(self._may_go(version, pod, seen) for version in versions),
            f"{name} was deleted, and neither its node nor bounds let it",
        )
        self._doomed.add(pod.target_node)

    def _check_back_off(self, versions: list[Obj], seen: Seen, pod: Pod) -> None:
        """Failed pods that no rollout would replace go a second apart at least, for as long as a process lives."""
        sight = self._sights[objects.uid(versions[-1])]
        node = seen.nodes.get(pod.target_node)
        for version in versions:
            leaves = node is None or not Placement(version["spec"]["template"]).on(node).stay
            if leaves or not self._is_present(version, pod):
                return
        planned = self._versions(objects.uid(versions[-1]), self._planned_from[objects.uid(versions[-1])])[0]
        attempt = (sight.process, planned["status"].get("observedGeneration", 0), pod.target_node)
        last = self._failed.get(attempt)
        self._failed[attempt] = sight.moment
        hurried = last is not None and sight.moment - last < timedelta(seconds=1)
        self._expect(not hurried, f"{pod.name} failed, and did not wait for its deletion")

    def _may_go(self, version: Obj, pod: Pod, seen: Seen) -> bool:
        """Whether a version of the DaemonSet lets a pod be deleted, besides those of the same plan."""
        name = pod.target_node
        node = seen.nodes.get(name)
        if node is None:
            return not pod.node or (is_rolling(version) and not self._is_present(version, pod))
        placement = Placement(version["spec"]["template"])
        verdict = placement.on(node)
        others = [other for other in seen.pods.values() if other.target_node == name and _is_live(other)]
        if not verdict.stay or len(others) > 1:
            return True
        if not is_rolling(version) or self._is_present(version, pod):
            return False
        home = {other for other, found in seen.nodes.items() if placement.on(found).run}
        surge, unavailable = bounds(version, len(home))
        if surge:  # alone on its node: only where the template has moved away
            return not verdict.run
        if not self._is_available(version, pod):
            return True
        if skips_not_ready_nodes(version):
            home = {other for other in home if nodes.is_ready(seen.nodes[other])}
        live = (other for other in seen.pods.values() if _is_live(other))
        well = {other.target_node for other in live if self._is_available(version, other)}
        missing = (home - well) | (self._doomed & home)
        return len(missing | {name}) <= unavailable

    def _is_available(self, version: Obj, pod: Pod) -> bool:
        return pod.is_available(min_ready_seconds(version), self._sights[objects.uid(version)].moment)

    def _is_present(self, version: Obj, pod: Pod) -> bool:
        """Whether a pod is of a version's template: there is a revision that says so, as far as the plan could know."""
        sight = self._sights[objects.uid(version)]
        return any(
            objects.labels(revision).get(HASH_LABEL) == pod.labels.get(HASH_LABEL)
            and revisions.equal(revision, version["spec"]["template"])
            for revision in self._at(CONTROLLERREVISIONS, sight.revisions)
        )

    def _live(self, parent: Obj, node: str) -> list[Pod]:
        """Return the DaemonSet's pods on, or for, a node that have not ended, as they are."""
        owned = (pods.parse(obj) for obj in self.store.all(PODS) if is_controlled(obj, parent))
        return [pod for pod in owned if pod.target_node == node and _is_live(pod) and pod.labels.get("app") == "web"]

    def _seen(self, uid: str) -> Seen:
        """Return what the plan for a DaemonSet could know."""
        sight, seen = self._sights[uid], Seen()
        for obj in self._at(PODS, sight.pods):
            pod = pods.parse(obj)
            if (pod.owner is None or pod.owner.uid == uid) and pod.labels.get("app") == "web":
                seen.pods[pod.uid] = pod
        seen.nodes = {objects.name(obj): obj for obj in self._at(NODES, sight.nodes)}
        return seen

    def _at(self, resource: Resource, version: int) -> list[Obj]:
        """Return the objects of a resource as they were at a version."""
        last: dict[objects.Key, Obj | None] = {}
        for change in self.store.history:
            if change.version > version:
                break
            if change.resource == resource:
                obj = change.after if change.after is not None else change.before
                assert obj is not None
                last[objects.key(obj)] = change.after
        return [obj for obj in last.values() if obj is not None]

    def check_rest(self) -> None:
        """Check that each node that takes a pod has one that runs, a new one, and no other node has any."""
        for parent in self.store.all(DAEMONSETS):
            placement = Placement(parent["spec"]["template"])
            verdicts = {objects.name(node): placement.on(node) for node in self.store.all(NODES)}
            owned = [pods.parse(pod) for pod in self.store.all(PODS) if is_controlled(pod, parent)]
            wanted = sorted(name for name, verdict in verdicts.items() if verdict.run)
            there = [pod for pod in owned if pod.node in wanted]
            assert sorted(pod.node for pod in there) == wanted
            strays = {pod.node for pod in owned} - set(wanted)
            assert all(verdicts[name].stay for name in strays)
            status = parent["status"]
            assert status["observedGeneration"] == parent["metadata"]["generation"]
            assert status["desiredNumberScheduled"] == status["currentNumberScheduled"] == len(wanted)
            assert status["numberReady"] == status["numberAvailable"] == len(wanted)
            assert (status["numberUnavailable"], status["numberMisscheduled"]) == (0, len(strays))
            if is_rolling(parent):
                assert status["updatedNumberScheduled"] == len(wanted)
                assert all(self._is_present(parent, pod) for pod in there)


def _is_live(pod: Pod) -> bool:
    return not pod.terminating and not pod.is_terminated
