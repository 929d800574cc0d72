"""A client that answers from a script: it injects faults, and has no semantics of an apiserver's."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from operators.core.objects import Obj
from operators.runtime.client import ApiError

Answer = Obj | ApiError | Callable[[Obj | None], Obj]


@dataclass
class Sent:
    """A request as it was sent."""

    method: str
    url: str
    body: Obj | None
    params: dict[str, str]
    content_type: str = ""


@dataclass
class Scripted:
    """Answers requests in the order of `answers`, and watches with the events put into `events`."""

    answers: list[Answer] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    events: "asyncio.Queue[Any]" = field(default_factory=asyncio.Queue)
    watched_from: list[str] = field(default_factory=list)
    watched_fields: list[str] = field(default_factory=list)

    async def request(
        self,
        method: str,
        url: str,
        body: Obj | None = None,
        *,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Obj:
        """Note the request and give the next answer; without one, wait for ever."""
        self.sent.append(Sent(method, url, body, dict(params or {}), content_type))
        await asyncio.sleep(0)
        if not self.answers:
            await asyncio.Event().wait()
        answer = self.answers.pop(0)
        if isinstance(answer, ApiError):
            raise answer
        return answer(body) if callable(answer) else answer

    async def watch(self, url: str, params: Mapping[str, str], stall_after: float) -> AsyncIterator[bytes]:
        """Yield what is put into `events`: an event, an error to raise, or None for the server's ending the watch."""
        self.watched_from.append(params["resourceVersion"])
        self.watched_fields.append(params.get("fieldSelector", ""))
        while (event := await self.events.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield orjson.dumps(event)


def page(*items: Obj, version: int = 1, token: str = "") -> Obj:
    """Return a page of a list."""
    meta: Obj = {"resourceVersion": str(version)}
    return {"metadata": meta | ({"continue": token} if token else {}), "items": list(items)}


def thing(name: str, version: int, **rest: Any) -> Obj:
    """Return an object named `name` at a resourceVersion."""
    meta = {"namespace": "ns", "name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}
    return {"metadata": meta | rest.pop("metadata", {})} | rest


def event(kind: str, obj: Obj) -> Obj:
    """Return a line of a watch."""
    return {"type": kind, "object": obj}
