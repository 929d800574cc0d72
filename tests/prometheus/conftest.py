"""The world of these tests: one for all of them, and every test leaves it whole."""

from collections.abc import Iterator
from functools import partial

import pytest

from operators.cluster import ports
from operators.cluster.api import MERGE
from operators.cluster.cluster import Cluster, Settings
from operators.cluster.errors import ClusterError
from operators.core.objects import KOPFWERK
from tests.parity.manifests import cronjob, job, template
from tests.prometheus.world import ELECTED, NAMESPACE, QUOTA, World, start
from tests.support import prometheus
from tests.support.prometheus import Programs, until

UNREADY = template(ready="false")
"""Of pods that run and are never ready."""

_IN_ORDER = job(sim={"exit_after": "1s"}, completions=2, completionMode="Indexed")["spec"]
_ON_ANY_CODE = {"rules": [{"action": "Count", "onExitCodes": {"operator": "NotIn", "values": [0]}}]}
_FAILS = job(sim={"exit_after": "1s", "exit_code": "1"}, backoffLimit=0, podFailurePolicy=_ON_ANY_CODE)["spec"]
JOBS = {
    "healthy": _IN_ORDER,
    "stuck": _FAILS,
    "running": job()["spec"],
    "gone": _IN_ORDER | {"ttlSecondsAfterFinished": 0},
}
"""In both groups, since upstream's metrics are compared with ours."""
EACH_MINUTE = {"healthy": _IN_ORDER, "stuck-each-minute": _FAILS}
"""The Jobs of CronJobs in both groups: an operator that is started anew has something to count within a minute."""


@pytest.fixture(scope="session")
def programs() -> Programs:
    """Return Prometheus' programs."""
    try:
        return prometheus.obtain()
    except ClusterError as error:
        pytest.skip(f"NO PROMETHEUS, nothing of it is tested: {error}")


@pytest.fixture(scope="session")
def world(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a cluster with workloads, some of them in trouble, its operator, and a Prometheus that looks at it."""
    with Cluster(Settings(name="prometheus", nodes=2, operator_args=ELECTED)) as cluster:
        found = start(cluster, programs.prometheus, ports.choose().apiserver, tmp_path_factory.mktemp("prometheus"))
        _populate(found)
        for kind in ("deployment", "statefulset"):
            ready = f'kopfwerk_{kind}_status_replicas_available{{{kind}="healthy"}} == 3'
            until(partial(found.prometheus.query, ready), f"the {kind} does not become healthy")
        yield found


def _populate_stuck(world: World) -> None:
    """Create a CronJob whose last run is hours ago: another's Job, which its status names, forbids the next."""
    spec = cronjob(concurrencyPolicy="Forbid")["spec"]
    running = {"apiVersion": f"{KOPFWERK}/v1", "kind": "Job", "namespace": NAMESPACE, "name": "running", "uid": "none"}
    ago = "2026-01-01T00:00:00Z"
    status = {"active": [running], "lastScheduleTime": ago, "lastSuccessfulTime": ago}
    url = f"/apis/{KOPFWERK}/v1/namespaces/{NAMESPACE}/cronjobs"
    world.create("cronjobs", NAMESPACE, {**spec, "suspend": True}, "stuck")
    world.api.request("PATCH", f"{url}/stuck/status", {"status": status}, MERGE)
    world.api.request("PATCH", f"{url}/stuck", {"spec": {"suspend": False}}, MERGE)


def _populate(world: World) -> None:
    selector = {"matchLabels": {"app": "web"}}
    healthy = {"replicas": 3, "selector": selector, "template": template()}
    stuck = {"replicas": 2, "selector": selector, "template": UNREADY}
    world.create("deployments", NAMESPACE, healthy, "healthy")
    world.create("deployments", NAMESPACE, {**stuck, "progressDeadlineSeconds": 1}, "stuck")
    world.create("statefulsets", NAMESPACE, {**healthy, "serviceName": "db"}, "healthy")
    world.create("statefulsets", NAMESPACE, {**stuck, "serviceName": "db"}, "stuck")
    for name, port in {"healthy": world.cluster.layout.ports.apiserver, "stuck": 1}.items():
        probe = {"tcpSocket": {"port": port, "host": "127.0.0.1"}, "periodSeconds": 1}
        world.create("podprobes", NAMESPACE, {"selector": selector, "readinessProbe": probe}, name)
    for group in ("batch", KOPFWERK):
        for name, spec in JOBS.items():
            world.create("jobs", NAMESPACE, spec, name, group)
        for name, spec in EACH_MINUTE.items():
            every = {"schedule": "* * * * *", "jobTemplate": {"spec": spec}}
            world.create("cronjobs", NAMESPACE, every, name, group)
    _populate_stuck(world)
    world.api.request("POST", "/api/v1/namespaces", {"metadata": {"name": QUOTA}})
    none = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    world.api.request("POST", f"/api/v1/namespaces/{QUOTA}/resourcequotas", none)
