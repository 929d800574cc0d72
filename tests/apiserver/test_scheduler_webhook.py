"""Where there is no policy that mutates: new pods are given to the scheduler by the operator's webhook."""

import base64
from collections.abc import Iterator

import pytest

from operators.cluster.api import Api
from operators.cluster.cluster import DEFAULT_SCHEDULER, Cluster, Settings
from operators.cluster.readiness import wait
from operators.core.objects import Obj
from operators.runtime import scheduler_admission
from tests.scheduler.test_embedded import pod

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("giving")]
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
OURS, DEFAULT = "kopfwerk", "default-scheduler"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Return a cluster whose operator gives pods away, and whose apiserver asks it, but for one namespace."""
    settings = Settings(
        name="giving", nodes=0, scheduler=DEFAULT_SCHEDULER, operator_args=(f"--webhook-scheduler={OURS}",)
    )
    with Cluster(settings) as started, started.api() as api:
        api.request("POST", "/api/v1/namespaces", {"metadata": {"name": "left"}})
        authority = base64.b64encode((started.layout.pki / "ca.crt").read_bytes()).decode()
        url = f"https://127.0.0.1:{started.layout.ports.webhook}/{scheduler_admission.ID}"
        wanted = scheduler_admission.configuration({"url": url, "caBundle": authority}, ["kube-system", "left"])
        api.request("POST", CONFIGURATIONS, wanted)
        wait(started, lambda: scheduler_of(api, "default") == OURS, "the webhook is not asked")
        yield started


def scheduler_of(api: Api, namespace: str, spec: Obj | None = None) -> str:
    """Return who would place a new pod, by a dry run."""
    asks = pod("asks")
    asks["spec"] |= spec or {}
    made = api.request("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", asks)
    return str(made["spec"]["schedulerName"])


@pytest.mark.parametrize(
    ("namespace", "spec", "want"),
    [
        pytest.param("default", {}, OURS, id="asks for none"),
        pytest.param("default", {"schedulerName": DEFAULT}, OURS, id="asks for the default"),
        pytest.param("default", {"schedulerName": "another"}, "another", id="asks for another"),
        pytest.param("default", {"nodeName": "n"}, DEFAULT, id="is placed"),
        pytest.param("left", {}, DEFAULT, id="in an excluded namespace"),
        pytest.param("kube-system", {}, DEFAULT, id="of the cluster"),
    ],
)
def test_who_places_a_new_pod(cluster: Cluster, namespace: str, spec: Obj, want: str) -> None:
    """Whoever asks for nobody in particular is placed by ours."""
    with cluster.api() as api:
        assert scheduler_of(api, namespace, spec) == want


def test_without_an_operator_pods_go_to_the_default(cluster: Cluster) -> None:
    """A webhook that nobody answers is no obstacle. It stops the operator, and so is the last test of the module."""
    cluster.processes["operator"].stop()
    with cluster.api() as api:
        assert scheduler_of(api, "default") == DEFAULT
