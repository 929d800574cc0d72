"""Native mode on a real cluster: ordinary Deployments, StatefulSets, DaemonSets and Jobs, through stock kubectl alone.

That there are nodes, DNS and this namespace's pods at all is the operator's work too: kube-proxy, the pod network and
CoreDNS are built-in workloads.
"""

import re
import time

from tests.e2e import operator, scenarios
from tests.e2e.manifests import Obj, container, deployment, pod, probe, server, service
from tests.e2e.shell import Shell, documented, eventually, run

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


def test_rolling_update_without_a_failed_request(shell: Shell) -> None:
    """A client that calls all the while gets an answer every time."""
    careful = {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    shell.apply(builtin("Deployment", replicas=2, strategy=careful), service())
    shell.kubectl("rollout", "status", "deployment/web", "--timeout=300s")
    shell.apply(pod("client", "call", "http://web"))
    eventually("answers of v1", lambda: "v1" in shell.kubectl("logs", "client"), 90)
    before = len(shell.kubectl("logs", "client").splitlines())
    shell.kubectl("set", "image", "deployment/web", "app=kopfwerk-e2e:v2")
    shell.kubectl("rollout", "status", "deployment/web", "--timeout=300s")
    eventually("ten answers of v2 in a row", lambda: set(shell.kubectl("logs", "client").split()[-10:]) == {"v2"})
    answers = shell.kubectl("logs", "client").splitlines()[before:]
    assert not [answer for answer in answers if answer not in ("v1", "v2")]
    shell.kubectl("rollout", "undo", "deployment/web")
    shell.kubectl("rollout", "status", "deployment/web", "--timeout=300s")
    images = {one["spec"]["containers"][0]["image"] for one in shell.pods(app="web")}
    assert images == {"kopfwerk-e2e:v1"}
    assert "3" in shell.kubectl("rollout", "history", "deployment/web").split()


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


def test_daemonset(shell: Shell) -> None:
    """Each worker has a pod of it."""
    shell.apply(builtin("DaemonSet"))
    shell.kubectl("rollout", "status", "daemonset/web", "--timeout=300s")
    workers = run("kubectl", "get", "nodes", "--selector=!node-role.kubernetes.io/control-plane", "--output=name")
    want = sorted(name.removeprefix("node/") for name in workers.split())
    assert sorted(one["spec"]["nodeName"] for one in shell.pods(app="web")) == want


def test_job(shell: Shell) -> None:
    """What fails is tried again, what succeeds counts."""
    template = {"spec": {"restartPolicy": "Never", "containers": [container("v1", "exit", "0", "1")]}}
    made: Obj = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "done"}}
    shell.apply(made | {"spec": {"completions": 3, "parallelism": 2, "template": template}})
    shell.kubectl("wait", "job/done", "--for=condition=Complete", "--timeout=150s", seconds=170)
    assert shell.get("job/done")["status"]["succeeded"] == 3


def test_cronjobs(shell: Shell) -> None:
    """They start on the minute, and their Jobs end with their containers' codes."""
    scenarios.each_minute(shell, "batch")


def test_pod_that_is_not_well(shell: Shell) -> None:
    """An ordinary Service lets it go and has it back, by slices that the operator keeps."""
    pod = {"containers": [server(readinessProbe=probe(period=1))], "terminationGracePeriodSeconds": 1}
    shell.apply(deployment(3, pod=pod) | {"apiVersion": "apps/v1"}, service())
    shell.kubectl("rollout", "status", "deployment/web", "--timeout=300s")
    scenarios.leaves_and_returns(shell, want_ready="False")


def test_node_that_joins(shell: Shell) -> None:
    """It has its pod of a DaemonSet, without which it has no network either."""
    shell.apply(builtin("DaemonSet"))
    shell.kubectl("rollout", "status", "daemonset/web", "--timeout=300s")
    scenarios.node_joins(shell, "daemonsets.apps")


def test_leader_that_ends(shell: Shell) -> None:
    """Whoever of the static pod and the chart's replicas leads: when it ends, another goes on within the lease."""
    shell.apply(builtin("Deployment", replicas=1))
    shell.kubectl("rollout", "status", "deployment/web", "--timeout=300s")
    old = operator.present_leader()
    place = "kube-system" if old.pod.endswith("control-plane") else operator.OPERATOR.namespace
    name = next(
        one["metadata"]["name"]
        for one in Shell(place).get("pods")
        if old.pod in (one["metadata"]["name"], one["spec"].get("nodeName")) and "kopfwerk" in one["metadata"]["name"]
    )
    Shell(place).kubectl("delete", "pod", name, "--wait=false")
    began = time.monotonic()
    operator.succession(old, 60)
    assert time.monotonic() - began < operator.LEASE_SECONDS + 30
    shell.kubectl("scale", "deployment/web", "--replicas=3")
    shell.kubectl("rollout", "status", "deployment/web", "--timeout=300s")
