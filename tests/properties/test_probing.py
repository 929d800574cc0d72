"""PodProbes in a world where anything may happen at any moment: to pods, containers, budgets, and the operator."""

import asyncio
import logging
from datetime import datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from operators.controllers import podprobes
from operators.core.objects import PODPROBES, PODS, Obj
from operators.probes import worker
from operators.probes.prober import Prober
from tests.properties import rights
from tests.properties.conftest import PROFILE
from tests.properties.probing import Network, ProbeRules, container_of, start_again
from tests.properties.trouble import MOMENTS, PICK, Trouble
from tests.support.builders import NOW

WEB = ("ns", "web")
UNASKED = (("kopfwerk.dev", "podprobes", "get"),)
"""Nobody is adopted."""
FAST: Obj = {"tcpSocket": {"port": 80}, "periodSeconds": 5, "timeoutSeconds": 1, "successThreshold": 1}


class Probing(Trouble):
    """One PodProbe, pods that it selects and others, and everything that befalls them."""

    judge = ProbeRules
    probed: ProbeRules

    @initialize(
        size=st.integers(1, 5), limit=st.integers(1, 2), method=st.sampled_from(["Evict", "Evict", "InPlace"]),
        failures=st.integers(1, 3),
    )  # fmt: skip
    def begin(self, size: int, limit: int, method: str, failures: int) -> None:
        """Create the PodProbe and its pods, and a pod of somebody else."""
        assert isinstance(self.world.rules, ProbeRules)
        self.probed, self.truth = self.world.rules, self.world.rules.truth
        self.probed.size = size
        restart = {"method": method, "maxConcurrent": limit, "baseDelaySeconds": 1, "maxDelaySeconds": 4}
        probe = FAST | {"failureThreshold": failures}
        self.spec: Obj = {
            "selector": {"matchLabels": {"app": "web"}},
            "restart": restart | {"recoverySeconds": 40},
            "readinessProbe": probe,
            "livenessProbe": probe,
        }
        self.probed.make_pod("other", gated=False)
        self.podprobe_goes("at once", 0)
        self.world.kubelets()
        self.after(0)

    @rule(back=st.sampled_from(["at once", "later", "not"]), seconds=MOMENTS)
    def podprobe_goes(self, back: str, seconds: float) -> None:
        """Somebody deletes the PodProbe, and perhaps creates it anew; one that is gone is back."""
        store = self.world.store
        goes = WEB in store.objects[PODPROBES]
        if goes:
            store.remove(PODPROBES, WEB)
            self.after(0 if back == "at once" else seconds)
        if not goes or back != "not":
            store.create(PODPROBES, {"metadata": {"namespace": "ns", "name": "web"}, "spec": self.spec})
        self.after(seconds)

    @rule(seconds=st.sampled_from([4, 6, 12, 20]))
    def probes_go_on(self, seconds: int) -> None:
        """Nothing happens for as long as it takes to find something out."""
        self.after(seconds)
        self.world.kubelets()
        self.after(0.1)

    @rule(readiness=st.booleans(), period=st.sampled_from([2, 5, 10]), seconds=MOMENTS)
    def podprobe_changes(self, period: int, seconds: float, *, readiness: bool) -> None:
        """Somebody changes how often it asks, and whether for readiness."""
        if WEB in self.world.store.objects[PODPROBES]:
            liveness = self.spec["livenessProbe"] | {"periodSeconds": period}
            change = {"livenessProbe": liveness, "readinessProbe": self.spec["readinessProbe"] if readiness else None}
            self.world.store.patch(PODPROBES, WEB, {"spec": change})
        self.after(seconds)

    @rule(picks=st.lists(PICK, min_size=1, max_size=6), seconds=MOMENTS)
    def containers_hang(self, picks: list[int], seconds: float) -> None:
        """Some containers do nothing any more, perhaps somebody else's too."""
        for pick in picks:
            if (pod := self.some(PODS, pick)) is not None and container_of(pod):
                self.truth.hang(container_of(pod))
        self.after(seconds)

    @rule(pick=PICK, seconds=MOMENTS)
    def container_recovers(self, pick: int, seconds: float) -> None:
        """One comes to itself."""
        if (pod := self.some(PODS, pick)) is not None:
            self.truth.hung.discard(container_of(pod))
        self.after(seconds)

    @rule(pick=PICK, seconds=MOMENTS)
    def container_is_busy(self, pick: int, seconds: float) -> None:
        """One cannot serve, or can again."""
        if (pod := self.some(PODS, pick)) is not None and container_of(pod):
            self.truth.busy ^= {container_of(pod)}
        self.after(seconds)

    @rule(pick=PICK, seconds=MOMENTS)
    def container_starts_again(self, pick: int, seconds: float) -> None:
        """One ends by itself, and its kubelet starts it again."""
        if (pod := self.some(PODS, pick)) is not None and container_of(pod):
            start_again(self.world.store, pod)
        self.after(seconds)

    @rule(refuses=st.booleans(), heeds=st.booleans(), number=st.integers(0, 5), seconds=MOMENTS)
    def obstacles(self, number: int, seconds: float, *, refuses: bool, heeds: bool) -> None:
        """A budget lets no pod go, or does; commands work or do not; some tries cannot be made."""
        self.world.network.budget_refuses, self.truth.heeds, self.truth.in_the_way = refuses, heeds, number
        self.after(seconds)

    @rule(
        pick=PICK, how=st.sampled_from(["ready", "unready", "Failed", "deleted", "removed", "relabelled"]),
        seconds=MOMENTS,
    )  # fmt: skip
    def pod_changes(self, pick: int, how: str, seconds: float) -> None:
        """One pod changes its state or its labels, or somebody deletes it, gently or by force."""
        self.befall(self.some(PODS, pick), how, "other")
        self.after(seconds)

    def come_to_rest(self) -> None:
        """End all trouble, let back-offs end, and check that all is as it was asked for."""
        self.world.network.budget_refuses, self.truth.in_the_way = False, 0
        self.world.quiesce()
        self.world.run(200)
        super().come_to_rest()


def _now() -> datetime:
    return NOW + timedelta(seconds=asyncio.get_running_loop().time())


def test_the_condition_ends_at_the_truth_and_restarts_keep_their_limit(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever befalls pods, probes and the operator, nothing healthy is restarted, and nobody else's pod touched."""
    caplog.set_level(logging.CRITICAL)
    monkeypatch.setattr(worker, "Tries", Network)
    monkeypatch.setattr(podprobes, "Prober", lambda: Prober(_now))
    profile = settings.get_profile(PROFILE)
    fewer = settings(profile, max_examples=profile.max_examples // 5)  # probes go on while everything rests
    run_state_machine_as_test(Probing, settings=fewer)
    rights.check("podprobe", unasked=UNASKED)
