"""What the chart installs, on a real apiserver: with its account's rights alone both programs place every new pod."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from operators.cluster import arguments, kubeconfig, readiness
from operators.cluster.api import APPLY, Api
from operators.cluster.cluster import DEFAULT_SCHEDULER, Cluster, Settings
from operators.cluster.progress import Lines
from operators.core.objects import Obj
from tests.chart.rendering import NAMESPACE, Helm, named
from tests.scheduler.test_embedded import pod
from tests.support import tools

NAME = "kopfwerk-scheduler"
GROUPS = {
    "ServiceAccount": "api/v1",
    **dict.fromkeys(("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"), "apis/rbac.authorization.k8s.io/v1"),
    "MutatingAdmissionPolicy": "apis/admissionregistration.k8s.io/v1",
    "MutatingAdmissionPolicyBinding": "apis/admissionregistration.k8s.io/v1",
}
pytestmark = pytest.mark.cluster


def url(obj: Obj) -> str:
    """Return where an object of the chart belongs."""
    namespace = obj["metadata"].get("namespace")
    place = f"/namespaces/{namespace}" if namespace else ""
    kind = obj["kind"].lower()
    plural = f"{kind[:-1]}ies" if kind.endswith("policy") else f"{kind}s"
    return f"/{GROUPS[obj['kind']]}{place}/{plural}/{obj['metadata']['name']}"


@pytest.fixture(
    params=[
        pytest.param((), id="by default"),
        pytest.param(("scheduler.nodes=all", "scheduler.binds=true"), id="of all nodes, and the extender binds"),
    ]
)
def objects(request: pytest.FixtureRequest) -> list[Obj]:
    """Return the scheduler's objects, as helm renders them."""
    helm = Helm(tools.obtain(tools.HELM, Lines()))
    rendered = helm.render("scheduler.enabled=true", "scheduler.replaceDefault=true", *request.param)
    return [obj for obj in rendered if obj["metadata"]["name"].startswith(NAME)]


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Return a cluster with the default scheduler, on which the chart is to be installed."""
    with Cluster(Settings(name="charted", nodes=2, operator=False, scheduler=DEFAULT_SCHEDULER)) as started:
        yield started


def test_installed_and_uninstalled(cluster: Cluster, objects: list[Obj]) -> None:
    """Every new pod is placed by it, pods of its own namespace are not, and once it is gone the default does again."""
    installed = [obj for obj in objects if obj["kind"] in GROUPS]
    with cluster.api() as api:
        api.request("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        for obj in installed:
            api.request("PATCH", f"{url(obj)}?fieldManager=helm&force=true", obj, APPLY)
        _start(cluster, api, objects)
        readiness.wait(cluster, lambda: _scheduler_of(api, "default", "probe") == "kopfwerk", "no pod is given to it")
        api.request("POST", "/api/v1/namespaces/default/pods", pod("ours"))
        readiness.wait(cluster, lambda: _is_placed(api, "ours"), "our scheduler does not place it")
        readiness.wait(cluster, lambda: bool(_placed_by(api, "ours")), "nobody says to have placed it")

        assert _placed_by(api, "ours") == {"kopfwerk"}
        assert _scheduler_of(api, NAMESPACE, "left") == "default-scheduler"
        assert _scheduler_of(api, "kube-system", "left") == "default-scheduler"
        lease = api.get(f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{NAME}")
        assert lease["spec"]["holderIdentity"]
        for program in ("kube-scheduler-kopfwerk", "scheduler-extender"):
            log = (cluster.folder / "logs" / f"{program}.log").read_text()
            assert [line for line in log.splitlines() if "forbidden" in line.lower()] == []

        for program in ("kube-scheduler-kopfwerk", "scheduler-extender"):
            cluster.processes[program].stop()
        for obj in installed:
            api.request("DELETE", url(obj))
        readiness.wait(
            cluster, lambda: _scheduler_of(api, "default", "probe") == "default-scheduler", "pods are still given to it"
        )
        api.request("POST", "/api/v1/namespaces/default/pods", pod("theirs"))
        readiness.wait(cluster, lambda: _is_placed(api, "theirs"), "the default scheduler does not place it")


def _start(cluster: Cluster, api: Api, objects: list[Obj]) -> None:
    """Start both containers' programs as processes, with the token of the account that the chart makes."""
    account = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{NAME}/token"
    token = api.request("POST", account, {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"})
    config = kubeconfig.build("c", cluster.server, cluster.layout.pki, "kube-scheduler")
    config["users"][0]["user"] = {"token": token["status"]["token"]}
    file = cluster.folder / "account.kubeconfig"
    kubeconfig.write(file, config)
    data = named(objects, "ConfigMap", NAME)["data"]
    scheduler: dict[str, Any] = yaml.safe_load(data["kube-scheduler.yaml"])
    scheduler["clientConnection"]["kubeconfig"] = str(file)
    extender = f"127.0.0.1:{cluster.layout.ports.scheduler_extender}"
    scheduler["extenders"][0]["urlPrefix"] = f"http://{extender}/scheduler"
    written = _write(cluster.folder / "chart.yaml", scheduler)
    profiles = _write(cluster.folder / "profiles.yaml", yaml.safe_load(data["profiles.yaml"]))
    own_places = ("--listen", "--page-listen", "--profiles")
    told = named(objects, "Deployment", NAME)["spec"]["template"]["spec"]["containers"][0]["args"]
    command = [*(arg for arg in told if not arg.startswith(own_places)), f"--kubeconfig={file}"]
    command += [f"--listen={extender}", f"--profiles={profiles}"]
    cluster.run("scheduler-extender", [sys.executable, "-m", "operators.cli.main", *command])
    readiness.wait(cluster, readiness.page(f"http://{extender}/readyz"), "the extender is not ready")
    own = [arg for arg in arguments.scheduler(cluster.layout) if "port" not in arg and "leader" not in arg]
    argv: list[str | Path] = [cluster.program("kube-scheduler"), *own, f"--config={written}", "--secure-port=0"]
    cluster.run("kube-scheduler-kopfwerk", argv)


def _write(path: Path, content: object) -> Path:
    path.write_text(yaml.safe_dump(content))
    return path


def _scheduler_of(api: Api, namespace: str, name: str) -> str:
    """Return who would place a pod, by a dry run."""
    made = api.request("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", pod(name))
    return str(made["spec"]["schedulerName"])


def _is_placed(api: Api, name: str) -> bool:
    return bool(api.get(f"/api/v1/namespaces/default/pods/{name}")["spec"].get("nodeName"))


def _placed_by(api: Api, name: str) -> set[str]:
    """Return who says that it has placed a pod."""
    events = api.get("/apis/events.k8s.io/v1/namespaces/default/events")["items"]
    return {
        event["reportingController"]
        for event in events
        if event["reason"] == "Scheduled" and event["regarding"]["name"] == name
    }
