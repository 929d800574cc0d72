"""The same thing done at the same time on `apps/v1`, with the real controllers, and on `kopfwerk.dev/v1`, with ours."""

import asyncio
import difflib
import pprint
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from operators.core.objects import Obj, Resource, cronjobs, daemonsets, deployments, jobs, replicasets, statefulsets
from operators.core.revisions import CONTROLLERREVISIONS
from operators.core.statefulset import CLAIMS
from operators.runtime.client import MERGE_PATCH, ApiError, Client, path
from tests.parity.view import View, view

PODS = Resource("", "v1", "pods", "Pod")
EVENTS = Resource("", "v1", "events", "Event")
QUIET_FOR = 1.0
"""Seconds for which neither side may change before what they show is compared."""
PATIENCE = 40.0
"""Seconds after which two sides that do not agree are taken to differ."""
EVERY = 0.4

Want = Callable[[View], bool]
T = TypeVar("T")


class DifferenceError(AssertionError):
    """The two sides show something else, or neither came to what the scenario wants."""


@dataclass(frozen=True)
class Side:
    """One API group in a namespace of its own. `shown` are the kinds that are looked at beside pods and events."""

    client: Client
    group: str
    namespace: str
    shown: tuple[str, ...] = ("deployments", "replicasets")

    @property
    def kinds(self) -> Mapping[str, Resource]:
        """The resources by their plural names."""
        own = (make(self.group) for make in (deployments, replicasets, statefulsets, daemonsets, jobs, cronjobs))
        return {kind.plural: kind for kind in (*own, CONTROLLERREVISIONS, CLAIMS, PODS, EVENTS)}

    def url(self, plural: str, name: str = "", subresource: str = "") -> str:
        """Return the path of a collection or an object."""
        return path(self.kinds[plural], self.namespace, name, subresource)

    async def look(self, events: str) -> View:
        """Return what the namespace shows now."""
        plurals = (*self.shown, "pods", "events")
        lists = await asyncio.gather(*(self.client.request("GET", self.url(plural)) for plural in plurals))
        raw = {
            plural: [
                {"apiVersion": self.kinds[plural].api_version, "kind": self.kinds[plural].kind} | item
                for item in found["items"]
                if item["metadata"].get("name") != "kube-root-ca.crt"
            ]
            for plural, found in zip(plurals, lists, strict=True)
        }
        return view(raw, self.group, events=events)

    async def merge(self, plural: str, name: str, body: Obj, subresource: str = "") -> None:
        """Merge a patch into an object."""
        await self.client.request("PATCH", self.url(plural, name, subresource), body, content_type=MERGE_PATCH)

    async def end_first(self, selector: str, phase: str, **conditions: str) -> None:
        """Say as a kubelet would that the first pod of a selector has ended, and what else is to be said of it."""
        (pod,) = await _pods(self, 1, selector)
        said = [{"type": type_, "status": value} for type_, value in conditions.items()]
        body = {"status": {"phase": phase, "conditions": said or None}}
        url = self.url("pods", pod["metadata"]["name"], "status")
        await self.client.request("PATCH", url, body, content_type=MERGE_PATCH)

    async def until(self, want: Want) -> None:
        """Wait until this side alone shows what is wanted."""
        async with asyncio.timeout(PATIENCE):
            while not want(await self.look("none")):  # noqa: ASYNC110  # what another process does
                await asyncio.sleep(EVERY)


@dataclass(frozen=True)
class Pair:
    """Both sides. What is done to a pair is done to each of them at once."""

    upstream: Side
    ours: Side
    events: str = "exact"
    ignores: frozenset[str] = frozenset()
    """Parts of a view that are not compared."""
    every: float = EVERY
    """Seconds between two looks."""

    async def each(self, action: Callable[[Side], Awaitable[T]]) -> tuple[T, T]:
        """Do something to both sides at once."""
        first, second = await asyncio.gather(action(self.upstream), action(self.ours))
        return first, second

    def without_events(self) -> "Pair":
        """Compare no events from here on."""
        return replace(self, events="none")

    def numbers_aside(self) -> "Pair":
        """Compare events less by how much was scaled: that depends on how fast pods become ready."""
        return replace(self, events="numbers aside")

    def without_replicasets(self) -> "Pair":
        """Compare ReplicaSets no more: here their names are the matter, and those are each side's own."""
        return replace(self, ignores=self.ignores | {"replicasets", "pods"})

    def without_revisions(self) -> "Pair":
        """Compare ControllerRevisions no more: here their names are the matter."""
        return replace(self, ignores=self.ignores | {"controllerrevisions", "pods", "statefulsets"})

    def without_pods(self) -> "Pair":
        """Compare pods no more: here it is open which of several alike remain."""
        return replace(self, ignores=self.ignores | {"pods"})

    async def create(self, *objs: Obj) -> None:
        """Create objects: those without an apiVersion are of the side's own group."""
        for obj in objs:
            await self.each(partial(_create, obj))

    async def patch(self, plural: str, name: str, body: Obj, subresource: str = "") -> None:
        """Merge a patch into an object of a known name."""
        await self.each(lambda side: side.merge(plural, name, body, subresource))

    @property
    def subject(self) -> str:
        """The kind that scenarios are about unless told otherwise: the first that is looked at."""
        return self.upstream.shown[0]

    async def edit(self, name: str = "web", **spec: Any) -> None:
        """Change fields of the subject's spec."""
        await self.patch(self.subject, name, {"spec": spec})

    async def image(self, image: str, **annotations: str | None) -> None:
        """Change the image of the subject, and its template's annotations."""

        async def act(side: Side) -> None:
            found = await side.client.request("GET", side.url(self.subject, "web"))
            containers = found["spec"]["template"]["spec"]["containers"]
            spec = {"containers": [{**containers[0], "image": image}]}
            meta: Obj = {"metadata": {"annotations": annotations}} if annotations else {}
            await side.merge(self.subject, "web", {"spec": {"template": {**meta, "spec": spec}}})

        await self.each(act)

    async def scale(self, replicas: int, name: str = "web", plural: str = "") -> None:
        """Scale through the scale subresource, as kubectl scale and the autoscaler do."""
        await self.patch(plural or self.subject, name, {"spec": {"replicas": replicas}}, "scale")

    async def delete(self, plural: str, name: str, propagation: str = "Background") -> None:
        """Delete an object."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        await self.each(lambda side: side.client.request("DELETE", side.url(plural, name), body))

    async def annotate_pods(self, count: int, selector: str = "app=web", **annotations: str | None) -> None:
        """Annotate the first `count` pods by age, which tells a simulated pod how to behave."""
        await self.each(lambda side: _annotate(side, count, selector, annotations))

    async def let_go(self, selector: str = "app=web") -> None:
        """Have pods that linger go once they are deleted, and those that are, now."""
        await self.each(lambda side: _annotate(side, None, selector, {"terminate_after": None}))

    async def change_pods(self, count: int, body: Obj, selector: str = "app=web") -> None:
        """Merge a patch into the first `count` pods."""
        await self.each(lambda side: _change(side, count, selector, body))

    async def delete_pods(self, count: int, selector: str = "app=web") -> None:
        """Delete the first `count` pods."""

        async def act(side: Side) -> None:
            for pod in await _pods(side, count, selector):
                await side.client.request("DELETE", side.url("pods", pod["metadata"]["name"]))

        await self.each(act)

    async def end_pods(self, count: int, phase: str, skip: int = 0) -> None:
        """Say as a kubelet would that pods have ended, other than the first `skip`."""

        async def act(side: Side) -> None:
            found = (await _pods(side, skip + count, "app=web"))[skip:]
            assert len(found) == count, f"there are {len(found)} pods to end"
            for pod in found:
                body = {"status": {"phase": phase, "conditions": None}}
                url = side.url("pods", pod["metadata"]["name"], "status")
                await side.client.request("PATCH", url, body, content_type=MERGE_PATCH)

        await self.each(act)

    async def used_quota(self) -> None:
        """Wait until the quota counts: before that it refuses everything."""

        async def act(side: Side) -> None:
            url = f"/api/v1/namespaces/{side.namespace}/resourcequotas/quota"
            while not (await side.client.request("GET", url)).get("status", {}).get("used"):  # noqa: ASYNC110
                await asyncio.sleep(EVERY)

        await self.each(act)

    async def delete_quota(self) -> None:
        """Take the quota away."""
        url = "/api/v1/namespaces/{}/resourcequotas/quota"
        await self.each(lambda side: side.client.request("DELETE", url.format(side.namespace)))

    async def autoscale(self, minimum: int, maximum: int) -> None:
        """Have the Deployment autoscaled between bounds. There are no metrics, so it is the bounds that act."""
        for side in (self.upstream, self.ours):
            target = {"apiVersion": f"{side.group}/v1", "kind": "Deployment", "name": "web"}
            body = {
                "apiVersion": "autoscaling/v2",
                "kind": "HorizontalPodAutoscaler",
                "metadata": {"name": "web"},
                "spec": {"scaleTargetRef": target, "minReplicas": minimum, "maxReplicas": maximum},
            }
            url = f"/apis/autoscaling/v2/namespaces/{side.namespace}/horizontalpodautoscalers"
            await side.client.request("POST", url, body)

    async def agree(
        self, want: Want = lambda _: True, *, quiet_for: float = QUIET_FOR, patience: float = PATIENCE
    ) -> View:
        """Wait until both sides are settled, show what is wanted, show the same and stay so; return what ours shows.

        Raises DifferenceError with what differs, upstream's first, once nothing has changed for `patience` seconds:
        a busy machine is slow, but goes on. What never rests is given up all the same.
        """
        began = since = time.monotonic()
        before: tuple[View, View] | None = None
        while True:
            now = await self.each(self._look)
            moment = time.monotonic()
            if before != now:
                before, since = now, moment
            agreed = now[0] == now[1] and all(v.is_settled and want(v) for v in now)
            if agreed and moment - since >= quiet_for:
                return now[1]
            if moment - since > patience or moment - began > 4 * patience:
                raise DifferenceError(_explain(*now, want))
            await asyncio.sleep(self.every)

    async def _look(self, side: Side) -> View:
        shown = await side.look(self.events)
        return shown.without(self.ignores)


async def _create(obj: Obj, side: Side) -> None:
    if "apiVersion" in obj:
        resource = Resource(*_split(obj["apiVersion"]), obj["kind"].lower() + "s", obj["kind"])
        if obj["kind"] == "ResourceQuota":
            resource = Resource("", "v1", "resourcequotas", "ResourceQuota")
        await side.client.request("POST", path(resource, side.namespace), obj)
        return
    body = obj | {"apiVersion": f"{side.group}/v1"}
    await side.client.request("POST", side.url(obj["kind"].lower() + "s"), body)


def _split(api_version: str) -> tuple[str, str]:
    group, _, version = api_version.rpartition("/")
    return group, version


async def _pods(side: Side, count: int | None, selector: str) -> list[Obj]:
    found = await side.client.request("GET", side.url("pods"), params={"labelSelector": selector})
    ordered = sorted(found["items"], key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["uid"]))
    return ordered[:count]


async def _annotate(side: Side, count: int | None, selector: str, annotations: Mapping[str, str | None]) -> None:
    prefixed = {f"sim.kopfwerk.dev/{name.replace('_', '-')}": value for name, value in annotations.items()}
    await _change(side, count, selector, {"metadata": {"annotations": prefixed}})


async def _change(side: Side, count: int | None, selector: str, body: Obj) -> None:
    for pod in await _pods(side, count, selector):
        url = side.url("pods", pod["metadata"]["name"])
        try:
            await side.client.request("PATCH", url, body, content_type=MERGE_PATCH)
        except ApiError as error:
            if error.status != 404:
                raise


def _explain(upstream: View, ours: View, want: Want) -> str:
    """Say what differs, line by line."""
    sides = [
        [
            f"settled: {side.is_settled}, as wanted: {_holds(want, side)}",
            *pprint.pformat([dict(side.objects), dict(side.pods), sorted(side.events)], width=160).splitlines(),
        ]
        for side in (upstream, ours)
    ]
    lines = list(difflib.unified_diff(sides[0], sides[1], "upstream", "ours", lineterm="", n=2))
    return "\n".join(lines or [f"neither side came to what is wanted: {sides[0][0]}", *sides[0][1:]])


def _holds(want: Want, side: View) -> bool | str:
    try:
        return want(side)
    except (StopIteration, KeyError) as error:
        return repr(error)
