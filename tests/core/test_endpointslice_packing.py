"""Which slice an endpoint goes into, and that few are written."""

import random
from collections import Counter

import pytest

from operators.core.endpointslice import plan
from operators.core.objects import Obj
from operators.core.plan import Create, Patch
from operators.core.pods import Pod
from tests.support.services import after, backend, core, endpoint, kinds, seen, slice_

WEB = core()


def fleet(first: int, count: int) -> list[Pod]:
    """Return pods with addresses of their own."""
    return [backend(f"p{n:04}", f"10.{n // 62500}.{n // 250 % 250}.{n % 250 + 1}") for n in range(first, first + count)]


def slices(*sizes: int) -> tuple[list[Pod], tuple[Obj, ...]]:
    """Return slices of these sizes, and the pods that are in them."""
    pods, made = fleet(0, sum(sizes)), []
    for number, size in enumerate(sizes):
        start = sum(sizes[:number])
        made.append(slice_(f"s{number}", *(endpoint(pod) for pod in pods[start : start + size]), of=WEB))
    return pods, tuple(made)


@pytest.mark.parametrize(
    ("sizes", "gone", "new", "want_steps", "want_sizes"),
    [
        pytest.param((), 0, 100, ["create"], [100], id="one is enough"),
        pytest.param((), 0, 101, ["create", "create"], [1, 100], id="one more needs another"),
        pytest.param((100, 50), 0, 0, [], [50, 100], id="nothing new, nothing written"),
        pytest.param((100, 50), 0, 1, ["patch"], [51, 100], id="into what has room"),
        pytest.param((98, 50), 0, 2, ["patch"], [50, 100], id="into what gets fullest"),
        pytest.param((98, 50), 0, 3, ["patch"], [53, 98], id="all into one that takes all"),
        pytest.param((98, 97), 0, 4, ["create"], [4, 97, 98], id="a new one, where none takes all"),
        pytest.param((100, 100), 1, 1, ["patch"], [100, 100], id="into the gap that is written anyway"),
        pytest.param((100, 100), 1, 2, ["patch", "create"], [1, 100, 100], id="the gap, and the rest anew"),
        pytest.param((100, 1), 100, 0, ["delete"], [1], id="an empty one goes"),
        pytest.param((1, 100), 1, 1, ["patch"], [1, 100], id="an emptied one is filled rather than replaced"),
        pytest.param((10,), 10, 0, ["patch"], [0], id="the last one stays, empty"),
        pytest.param((30, 30, 30), 0, 0, [], [30, 30, 30], id="what is not full is let be"),
        pytest.param((), 0, 250, ["create"] * 3, [50, 100, 100], id="many"),
    ],
)
def test_packing(sizes: tuple[int, ...], gone: int, new: int, want_steps: list[str], want_sizes: list[int]) -> None:
    """What is written, and how full the slices are then."""
    pods, before = slices(*sizes)
    made = plan(seen(WEB, *pods[gone:], *fleet(len(pods), new), slices=before))
    left = after(made, *before)
    assert sorted(kinds(made)) == sorted(want_steps)
    assert sorted(len(one["endpoints"]) for one in left) == want_sizes


def test_a_rollout_of_a_thousand() -> None:
    """Each pod is in one slice at any time, and slices are about as many as are needed."""
    draw = random.Random(7)  # noqa: S311 - the same rollout each time
    known: list[Obj] = []
    pods, count, writes = fleet(0, 1000), 1000, 0
    for step in range(30):
        made = plan(seen(WEB, *pods, slices=tuple(known)))
        writes += len(kinds(made))
        known = [
            one if "uid" in one["metadata"] else slice_(f"s{step}-{number}", *one["endpoints"], of=WEB)
            for number, one in enumerate(after(made, *known))
        ]
        listed = Counter(e["targetRef"]["name"] for one in known for e in one["endpoints"])
        assert listed == Counter(pod.name for pod in pods)
        assert max(len(one["endpoints"]) for one in known) <= 100
        for gone in draw.sample(range(len(pods)), 25):
            pods[gone] = fleet(count, 1)[0]
            count += 1
    assert len(known) <= 14
    assert writes <= 10 + 29 * 10


def test_what_is_listed_twice_is_listed_once() -> None:
    """A second entry for a pod is taken out; a slice that has no other goes."""
    pods, before = slices(2)
    again = slice_("t", endpoint(pods[0]), of=WEB)
    made = plan(seen(WEB, *pods, slices=(*before, again)))
    assert kinds(made) == ["delete"]
    assert next(iter(made.steps)).target.name == "t"  # type: ignore[union-attr]


def test_pods_with_other_ports_have_other_slices() -> None:
    """A named port that is another number elsewhere splits the Service."""
    http = [{"name": "app", "ports": [{"name": "http", "containerPort": number}]} for number in (8080, 9090)]
    named = core(ports=[{"port": 80, "protocol": "TCP", "targetPort": "http"}])
    pods = [backend("a", containers=[http[0]]), backend("b", containers=[http[1]]), backend("c", containers=[http[0]])]
    found = {one["ports"][0]["port"]: len(one["endpoints"]) for one in after(plan(seen(named, *pods)))}
    assert found == {8080: 2, 9090: 1}


def test_new_ports_take_over_a_slice() -> None:
    """One write in place of two."""
    pods, before = slices(3)
    moved = core(ports=[{"port": 80, "protocol": "TCP", "targetPort": 8080}])
    (step,) = plan(seen(moved, *pods, slices=before)).steps
    assert isinstance(step, Patch)
    assert step.body["ports"] == [{"name": "", "port": 8080, "protocol": "TCP"}]
    assert step.resource_version == "1"


def test_of_both_families() -> None:
    """Each has its own slices; those of a family that the Service no longer has go."""
    pod, dual = backend("a", "10.0.0.1", "fd00::1"), core(ipFamilies=["IPv4", "IPv6"])
    made = [step.body for step in plan(seen(dual, pod)).steps if isinstance(step, Create)]
    assert {one["addressType"]: one["endpoints"][0]["addresses"] for one in made} == {
        "IPv4": ["10.0.0.1"],
        "IPv6": ["fd00::1"],
    }
    old = slice_("six", endpoint(pod, addresses=["fd00::1"]), of=WEB, family="IPv6")
    kept = slice_("four", endpoint(pod, addresses=["10.0.0.1"]), of=WEB)
    assert kinds(plan(seen(WEB, pod, slices=(old, kept)))) == ["delete"]
