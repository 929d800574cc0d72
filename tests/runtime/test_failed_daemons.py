"""What is remembered of failed daemon pods between syncs, for as long as the process lives."""

from datetime import datetime, timedelta

import pytest

from operators.controllers.daemonsets import daemonset_controller
from operators.core.daemonset import Observed
from operators.core.nodes import NODES
from operators.core.objects import PODS, Obj, daemonsets
from operators.core.revisions import CONTROLLERREVISIONS
from operators.runtime.informer import Informers
from tests.support.builders import NOW
from tests.support.daemons import daemonset

GROUP = "kopfwerk.dev"
LATER = NOW + timedelta(seconds=3)


class _Empty:
    """A cache in which there is nothing."""

    def by(self, *_: object) -> tuple[object, ...]:
        return ()

    def all(self) -> tuple[object, ...]:
        return ()


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch) -> Informers:
    """Caches in which there is nothing."""
    caches = dict.fromkeys((PODS, NODES, CONTROLLERREVISIONS, daemonsets(GROUP)), _Empty())
    monkeypatch.setattr(Informers, "__getitem__", lambda _self, resource: caches[resource])
    return Informers()


def _of(generation: int) -> Obj:
    return daemonset(status={"observedGeneration": generation})


@pytest.mark.parametrize(
    ("seen", "at", "want"),
    [
        pytest.param(1, NOW, {"node-a": 2, "node-b": 1}, id="by node, longer each time"),
        pytest.param(2, NOW, {}, id="a new spec begins anew"),
    ],
)
def test_what_a_later_sync_is_told(empty: Informers, seen: int, at: datetime, want: dict[str, int]) -> None:
    """Each failure on a node makes the next one there wait longer, until the DaemonSet has another spec."""
    controller = daemonset_controller(GROUP)
    for nodes in (("node-a",), ("node-a", "node-b")):
        controller.remember(Observed(_of(1), (), (), (), at), frozenset(nodes))
    observed = controller.observe(empty, _of(seen), LATER)
    assert {node: int(retry.delay.total_seconds()) for node, retry in observed.retries.items()} == want


def test_what_is_long_over_is_forgotten(empty: Informers) -> None:
    """After half an hour without a failure a node is like any other, and costs no memory."""
    controller = daemonset_controller(GROUP)
    controller.remember(Observed(_of(1), (), (), (), NOW), frozenset({"node-a"}))
    controller.remember(Observed(_of(1), (), (), (), NOW + timedelta(minutes=31)), frozenset({"node-b"}))
    assert set(controller.observe(empty, _of(1), LATER).retries) == {"node-b"}
