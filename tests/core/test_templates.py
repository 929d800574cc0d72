"""Templates: when two mean the same, and what they are called."""

from copy import deepcopy
from typing import Any

import pytest

from operators.core.hashing import template_hash
from operators.core.merge import merge_patch
from operators.core.objects import Obj
from operators.core.semantic import HASH_LABEL, same_template
from tests.support.builders import template


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


def with_meta(**fields: Any) -> Obj:
    """Return a template whose metadata has these fields."""
    made = template()
    made["metadata"] |= fields
    return made


@pytest.mark.parametrize(
    ("first", "second", "want"),
    [
        pytest.param(template(), template(), True, id="equal"),
        pytest.param(template("app:1"), template("app:2"), False, id="another image"),
        pytest.param(template(app="web", **{HASH_LABEL: "x"}), template(app="web"), True, id="the hash label"),
        pytest.param(template(app="web", tier="a"), template(app="web"), False, id="another label"),
        pytest.param(with_container(env=[]), template(), True, id="empty and missing list"),
        pytest.param(with_container(env=None), template(), True, id="null and missing"),
        pytest.param(with_spec(nodeSelector={}), template(), True, id="empty and missing map"),
        pytest.param(
            with_spec(volumes=[{"name": "a", "flexVolume": {"driver": "d", "options": {}}}]),
            with_spec(volumes=[{"name": "a", "flexVolume": {"driver": "d"}}]),
            True,
            id="empty and missing options",
        ),
        pytest.param(with_meta(annotations={}), template(), True, id="empty and missing annotations"),
        pytest.param(with_spec(securityContext={}), template(), False, id="empty struct says something"),
        pytest.param(with_spec(hostNetwork=False), template(), True, id="false and missing"),
        pytest.param(with_spec(hostNetwork=True), template(), False, id="true and missing"),
        pytest.param(with_spec(enableServiceLinks=False), template(), False, id="false, where none means true"),
        pytest.param(
            with_container(env=[{"name": "A", "value": ""}]),
            with_container(env=[{"name": "A"}]),
            True,
            id="empty and missing value",
        ),
        pytest.param(with_meta(labels={"app": "web", "value": ""}), template(), False, id="an empty label is a label"),
        pytest.param(
            with_meta(annotations={"divisor": "1"}),
            with_meta(annotations={"divisor": "1.0"}),
            False,
            id="an annotation is no quantity",
        ),
        pytest.param(
            with_container(resources={"limits": {"cpu": "1000m"}}),
            with_container(resources={"limits": {"cpu": 1}}),
            True,
            id="equal quantities",
        ),
        pytest.param(
            with_container(resources={"limits": {"memory": "1Gi"}}),
            with_container(resources={"limits": {"memory": "1024Mi"}}),
            True,
            id="equal binary quantities",
        ),
        pytest.param(
            with_container(resources={"limits": {"memory": "1Gi"}}),
            with_container(resources={"limits": {"memory": "1G"}}),
            False,
            id="unequal quantities",
        ),
        pytest.param(
            with_container(resources={"limits": {"cpu": "1"}}),
            with_container(resources={"limits": {"cpu": "1", "memory": "0"}}),
            False,
            id="another resource",
        ),
        pytest.param(
            with_container(image="1000m"), with_container(image="1"), False, id="quantities only where they are"
        ),
        pytest.param(
            with_spec(volumes=[{"name": "a", "emptyDir": {"sizeLimit": "1Gi"}}]),
            with_spec(volumes=[{"name": "a", "emptyDir": {"sizeLimit": "1024Mi"}}]),
            True,
            id="a quantity on its own",
        ),
        pytest.param(
            with_container(args=["a", "b"]), with_container(args=["b", "a"]), False, id="order of arguments matters"
        ),
    ],
)
def test_same_template(first: Obj, second: Obj, want: bool) -> None:  # noqa: FBT001
    """Templates are compared by meaning, in both directions, and left as they are."""
    before = deepcopy((first, second))
    assert same_template(first, second) is want
    assert same_template(second, first) is want
    assert (first, second) == before


def test_the_hash_is_of_content() -> None:
    """The order of keys does not change it, content and collisions do, and it has no vowels."""
    one = {"metadata": {"labels": {"a": "1", "b": "2"}}, "spec": {}}
    other = {"spec": {}, "metadata": {"labels": {"b": "2", "a": "1"}}}
    assert template_hash(one, None) == template_hash(other, None)
    assert len({template_hash(one, count) for count in (None, 0, 1, 2)}) == 4
    assert template_hash(one, None) != template_hash(template(), None)
    assert not set(template_hash(one, None)) & set("aeiou013")


@pytest.mark.parametrize(
    ("before", "after", "want"),
    [
        pytest.param({"a": 1}, {"a": 1}, {}, id="nothing"),
        pytest.param({"a": 1}, {"a": 2}, {"a": 2}, id="changed"),
        pytest.param({"a": 1, "b": 2}, {"b": 2}, {"a": None}, id="removed"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, {"a": {"c": None}}, id="nested"),
        pytest.param({"a": [1, 2]}, {"a": [1]}, {"a": [1]}, id="lists as a whole"),
        pytest.param({}, {"a": {"b": 1}}, {"a": {"b": 1}}, id="added"),
        pytest.param({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}, id="of another type"),
    ],
)
def test_merge_patch(before: Obj, after: Obj, want: Obj) -> None:
    """The patch has what differs, null where a key goes."""
    assert merge_patch(before, after) == want
