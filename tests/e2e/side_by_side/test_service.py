"""Services of ours with real addresses and names, and who is behind them at each moment."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.e2e import scenarios
from tests.e2e.client import CLIENT, NAME, ask
from tests.e2e.manifests import OURS, Obj, container, deployment, podprobe, probe, server, service
from tests.e2e.shell import Shell, eventually, run

GATE = "probe.kopfwerk.dev/web"
TERMINATES_SOON: Obj = {"terminationGracePeriodSeconds": 1}


def test_every_way_to_it(shell: Shell) -> None:
    """All pods answer by DNS name, cluster IP and port of each node; a headless one has their addresses as its own."""
    shell.apply(
        deployment(3, pod=TERMINATES_SOON),
        service(api=OURS, type="NodePort"),
        service("pods", api=OURS, clusterIP="None"),
        CLIENT,
    )
    shell.rolled_out()
    shell.kubectl("wait", "services.kopfwerk.dev", "--all", "--for=condition=Ready", "--timeout=60s")
    shell.kubectl("wait", "pod/client", "--for=condition=Ready", "--timeout=60s")
    spec = shell.get("service/web")["spec"]
    assert "selector" not in spec
    of_nodes = "-o=jsonpath={.items[*].status.addresses[?(@.type=='InternalIP')].address}"
    nodes = run("kubectl", "get", "nodes", of_nodes).split()
    hosts = ["web", f"web.{shell.namespace}.svc.cluster.local", spec["clusterIP"]]
    hosts += [f"{node}:{spec['ports'][0]['nodePort']}" for node in nodes]
    pods = shell.pods(app="web")
    names = {pod["metadata"]["name"] for pod in pods}
    for host in hosts:
        answering = partial(ask, shell, f"http://{host}{NAME}", 30)
        eventually(f"all three answer at {host}", partial(_all_of, names, answering))
    program = "import socket; print(*{one[4][0] for one in socket.getaddrinfo('pods', 80)})"
    addresses = {pod["status"]["podIP"] for pod in pods}
    look = ("exec", "client", "--", "python", "-c", program)
    eventually("their addresses in DNS", lambda: set(shell.kubectl(*look).split()) == addresses, 90)


def test_affinity_and_policies(shell: Shell) -> None:
    """Session affinity and traffic policies reach kube-proxy."""
    shell.apply(
        deployment(3, pod=TERMINATES_SOON),
        service("sticky", api=OURS, sessionAffinity="ClientIP"),
        service("near", api=OURS, internalTrafficPolicy="Local"),
        CLIENT,
    )
    shell.rolled_out()
    shell.kubectl("wait", "pod/client", "--for=condition=Ready", "--timeout=60s")
    pods = shell.pods(app="web")
    eventually("one and the same answers", lambda: len(set(ask(shell, f"http://sticky{NAME}", 20))) == 1)
    for pod in pods:
        name, node = pod["metadata"]["name"], pod["spec"]["nodeName"]
        beside = {one["metadata"]["name"] for one in pods if one["spec"]["nodeName"] == node}
        answering = partial(ask, shell, f"http://near{NAME}", 30, pod=name)
        eventually(f"those on {node} answer", partial(_all_of, beside, answering))


@pytest.mark.parametrize(
    ("pod", "probes", "want_ready"),
    [
        pytest.param({"containers": [server(readinessProbe=probe(period=1))]}, [], "False", id="by the kubelet"),
        pytest.param({"containers": [container()]}, [podprobe(readinessProbe=probe())], "True", id="by a PodProbe"),
        pytest.param(
            {"containers": [container()], "readinessGates": [{"conditionType": GATE}]},
            [podprobe(readinessProbe=probe())],
            "False",
            id="by a PodProbe that is a readiness gate",
        ),
    ],
)
def test_pod_that_is_not_well(shell: Shell, pod: Obj, probes: list[Obj], want_ready: str) -> None:
    """It leaves and, well again, it returns, and a client that calls all the while notices nothing."""
    shell.apply(deployment(3, pod=pod | TERMINATES_SOON), service(api=OURS), *probes)
    shell.rolled_out()
    scenarios.leaves_and_returns(shell, want_ready=want_ready)


def _all_of(names: set[str], answering: Callable[[], list[str]]) -> bool:
    """Whether these answer, and nobody else."""
    return set(answering()) == names
