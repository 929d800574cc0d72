"""Profiles by name, and which of them a pod gets: by its own annotation, by its namespace, or the default.

The file, all of whose parts may be left out (operators/scheduler/rules.py says what a profile may say):

    profiles:
      default: {}                            # upstream's rules and weights, unless it says otherwise
      packed: {strategy: MostAllocated}
    namespaces:
      batch: packed                          # the pods of this namespace

A pod chooses for itself with the annotation `kopfwerk.dev/scheduler-profile: packed`. One that asks for a profile that
there is not is placed nowhere, and is told so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from operators.scheduler.configuration import IN_PART, way_out
from operators.scheduler.pod import Pod
from operators.scheduler.predicates.refusal import Refusal
from operators.scheduler.rules import InvalidProfileError, Rules, rules
from operators.scheduler.snapshot import Snapshot

DEFAULT: Final = "default"
_UNKNOWN: Final = "node(s) have no part in this: the pod asks for a scheduler profile that there is not"


@dataclass(frozen=True, slots=True)
class Profiles:
    """What decides, for each pod."""

    by_name: Mapping[str, Rules]
    namespaces: Mapping[str, str]

    def of(self, pod: Pod) -> Rules:
        """Return the rules that a pod is placed by."""
        name = pod.profile or self.namespaces.get(pod.namespace, DEFAULT)
        return self.by_name.get(name, _NOWHERE)


def read(content: Any, prepare: Callable[[Rules], Rules] = lambda found: found) -> Profiles:
    """Read the content of a file. `prepare` is given each profile's rules. Raises InvalidProfileError."""
    content = content or {}
    if not isinstance(content, dict) or set(content) - {"profiles", "namespaces"}:
        raise InvalidProfileError("a file of profiles has `profiles` and `namespaces`, and nothing else")
    named, namespaces = (content.get(part) or {} for part in ("profiles", "namespaces"))
    if not isinstance(named, dict) or not isinstance(namespaces, dict):
        raise InvalidProfileError("`profiles` and `namespaces` are objects, each by name")
    found = {}
    for name, profile in {DEFAULT: {}, **named}.items():
        try:
            found[name] = prepare(rules(profile))
        except (InvalidProfileError, TypeError, AttributeError) as error:
            raise InvalidProfileError(f"profile {name!r}: {error}") from error
    for namespace, name in namespaces.items():
        if not isinstance(name, str) or name not in found:
            raise InvalidProfileError(f"namespace {namespace!r}: there is no profile {name!r}")
    return Profiles(found, namespaces)


def check_in_part(found: Profiles) -> None:
    """Refuse profiles that would change nothing, where kube-scheduler shows a part. Raises InvalidProfileError.

    It has looked for the part by its own filters, and so nodes are refused by them whatever a profile leaves out.
    """
    for name, chosen in found.by_name.items():
        for predicate in IN_PART:
            if predicate not in chosen.predicates:
                raise InvalidProfileError(f"profile {name!r}: {predicate} cannot be left out: {way_out(predicate)}")


def _refuse_all(_: Pod, nodes: Snapshot) -> list[Refusal]:
    return [Refusal(np.ones(nodes.size, np.bool_), _UNKNOWN, unresolvable=True)]


_NOWHERE: Final = Rules({"Profile": _refuse_all}, {})
