"""Probes whose results, pods, writes and leaders come and go at random: thresholds hold, and restarts keep their limit.

The rules alone are tried here, in a world that does what a plan says, less what fails.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
from hypothesis import given
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from operators.core.plan import Delete, Outcome, Patch
from operators.core.pods import Pod
from operators.core.probe import Member, Observed, plan, report
from operators.core.probe.spec import Kind
from operators.core.probe.worker import Result, State, judged
from tests.support.builders import NOW
from tests.support.probes import member, podprobe, probe, probed

OK, BAD, HUH = Result.SUCCESS, Result.FAILURE, Result.UNKNOWN


@given(
    found=st.lists(st.sampled_from([OK, BAD, HUH]), max_size=40),
    passes=st.integers(1, 4),
    fails=st.integers(1, 4),
)
def test_the_result_is_that_of_the_last_run_that_was_long_enough(found: list[Result], passes: int, fails: int) -> None:
    """Told another way than by counting on: look for the last place where enough of a kind came in a row."""
    readiness, state = probe(Kind.READINESS, successThreshold=passes, failureThreshold=fails), State("c1")
    for result in found:
        state = judged(state, readiness, result, "", NOW)
    counted = [result for result in found if result != HUH]
    want = None
    for end in range(1, len(counted) + 1):
        for result, enough in ((OK, passes), (BAD, fails)):
            if end >= enough and all(one == result for one in counted[end - enough : end]):
                want = result
    assert state.result == want


class Restarts(RuleBasedStateMachine):
    """A set of pods that die, are restarted, and are replaced by somebody who keeps their number."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0
        self.count = 0
        self.pods: dict[str, Pod] = {}
        self.dead: set[str] = set()
        self.known: dict[str, State] = {}
        self.status: dict[str, Any] = {}

    @initialize(limit=st.sampled_from([1, 2, "50%"]), size=st.integers(1, 6))
    def begin(self, limit: int | str, size: int) -> None:
        """Create the PodProbe and its pods, which have been running for long."""
        self.size = size
        self.restart = {"maxConcurrent": limit, "recoverySeconds": 86_400}
        for _ in range(size):
            self._make(ready=True, running=7200)

    def _make(self, *, ready: bool, running: float) -> None:
        self.count += 1
        pod = probed(f"p{self.count}", ready=ready, running=running - self.seconds, age=running - self.seconds)
        self.pods[pod.uid] = pod

    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        """Let a container hang; its probe finds out."""
        if self.pods:
            uid = data.draw(st.sampled_from(sorted(self.pods)))
            self.dead.add(uid)
            self.known[uid] = State("c1", BAD, since=NOW + timedelta(seconds=self.seconds))

    @rule()
    def all_die(self) -> None:
        """Let everything hang at once."""
        for uid in self.pods:
            self.dead.add(uid)
            self.known[uid] = State("c1", BAD, since=NOW + timedelta(seconds=self.seconds))

    @rule()
    def change_the_leader(self) -> None:
        """Forget what the prober knows; the dead are found again in their time."""
        self.known.clear()

    @rule()
    def find_out(self) -> None:
        """Let the probes find what is so."""
        for uid in self.pods:
            self.known[uid] = State("c1", BAD if uid in self.dead else OK, since=NOW + timedelta(seconds=self.seconds))

    @rule(seconds=st.sampled_from([1, 5, 30, 400]))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.seconds += seconds

    @rule()
    def give_way(self) -> None:
        """Let the pods that are being deleted go, and somebody replace one; it is not ready yet."""
        self.pods = {uid: pod for uid, pod in self.pods.items() if not pod.terminating}
        if len(self.pods) < self.size:
            self._make(ready=False, running=0)

    @rule()
    def become_ready(self) -> None:
        """Let every pod that lives become ready, and so the places be free again."""
        for uid, pod in self.pods.items():
            if uid not in self.dead and not pod.ready:
                self.pods[uid] = _changed(pod, ready=True)

    @rule(evicts=st.booleans(), writes=st.booleans())
    def sync(self, *, evicts: bool, writes: bool) -> None:
        """Carry out a plan and write the status, or fail to."""
        observed = self._observed()
        for step in plan(observed).steps:
            if isinstance(step, Delete) and evicts:
                assert any(entry["uid"] == step.target.uid for entry in self.status["restarting"])
                self.pods[step.target.uid] = _changed(self.pods[step.target.uid], terminating=True)
            assert not isinstance(step, Patch)
        status = report(observed, Outcome())
        if status is not None and writes:
            self.status = status

    def _observed(self) -> Observed:
        members: list[Member] = []
        for uid, pod in sorted(self.pods.items()):
            state = self.known.get(uid)
            members.append(member(pod, **({"liveness": state} if state else {})))
        parent = podprobe(restart=self.restart, status=self.status, liveness={})
        return Observed(parent, tuple(members), (), NOW + timedelta(seconds=self.seconds))

    @invariant()
    def the_limit_holds(self) -> None:
        """Of the set, no more are missing through restarts than may be: on their way out, gone, or not ready yet."""
        if not hasattr(self, "restart"):
            return
        well = sum(pod.ready and not pod.terminating for pod in self.pods.values())
        allowed = (
            max(1, int(self.size / 2)) if self.restart["maxConcurrent"] == "50%" else self.restart["maxConcurrent"]
        )
        assert self.size - well <= int(str(allowed))


def _changed(pod: Pod, **changes: bool) -> Pod:
    return replace(pod, **changes)  # type: ignore[arg-type] # the two that are flags


TestRestarts = Restarts.TestCase
