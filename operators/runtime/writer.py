"""The one writer: it carries out plans, and knows no kind.

Every write is safe to send twice, since an answer may get lost: a create's name is drawn here rather than by the
apiserver, so that a repeated POST meets its own first try; deletes carry the UID, patches the resourceVersion.
"""

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import replace

from operators.core import objects
from operators.core.objects import Key, Obj, Resource
from operators.core.plan import (
    Batch,
    Create,
    Delete,
    Exists,
    Failure,
    Outcome,
    Patch,
    Plan,
    Result,
    Say,
    Step,
    Target,
)
from operators.runtime.client import (
    IN_FLIGHT,
    MERGE_PATCH,
    OWN_WORDS,
    REQUEST_TIMEOUT,
    STRATEGIC_MERGE_PATCH,
    ApiError,
    Requests,
    path,
)
from operators.runtime.events import Recorder
from operators.runtime.freshness import Freshness

_TRIES = 4
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_LONGEST_BASE = 58


class NotLeadingError(Exception):
    """This process may not write: it does not lead, or its lease is about to run out."""


class Writer:
    """Applies plans through one client. may_write is asked right before every single request."""

    def __init__(self, client: Requests, recorder: Recorder, may_write: Callable[[], bool]) -> None:
        self._client = client
        self._recorder = recorder
        self._may_write = may_write
        self._slots = asyncio.Semaphore(IN_FLIGHT)

    async def apply(self, resource: Resource, parent: Obj, plan: Plan, fresh: Freshness) -> Outcome:
        """Carry out a plan for `parent`, one of `resource`; a batch with a failure is the last one."""
        self.announce(parent, plan.events)
        results: list[tuple[Step, Result]] = []
        for batch in plan.batches:
            if batch.live_owner and (failure := await self._owner_gone(resource, parent)):
                results += ((step, failure) for step in batch.steps)
                break
            done = await self._run(parent, batch, fresh)
            results += done
            if any(isinstance(result, Failure) for _, result in done):
                break
        return Outcome(tuple(results))

    async def write_status(self, resource: Resource, parent: Obj, status: Obj, fresh: Freshness) -> None:
        """PUT the status, with the resourceVersion that it was computed from. Raises ApiError.

        Metadata goes along whole, since built-in kinds take it from a status write; the spec is left out, since
        no kind does.
        """
        body = {part: parent[part] for part in ("apiVersion", "kind", "metadata")} | {"status": status}
        key = objects.key(parent)
        answer = await self._send("PUT", path(resource, *key, "status"), body)
        fresh.wrote(key, resource, answer)

    def announce(self, parent: Obj, events: Iterable[Say]) -> None:
        """Record events about `parent`."""
        for say in events:
            self._recorder.record(say.about or parent, say)

    async def settle(self, key: Key, fresh: Freshness) -> None:
        """Ask what came of the writes for `key` whose answers never came. Raises ApiError where there is still none."""
        for target in fresh.unanswered(key):
            live: Obj | None = None
            try:
                live = await self._client.request("GET", _url(target))
            except ApiError as error:
                if error.status != 404:
                    raise
            fresh.settled(key, target, live)

    async def _owner_gone(self, resource: Resource, parent: Obj) -> Failure | None:
        """Ask the apiserver itself whether the parent may still take on children."""
        try:
            live = await self._client.request("GET", path(resource, *objects.key(parent)))
        except ApiError as error:
            return _failure(error)
        if objects.uid(live) != objects.uid(parent):
            return Failure(409, "Conflict", f"{parent['kind']} {objects.name(parent)} is gone: another has its name")
        if objects.is_terminating(live):
            return Failure(409, "Conflict", f"{parent['kind']} {objects.name(parent)} is being deleted")
        return None

    async def _run(self, parent: Obj, batch: Batch, fresh: Freshness) -> list[tuple[Step, Result]]:
        """Send the steps: all at once, or in rounds that double while nothing fails.

        A round is over when all of it is, whatever is raised: the key must not be worked on while a write is under way.
        """
        done: list[tuple[Step, Result]] = []
        size = 1 if batch.slow_start else len(batch.steps)
        while (rest := batch.steps[len(done) :]) and not any(isinstance(result, Failure) for _, result in done):
            round_ = rest[:size]
            if len(round_) == 1:
                done.append((round_[0], await self._step(parent, round_[0], fresh)))
            else:
                steps = (self._step(parent, step, fresh) for step in round_)
                for step, result in zip(round_, await asyncio.gather(*steps, return_exceptions=True), strict=True):
                    if isinstance(result, BaseException):
                        raise result
                    done.append((step, result))
            size *= 2
        return done

    async def _step(self, parent: Obj, step: Step, fresh: Freshness) -> Result:
        """Send one step; say what came of it, as an event about the parent."""
        key = objects.key(parent)
        try:
            match step:
                case Create():
                    result = await self._create(parent, step, fresh)
                    resource = step.resource
                case Delete():
                    result = await self._delete(step)
                    resource = step.target.resource
                    fresh.deleted(key, step.target)
                case Patch():
                    result = await self._patch(key, step, fresh)
                    resource = step.target.resource
        except ApiError as error:
            failure = _failure(error)
            if isinstance(step, Delete) and error.in_doubt:
                fresh.lost(key, step.target)
            self._complain(parent, step, failure)
            return failure
        if isinstance(result, Exists):
            fresh.wrote(key, resource, result.obj)
        else:
            fresh.wrote(key, resource, result)
            if step.said:
                self._say(parent, step.said, result.get("metadata", {}).get("name") or _name(step), "")
        return result

    def _complain(self, parent: Obj, step: Step, failure: Failure) -> None:
        """Say that a step failed, unless all it means is that its namespace is on its way out."""
        if not failure.is_namespace_terminating:
            for say in (step.failed, step.hence if isinstance(step, Create) else None):
                if say:
                    self._say(parent, say, _name(step), failure.message)

    async def _create(self, parent: Obj, step: Create, fresh: Freshness) -> Obj | Exists:
        """POST; where the name was drawn here, draw again if it is another's."""
        key = objects.key(parent)
        url = path(step.resource, key[0])
        body, drawn = step.body, "name" not in step.body["metadata"]
        while True:
            if drawn:
                body = _named(step.body)
            try:
                return await self._send("POST", url, body)
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    if error.in_doubt:
                        fresh.lost(key, Target(step.resource, key[0], objects.name(body), uid=""))
                    raise
            try:
                holder = await self._client.request("GET", f"{url}/{objects.name(body)}")
            except ApiError as error:
                if error.status == 404:
                    continue  # whoever had the name is gone
                fresh.lost(key, Target(step.resource, key[0], objects.name(body), uid=""))
                raise
            if not drawn:
                return Exists(holder)
            owner = objects.controller_of(holder)
            if owner is not None and owner.uid == objects.uid(parent):
                return holder  # the answer to an earlier try was lost

    async def _delete(self, step: Delete) -> Obj:
        target = step.target
        body: Obj = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": target.uid}}
        if step.resource_version:
            body["preconditions"]["resourceVersion"] = step.resource_version
        if step.propagation:
            body["propagationPolicy"] = step.propagation
        try:
            if step.evicts:
                await self._send("POST", f"{_url(target)}/eviction", _eviction(target, body))
                return {}
            answer = await self._send("DELETE", _url(target), body)
        except ApiError as error:
            if error.status != 404 and not (error.status == 409 and await self._is_anothers(target)):
                raise
            return {}
        return answer if answer.get("kind") != "Status" else {}

    async def _is_anothers(self, target: Target) -> bool:
        """Whether the name is another object's by now, or nobody's: what it meant is gone."""
        try:
            holder = await self._client.request("GET", _url(target))
        except ApiError as error:
            return error.status == 404
        return objects.uid(holder) != target.uid

    async def _patch(self, key: Key, step: Patch, fresh: Freshness) -> Obj:
        """PATCH. An object that is gone by it, or was before, has no later version for the cache to reach."""
        meta: Obj = {"uid": step.target.uid}
        if step.resource_version:
            meta["resourceVersion"] = step.resource_version
        body = step.body | {"metadata": {**step.body.get("metadata", {}), **meta}}
        try:
            url = _url(step.target) + (f"/{step.subresource}" if step.subresource else "")
            answer = await self._send("PATCH", url, body, STRATEGIC_MERGE_PATCH if step.strategic else MERGE_PATCH)
        except ApiError as error:
            if error.status not in step.ignore:
                raise
            if error.status == 404:
                fresh.gone(key, step.target)
            return {}
        if _has_gone(answer):
            fresh.gone(key, step.target)
        return answer

    async def _send(self, method: str, url: str, body: Obj, content_type: str = "application/json") -> Obj:
        """Send a write that may be sent twice, again and again until its answer is known or the tries are used up.

        An error says whether any of the tries may have taken effect: the last one's refusal does not undo the first.
        """
        in_doubt = False
        for attempt in range(1, _TRIES + 1):
            try:
                return await self._once(method, url, body, content_type)
            except ApiError as error:
                in_doubt = error.in_doubt = error.in_doubt or in_doubt
                if not error.is_ambiguous or attempt == _TRIES:
                    raise
            await asyncio.sleep(0.05 * 4**attempt)
        raise AssertionError

    async def _once(self, method: str, url: str, body: Obj, content_type: str) -> Obj:
        """Send a write if this process may.

        It waits for its turn here, before it asks whether it may, and is over REQUEST_TIMEOUT after that, the client's
        own waiting (for an overloaded apiserver) included: the lease counts on it.
        """
        params = None if method == "DELETE" else OWN_WORDS
        async with self._slots:
            if not self._may_write():
                raise NotLeadingError
            try:
                async with asyncio.timeout(REQUEST_TIMEOUT):
                    return await self._client.request(method, url, body, params=params, content_type=content_type)
            except TimeoutError as error:
                raise ApiError(0, "NoAnswer", f"{method} {url}: no answer in time") from error

    def _say(self, parent: Obj, say: Say, name: str, error: str) -> None:
        message = say.message.replace("{name}", name).replace("{error}", error)
        self._recorder.record(say.about or parent, replace(say, message=message))


def _named(body: Obj) -> Obj:
    """Draw a name as the apiserver does for a generateName (k8s.io/apiserver/pkg/storage/names)."""
    base = body["metadata"]["generateName"][:_LONGEST_BASE]
    suffix = "".join(random.choices(_LETTERS, k=5))  # noqa: S311 - a name, not a secret
    return body | {"metadata": body["metadata"] | {"name": base + suffix}}


def _name(step: Step) -> str:
    if isinstance(step, Create):
        meta = step.body["metadata"]
        return str(meta.get("name") or meta["generateName"])
    return step.target.name


def _has_gone(answer: Obj) -> bool:
    """Whether a write took the last finalizer off an object that was to be deleted.

    Mirrors ShouldDeleteDuringUpdate; the answer has the resourceVersion from before the write (apiserver's store.go).
    """
    meta = answer.get("metadata") or {}
    return "deletionTimestamp" in meta and not meta.get("finalizers") and not meta.get("deletionGracePeriodSeconds")


def _eviction(target: Target, options: Obj) -> Obj:
    meta = {"namespace": target.namespace, "name": target.name}
    return {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta, "deleteOptions": options}


def _url(target: Target) -> str:
    return path(target.resource, target.namespace, target.name)


def _failure(error: ApiError) -> Failure:
    return Failure(error.status, error.reason, error.message, error.causes)
