"""PodProbes on a real apiserver: conditions, restarts, budgets and events, of pods whose address is this machine's.

The pods are on a node that nobody simulates; what a kubelet would say of them is said by the test.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from operators.core.objects import Obj
from operators.runtime.client import MERGE_PATCH, STRATEGIC_MERGE_PATCH, ApiError, Client
from tests.apiserver.plugin_cli import CommandLine
from tests.support import namespaces
from tests.support.answering import saying, serving

pytestmark = pytest.mark.cluster

CONDITION = "probe.kopfwerk.dev/web"


class Place:
    """A namespace, and a server on this machine that is well or is not."""

    def __init__(self, client: Client, namespace: str, port: int) -> None:
        self.client = client
        self.pods = f"/api/v1/namespaces/{namespace}/pods"
        self.probes = f"/apis/kopfwerk.dev/v1/namespaces/{namespace}/podprobes"
        self.namespace = namespace
        self.port = port
        self.status = "200 OK"

    async def pod(self, name: str, *, gated: bool = False, container: str = "c1") -> None:
        """Make a pod that runs here."""
        # A node of the namespace's own, since PodGC deletes at once what is on one that it has missed for 40 s.
        spec: Obj = {"nodeName": f"nowhere-{self.namespace}", "containers": [{"name": "app", "image": "app:1"}]}
        if gated:
            spec["readinessGates"] = [{"conditionType": CONDITION}]
        meta = {"name": name, "labels": {"app": "web"}}
        made = await self.client.request("POST", self.pods, {"metadata": meta, "spec": spec})
        await self.runs(name, made["metadata"]["creationTimestamp"], container)

    async def runs(self, name: str, since: str, container: str) -> None:
        """Say what a kubelet would say."""
        state = {"name": "app", "containerID": container, "image": "app:1", "imageID": "", "restartCount": 0}
        state |= {"ready": True, "started": True, "state": {"running": {"startedAt": since}}}
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": since}
        status = {"phase": "Running", "podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}]}
        status |= {"containerStatuses": [state], "conditions": [ready]}
        url = f"{self.pods}/{name}/status"
        await self.client.request("PATCH", url, {"status": status}, content_type=STRATEGIC_MERGE_PATCH)

    async def probe(self, restart: Obj | None = None, **kinds: Obj) -> None:
        """Make a PodProbe of these kinds, which asks the server five times a second."""
        fast = {"httpGet": {"port": self.port, "path": "/healthz"}, "periodSeconds": 0.2, "failureThreshold": 2}
        spec: Obj = {"selector": {"matchLabels": {"app": "web"}}, "restart": restart or {}}
        spec |= {f"{kind}Probe": fast | more for kind, more in kinds.items()}
        body = {"apiVersion": "kopfwerk.dev/v1", "kind": "PodProbe", "metadata": {"name": "web"}, "spec": spec}
        await self.client.request("POST", self.probes, body)

    async def until(self, url: str, holds: Callable[[Obj], Any]) -> Obj:
        """Look at an object, or at a collection, until one is as wanted, and return it; one that is gone is {}."""
        collection, _, name = url.rpartition("/") if not url.endswith(("pods", "events")) else (url, "", "")
        params = {"fieldSelector": f"metadata.name={name}"} if name else {}
        # A watch alone would say nothing of what is gone already.
        listed = await self.client.request("GET", collection, params=params)
        for present in listed["items"] or ([{}] if name else []):
            if holds(present):
                return dict(present)
        params |= {"watch": "true", "resourceVersion": listed["metadata"]["resourceVersion"]}
        async with asyncio.timeout(40):
            async for line in self.client.watch(collection, params, 40):
                event = json.loads(line)
                found: Obj = event["object"] if event["type"] != "DELETED" else {}
                if holds(found):
                    return found
        raise AssertionError(f"the watch of {url} ended")

    async def says(self, pod: str, status: str | None) -> Obj:
        """Wait until a pod's condition says that, or is not there."""
        return await self.until(f"{self.pods}/{pod}", lambda found: bool(found) and said(found).get("status") == status)

    async def told(self, reason: str, message: str) -> Obj:
        """Wait for an event."""
        events = f"/api/v1/namespaces/{self.namespace}/events"
        return await self.until(events, lambda e: e.get("reason") == reason and message in e["message"])


def said(pod: Obj) -> Obj:
    """Return the PodProbe's condition of a pod."""
    found: list[Obj] = pod.get("status", {}).get("conditions", [])
    return next((one for one in found if one["type"] == CONDITION), {})


@pytest.fixture
async def place(admin: Client, unique: str) -> AsyncIterator[Place]:
    """Return a namespace with a server."""
    async with _place(admin, f"probe-{unique}") as made:
        yield made


@asynccontextmanager
async def _place(admin: Client, namespace: str) -> AsyncIterator[Place]:
    await namespaces.make(admin, namespace)

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        await saying(made.status)(request, writer)

    async with serving(answer) as port:
        made = Place(admin, namespace, port)
        yield made
        for pod in (await admin.request("GET", made.pods))["items"]:
            await admin.request("DELETE", f"{made.pods}/{pod['metadata']['name']}", {"gracePeriodSeconds": 0})
        await admin.request("DELETE", f"/api/v1/namespaces/{namespace}")


async def test_readiness(place: Place) -> None:
    """The condition follows the server, back and forth, and the status and events say so."""
    await place.pod("a", gated=True)
    await place.probe(readiness={})
    await place.says("a", "True")
    place.status = "503 Out"
    condition = said(await place.says("a", "False"))
    assert condition["reason"] == "ProbeFailed"
    assert condition["message"] == "HTTP probe failed with statuscode: 503"
    event = await place.told("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
    assert event["involvedObject"]["name"] == "a"
    assert event["involvedObject"]["fieldPath"] == "spec.containers{app}"
    found = await place.until(
        f"{place.probes}/web", lambda o: o.get("status", {}).get("readiness", {}).get("failing") == 1
    )
    assert found["status"]["matched"] == 1
    assert found["status"]["readiness"]["lastMessage"] == "HTTP probe failed with statuscode: 503"
    place.status = "200 OK"
    await place.says("a", "True")


async def test_nothing_is_left_behind(place: Place) -> None:
    """With the PodProbe goes its condition; one that gates a pod says yes."""
    await place.pod("free")
    await place.pod("gated", gated=True)
    place.status = "503 Out"
    await place.probe(readiness={})
    await asyncio.gather(place.says("free", "False"), place.says("gated", "False"))
    await place.client.request("DELETE", f"{place.probes}/web")
    await asyncio.gather(place.says("free", None), place.says("gated", "True"))


async def test_liveness_evicts(place: Place) -> None:
    """A pod that is dead is evicted, and its event says why."""
    await place.pod("a")
    await place.probe(liveness={})
    place.status = "500 Dead"
    await place.told("Killing", "Container app failed liveness probe, its pod will be evicted")
    await place.until(f"{place.pods}/a", lambda pod: not pod or pod["metadata"].get("deletionTimestamp"))


async def test_a_budget_holds(place: Place) -> None:
    """What a disruption budget does not allow is not done, and asked for again."""
    budget = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    budgets = f"/apis/policy/v1/namespaces/{place.namespace}/poddisruptionbudgets"
    await place.client.request("POST", budgets, {"metadata": {"name": "web"}, "spec": budget})
    await place.pod("a")
    await place.until(f"{budgets}/web", lambda o: o.get("status", {}).get("currentHealthy") == 1)
    await place.probe(liveness={})
    place.status = "500 Dead"
    await place.told("FailedEviction", "Cannot evict pod as it would violate the pod's disruption budget.")
    pod = await place.client.request("GET", f"{place.pods}/a")
    assert "deletionTimestamp" not in pod["metadata"]
    await place.client.request("PATCH", f"{budgets}/web", {"spec": {"minAvailable": 0}}, content_type=MERGE_PATCH)
    await place.until(f"{place.pods}/a", lambda pod: not pod or pod["metadata"].get("deletionTimestamp"))


async def test_one_at_a_time(place: Place) -> None:
    """Of a set that is dead as a whole, one is restarted; the others are counted as failing, and wait."""
    for name in ("a", "b", "c"):
        await place.pod(name)
    await place.probe(liveness={})
    place.status = "500 Dead"
    found = await place.until(
        f"{place.probes}/web",
        lambda o: o.get("status", {}).get("liveness", {}).get("failing") == 2 and o["status"].get("restarting"),
    )
    assert (len(found["status"]["restarting"]), found["status"]["restarts"]) == (1, 1)


async def test_in_place(place: Place) -> None:
    """Where the container cannot be asked to end, that is said, and its pod stays for the time being."""
    await place.pod("a")
    await place.probe({"method": "InPlace"}, liveness={})
    place.status = "500 Dead"
    await place.told("Killing", "Container app failed liveness probe, will be restarted")
    await place.told("FailedKillPod", "Container app cannot be restarted in place: the apiserver answers 403")


@pytest.mark.parametrize(
    ("change", "want"),
    [
        pytest.param({"selector": {}}, "empty selector is invalid for PodProbe", id="no selector"),
        pytest.param({"readinessProbe": None}, "at least one probe is required", id="no probe"),
        pytest.param({"readinessProbe": {}}, "exactly one of httpGet, tcpSocket, grpc and exec", id="nothing to do"),
        pytest.param(
            {"readinessProbe": {"grpc": {"port": 1}, "tcpSocket": {"port": 1}}},
            "exactly one of httpGet, tcpSocket, grpc and exec",
            id="two things to do",
        ),
        pytest.param(
            {"livenessProbe": {"grpc": {"port": 1}, "successThreshold": 2}}, "must be 1", id="alive after two successes"
        ),
        pytest.param({"readinessProbe": {"tcpSocket": {"port": 0}}}, "must be a number from 1 to 65535", id="port 0"),
        pytest.param({"readinessProbe": {"tcpSocket": {"port": "A"}}}, "the name of a port", id="no port's name"),
        pytest.param(
            {"readinessProbe": {"tcpSocket": {"port": 1}, "periodSeconds": 0}}, "must be at least 0.1", id="no period"
        ),
        pytest.param({"restart": {"maxConcurrent": "0%"}}, "a percentage from 1% to 100%", id="none of them"),
        pytest.param({"restart": {"method": "Reboot"}}, "Unsupported value", id="no method"),
        pytest.param(
            {"readinessProbe": {"httpGet": {"port": 1, "httpHeaders": [{"name": "a b", "value": "c"}]}}},
            "must be the name of an HTTP header",
            id="no header's name",
        ),
    ],
)
async def test_refused(admin: Client, change: Obj, want: str) -> None:
    """What means nothing is refused where it is written."""
    spec = {"selector": {"matchLabels": {"app": "web"}}, "readinessProbe": {"tcpSocket": {"port": 80}}} | change
    spec = {name: value for name, value in spec.items() if value is not None}
    body = {"apiVersion": "kopfwerk.dev/v1", "kind": "PodProbe", "metadata": {"name": "refused"}, "spec": spec}
    with pytest.raises(ApiError) as refused:
        await admin.request("POST", "/apis/kopfwerk.dev/v1/namespaces/default/podprobes", body)
    assert refused.value.status == 422
    assert want in refused.value.message


def _gated(names: str) -> Obj:
    """Return a ReplicaSet whose pods are to be gated by PodProbes."""
    return {
        "apiVersion": "kopfwerk.dev/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "gated", "annotations": {"kopfwerk.dev/readiness-gates": names}},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": "app:1"}]},
            },
        },
    }


async def test_a_workload_gates_its_pods(place: Place) -> None:
    """A pod of it is ready when the probe passes and not before, though its template knows nothing of that."""
    place.status = "503 Not yet"
    await place.probe(readiness={"httpGet": {"port": place.port, "path": "/", "host": "127.0.0.1"}})
    workloads = f"/apis/kopfwerk.dev/v1/namespaces/{place.namespace}/replicasets"
    made = await place.client.request("POST", workloads, _gated("web"))
    assert "readinessGates" not in made["spec"]["template"]["spec"]
    pod = await place.until(place.pods, lambda found: bool(said(found)))
    assert pod["spec"]["readinessGates"] == [{"conditionType": CONDITION}]
    assert said(pod)["status"] == "False"
    place.status = "200 OK"
    name = pod["metadata"]["name"]
    await place.says(name, "True")
    await place.client.request("DELETE", f"{workloads}/gated")
    await place.until(f"{place.pods}/{name}", lambda found: found == {})


async def test_a_gate_of_no_name_is_refused(admin: Client) -> None:
    """As the pods would be."""
    with pytest.raises(ApiError) as refused:
        await admin.request("POST", "/apis/kopfwerk.dev/v1/namespaces/default/replicasets", _gated("no name"))
    assert refused.value.status == 422
    assert "spec.template.spec.readinessGates[0].conditionType: Invalid value" in refused.value.message


def test_columns(shell: CommandLine) -> None:
    """The table says how many pods are in which state."""
    manifest = {
        "apiVersion": "kopfwerk.dev/v1",
        "kind": "PodProbe",
        "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "readinessProbe": {"tcpSocket": {"port": 80}}},
    }
    shell.done("apply", "--filename=-", stdin=json.dumps(manifest))
    shell.done("wait", "podprobe/web", "--for=jsonpath={.status.matched}=0", "--timeout=40s")
    header, row = shell.done("get", "kprobe").splitlines()
    assert header.split() == ["NAME", "MATCHED", "READY", "UNREADY", "LIVE", "DEAD", "RESTARTS", "AGE"]
    assert row.split()[:4] == ["web", "0", "0", "0"]
