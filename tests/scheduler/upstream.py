"""The real kube-scheduler: started anew with an extender that records, asked what it knows, and read by its log."""

import asyncio
import os
import re
import signal
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import yaml

from operators.cluster import arguments, readiness
from operators.cluster.api import Api
from operators.cluster.cluster import Cluster
from operators.core.objects import Obj

Scores = dict[str, dict[str, int]]
"""By plugin and node, weighted; what scores nothing is left out."""

_SCORE: Final = re.compile(
    r'"Plugin scored node for pod" pod="[^"/]*/(?P<pod>[^"]+)" plugin="(?P<plugin>[^"]+)"'
    r' node="(?P<node>[^"]+)" score=(?P<score>-?\d+)'
)
_EVERY_SCORE: Final = "--vmodule=schedule_one=10"
"""Logs each plugin's score of each node, and of what is sent and received nothing, which is many times as long."""
_DUMP: Final = re.compile(
    r'"Dump of cached NodeInfo" nodes=(?P<nodes>.*?)"Dump of scheduling queue" summary=.*? pods=(?P<waiting>..)',
    re.DOTALL,
)
_NODE: Final = re.compile(r"Node name: (\S+)")
_PODS: Final = re.compile(r"Scheduled Pods\(number: (\d+)\)")


@dataclass(frozen=True, slots=True)
class Known:
    """What is in kube-scheduler's cache and queue."""

    nodes: frozenset[str]
    pods: int
    waiting: bool
    """Whether any pod is in the queue."""


class Upstream:
    """A cluster's kube-scheduler, with its own defaults unless profiles say otherwise."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._log = cluster.folder / "logs" / "kube-scheduler.log"
        self._began = 0

    def restart(self, port: int, profiles: Mapping[str, Obj]) -> None:
        """Have it ask the extender at this port, and wait until it knows all that there is.

        Profiles of ours, by name, it has as its own beside the default.
        """
        cluster = self._cluster
        configuration = cluster.folder / "recording.yaml"
        configuration.write_text(yaml.safe_dump(self._configuration(port, profiles)))
        command = arguments.scheduler(cluster.layout, [f"--config={configuration}", _EVERY_SCORE])
        self._began = self._log.stat().st_size
        cluster.restart("kube-scheduler", [cluster.program("kube-scheduler"), *command])
        own = Api(f"https://127.0.0.1:{cluster.layout.ports.scheduler}", cluster.layout.pki)
        readiness.wait(cluster, readiness.answers(own, readiness.READY), "kube-scheduler is not ready")

    async def known(self) -> Known:
        """Ask what it knows: told so by a signal, it writes that into its log."""
        before = self._log.stat().st_size
        os.kill(self._cluster.processes["kube-scheduler"].pid, signal.SIGUSR2)
        while (found := _DUMP.search(self._read(before))) is None:
            self._cluster.check()
            await asyncio.sleep(0.002)
        nodes = found["nodes"]
        return Known(frozenset(_NODE.findall(nodes)), sum(map(int, _PODS.findall(nodes))), found["waiting"] != '""')

    def scores(self) -> dict[str, Scores]:
        """Read the scores that it has given since it was restarted, by pod."""
        found: defaultdict[str, Scores] = defaultdict(dict)
        for match in _SCORE.finditer(self._read(self._began)):
            by_node = found[match["pod"]].setdefault(match["plugin"], {})
            if int(match["score"]):
                by_node[match["node"]] = int(match["score"])
        return found

    def _read(self, start: int) -> str:
        with self._log.open("rb") as log:
            log.seek(start)
            return log.read().decode(errors="replace")

    def _configuration(self, port: int, profiles: Mapping[str, Obj]) -> Obj:
        kubeconfig = str(self._cluster.layout.kubeconfig("kube-scheduler"))
        return {
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "clientConnection": {"kubeconfig": kubeconfig, "qps": 1000, "burst": 2000},
            "leaderElection": {"leaderElect": False},
            "percentageOfNodesToScore": 100,
            "profiles": [
                {"schedulerName": "default-scheduler"},
                *({"schedulerName": name, **_profile(profile)} for name, profile in profiles.items()),
            ],
            "extenders": [
                {
                    "urlPrefix": f"http://127.0.0.1:{port}",
                    "filterVerb": "filter",
                    "preemptVerb": "preempt",
                    "nodeCacheCapable": True,
                    "httpTimeout": "120s",  # the test that asks the apiserver meanwhile keeps it waiting
                }
            ],
        }


def _profile(ours: Obj) -> Obj:
    """Say in kube-scheduler's words what a profile of ours says about scores."""
    strategy: Obj = {
        "type": ours["strategy"],
        "resources": [{"name": name, "weight": weight} for name, weight in ours["resources"].items()],
    }
    if "shape" in ours:
        shape = [{"utilization": at, "score": score} for at, score in ours["shape"]]
        strategy["requestedToCapacityRatio"] = {"shape": shape}
    arguments_of_fit = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "NodeResourcesFitArgs",
        "scoringStrategy": strategy,
    }
    weights = ours["weights"].items()
    return {
        "plugins": {
            "multiPoint": {"enabled": [{"name": name, "weight": weight} for name, weight in weights if weight]},
            "score": {"disabled": [{"name": name} for name, weight in weights if not weight]},
        },
        "pluginConfig": [{"name": "NodeResourcesFit", "args": arguments_of_fit}],
    }
