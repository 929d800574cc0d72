"""DaemonSets among nodes that join, leave, die and change: bounds hold at every step, and all ends as asked for.

The rules alone are tried here, in a world that does what a plan says, less what fails: the loop around them is the same
for every kind.
"""

from dataclasses import replace

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from operators.core import nodes, objects
from operators.core.daemonset import Observed, Placement, plan, report
from operators.core.daemonset.history import HASH_LABEL
from operators.core.daemonset.observed import SKIPS_NOT_READY, bounds
from operators.core.objects import PODS, Obj
from operators.core.plan import Create, Delete, Outcome, Patch
from operators.core.pods import Pod
from tests.support.builders import NOW, template
from tests.support.daemons import daemon, daemonset, node, pinned_to, told

NAMES = st.sampled_from([f"node-{letter}" for letter in "abcdef"])
TAINTS = st.sampled_from([(), (), (), ("gpu:NoSchedule",), ("gpu:NoExecute",)])
STRATEGIES = st.sampled_from([(1, 0), (2, 0), ("50%", 0), (0, 1), (0, "50%")])
IMAGES = st.sampled_from(["app:1", "app:2", "app:3"])


class Daemons(RuleBasedStateMachine):
    """One DaemonSet, its nodes, and everything that befalls them."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes: dict[str, Obj] = {}
        self.pods: dict[str, Pod] = {}
        self.revisions: dict[str, Obj] = {}
        self.count = 0

    @initialize(strategy=STRATEGIES, skips=st.booleans())
    def begin(self, strategy: tuple[int | str, int | str], *, skips: bool) -> None:
        """Create the DaemonSet."""
        unavailable, surge = strategy
        annotations = {SKIPS_NOT_READY: "true"} if skips else {}
        self.daemonset = daemonset(unavailable=unavailable, surge=surge, annotations=annotations)

    @rule(name=NAMES, taints=TAINTS, ready=st.booleans())
    def change_node(self, name: str, taints: tuple[str, ...], *, ready: bool) -> None:
        """Let a node join, be tainted, die or recover; on one that is down no pod is ready."""
        self.nodes[name] = node(name, taints=taints, ready=ready)
        for uid, pod in self.pods.items():
            if pod.node == name and not ready:
                self.pods[uid] = replace(pod, ready=False)

    @precondition(lambda self: self.nodes)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """Let a node leave; the garbage collector takes what ran there."""
        name = data.draw(st.sampled_from(sorted(self.nodes)))
        del self.nodes[name]
        self.pods = {uid: pod for uid, pod in self.pods.items() if pod.node != name}

    @rule(image=IMAGES)
    def roll(self, image: str) -> None:
        """Change the template."""
        self.daemonset = self.daemonset | {"spec": self.daemonset["spec"] | {"template": template(image)}}

    @precondition(lambda self: self.pods)
    @rule(data=st.data(), phase=st.sampled_from(["Running", "Failed", "Succeeded"]), ready=st.booleans())
    def change_pod(self, data: st.DataObject, phase: str, *, ready: bool) -> None:
        """Let a pod start, end or lose its readiness."""
        uid = data.draw(st.sampled_from(sorted(self.pods)))
        self.pods[uid] = self._started(self.pods[uid], phase, ready=ready)

    @rule(name=NAMES)
    def stray(self, name: str) -> None:
        """Let an orphan turn up that the selector takes."""
        self.count += 1
        made = daemon(None, name, "stray", name=f"stray-{self.count}", age=1000 - self.count)
        if name in self.nodes:
            self.pods[made.uid] = made

    @rule(fails=st.sets(st.integers(0, 9)))
    def sync(self, fails: set[int]) -> None:
        """Look once, and do what the plan says, less what fails."""
        self._sync(fails)

    @rule()
    def settle(self) -> None:
        """Let everything that can start do so: it comes to rest with one new pod on each node that takes one."""
        for name, found in self.nodes.items():
            self.nodes[name] = node(name, taints=_taints(found))
        for _ in range(60):
            self._go()
            if not self._sync(set()):
                break
        else:
            raise AssertionError("never comes to rest")
        placement = Placement(self.daemonset["spec"]["template"])
        wanted = {name for name, found in self.nodes.items() if placement.on(found).run}
        by_node = sorted(pod.target_node for pod in self.pods.values() if placement.on(self.nodes[pod.node]).run)
        assert by_node == sorted(wanted)
        status = report(self._observed(), Outcome())
        assert status is not None
        assert status["numberAvailable"] == status["updatedNumberScheduled"] == len(wanted)
        assert status["numberUnavailable"] == 0

    @invariant()
    def looking_changes_nothing(self) -> None:
        """The same is decided each time."""
        if hasattr(self, "daemonset"):
            assert told(plan(self._observed())) == told(plan(self._observed()))

    def _observed(self) -> Observed:
        return Observed(
            self.daemonset,
            tuple(self.pods.values()),
            tuple(self.revisions.values()),
            tuple(self.nodes.values()),
            NOW,
        )

    def _sync(self, fails: set[int]) -> bool:
        """Carry a plan out, and say whether there was anything to do."""
        observed = self._observed()
        made = plan(observed)
        self._check(observed, [s for s in made.steps if isinstance(s, Delete) and s.target.resource == PODS])
        for number, step in enumerate(made.steps):
            if number not in fails:
                self._apply(step)
        return any(True for _ in made.steps)

    def _check(self, observed: Observed, doomed: list[Delete]) -> None:
        """No rollout takes more available pods than its bounds let: a surge none, but for what a newer one replaces."""
        placement = Placement(self.daemonset["spec"]["template"])
        home = {name for name, found in self.nodes.items() if placement.on(found).run}
        surge, unavailable = bounds(self.daemonset, len(home))
        gone = {step.target.uid for step in doomed}
        before = {pod.node for pod in observed.pods if pod.ready and pod.phase == "Running" and pod.node in home}
        after = {
            pod.node
            for pod in observed.pods
            if pod.ready and pod.phase == "Running" and pod.node in home and pod.uid not in gone
        }
        lost = before - after
        if surge:
            assert not lost or all(self._has_duplicates(name) for name in lost)
        else:
            assert len({name for name in lost if not self._has_duplicates(name)}) <= unavailable

    def _has_duplicates(self, name: str) -> bool:
        """Whether a node has several pods: which of them stays goes by age, not by readiness."""
        return sum(pod.target_node == name for pod in self.pods.values()) > 1

    def _apply(self, step: Create | Delete | Patch) -> None:
        if isinstance(step, Create) and step.resource == PODS:
            self.count += 1
            on, digest = pinned_to(step.body), step.body["metadata"]["labels"][HASH_LABEL]
            pod = daemon(
                self.daemonset, on, digest, name=f"p{self.count}", ready=None, waits=True, age=1000 - self.count
            )
            self.pods[pod.uid] = replace(pod, phase="Pending")
        elif isinstance(step, Create):
            body = step.body
            meta = body["metadata"] | {"uid": f"uid-{objects.name(body)}", "resourceVersion": "1"}
            held = {"spec": {"template": self.daemonset["spec"]["template"]}}
            self.revisions[objects.name(body)] = body | {"metadata": meta, "data": held}
        elif isinstance(step, Delete):
            self.pods.pop(step.target.uid, None)
            self.revisions.pop(step.target.name, None)
        elif step.target.resource == PODS and "ownerReferences" in step.body["metadata"]:
            references = tuple(step.body["metadata"]["ownerReferences"] or ())
            owner = objects.controller_of({"metadata": {"ownerReferences": list(references)}})
            self.pods[step.target.uid] = replace(self.pods[step.target.uid], owner=owner, owner_references=references)
        else:
            self.revisions[step.target.name] = (
                self.revisions[step.target.name]
                | step.body
                | {"metadata": self.revisions[step.target.name]["metadata"]}
            )

    def _started(self, pod: Pod, phase: str, *, ready: bool) -> Pod:
        """Return a pod as its node has it; one whose node is gone or down does not get on."""
        found = self.nodes.get(pod.target_node)
        if found is None or not nodes.is_ready(found):
            return pod
        up = ready and phase == "Running"
        return replace(pod, node=pod.target_node, phase=phase, ready=up, ready_since=NOW if up else None)

    def _go(self) -> None:
        for uid, pod in self.pods.items():
            if not pod.is_terminated:
                self.pods[uid] = self._started(pod, "Running", ready=True)


def _taints(found: Obj) -> tuple[str, ...]:
    return tuple(f"{taint['key']}:{taint['effect']}" for taint in nodes.taints(found))


TestDaemons = Daemons.TestCase
