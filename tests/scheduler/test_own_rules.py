"""A rule of one's own: found by entry point, and used by the profiles that name it. The example is one."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from operators.scheduler import own, placement, profiles, rules
from operators.scheduler.extender import Extender
from operators.scheduler.own import RuleError
from operators.scheduler.pod import PROFILE, parse
from operators.scheduler.predicates.refusal import Refusal
from operators.scheduler.rules import InvalidProfileError, Rules
from operators.scheduler.snapshot import Snapshot
from tests.scheduler.building import member, node, pod, snapshot

ROOT = Path(__file__).parents[2]
EXAMPLE, DOCUMENT, PROJECTS = ROOT / "examples/scheduler-rule", ROOT / "docs/scheduler.md", ROOT / "Dockerfile"
GPU = "nvidia.com/gpu"


def installed(folder: Path, groups: dict[str, dict[str, str]]) -> None:
    """Put a package's metadata where an installer would."""
    info = folder / "gpu_nodes-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gpu-nodes\nVersion: 1.0\n")
    lines = [
        line for group, named in groups.items() for line in (f"[{group}]", *(f"{k}={v}" for k, v in named.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder that packages are looked for in, and forget what was found there."""
    monkeypatch.syspath_prepend(str(tmp_path))
    rules._own.cache_clear()
    yield tmp_path
    rules._own.cache_clear()
    sys.modules.pop("broken", None)


@pytest.fixture
def example(site: Path) -> profiles.Profiles:
    """Return the profiles of the example, whose package is installed."""
    shutil.copy(EXAMPLE / "gpu_nodes.py", site)
    installed(site, tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]["entry-points"])
    return profiles.read(yaml.safe_load((EXAMPLE / "profiles.yaml").read_text()))


def nodes_with_gpus() -> Snapshot:
    """Build a plain node, and two with GPUs of which one is half in use."""
    objects = [node("plain"), node("busy"), node("free")]
    for obj in objects[1:]:
        obj["status"]["allocatable"][GPU] = "4"
    busy = pod("x", node="busy", overhead={GPU: "2"})
    return snapshot(*objects, placed=(busy,))


@pytest.mark.parametrize(
    ("gpus", "want_node"),
    [pytest.param("0", "plain", id="kept off"), pytest.param("1", "busy", id="packed")],
)
def test_the_example(example: profiles.Profiles, gpus: str, want_node: str) -> None:
    """Pods without a GPU stay off nodes that have some; the others fill up what is in use."""
    nodes, asking = nodes_with_gpus(), pod("p", overhead={GPU: gpus})
    chosen = example.of(asking)
    found = placement.fit(asking, nodes, chosen, np.flatnonzero(nodes.alive))
    assert nodes.names[placement.best(asking, placement.score(asking, nodes, chosen, found.rows))] == want_node


def test_a_rule_that_no_profile_names_does_nothing(example: profiles.Profiles) -> None:
    """Installing a package changes no decision by itself."""
    assert "GpuNodes" not in example.by_name["packed"].predicates
    assert "FewestFreeGpus" not in example.by_name["packed"].priorities


BROKEN = """
import numpy as np
from operators.scheduler.predicates.refusal import Refusal

def fail(*_):
    return {}["gpu"]

def short(pod, nodes):
    return [Refusal(np.ones(1, np.bool_), "no")]

def share(pod, nodes, rows):
    return np.ones(len(rows)) / 2

def more(pod, nodes, rows):
    return np.full(len(rows), 101)

def one(pod, nodes, rows):
    return 1
"""


@pytest.mark.parametrize(
    ("kind", "name", "want_error"),
    [
        pytest.param("predicates", "fail", "rule Own failed: KeyError", id="a predicate that raises"),
        pytest.param("predicates", "short", "rule Own: a Refusal .* each of nodes.size rows", id="of a few rows"),
        pytest.param("priorities", "fail", "rule Own failed: KeyError", id="a priority that raises"),
        pytest.param("priorities", "share", "rule Own: .* whole number", id="shares"),
        pytest.param("priorities", "more", "rule Own: scores have to be from 0 to 100", id="too much"),
        pytest.param("priorities", "one", "rule Own: it has to score each", id="one number for all"),
    ],
)
def test_a_rule_that_gives_no_answer(site: Path, kind: str, name: str, want_error: str) -> None:
    """It is named, and decides about the pods of its profile alone."""
    (site / "broken.py").write_text(BROKEN)
    installed(site, {f"kopfwerk.{kind}": {"Own": f"broken:{name}"}})
    used = {"predicates": {"predicates": ["*", "Own"]}, "priorities": {"weights": {"Own": 1}}}[kind]
    nodes, chosen = snapshot(node("a"), node("b")), profiles.read({"profiles": {"own": used}})
    extender = Extender(nodes, chosen.of, lambda: 0.0)
    with pytest.raises(RuleError, match=want_error):
        extender.filter(pod("p", annotations={PROFILE: "own"}), None)
    assert extender.filter(pod("other"), None).nodes


def test_a_rule_that_fails_for_a_group_that_was_begun() -> None:
    """It is not said to another pod, which happens to be asked about when room for the group's rest is looked for."""

    def fail(*_: object) -> list[Refusal]:
        raise KeyError

    broken = Rules({"Own": own.predicate("Own", fail)}, {})
    nodes = snapshot(node("a"))
    for obj in (member("g0", minimum=2, nodeName="a"), member("g1", minimum=2)):
        nodes.put_pod(parse(obj))
    extender = Extender(nodes, lambda one: broken if one.group else rules.rules(), lambda: 0.0)
    assert extender.filter(pod("other"), None).nodes == ["a"]
    with pytest.raises(RuleError):
        extender.filter(parse(member("g1", minimum=2)), None)


def test_a_package_that_is_broken_is_named(site: Path) -> None:
    """The extender does not start, and says because of which rule."""
    installed(site, {"kopfwerk.predicates": {"Broken": "no_such_module:refuse"}})
    with pytest.raises(InvalidProfileError, match=r"rule Broken .* cannot be loaded"):
        profiles.read({})


@pytest.mark.parametrize(
    ("content", "want_message"),
    [
        pytest.param({"profile": {}}, "nothing else", id="misspelt"),
        pytest.param([1], "nothing else", id="a list"),
        pytest.param({"profiles": {"a": {"strategy": "x"}}}, "profile 'a': 'x' is not a strategy", id="which profile"),
        pytest.param({"profiles": {"a": {"weights": 3}}}, "profile 'a'", id="weights that are none"),
        pytest.param({"profiles": {"a": [1]}}, "profile 'a'", id="a profile that is none"),
        pytest.param(
            {"profiles": {"a": {"weights": {"NodeAffinity": 1 << 40}}}}, "the weight of NodeAffinity", id="too heavy"
        ),
        pytest.param({"namespaces": {"x": ["b"]}}, r"namespace 'x': .*\['b'\]", id="a list of profiles"),
        pytest.param({"namespaces": {"x": "b"}}, "namespace 'x': there is no profile 'b'", id="unknown profile"),
    ],
)
def test_a_file_that_cannot_be_meant(content: object, want_message: str) -> None:
    """It is refused in words that say where."""
    with pytest.raises(InvalidProfileError, match=want_message):
        profiles.read(content)


@pytest.mark.parametrize("left_out", rules.PREDICATES)
def test_no_predicate_can_be_left_out_where_kube_scheduler_shows_a_part(left_out: str) -> None:
    """It has refused nodes by its own filter before it asks. What a profile has besides does not matter."""
    others = [name for name in rules.PREDICATES if name != left_out]
    profiles.check_in_part(profiles.read({"profiles": {"a": {"predicates": [left_out, "*"]}}}))
    with pytest.raises(InvalidProfileError, match=f"profile 'a': {left_out} cannot be left out"):
        profiles.check_in_part(profiles.read({"profiles": {"a": {"predicates": others}}}))


@pytest.mark.parametrize(
    ("mode", "want_said"),
    [
        pytest.param([], "Invalid kube-config", id="all nodes, so that it goes on to the next mistake"),
        pytest.param(["--part"], "profile 'default': NodeName cannot be left out", id="a part"),
    ],
)
def test_the_extender_says_so_when_it_starts(tmp_path: Path, mode: list[str], want_said: str) -> None:
    """With all nodes it is no mistake; the kubeconfig, which has nothing in it, is one then."""
    file, kubeconfig = tmp_path / "profiles.yaml", tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump({"profiles": {"default": {"predicates": list(rules.PREDICATES)[1:]}}}))
    kubeconfig.write_text("{}")
    command = ["scheduler-extender", "--listen=127.0.0.1:0", f"--profiles={file}", f"--kubeconfig={kubeconfig}", *mode]
    ran = subprocess.run(
        [sys.executable, "-m", "operators.cli.main", *command], capture_output=True, text=True, check=False
    )

    assert ran.returncode == 1
    assert "cannot start: " in ran.stderr
    assert want_said in ran.stderr


def test_the_image_of_the_example(tmp_path: Path) -> None:
    """Its Dockerfile, which the document shows, installs the package into an environment that has no pip."""
    given = (EXAMPLE / "Dockerfile").read_text()
    (line,) = (line.removeprefix("RUN ") for line in given.splitlines() if line.startswith("RUN "))
    source, environment = shutil.copytree(EXAMPLE, tmp_path / "src"), tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    line = line.replace("/opt/kopfwerk", str(environment)).replace("/src", str(source))
    offline = line.replace("install", "install --no-build-isolation")  # with this environment's hatchling
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "PYTHONPATH": sysconfig.get_path("purelib")}
    subprocess.run(offline.split(), env=env, check=True, capture_output=True)

    names = 'print([one.name for one in importlib.metadata.entry_points(group="kopfwerk.predicates")])'
    asked = [str(environment / "bin/python"), "-c", f"import importlib.metadata; {names}"]
    assert subprocess.check_output(asked, text=True) == "['GpuNodes']\n"
    assert given in DOCUMENT.read_text()
    assert given.splitlines()[-1] in PROJECTS.read_text().splitlines()
