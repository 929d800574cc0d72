"""What the apiserver answers to the write that lets an object go, and that the cache is waited for all the same."""

import asyncio

import pytest

from operators.core import pods
from operators.core.objects import KOPFWERK, PODS, jobs
from operators.core.plan import Batch, Patch, Plan, Target
from operators.runtime.client import ApiError, Client, path
from operators.runtime.events import Recorder
from operators.runtime.freshness import Freshness
from operators.runtime.informer import Informer, Informers
from operators.runtime.writer import Writer
from tests.apiserver.validation import NAMESPACE

pytestmark = pytest.mark.cluster


async def test_a_pod_that_goes_with_its_last_finalizer(client: Client, unique: str) -> None:
    """The answer has the version from before, which the cache has reached already; the pod is gone from etcd."""
    url = path(PODS, NAMESPACE, unique)
    meta = {"name": unique, "finalizers": ["kopfwerk.dev/test"]}
    spec = {"schedulerName": "nobody", "containers": [{"name": "app", "image": "app:1"}]}  # so that nobody writes to it
    pod = {"metadata": meta, "spec": spec}
    await client.request("POST", path(PODS, NAMESPACE), pod)
    going = await client.request("DELETE", url)
    fresh = Freshness(await _as_now(client))
    strip = Patch(Target.of(PODS, going), {"metadata": {"finalizers": None}})
    parent = {"kind": "Job", "metadata": {"namespace": NAMESPACE, "name": "web", "uid": "uid-web"}}
    writer = Writer(client, Recorder(client, "test"), lambda: True)
    outcome = await writer.apply(jobs(KOPFWERK), parent, Plan((Batch((strip,)),)), fresh)
    ((_, answer),) = outcome.results
    assert isinstance(answer, dict)
    assert answer["metadata"]["resourceVersion"] == going["metadata"]["resourceVersion"]
    with pytest.raises(ApiError, match="not found"):
        await client.request("GET", url)
    assert fresh.lagging((NAMESPACE, "web"), lambda: None) == PODS


async def _as_now(client: Client) -> Informers:
    """Return a cache of pods as they are at this moment: nothing that happens later reaches it."""
    informers = Informers()
    informers.add(Informer(client, PODS, pods.parse, {}))
    following = asyncio.create_task(informers[PODS].run())
    await informers.synced()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    return informers
