"""Services on a real apiserver: the core Service that ours keeps, names that are taken, and slices in native mode."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.apiserver import plugin_cli
from tests.apiserver.plugin_cli import CommandLine
from tests.apiserver.workloads import apply, items
from tests.support.cluster import Shared

pytestmark = pytest.mark.cluster

OURS = "services.kopfwerk.dev/web"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"


def service(group: str = "kopfwerk.dev", **spec: Any) -> str:
    """Return a Service web that selects app=web."""
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec}
    version = f"{group}/v1".lstrip("/")
    return json.dumps({"apiVersion": version, "kind": "Service", "metadata": {"name": "web"}, "spec": spec})


def in_place(shell: CommandLine) -> None:
    """Wait until it is."""
    shell.done("wait", OURS, "--for=condition=Ready", "--timeout=50s")


def core(shell: CommandLine) -> dict[str, Any]:
    """Return the core Service."""
    found: dict[str, Any] = json.loads(shell.done("get", "services.v1./web", "--output=json"))
    return found


def test_columns_and_allocation(shell: CommandLine) -> None:
    """What the apiserver allocated is shown as kubectl shows it of the core Service."""
    shell.done("apply", "--filename=-", stdin=service(type="NodePort"))
    in_place(shell)
    columns = [shell.done("get", f"{kind}/web", "--no-headers").split()[1:5] for kind in (OURS[:-4], "services.v1.")]
    assert columns[0] == columns[1]
    assert "selector" not in core(shell)["spec"]


def test_changes_reach_the_core_service(shell: CommandLine) -> None:
    """Its type changes with ours, its address stays, and it goes with ours."""
    shell.done("apply", "--filename=-", stdin=service(type="NodePort"))
    in_place(shell)
    address = core(shell)["spec"]["clusterIP"]
    shell.done("apply", "--filename=-", stdin=service(sessionAffinity="ClientIP"))
    shell.done("wait", "services.v1./web", "--for=jsonpath={.spec.sessionAffinity}=ClientIP", "--timeout=50s")
    found = core(shell)["spec"]
    assert (found["type"], found["clusterIP"]) == ("ClusterIP", address)
    assert "nodePort" not in found["ports"][0]
    shell.done("delete", OURS)
    shell.done("wait", "services.v1./web", "--for=delete", "--timeout=50s")


def test_a_name_that_is_taken(shell: CommandLine) -> None:
    """A core Service of somebody else is left as it is; once it is gone, ours comes."""
    shell.done("create", "service", "clusterip", "web", "--tcp=8080")
    before = core(shell)
    shell.done("apply", "--filename=-", stdin=service())
    shell.done("wait", OURS, "--for=condition=Stalled", "--timeout=50s")
    assert core(shell) == before
    shell.done("wait", "--for=create", "events", "--field-selector=reason=NameTaken", "--timeout=20s")
    events = items(shell, "events", "--field-selector=reason=NameTaken")
    assert [event["type"] for event in events] == ["Warning"]
    shell.done("delete", "services.v1./web")
    in_place(shell)
    assert core(shell)["metadata"]["uid"] != before["metadata"]["uid"]


@pytest.mark.xdist_group("native")
class TestNative:
    """In native mode the slices of core Services are ours to keep."""

    @pytest.fixture
    def shell(self, native: Shared, unique: str) -> Iterator[CommandLine]:
        """Return kubectl in a namespace of its own."""
        yield from plugin_cli.namespace(native.kubeconfig, unique)

    def test_slices_of_core_services(self, shell: CommandLine) -> None:
        """They say what kube-controller-manager's would, under its name, and go with the Service."""
        apply(shell, "Deployment", 2, group="apps")
        shell.done("apply", "--filename=-", stdin=service(""))
        shell.done("wait", "endpointslices", "-lkubernetes.io/service-name=web", "--for=create", "--timeout=50s")
        shell.done(
            "wait", "endpointslices", "-lkubernetes.io/service-name=web", "--timeout=50s",
            "--for=jsonpath={.endpoints[1].conditions.ready}=true",
        )  # fmt: skip
        (made,) = items(shell, "endpointslices")
        assert made["metadata"]["labels"][MANAGED_BY] == "endpointslice-controller.k8s.io"
        shell.done("delete", "service", "web")
        shell.done("wait", f"endpointslices/{made['metadata']['name']}", "--for=delete", "--timeout=50s")
