"""What a controller wants done, and what came of it: the vocabulary between the rules and the one writer.

A kind's `plan(observed)` returns a `Plan`; the writer (operators.runtime.writer) carries it out and returns an
`Outcome`; the kind's `report(observed, outcome)` returns the status to write. None of the three knows the inside of
another.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, TypeAlias

from operators.core.objects import PODS, Obj, Resource


@dataclass(frozen=True, slots=True)
class Say:
    """A Kubernetes Event about the object that is reconciled.

    In the message of a step's event `{name}` stands for the name that the apiserver gave the object,
    and `{error}` for the apiserver's message where the write failed. A standalone event is written literally.
    about is another object that the event is about instead.
    """

    type: Literal["Normal", "Warning"]
    reason: str
    message: str
    about: Obj | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One existing object, by name and, so that a namesake is never touched, by UID."""

    resource: Resource
    namespace: str
    name: str
    uid: str

    @classmethod
    def of(cls, resource: Resource, obj: Obj) -> "Target":
        """Name `obj`, which is one of `resource`."""
        meta = obj["metadata"]
        return cls(resource, meta.get("namespace", ""), meta["name"], meta["uid"])


@dataclass(frozen=True, slots=True)
class Create:
    """POST `body`. Where its name is fixed and taken, the outcome holds the object that has it (`Exists`)."""

    resource: Resource
    body: Obj
    said: Say | None = None
    failed: Say | None = None
    hence: Say | None = None
    """Said after `failed`, of what comes to nothing with it: a pod, where it is the pod's claim that is refused."""


@dataclass(frozen=True, slots=True)
class Delete:
    """DELETE with the UID, and where given the resourceVersion, as precondition.

    An object that is gone already counts as deleted. evicts: ask for a pod's eviction instead, which a disruption
    budget may refuse for the time being.
    """

    target: Target
    said: Say | None = None
    failed: Say | None = None
    propagation: Literal["Background", "Foreground", "Orphan"] | None = None
    resource_version: str | None = None
    evicts: bool = False


@dataclass(frozen=True, slots=True)
class Patch:
    """A JSON merge patch with the UID, and where given the resourceVersion, as precondition.

    strategic: a strategic merge patch instead, which only built-in kinds take.

    `ignore` lists HTTP statuses that mean there is nothing left to do (404 and 422 when a child is released).
    """

    target: Target
    body: Obj
    resource_version: str | None = None
    subresource: str = ""
    said: Say | None = None
    failed: Say | None = None
    ignore: frozenset[int] = frozenset()
    strategic: bool = False


Step: TypeAlias = Create | Delete | Patch


@dataclass(frozen=True, slots=True)
class Batch:
    """Steps that may go side by side.

    slow_start: send 1, then 2, 4, 8 … and stop after the first round with a failure; otherwise all go at once, and all
    are tried. live_owner: first ask the apiserver itself, not the cache, that the reconciled object still exists, with
    the same UID and not being deleted (adoption needs that). A failed batch ends the plan: later batches are not tried.
    """

    steps: tuple[Step, ...]
    slow_start: bool = False
    live_owner: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything to do now, in order, and when to look again without being woken."""

    batches: tuple[Batch, ...] = ()
    events: tuple[Say, ...] = ()
    requeue_after: timedelta | None = None
    remember: frozenset[str] = frozenset()
    """What the controller has to know of this plan at a later sync, in words of its own (`Controller.remember`)."""

    @property
    def steps(self) -> Iterator[Step]:
        """Every step, in order."""
        return (step for batch in self.batches for step in batch.steps)


@dataclass(frozen=True, slots=True)
class Failure:
    """A write that the apiserver refused, or that never got an answer (status 0)."""

    status: int
    reason: str
    message: str
    causes: tuple[str, ...] = ()

    @property
    def is_namespace_terminating(self) -> bool:
        """Whether it only says that the namespace is on its way out, which is no failure of anybody's."""
        return "NamespaceTerminating" in self.causes

    @property
    def is_disruption_budget(self) -> bool:
        """Whether a disruption budget does not allow an eviction at the moment: whoever planned it asks again."""
        return "DisruptionBudget" in self.causes


@dataclass(frozen=True, slots=True)
class Exists:
    """A create found its name taken, by this object, read live."""

    obj: Obj


Result: TypeAlias = Obj | Failure | Exists
"""What came of a step: the object as the apiserver returned it, or why there is none."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The steps that were tried, each with its result; a step that is not here was never sent."""

    results: tuple[tuple[Step, Result], ...] = field(default=())

    @property
    def failures(self) -> Iterator[tuple[Step, Failure]]:
        """The steps that failed, but for those that nobody can help.

        They go into a namespace that is being deleted, or wait for a disruption budget.
        """
        return (
            (step, result)
            for step, result in self.results
            if isinstance(result, Failure) and not (result.is_namespace_terminating or result.is_disruption_budget)
        )

    @property
    def has_moved(self) -> bool:
        """Whether pods were created or deleted, and nothing failed that would have to be reported: a sync follows."""
        if any(isinstance(result, Failure) for _, result in self.results):
            return False
        return any(isinstance(result, dict) and _is_of_pods(step) for step, result in self.results)


def _is_of_pods(step: Step) -> bool:
    """Whether a step creates or deletes a pod."""
    if isinstance(step, Create):
        return step.resource == PODS
    return isinstance(step, Delete) and step.target.resource == PODS
