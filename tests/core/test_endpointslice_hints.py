"""Who should use which endpoints: by trafficDistribution, and by each zone's share of the CPU."""

from collections import Counter
from collections.abc import Iterable

import pytest

from operators.core.endpointslice import Observed, plan, ratios
from operators.core.objects import Obj
from tests.support.builders import metadata
from tests.support.services import after, backend, core, endpoint, kinds, seen, slice_, worker

AUTO: Obj = {"annotations": {"service.kubernetes.io/topology-mode": "Auto"}}
AWARE = core(meta=AUTO)
NODES = {"n1": worker("n1", "east"), "n2": worker("n2", "west"), "n3": worker("n3", "")}
MASTER = "node-role.kubernetes.io/master"
EAST, WEST, NOWHERE = (backend(name, node=node) for name, node in (("a", "n1"), ("b", "n2"), ("c", "n3")))


def hints(slices: Iterable[Obj]) -> dict[str, Obj | None]:
    """Return the hints by pod."""
    return {e["targetRef"]["name"]: e.get("hints") for one in slices for e in one["endpoints"]}


@pytest.mark.parametrize(
    ("distribution", "want"),
    [
        pytest.param(None, {"a": None, "c": None}, id="not said"),
        pytest.param("example.com/own", {"a": None, "c": None}, id="somebody's own way"),
        pytest.param("PreferClose", {"a": {"forZones": [{"name": "east"}]}, "c": None}, id="PreferClose"),
        pytest.param("PreferSameZone", {"a": {"forZones": [{"name": "east"}]}, "c": None}, id="PreferSameZone"),
        pytest.param(
            "PreferSameNode",
            {
                "a": {"forZones": [{"name": "east"}], "forNodes": [{"name": "n1"}]},
                "c": {"forNodes": [{"name": "n3"}]},
            },
            id="PreferSameNode",
        ),
    ],
)
def test_traffic_distribution(distribution: str | None, want: dict[str, Obj | None]) -> None:
    """Each ready endpoint is for its own zone, or its own node."""
    observed = seen(core(trafficDistribution=distribution), EAST, NOWHERE, nodes=NODES)
    assert hints(after(plan(observed))) == want


def test_only_ready_ones_have_hints() -> None:
    """Nobody looks at the hints of one that is not ready."""
    pod = backend("a", node="n1", ready=False)
    assert hints(after(plan(seen(core(trafficDistribution="PreferSameZone"), pod, nodes=NODES)))) == {"a": None}


@pytest.mark.parametrize(
    ("before", "distribution", "want_steps"),
    [
        pytest.param({"forZones": [{"name": "east"}]}, "PreferSameZone", [], id="as they are"),
        pytest.param({"forZones": [{"name": "west"}]}, "PreferSameZone", ["patch"], id="wrong"),
        pytest.param(None, "PreferSameZone", ["patch"], id="missing"),
        pytest.param({"forZones": [{"name": "east"}]}, None, ["patch"], id="left over"),
        pytest.param({"forZones": [{"name": "east"}]}, "PreferSameNode", ["patch"], id="not enough"),
    ],
)
def test_hints_alone_are_a_reason_to_write(before: Obj | None, distribution: str | None, want_steps: list[str]) -> None:
    """A slice that has other hints than it should is written, and no other."""
    known = slice_("s", endpoint(EAST, zone="east", **({"hints": before} if before else {})), of=AWARE)
    observed = seen(core(trafficDistribution=distribution), EAST, nodes=NODES, slices=(known,))
    assert kinds(plan(observed)) == want_steps


@pytest.mark.parametrize(
    ("nodes", "want"),
    [
        pytest.param([worker("a", "e", "6"), worker("b", "w", "2")], {"e": 0.75, "w": 0.25}, id="by their CPU"),
        pytest.param([worker("a", "e", "1500m"), worker("b", "w", "1500m")], {"e": 0.5, "w": 0.5}, id="in thousandths"),
        pytest.param([worker("a", "e"), worker("b", "e")], None, id="one zone"),
        pytest.param([worker("a", "e"), worker("b", "w"), worker("c", "")], None, id="a node without a zone"),
        pytest.param([worker("a", "e"), worker("b", "w", "")], None, id="a node without CPU"),
        pytest.param([worker("a", "e"), worker("b", "w"), worker("c", "", ready=False)], {"e": 0.5, "w": 0.5},
                     id="one that is not ready does not count"),
        pytest.param([worker("a", "e"), worker("b", "w"), worker("c", "e", labels={MASTER: ""})],
                     {"e": 0.5, "w": 0.5}, id="nor does the control plane"),
        pytest.param([], None, id="no nodes"),
    ],
)  # fmt: skip
def test_ratios(nodes: list[Obj], want: dict[str, float] | None) -> None:
    """Each zone's share, where every worker says where it is and what it has."""
    assert ratios(nodes) == want


def spread(east: int, west: int, shares: dict[str, float] | None) -> Observed:
    """Return what is observed of so many pods in two zones."""
    pods = [backend(f"e{n}", f"10.0.0.{n + 1}", node="n1") for n in range(east)]
    pods += [backend(f"w{n}", f"10.0.1.{n + 1}", node="n2") for n in range(west)]
    return seen(AWARE, *pods, nodes=NODES, ratios=shares)


@pytest.mark.parametrize(
    ("east", "west", "shares", "want"),
    [
        pytest.param(2, 2, {"east": 0.5, "west": 0.5}, {"east": 2, "west": 2}, id="balanced"),
        pytest.param(2, 2, {"east": 0.75, "west": 0.25}, {"east": 3, "west": 1}, id="more where there is more CPU"),
        pytest.param(5, 1, {"east": 0.5, "west": 0.5}, {"east": 3, "west": 3}, id="two are given away"),
        pytest.param(4, 3, {"east": 0.5, "west": 0.5}, {"east": 4, "west": 3}, id="half an endpoint is none"),
        pytest.param(1, 0, {"east": 0.5, "west": 0.5}, {}, id="fewer than zones"),
        pytest.param(1, 2, {"east": 0.5, "west": 0.5}, {}, id="one of three would be overloaded"),
        pytest.param(2, 2, None, {}, id="nothing is known of the nodes"),
    ],
)
def test_topology_mode(east: int, west: int, shares: dict[str, float] | None, want: dict[str, int]) -> None:
    """Each zone is given what its CPU asks for, or there are no hints."""
    made = plan(spread(east, west, shares))
    given = Counter(zone["name"] for hint in hints(after(made)).values() if hint for zone in hint["forZones"])
    assert dict(given) == want
    (said,) = made.events
    assert said.reason == ("TopologyAwareHintsEnabled" if want else "TopologyAwareHintsDisabled")


def test_it_is_said_once() -> None:
    """Where hints are already, nothing is written and nothing said."""
    observed = spread(2, 2, {"east": 0.5, "west": 0.5})
    (made,) = after(plan(observed))
    known = slice_(
        "s", *made["endpoints"], of=AWARE, metadata=metadata("s", owner=AWARE, labels=made["metadata"]["labels"])
    )
    again = plan(seen(AWARE, *observed.pods, nodes=NODES, ratios=observed.ratios, slices=(known,)))
    assert (list(again.steps), again.events) == ([], ())


def test_an_endpoint_without_a_zone() -> None:
    """Then none has a hint, and the reason is said."""
    more = backend("d", node="n1")
    made = plan(seen(AWARE, EAST, WEST, NOWHERE, more, nodes=NODES, ratios={"east": 0.5, "west": 0.5}))
    assert set(map(repr, hints(after(made)).values())) == {"None"}
    assert made.events[0].message.startswith("One or more endpoints do not have a zone specified")
