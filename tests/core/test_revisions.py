"""ControllerRevisions: what they hold, when two hold the same, how they are named, numbered and forgotten."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from operators.core import objects, revisions
from operators.core.hashing import safe_encode
from operators.core.objects import Obj
from operators.core.plan import Create, Target
from operators.core.revisions.defaults import with_defaults
from tests.support.builders import controllerrevision, deployment, template

CRDS = Path(__file__).parents[2] / "crds"


def with_container(**fields: Any) -> Obj:
    """Return a template whose container has these fields."""
    made = template()
    made["spec"]["containers"][0] |= fields
    return made


def with_spec(**fields: Any) -> Obj:
    """Return a template whose pod spec has these fields."""
    made = template()
    made["spec"] |= fields
    return made


def with_volume(**source: Any) -> Obj:
    """Return a template with one volume."""
    return with_spec(volumes=[{"name": "v", **source}])


PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}


@pytest.mark.parametrize(
    ("held", "now", "want"),
    [
        pytest.param(template(), template(), True, id="the same"),
        pytest.param(template("app:1"), template("app:2"), False, id="another image"),
        pytest.param(
            {"metadata": {"creationTimestamp": None} | template()["metadata"], "spec": template()["spec"]},
            template(),
            True,
            id="a null time",
        ),
        pytest.param(template(), with_spec(terminationGracePeriodSeconds=30), True, id="a default of the pod"),
        pytest.param(template(), with_spec(terminationGracePeriodSeconds=0), False, id="0 where a default is not"),
        pytest.param(template(), with_spec(restartPolicy=""), True, id="an empty text where a default is"),
        pytest.param(
            template(),
            with_container(terminationMessagePolicy="File", resources={}),
            True,
            id="defaults of a container",
        ),
        pytest.param(template(), with_container(imagePullPolicy="IfNotPresent"), True, id="pull policy of a tag"),
        pytest.param(
            template("app"), with_container(image="app", imagePullPolicy="Always"), True, id="pull policy of no tag"
        ),
        pytest.param(
            template("app@sha256:0"),
            with_container(image="app@sha256:0", imagePullPolicy="IfNotPresent"),
            True,
            id="pull policy of a digest",
        ),
        pytest.param(
            template("h:5000/app"),
            with_container(image="h:5000/app", imagePullPolicy="Always"),
            True,
            id="a port is no tag",
        ),
        pytest.param(template(), with_container(imagePullPolicy="Always"), False, id="another pull policy"),
        pytest.param(
            with_container(ports=[{"containerPort": 80}]),
            with_container(ports=[{"containerPort": 80, "protocol": "TCP"}]),
            True,
            id="protocol of a port",
        ),
        pytest.param(
            with_container(livenessProbe={"httpGet": {"port": 80}}),
            with_container(livenessProbe={"httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}, **PROBE}),
            True,
            id="a probe",
        ),
        pytest.param(
            with_container(livenessProbe={"periodSeconds": 0, "tcpSocket": {"port": 80}}),
            with_container(livenessProbe={"tcpSocket": {"port": 80}}),
            True,
            id="0 in a probe is none",
        ),
        pytest.param(with_volume(), with_volume(emptyDir={}), True, id="a volume without a source"),
        pytest.param(
            with_volume(secret={"secretName": "s"}),
            with_volume(secret={"secretName": "s", "defaultMode": 420}),
            True,
            id="mode of a secret",
        ),
        pytest.param(
            with_spec(serviceAccount="a"), with_spec(serviceAccountName="a"), True, id="two names of one field"
        ),
        pytest.param(
            with_container(resources={"limits": {"cpu": "500m"}}),
            with_container(resources={"limits": {"cpu": 0.5}}),
            True,
            id="a quantity written otherwise",
        ),
    ],
)
def test_equal(held: Obj, now: Obj, want: bool) -> None:  # noqa: FBT001
    """A revision holds a template where both mean the same to the apiserver; neither is changed by asking."""
    revision = controllerrevision("web-1", held)
    before = deepcopy((revision, now))
    assert revisions.equal(revision, now) is want
    assert revisions.equal(controllerrevision("web-1", now), held) is want
    assert (revision, now) == before


def test_a_revision_that_holds_something_else() -> None:
    """Data of anybody else's making equals no template."""
    assert not revisions.equal({"data": {"custom": 1}}, template())


def _schema_defaults(schema: Obj) -> Any:
    """Return what a schema fills in, each list with one item, so that a template made of all its defaults shows all."""
    if "default" in schema and schema["default"] != {}:
        return schema["default"]
    if schema.get("type") == "array":
        below = _schema_defaults(schema["items"])
        return [below] if below else None
    found = {field: _schema_defaults(below) for field, below in schema.get("properties", {}).items()}
    kept = {field: value for field, value in found.items() if value is not None}
    return kept or schema.get("default")


def _without(value: Any, schema: Obj) -> Any:
    """Return what `_schema_defaults` made, less the defaults themselves."""
    if value == schema.get("default"):
        return None
    if isinstance(value, list):
        return [_without(item, schema["items"]) for item in value]
    if not isinstance(value, dict):
        return value
    below = {field: _without(held, schema["properties"][field]) for field, held in value.items()}
    return {field: held for field, held in below.items() if held is not None}


def test_no_default_of_a_custom_resource_rolls_anything() -> None:
    """Whatever the custom resource's schema fills into a template, the template without it is equal."""
    crd = yaml.safe_load((CRDS / "replicasets.yaml").read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["template"]
    complete = _schema_defaults(schema)
    for field, value in complete["spec"].items():
        with_one = {"spec": {field: value}}
        bare = _without(with_one, schema)
        assert revisions.equal(controllerrevision("web-1", bare), with_one), field


def test_defaults_are_idempotent() -> None:
    """What is complete stays as it is."""
    once = with_defaults(with_container(livenessProbe={"grpc": {"port": 1}}, image="app"))
    assert with_defaults(once) == once


@pytest.mark.parametrize(
    ("made", "want"),
    [
        pytest.param(
            {"spec": {"b": 1, "a": [True, None, 1.5]}, "metadata": {"labels": {"app": "web"}}},
            b'{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"app":"web"}},"spec":{"a":[true,null,1.5],"b":1}}}}',
            id="keys sorted, nothing between them",
        ),
        pytest.param(
            {"spec": {"a": "<&>"}},
            rb'{"spec":{"template":{"$patch":"replace","spec":{"a":"\u003c\u0026\u003e"}}}}',
            id="HTML",
        ),
        pytest.param(
            {"spec": {"a": "é\u2028\u2029\x01\n"}},
            '{"spec":{"template":{"$patch":"replace","spec":{"a":"é\\u2028\\u2029\\u0001\\n"}}}}'.encode(),
            id="text beyond ASCII",
        ),
        pytest.param(
            {"metadata": {"creationTimestamp": None, "labels": {}}, "spec": {}},
            b'{"spec":{"template":{"$patch":"replace","metadata":{"labels":{}},"spec":{}}}}',
            id="a null time is left out",
        ),
    ],
)
def test_patch_bytes(made: Obj, want: bytes) -> None:
    """The data is what Go's encoding/json would write."""
    assert revisions.patch_bytes(made) == want


@pytest.mark.parametrize(
    ("data", "count", "want"),
    [
        pytest.param(b"", None, 0x811C9DC5, id="nothing"),
        pytest.param(b"a", None, 0x050C5D7E, id="a letter"),
        pytest.param(b"foobar", None, 0x31F0B262, id="a word"),
        pytest.param(b"fooba", 5, 0x31F0B225, id="a count goes last"),
    ],
)
def test_revision_hash(data: bytes, count: int | None, want: int) -> None:
    """The hash is FNV-1, whose published values these are (the last differs from `foobar` in its last byte)."""
    assert revisions.revision_hash(data, count) == safe_encode(str(want))


def test_the_name_is_upstreams() -> None:
    """The name is the one that kube-controller-manager 1.37.1 gave to the revision of this very template."""
    container = {
        "name": "app",
        "image": "app:1",
        "imagePullPolicy": "IfNotPresent",
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }
    spec = {
        "containers": [container],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
    }
    data = revisions.patch_bytes({"metadata": {"labels": {"app": "web"}}, "spec": spec})
    assert revisions.revision_hash(data, 0) == "5cd748bc4"


def test_create() -> None:
    """A new revision belongs to its parent, has its template's labels and all its annotations, and the exact bytes."""
    parent = deployment("web", image="app:<1>", annotations={"note": "x"})
    step = revisions.create(parent, number=3, digest="abc")
    body = step.body
    assert isinstance(step, Create)
    assert step.resource is revisions.CONTROLLERREVISIONS
    assert body["metadata"] == {
        "name": "web-abc",
        "namespace": "ns",
        "labels": {"app": "web", "controller.kubernetes.io/hash": "abc"},
        "annotations": {"note": "x"},
        "ownerReferences": [objects.controller_reference(parent)],
    }
    assert body["revision"] == 3
    sent = orjson.dumps(body)
    assert revisions.patch_bytes(parent["spec"]["template"]) in sent
    assert rb"app:\u003c1\u003e" in sent
    assert revisions.template_of(orjson.loads(sent)) == parent["spec"]["template"]


def test_a_long_name_is_cut() -> None:
    """Of the owner's name goes in what leaves room for the hash."""
    body = revisions.create(deployment("w" * 253), number=1, digest="abc", label="other").body
    assert body["metadata"]["name"] == "w" * 223 + "-abc"
    assert body["metadata"]["labels"]["other"] == "abc"


def test_order_and_numbers() -> None:
    """Revisions go by number, then age, then name; the next number is beyond all."""
    old = controllerrevision("c", template(), number=2, age=90)
    young = [controllerrevision(name, template(), number=2, age=10) for name in ("b", "a")]
    first = controllerrevision("z", template(), number=1, age=1)
    history = revisions.sort([*young, old, first])
    assert [objects.name(revision) for revision in history] == ["z", "c", "a", "b"]
    assert revisions.next_number(history) == 3
    assert revisions.next_number([]) == 1


def test_find() -> None:
    """Where several revisions hold the template, the newest is it."""
    history = [controllerrevision(f"web-{n}", template(f"app:{n % 2}"), number=n) for n in (1, 2, 3, 4)]
    assert revisions.find(history, template("app:1")) is history[2]
    assert revisions.find(history, template("app:5")) is None


def test_renumber() -> None:
    """A revision whose template is back gets a new number, unless somebody changed it meanwhile."""
    revision = controllerrevision("web-1", template(), number=1)
    patch = revisions.renumber(revision, 7)
    assert patch.body == {"revision": 7}
    assert patch.resource_version == revision["metadata"]["resourceVersion"]
    assert patch.target == Target.of(revisions.CONTROLLERREVISIONS, revision)


@pytest.mark.parametrize(
    ("limit", "live", "want"),
    [
        pytest.param(5, (), [], id="fewer than the limit"),
        pytest.param(2, (), ["a", "b"], id="the oldest go"),
        pytest.param(0, ("d",), ["a", "b", "c"], id="none but live ones"),
        pytest.param(1, ("a", "d"), ["b"], id="live ones stay and do not count"),
        pytest.param(-1, (), [], id="a negative limit keeps all"),
    ],
)
def test_surplus(limit: int, live: tuple[str, ...], want: list[str]) -> None:
    """What is beyond the limit goes, oldest first, but nothing that is in use."""
    history = [controllerrevision(name, template(), number=n) for n, name in enumerate("abcd", 1)]
    assert [step.target.name for step in revisions.surplus(history, live, limit)] == want
