"""The JSON that kube-scheduler and an extender exchange, extender/v1: its keys have no tags.

Whatever cannot be understood is a BadRequestError in words for whoever sent it. Scores are whole numbers, since
kube-scheduler cannot read `5.0` and would go on without any score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from operators.core.objects import Obj
from operators.scheduler import pod as pods
from operators.scheduler.extender import Answer
from operators.scheduler.pod import Pod
from operators.scheduler.preemption import Victims
from operators.scheduler.priorities.scale import Rows

_NAMES: Final = b',"NodeNames":'
"""What Go writes before the names, which come last. In a string its quotes would be escaped."""


class BadRequestError(ValueError):
    """A request that makes no sense."""


@dataclass(frozen=True, slots=True)
class Binding:
    """Which pod goes on which node."""

    namespace: str
    name: str
    uid: str
    node: str


def arguments(body: bytes, nodes: int = 0) -> tuple[Pod, list[str] | None]:
    """Read what `filter` and `prioritize` are asked: a pod, and names of nodes.

    None stands for every node: where there are as many names as there are `nodes`, they are not even read. They come in
    another order each time, and to read them would take longer than to decide.
    """
    head, found, tail = body.rpartition(_NAMES)
    if found and nodes and tail.startswith(b'["') and tail.endswith(b'"]}') and tail.count(b'"') == 2 * nodes:
        return _pod(_object(head + b"}")), None
    asked = _object(body)
    names = asked.get("NodeNames")
    if names is None:
        raise BadRequestError("NodeNames is missing: the extender has to be configured with nodeCacheCapable: true")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadRequestError("NodeNames has to be a list of strings")
    return _pod(asked), names


def asked_pod(body: bytes) -> Pod:
    """Read the pod that is asked about: whole, or as `filter` is given it."""
    asked = _object(body)
    return _pod(asked if "Pod" in asked else {"Pod": asked})


def candidates(body: bytes) -> tuple[Pod, list[str], dict[str, list[str]]]:
    """Read what `preempt` is asked: a pod, the nodes where kube-scheduler found victims, and their UIDs by node."""
    asked = _object(body)
    by_node = asked.get("NodeNameToMetaVictims")
    if by_node is None and asked.get("NodeNameToVictims"):
        raise BadRequestError("NodeNameToMetaVictims is missing: the extender has to be configured as nodeCacheCapable")
    if not isinstance(by_node or {}, dict):
        raise BadRequestError("NodeNameToMetaVictims has to be an object by node")
    try:
        named = {node: [one["UID"] for one in victims.get("Pods") or ()] for node, victims in (by_node or {}).items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise BadRequestError("NodeNameToMetaVictims has to have Pods, each with its UID") from error
    return _pod(asked), list(named), named


def preempted(found: Mapping[str, Victims]) -> bytes:
    """Write the answer to `preempt`."""
    by_node = {
        node: {"Pods": [{"UID": uid} for uid in victims.uids], "NumPDBViolations": victims.violations}
        for node, victims in found.items()
    }
    return orjson.dumps({"NodeNameToMetaVictims": by_node})


def binding(body: bytes) -> Binding:
    """Read what `bind` is asked."""
    asked = _object(body)
    found = [asked.get(key) for key in ("PodNamespace", "PodName", "PodUID", "Node")]
    if not all(isinstance(value, str) and value for value in found):
        raise BadRequestError("PodNamespace, PodName, PodUID and Node have to be given")
    return Binding(*(str(value) for value in found))


def filtered(answer: Answer) -> bytes:
    """Write the answer to `filter`."""
    return orjson.dumps(
        {
            "NodeNames": answer.nodes,
            "FailedNodes": answer.failed,
            "FailedAndUnresolvableNodes": answer.unresolvable,
            "Error": answer.error,
        }
    )


def prioritized(names: Sequence[str], total: Rows) -> bytes:
    """Write the answer to `prioritize`."""
    return orjson.dumps([{"Host": name, "Score": score} for name, score in zip(names, total.tolist(), strict=True)])


def _object(body: bytes) -> Obj:
    try:
        decoded: Any = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"the body is no JSON: {error}") from error
    if not isinstance(decoded, dict):
        raise BadRequestError("the body has to be a JSON object")
    return decoded


def _pod(asked: Obj) -> Pod:
    try:
        return pods.parse(asked["Pod"])
    except KeyError as error:
        raise BadRequestError(f"Pod: {error.args[0]} is missing") from error
    except (AttributeError, IndexError, TypeError, ValueError) as error:  # no quantity, no selector, no number
        raise BadRequestError(f"Pod: {error}") from error
