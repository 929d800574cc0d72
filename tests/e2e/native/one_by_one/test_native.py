"""Native mode on a real cluster: who controls, what befalls the leader and the nodes; through stock kubectl alone.

That there are nodes, DNS and this namespace's pods at all is the operator's work too: kube-proxy, the pod network and
CoreDNS are built-in workloads.
"""

import re
import time

from tests.e2e import operator, scenarios
from tests.e2e.manifests import Obj, deployment, probe, server, service
from tests.e2e.one_by_one.test_nodes import test_joined_node, test_stopped_node
from tests.e2e.shell import Shell, documented, run

__all__ = ["test_joined_node", "test_stopped_node"]
MANAGER = "component=kube-controller-manager"


def builtin(kind: str, **spec: object) -> Obj:
    """Return a built-in workload of web servers."""
    made = deployment()
    shared = {name: made["spec"][name] for name in ("selector", "template")}
    return made | {"apiVersion": "apps/v1", "kind": kind, "spec": shared | spec}


def test_nobody_else_controls() -> None:
    """kube-controller-manager runs without the controllers that are taken over; the operator is who leads."""
    arguments = run("kubectl", "get", "pods", "--namespace=kube-system", f"--selector={MANAGER}", "--output=json")
    notes = documented("helm get notes kopfwerk --namespace kopfwerk-system")
    controllers = set(re.findall(r",-([a-z-]+)", notes))
    assert "deployment-controller" in controllers
    assert controllers <= set(re.findall(r",-([a-z-]+)", arguments))
    assert operator.present_leader()


def test_statefulset(shell: Shell) -> None:
    """Its pods keep their names through an update."""
    shell.apply(builtin("StatefulSet", replicas=2, serviceName="web"), service())
    shell.kubectl("rollout", "status", "statefulset/web", "--timeout=300s")
    before = {one["metadata"]["uid"] for one in shell.pods(app="web")}
    shell.kubectl("set", "image", "statefulset/web", "app=kopfwerk-e2e:v2")
    shell.kubectl("rollout", "status", "statefulset/web", "--timeout=300s")
    after = shell.pods(app="web")
    assert sorted(one["metadata"]["name"] for one in after) == ["web-0", "web-1"]
    assert not before & {one["metadata"]["uid"] for one in after}


def test_pod_that_is_not_well(shell: Shell) -> None:
    """An ordinary Service lets it go and has it back, by slices that the operator keeps."""
    pod = {"containers": [server(readinessProbe=probe(period=1))], "terminationGracePeriodSeconds": 1}
    shell.apply(deployment(3, pod=pod) | {"apiVersion": "apps/v1"}, service())
    shell.kubectl("rollout", "status", "deployment/web", "--timeout=300s")
    scenarios.leaves_and_returns(shell, want_ready="False")


def test_leader_that_ends(shell: Shell) -> None:
    """Whoever of the static pod and the chart's replicas leads: when it ends, another goes on within the lease."""
    shell.apply(builtin("Deployment", replicas=1))
    shell.kubectl("rollout", "status", "deployment/web", "--timeout=300s")
    old = operator.present_leader()
    node = operator.place_of(old)  # a static pod is the kubelet's: deleting its image in the apiserver ends nothing
    name, place = (f"kopfwerk-{node}", Shell("kube-system")) if node == old.pod else (old.pod, operator.OPERATOR)
    operator.on_node(node, "sh", "-c", f"kill {operator.process_of(name, place=place)}")
    began = time.monotonic()
    operator.succession(old, 60)
    assert time.monotonic() - began < operator.LEASE_SECONDS + 30
    shell.kubectl("scale", "deployment/web", "--replicas=3")
    shell.kubectl("rollout", "status", "deployment/web", "--timeout=300s")
