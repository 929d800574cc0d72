"""A real Prometheus in the cluster, configured as docs/operate.md says, and the chart's rules in it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from operators.cluster.errors import ClusterError
from tests.e2e import operator
from tests.e2e.manifests import Obj, container, deployment, pod
from tests.e2e.shell import Shell, eventually, run
from tests.support import prometheus
from tests.support.documented import blocks

PLACE = "/usr/local/bin/prometheus-of-a-test"
"""On a node: an image of a hundred megabytes on all of them would take longer than the test."""
OFTEN = {"scrape_interval": "2s", "evaluation_interval": "2s"}
QUIET = {"KopfwerkDown", "KopfwerkReplicaDown", "KopfwerkNoLeader", "KopfwerkSeveralLeaders", "KopfwerkSyncErrors"}


def documented() -> Obj:
    """Return the configuration that the document has."""
    (found,) = [block for block in blocks("docs/operate.md", "yaml") if "scrape_configs" in block]
    made: Obj = yaml.safe_load(found)
    return made | {"global": OFTEN}


class Prometheus:
    """The server in its pod, asked through the apiserver."""

    def __init__(self, shell: Shell) -> None:
        self._path = f"/api/v1/namespaces/{shell.namespace}/pods/prometheus:9090/proxy/api/v1"

    def get(self, what: str) -> Any:
        """Return what its API says."""
        return json.loads(run("kubectl", "get", "--raw", f"{self._path}/{what}"))["data"]

    def query(self, expression: str) -> list[Obj]:
        """Return the series of an expression."""
        return list(self.get(f"query?query={quote(expression)}")["result"])


@pytest.fixture
def server(shell: Shell, tmp_path: Path) -> Iterator[Prometheus]:
    """Run Prometheus on a node, with the rules as they are."""
    try:
        program = prometheus.obtain().prometheus
    except ClusterError as error:
        pytest.skip(f"NO PROMETHEUS: that it reads what the chart brings is not tested: {error}")
    (tmp_path / "prometheus.yaml").write_text(yaml.safe_dump(documented()))
    files = [f"--from-file={file}" for file in (tmp_path / "prometheus.yaml", prometheus.RULES)]
    shell.kubectl("create", "configmap", "prometheus", *files)
    node = operator.node_of(operator.pods()[0]["metadata"]["name"])
    run("docker", "cp", str(program), f"{node}:{PLACE}")
    arguments = ["--config.file=/etc/prometheus/prometheus.yaml", "--storage.tsdb.path=/data"]
    mounts = [
        {"name": name, "mountPath": path}
        for name, path in (("files", "/etc/prometheus"), ("data", "/data"), ("program", PLACE))
    ]
    volumes: list[Obj] = [
        {"name": "files", "configMap": {"name": "prometheus"}},
        {"name": "data", "emptyDir": {}},
        {"name": "program", "hostPath": {"path": PLACE, "type": "File"}},
    ]
    ready = {"httpGet": {"path": "/-/ready", "port": 9090}, "periodSeconds": 1}
    main = container(command=[PLACE, *arguments], volumeMounts=mounts, readinessProbe=ready)
    shell.apply(pod("prometheus", containers=[main], volumes=volumes, nodeName=node))
    shell.kubectl("wait", "pod/prometheus", "--for=condition=Ready", "--timeout=90s")
    yield Prometheus(shell)
    shell.kubectl("delete", "pod", "prometheus")
    operator.on_node(node, "rm", PLACE)


def test_the_documented_configuration(shell: Shell, server: Prometheus) -> None:
    """It finds every replica by DNS, sees one of them lead, evaluates each rule, and sees a workload and no trouble."""
    replicas = {pod["status"]["podIP"] for pod in operator.pods()}
    eventually("every target is up", lambda: _up(server) == {f"{address}:8080" for address in replicas})
    eventually(
        "one leads", lambda: [one["value"][1] for one in server.query("sum(leader_election_master_status)")] == ["1"]
    )
    shell.apply(deployment(2))
    shell.rolled_out()
    mine = f'kopfwerk_deployment_status_replicas_ready{{namespace="{shell.namespace}", deployment="web"}}'
    eventually("the Deployment", lambda: [one["value"][1] for one in server.query(mine)] == ["2"])
    rules = eventually("all rules are evaluated", lambda: _evaluated(server))
    groups = yaml.safe_load(prometheus.RULES.read_text())["groups"]
    assert len(rules) == sum(len(group["rules"]) for group in groups)
    assert [rule for rule in rules if rule["health"] != "ok"] == []
    assert [rule["name"] for rule in rules if rule["name"] in QUIET and rule["state"] != "inactive"] == []


def _up(server: Prometheus) -> set[str]:
    """Return the targets that answer."""
    return {one["labels"]["instance"] for one in server.get("targets")["activeTargets"] if one["health"] == "up"}


def _evaluated(server: Prometheus) -> list[Obj]:
    """Return the rules, none as long as there is one of which nothing is known."""
    rules = [rule for group in server.get("rules")["groups"] for rule in group["rules"]]
    return rules if all(rule["health"] != "unknown" for rule in rules) else []
