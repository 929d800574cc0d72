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


def codes(action: str, *values: int) -> dict[str, Any]:
    """Return a rule of a podFailurePolicy."""
    return {"action": action, "onExitCodes": {"operator": "In", "values": list(values)}}


POLICIES = st.sampled_from([
    None,
    None,
    {"rules": [codes("Ignore", 1)]},
    {"rules": [codes("Count", 1), codes("FailJob", 2)]},
    {"rules": [codes("Ignore", 2), codes("FailIndex", 1)]},
])  # fmt: skip
ENOUGH = st.sampled_from([None, None, {"succeededCount": 1}, {"succeededIndexes": "0,2"}])


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
        policy=POLICIES,
        enough=ENOUGH,
        group=st.sampled_from(["batch", "kopfwerk.dev"]),
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
        policy: dict[str, Any] | None,
        enough: dict[str, Any] | None,
        group: str,
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
            if enough is not None:
                spec |= {"successPolicy": {"rules": [enough]}}
        if policy is not None and ("backoffLimitPerIndex" in spec or "FailIndex" not in str(policy)):
            spec |= {"podFailurePolicy": policy, "podReplacementPolicy": "Failed"}
        if completions is not None:
            spec["completions"] = completions
        self.world = JobWorld(group, **spec)

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
    @rule(pick=PICK, phase=st.sampled_from(["Succeeded", "Succeeded", "Failed"]), code=st.sampled_from([1, 1, 2]))
    def end(self, pick: int, phase: str, code: int) -> None:
        """A pod ends."""
        self.world.end(self.some(pick), phase, code)

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

    @precondition(lambda self: self.world.is_elastic)
    @rule(size=st.integers(0, 5))
    def resize(self, size: int) -> None:
        """Somebody changes the completions of an Indexed Job, and its parallelism with them."""
        self.world.edit(completions=size, parallelism=size)

    @precondition(lambda self: self.world.pods)
    @rule(pick=PICK)
    def steal(self, pick: int) -> None:
        """A pod loses its finalizer to another controller."""
        self.world.steal(self.some(pick))

    @rule()
    def rest(self) -> None:
        """All is done that can be; where only time brings the Job on, it is known how much."""
        world = self.world
        world.quiesce()
        if not world.is_waiting:
            return
        assert world.requeue_after is not None, "nothing would ever wake it"
        world.pass_time(world.requeue_after.total_seconds())
        world.look()
        assert world.sync(), "woken for nothing"

    def teardown(self) -> None:
        """All pods end in the end, and all that were let go are counted, once."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.edit(suspend=False, **({"completions": 2, "parallelism": 2} if world.is_elastic else {}))
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


class Deletions(Jobs):
    """A Job that is deleted while all that befalls it."""

    @rule(propagation=st.sampled_from(["Background", "Foreground", "Orphan"]))
    def delete_job(self, propagation: str) -> None:
        """Somebody deletes the Job."""
        self.world.delete_job(propagation)

    @precondition(lambda self: self.world.pods and self.world.propagation)
    @rule(pick=PICK)
    def collect(self, pick: int) -> None:
        """The garbage collector comes to a pod."""
        self.world.collect(self.some(pick))

    def teardown(self) -> None:
        """The Job goes, and no pod is held by a finalizer that nobody would take off."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.delete_job("Background")
        orphans = world.propagation == "Orphan"
        for _ in range(3):
            world.quiesce()
            for pod in list(world.pods.values()):
                world.collect(pod)
        world.quiesce()
        held = [pod for pod in world.pods.values() if pod["metadata"].get("finalizers")]
        if orphans and world.group != "batch":
            assert all(not pod["metadata"]["ownerReferences"] for pod in held), "upstream would not let go of it"
        else:
            assert not held
        assert orphans or not world.pods


def test_no_finalizer_is_left_behind() -> None:
    """Whichever way a Job is deleted, and wherever the controller dies."""
    profile = settings.get_profile(PROFILE)
    run_state_machine_as_test(Deletions, settings=settings(profile, max_examples=profile.max_examples // 2))


def test_every_pod_is_counted_once_and_all_comes_to_its_end() -> None:
    """Whatever happens, and wherever the controller dies."""
    run_state_machine_as_test(Jobs, settings=settings.get_profile(PROFILE))
