"""docs/gitops/argocd-cm.yaml: its scripts, run by a real Lua, with as much of the libraries as Argo CD gives them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from lupa import lua51

from operators.core.objects import Obj
from tests.support.builders import deployment

ROOT: Final = Path(__file__).parents[2]
DATA: Final[dict[str, str]] = yaml.safe_load((ROOT / "docs/gitops/argocd-cm.yaml").read_text())["data"]
JUDGED: Final = ("DaemonSet", "Deployment", "ReplicaSet", "Service", "StatefulSet")
"""The kinds that the operator judges by Ready and Stalled alike."""

_SETTING: Final = "resource.customizations.{}.kopfwerk.dev_{}"
_WITHHELD: Final = ("os", "io", "string", "math", "debug", "coroutine")
"""Argo CD opens the base, table and package libraries alone; `require "os"` gives the clock."""


def ran(script: str, obj: Obj) -> Any:
    """Return what a script makes of an object."""
    lua = lua51.LuaRuntime(unpack_returned_tuples=True)
    for library in _WITHHELD:
        lua.globals()[library] = None
    lua.globals()["obj"] = lua.table_from(obj, recursive=True)
    return _plain(lua.execute(script))


def _plain(value: Any) -> Any:
    """Return a table as a list, where its keys are 1, 2, 3…, or else as a dictionary."""
    if lua51.lua_type(value) != "table":
        return value
    found = {key: _plain(one) for key, one in value.items()}
    return [*found.values()] if found and [*found] == [*range(1, len(found) + 1)] else found


def health(obj: Obj) -> str:
    """Return the health of an object."""
    answer = ran(DATA[_SETTING.format("health", obj["kind"])], obj)
    assert isinstance(answer["message"], str)
    return str(answer["status"])


def actions(obj: Obj) -> list[str]:
    """Return what can be done to an object."""
    setting = yaml.safe_load(DATA[_SETTING.format("actions", obj["kind"])])
    offered = ran(setting["discovery.lua"], obj)
    assert set(offered) == {definition["name"] for definition in setting["definitions"]}
    return [name for name in sorted(offered) if not offered[name].get("disabled")]


def acted(name: str, obj: Obj) -> Obj:
    """Return an object as an action leaves it."""
    definitions = yaml.safe_load(DATA[_SETTING.format("actions", obj["kind"])])["definitions"]
    (script,) = (definition["action.lua"] for definition in definitions if definition["name"] == name)
    changed: Obj = ran(script, obj)
    return changed


def workload(kind: str, status: Obj | None, **spec: Any) -> Obj:
    """Return an object of a kind whose spec has been changed once."""
    made = deployment()
    meta = {**made["metadata"], "generation": 2}
    made = {**made, "kind": kind, "metadata": meta, "spec": made["spec"] | spec}
    return {key: value for key, value in made.items() if key != "status"} | ({"status": status} if status else {})


def conditions(*true: str, **false: str) -> list[Obj]:
    """Return conditions that are True, and others with the status given."""
    return [{"type": kind, "status": "True", "message": f"is {kind}"} for kind in true] + [
        {"type": kind, "status": status, "message": f"is not {kind}"} for kind, status in false.items()
    ]


@pytest.mark.parametrize("kind", JUDGED)
@pytest.mark.parametrize(
    ("status", "spec", "want"),
    [
        pytest.param(None, {}, "Progressing", id="nobody has seen it"),
        pytest.param({"conditions": conditions(Ready="Unknown")}, {}, "Progressing", id="as the schema's defaults say"),
        pytest.param({"observedGeneration": 2}, {}, "Progressing", id="without conditions"),
        pytest.param({"observedGeneration": 2, "conditions": conditions("Ready")}, {}, "Healthy", id="rolled out"),
        pytest.param(
            {"observedGeneration": 1, "conditions": conditions("Ready")}, {}, "Progressing", id="changed since"
        ),
        pytest.param(
            {"observedGeneration": 2, "conditions": conditions(Ready="False")}, {}, "Progressing", id="under way"
        ),
        pytest.param(
            {"observedGeneration": 2, "conditions": conditions("Stalled", Ready="False")}, {}, "Degraded", id="stalled"
        ),
        pytest.param(
            {"observedGeneration": 2, "conditions": conditions("Ready")}, {"paused": True}, "Suspended", id="paused"
        ),
    ],
)
def test_health(kind: str, status: Obj | None, spec: Obj, want: str) -> None:
    """It follows the operator's own judgement, of the latest spec alone."""
    assert health(workload(kind, status, **spec)) == want


@pytest.mark.parametrize(
    ("status", "spec", "want"),
    [
        pytest.param(None, {}, "Progressing", id="nobody has seen it"),
        pytest.param({"active": 2, "conditions": conditions("Ready")}, {}, "Progressing", id="at work"),
        pytest.param({"conditions": conditions("Ready", "Complete")}, {}, "Healthy", id="complete"),
        pytest.param({"conditions": conditions("Failed", "Stalled")}, {}, "Degraded", id="failed"),
        pytest.param({"conditions": conditions("Suspended")}, {"suspend": True}, "Suspended", id="suspended"),
        pytest.param({"conditions": conditions("Failed")}, {"suspend": True}, "Degraded", id="failed and suspended"),
    ],
)
def test_health_of_a_job(status: Obj | None, spec: Obj, want: str) -> None:
    """An Application is healthy once its Jobs are complete."""
    assert health(workload("Job", status, **spec)) == want


@pytest.mark.parametrize(("suspend", "want"), [(False, "Healthy"), (True, "Suspended")])
def test_health_of_a_cronjob(suspend: bool, want: str) -> None:  # noqa: FBT001
    """It is well as long as it is to go on; how its Jobs fare is theirs to say."""
    assert health(workload("CronJob", None, suspend=suspend)) == want


def test_every_kind_that_is_judged_has_a_check() -> None:
    """Without one Argo CD would call it healthy as soon as it exists."""
    crds = [yaml.safe_load(file.read_text())["spec"] for file in (ROOT / "crds").glob("*.yaml")]
    schemas = {crd["names"]["kind"]: crd["versions"][0]["schema"]["openAPIV3Schema"]["properties"] for crd in crds}
    kinds = [kind for kind, fields in schemas.items() if "conditions" in fields["status"]["properties"]]
    assert set(JUDGED) < set(kinds)
    assert [kind for kind in kinds if _SETTING.format("health", kind) not in DATA] == []


@pytest.mark.parametrize("kind", ["DaemonSet", "Deployment", "StatefulSet"])
def test_restart(kind: str) -> None:
    """It puts the time into the template, as `kubectl rollout restart` does, and changes nothing else."""
    obj = workload(kind, None)
    changed = acted("restart", obj)
    stamp = changed["spec"]["template"]["metadata"].pop("annotations")["kubectl.kubernetes.io/restartedAt"]
    assert abs((datetime.fromisoformat(stamp) - datetime.now(UTC)).total_seconds()) < 60
    assert changed["spec"]["template"]["metadata"] == obj["spec"]["template"]["metadata"]
    assert {**changed, "spec": {**changed["spec"], "template": obj["spec"]["template"]}} == obj


@pytest.mark.parametrize(
    ("kind", "spec", "status", "want"),
    [
        pytest.param("Deployment", {}, None, ["pause", "restart"], id="a Deployment"),
        pytest.param("Deployment", {"paused": True}, None, ["resume"], id="a paused Deployment"),
        pytest.param("StatefulSet", {}, None, ["restart"], id="a StatefulSet"),
        pytest.param("Job", {}, None, ["suspend"], id="a Job"),
        pytest.param("Job", {"suspend": True}, None, ["resume"], id="a suspended Job"),
        pytest.param("Job", {}, {"completionTime": "x"}, [], id="a complete Job"),
        pytest.param("Job", {"suspend": True}, {"conditions": conditions("Failed")}, [], id="a failed Job"),
        pytest.param("CronJob", {}, None, ["suspend"], id="a CronJob"),
        pytest.param("CronJob", {"suspend": True}, None, ["resume"], id="a suspended CronJob"),
    ],
)
def test_what_can_be_done(kind: str, spec: Obj, status: Obj | None, want: list[str]) -> None:
    """What would change nothing, or what the apiserver would refuse, is not offered."""
    assert actions(workload(kind, status, **spec)) == want


@pytest.mark.parametrize(
    ("kind", "action", "before", "after"),
    [
        pytest.param("Deployment", "pause", {}, {"paused": True}, id="pause"),
        pytest.param("Deployment", "resume", {"paused": True}, {}, id="resume a Deployment"),
        pytest.param("Job", "suspend", {}, {"suspend": True}, id="suspend"),
        pytest.param("Job", "resume", {"suspend": True}, {"suspend": False}, id="resume a Job"),
        pytest.param("CronJob", "suspend", {}, {"suspend": True}, id="suspend a CronJob"),
        pytest.param("CronJob", "resume", {"suspend": True}, {"suspend": False}, id="resume a CronJob"),
    ],
)
def test_what_is_done(kind: str, action: str, before: Obj, after: Obj) -> None:
    """An action changes its one field."""
    assert acted(action, workload(kind, None, **before)) == workload(kind, None, **after)
