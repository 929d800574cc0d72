"""What befalls any world: nodes that die, writes that fail, watches that lag and break, an operator that is killed."""

from typing import Any, ClassVar

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from operators.core import objects
from operators.core.objects import PODS, Obj, Resource, key
from tests.properties.connection import Fault
from tests.properties.counts import TRIED
from tests.properties.rules import Rules
from tests.properties.world import NODES, World

MOMENTS = st.sampled_from([0.0, 0.001, 0.006, 0.011, 0.017, 0.1, 2.0, 40.0])
FAULTS: list[Fault] = ["conflict", "quota", "throttled", "broken", "unsent", "unanswered"]
PICK = st.integers(0, 1000)


class Trouble(RuleBasedStateMachine):
    """A world under rules, which `judge` makes; a kind's own doings are a class of their own."""

    judge: ClassVar[type[Rules]]

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.judge())
        TRIED["worlds"] += 1

    def teardown(self) -> None:
        """Whatever happened, once it is over all becomes as it was asked for."""
        try:
            self.come_to_rest()
        finally:
            TRIED["writes"] += self.world.rules.checked
            self.world.close()

    def come_to_rest(self) -> None:
        """End all trouble, and check that all is as it was asked for."""
        self.world.quiesce()
        self.world.check_rest()

    def after(self, seconds: float) -> None:
        """Let the rest of a step pass."""
        TRIED["steps"] += 1
        self.world.run(seconds)

    def some(self, resource: Any, pick: int) -> Obj | None:
        """Choose an object."""
        found = self.world.store.all(resource)
        return found[pick % len(found)] if found else None

    def befall(self, pod: Obj | None, how: str, other: str) -> None:
        """Have something become of a pod, if there is one: its state, its app, which is then `other`, or its end."""
        store = self.world.store
        if pod is not None and how == "removed":
            store.remove(PODS, key(pod))
        elif pod is not None and how == "deleted":
            store.delete(PODS, key(pod))
        elif pod is not None and how == "relabelled":
            app = "web" if objects.labels(pod)["app"] == other else other
            store.patch(PODS, key(pod), {"metadata": {"labels": {"app": app}}})
        elif pod is not None and pod["status"]["phase"] in ("Pending", "Running"):
            self.world.set_pod(pod, "Failed" if how == "Failed" else "Running", ready=how == "ready", node=NODES[0])

    def watched(self, pick: int) -> Resource:
        """Choose a resource that the operator watches."""
        resources = self.world.rules.resources
        return resources[pick % len(resources)]

    @rule(seconds=MOMENTS)
    def pods_start(self, seconds: float) -> None:
        """The kubelets do their work."""
        self.world.kubelets()
        self.after(seconds)

    @rule(node=st.sampled_from(NODES), seconds=MOMENTS)
    def node_dies(self, node: str, seconds: float) -> None:
        """A node is lost, with its pods."""
        self.world.kill_node(node)
        self.after(seconds)

    @rule(faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=3), seconds=MOMENTS)
    def writes_fail(self, faults: list[Fault], seconds: float) -> None:
        """The next writes fail, or their answers get lost."""
        self.world.network.faults = list(faults)
        self.after(seconds)

    @rule(pick=PICK, seconds=MOMENTS)
    def watch_lags(self, pick: int, seconds: float) -> None:
        """The watch of one resource shows nothing new for a while."""
        self.world.network.held[self.watched(pick)] = self.world.store.version
        self.after(seconds)

    @precondition(lambda self: self.world.network.held)
    @rule(seconds=MOMENTS)
    def watch_catches_up(self, seconds: float) -> None:
        """What was late comes."""
        self.world.network.held.clear()
        self.world.network.pulse()
        self.after(seconds)

    @rule(pick=PICK, expired=st.booleans(), seconds=MOMENTS)
    def watch_breaks(self, pick: int, expired: bool, seconds: float) -> None:  # noqa: FBT001
        """A watch breaks, and goes on where it was or, where that is too old, with a list."""
        network, resource = self.world.network, self.watched(pick)
        network.breaks[resource] += 1
        if expired:
            network.compacted[resource] = self.world.store.version
        network.pulse()
        self.after(seconds)

    @rule(seconds=MOMENTS)
    def restart(self, seconds: float) -> None:
        """The operator is killed wherever it is, and starts anew."""
        self.world.restart()
        self.after(seconds)

    @rule()
    def rest(self) -> None:
        """Nothing happens for a long time."""
        self.come_to_rest()
        self.after(0)
