"""Jobs under everything that can happen to them, in any order: pods that end or vanish, edits, faults, deaths."""

from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.properties.conftest import PROFILE
from tests.properties.jobs import Fault, JobWorld

FAULTS = st.sampled_from(["refused", "unanswered", "death before", "death after"])
TROUBLE = st.lists(st.tuples(st.integers(1, 6), FAULTS), max_size=2)
PICK = st.integers(0, 1000)


class Jobs(RuleBasedStateMachine):
    """One Job, and everything that befalls it."""

    world: JobWorld

    @initialize(
        completions=st.sampled_from([None, 0, 1, 3, 6]),
        parallelism=st.integers(1, 4),
        indexed=st.booleans(),
        limit=st.sampled_from([0, 2, 100]),
        per_index=st.sampled_from([None, 0, 1]),
        replacement=st.sampled_from(["TerminatingOrFailed", "Failed"]),
    )
    def begin(
        self,
        *,
        completions: int | None,
        parallelism: int,
        indexed: bool,
        limit: int,
        per_index: int | None,
        replacement: str,
    ) -> None:
        """Create the Job."""
        spec: dict[str, Any] = {
            "parallelism": parallelism,
            "podReplacementPolicy": replacement,
            "backoffLimit": limit,
        }
        if indexed and completions is not None:
            spec |= {"completionMode": "Indexed"}
            if per_index is not None:
                spec |= {"backoffLimitPerIndex": per_index, "backoffLimit": 2**31 - 1}
        if completions is not None:
            spec["completions"] = completions
        self.world = JobWorld(**spec)

    def some(self, pick: int) -> Any:
        """Choose a pod."""
        pods = list(self.world.pods.values())
        return pods[pick % len(pods)]

    @rule(faults=TROUBLE, fresh=st.booleans())
    def sync(self, faults: list[tuple[int, Fault]], fresh: bool) -> None:  # noqa: FBT001
        """The controller takes its turn."""
        if fresh:
            self.world.look()
        self.world.sync(*faults)

    @precondition(lambda self: self.world.pods)
    @rule(pick=PICK, phase=st.sampled_from(["Succeeded", "Succeeded", "Failed"]))
    def end(self, pick: int, phase: str) -> None:
        """A pod ends."""
        self.world.end(self.some(pick), phase)

    @precondition(lambda self: self.world.pods)
    @rule(pick=PICK)
    def delete(self, pick: int) -> None:
        """Somebody deletes a pod."""
        self.world.delete(self.some(pick))

    @rule(seconds=st.sampled_from([1.0, 15.0, 700.0]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.world.pass_time(seconds)

    @rule(suspend=st.booleans())
    def suspend(self, suspend: bool) -> None:  # noqa: FBT001
        """Somebody suspends or resumes the Job."""
        self.world.edit(suspend=suspend)

    def teardown(self) -> None:
        """All pods end in the end, and all that were let go are counted, once."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.edit(suspend=False)
        for _ in range(60):
            world.pass_time(700)
            world.quiesce()
            if world.is_over:
                break
            for pod in list(world.pods.values()):
                world.end(pod, "Succeeded")
        assert world.is_over, "it never ends"
        world.quiesce()
        world.check_counts()
        assert not any(pod["metadata"].get("finalizers") for pod in world.pods.values())


def test_every_pod_is_counted_once_and_all_comes_to_its_end() -> None:
    """Whatever happens, and wherever the controller dies."""
    run_state_machine_as_test(Jobs, settings=settings.get_profile(PROFILE))
