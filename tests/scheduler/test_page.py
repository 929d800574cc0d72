"""The extender's page: each metric counts what its name says, is in the document, and is what the alerts ask for."""

import io
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import aiohttp
import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families as parse

from operators.core.objects import Obj
from operators.scheduler import metrics, own
from operators.scheduler.extender import Extender
from operators.scheduler.pod import Pod
from operators.scheduler.rules import Rules, rules
from operators.scheduler.server import LARGEST, Server, served
from tests.scheduler.building import member, node, pod_object, snapshot
from tests.scheduler.test_server import Apiserver

ROOT: Final = Path(__file__).parents[2]
_ROW: Final = re.compile(r"^\| `((?:kopfwerk_)?scheduler_\w+)(?:\{([\w,]+)\})?` \|", re.MULTILINE)
_NAME: Final = re.compile(r"\b(?:kopfwerk_)?scheduler_\w+")


class World:
    """An extender of one node behind its server, with a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.extender = Extender(snapshot(node("a", cpu="8")), self._rules, lambda: self.now)
        self.session: aiohttp.ClientSession

    @staticmethod
    def _rules(pod: Pod) -> Rules:
        """Return the rules, timed; those of some pods fail."""

        def fail(*_: object) -> list[object]:
            raise KeyError(pod.name)

        chosen = {
            "own-fails": Rules({"Own": own.predicate("Own", fail)}, {}),  # type: ignore[arg-type]
            "defect": Rules({"Own": fail}, {}),  # type: ignore[dict-item]
        }
        return chosen.get(pod.name) or metrics.timed(rules())

    async def ask(self, obj: Obj, verb: str = "filter") -> int:
        """Ask about a pod; return the HTTP status."""
        body = {"Pod": obj, "NodeNames": ["a"]}
        async with self.session.post(f"/scheduler/{verb}", json=body) as response:
            return response.status

    async def page(self) -> str:
        """Return the page."""
        async with self.session.get("/metrics") as response:
            return await response.text()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Return one, served."""
    found = World()
    async with (
        served(Server(found.extender, Apiserver(), lambda: True).application(), "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as found.session,
    ):
        yield found


def value(name: str, **labels: str) -> float:
    """Return what is counted now, of the whole process."""
    return REGISTRY.get_sample_value(name, labels) or 0


@pytest.mark.parametrize(
    ("verb", "point", "plugin"),
    [
        pytest.param("filter", "Filter", "NodeResourcesFit", id="a predicate"),
        pytest.param("prioritize", "Score", "ImageLocality", id="a priority"),
    ],
)
async def test_each_rule_is_timed(world: World, verb: str, point: str, plugin: str) -> None:
    """Once for each pod that it is asked about."""
    labels = {"plugin": plugin, "extension_point": point, "status": "Success"}
    before = value("scheduler_plugin_execution_duration_seconds_count", **labels)
    await world.ask(pod_object(), verb)
    assert value("scheduler_plugin_execution_duration_seconds_count", **labels) == before + 1


@pytest.mark.parametrize(
    ("name", "want_status", "want_code"),
    [
        pytest.param("fine", 200, "200", id="an answer"),
        pytest.param(1, 400, "400", id="a pod that makes no sense"),
        pytest.param("own-fails", 200, "500", id="a rule of one's own that fails, which kube-scheduler is told"),
        pytest.param("defect", 500, "500", id="a defect"),
    ],
)
async def test_every_call_is_counted(world: World, name: str, want_status: int, want_code: str) -> None:
    """By what came of it, and timed."""
    labels = {"verb": "filter", "code": want_code}
    before = value("kopfwerk_scheduler_calls_total", **labels)
    took = value("kopfwerk_scheduler_call_duration_seconds_count", verb="filter")
    obj = pod_object()
    assert await world.ask(obj | {"metadata": obj["metadata"] | {"name": name}}) == want_status
    assert value("kopfwerk_scheduler_calls_total", **labels) == before + 1
    assert value("kopfwerk_scheduler_call_duration_seconds_count", verb="filter") == took + 1


async def test_a_body_that_is_too_large_is_counted(world: World) -> None:
    """It is refused before it is read."""
    before = value("kopfwerk_scheduler_calls_total", verb="filter", code="413")
    async with world.session.post("/scheduler/filter", data=io.BytesIO(b" " * (LARGEST + 1))) as response:
        assert response.status == 413
    assert value("kopfwerk_scheduler_calls_total", verb="filter", code="413") == before + 1


async def test_a_pod_that_is_never_seen_on_its_node_expires(world: World) -> None:
    """It counts as assumed until the time limit, and is counted as expired from then on."""
    await world.ask(pod_object("lost"))
    page = await world.page()
    assert 'scheduler_cache_size{type="assumed_pods"} 1.0' in page
    assert "kopfwerk_scheduler_expired_pods 0.0" in page
    world.now = 3600
    await world.ask(pod_object("next"))
    assert "kopfwerk_scheduler_expired_pods 1.0" in await world.page()


async def test_groups_are_counted(world: World) -> None:
    """One that is placed is held until its last pod was let through; one whose time is up was given up."""
    before = {result: value("kopfwerk_scheduler_gangs_total", result=result) for result in ("placed", "given_up")}
    for name in ("one", "two"):
        await world.ask(member(name, minimum=2, timeout=10))
    assert "kopfwerk_scheduler_gangs_held 1.0" in await world.page()
    world.now = 11
    await world.ask(pod_object("other"))
    assert "kopfwerk_scheduler_gangs_held 0.0" in await world.page()
    assert {result: value("kopfwerk_scheduler_gangs_total", result=result) - before[result] for result in before} == {
        "placed": 1,
        "given_up": 1,
    }


async def test_the_document_and_the_alerts_name_what_there_is(world: World) -> None:
    """The document has every metric with its labels; the alerts on the scheduler ask for no other."""
    await world.ask(member("one", minimum=2))
    await world.ask(member("two", minimum=2))
    shown = {}
    for family in parse(await world.page()):
        if _NAME.match(family.name):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            shown[name] = {label for sample in family.samples for label in sample.labels if label != "le"}
    document = (ROOT / "docs/scheduler.md").read_text()
    assert shown == {name: set(filter(None, labels.split(","))) for name, labels in _ROW.findall(document)}

    groups = yaml.safe_load((ROOT / "helm/kopfwerk/files/monitoring/rules.yaml").read_text())["groups"]
    [asked] = [group["rules"] for group in groups if group["name"] == "kopfwerk-scheduler"]
    named = {name.removesuffix("_bucket") for rule in asked for name in _NAME.findall(rule["expr"])}
    assert named <= shown.keys()
    assert len(named) == 3
