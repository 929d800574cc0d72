"""The chart as helm renders it, and the questions that tests ask of the result."""

import json
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from operators.core.objects import Obj

CHART: Final = Path(__file__).parents[2] / "helm/kopfwerk"
NAMESPACE: Final = "kopfwerk-system"
ACCOUNT: Final = f"system:serviceaccount:{NAMESPACE}:kopfwerk"
REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"

OPTIONS: Final[dict[str, tuple[str, ...]]] = {
    "defaults": (),
    "native": ("native.enabled=true",),
    "cert-manager": ("webhook.certManager.enabled=true",),
    "cert-manager-issuer": ("webhook.certManager.enabled=true", "webhook.certManager.issuerRef.name=ours"),
    "one-replica": ("replicas=1",),
    "no-webhook": ("webhook.enabled=false",),
    "no-custom-resources": ("crds.enabled=false",),
    "own-account": ("serviceAccount.create=false", "serviceAccount.name=ours", "rbac.create=false"),
    "network-policy": (
        "networkPolicy.enabled=true",
        "networkPolicy.metricsFrom[0].namespaceSelector.matchLabels.name=monitoring",
        "networkPolicy.apiServerCIDRs={10.0.0.0/8}",
    ),
    "monitoring": (
        "monitoring.serviceMonitor.enabled=true",
        "monitoring.prometheusRule.enabled=true",
        "monitoring.dashboard.enabled=true",
    ),
    "scheduler": (
        "scheduler.enabled=true",
        "networkPolicy.enabled=true",
        "scheduler.profiles.profiles.packed.strategy=MostAllocated",
        "scheduler.profiles.namespaces.batch=packed",
        "scheduler.kubeScheduler.extraArgs={--v=2}",
    ),
    "everything-said": (
        "fullnameOverride=a-name-that-is-longer-than-what-kubernetes-lets-a-cronjob-have",
        "commonLabels.team=platform",
        f"image.digest=sha256:{'a' * 64}",
        "imagePullSecrets[0].name=registry",
        "extraArgs={--verbose}",
        "extraEnv[0].name=A,extraEnv[0].value=b",
        "podLabels.a=b",
        "podAnnotations.a=b",
        "resources.limits.memory=1Gi",
        "tolerations[0].operator=Exists",
        f"affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchExpressions[0].key=disk",
        f"affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchExpressions[0].operator=Exists",
        "topologySpreadConstraints[0].maxSkew=1",
        "topologySpreadConstraints[0].topologyKey=rack",
        "topologySpreadConstraints[0].whenUnsatisfiable=DoNotSchedule",
        "priorityClassName=system-cluster-critical",
        "podDisruptionBudget.minAvailable=50%",
        "serviceAccount.annotations.a=b",
        "metrics.service.annotations.a=b",
        "log.level=debug",
        "log.format=text",
    ),
}
"""What is installed, by the name of the case."""


@dataclass(frozen=True, slots=True)
class Helm:
    """The helm command."""

    program: Path

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run it, whatever comes of it."""
        return subprocess.run([self.program, *arguments], capture_output=True, text=True, check=False)

    @cache  # noqa: B019 - there is one, for the whole run
    def template(self, options: tuple[str, ...] = (), kubernetes: str = "1.37.1") -> str:
        """Return what would be installed."""
        ran = self.run(*self.arguments("template", "kopfwerk", options, kubernetes))
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def render(self, *options: str) -> list[Obj]:
        """Return what would be installed, as objects that nobody may change."""
        return [obj for document in self.template(options).split("\n---\n") if (obj := _parsed(document))]

    @staticmethod
    def arguments(command: str, name: str, options: Sequence[str], kubernetes: str = "1.37.1") -> list[str]:
        """Return the command line of `helm template` or `helm lint`."""
        sets = [part for option in options for part in ("--set", option)]
        named = [name, str(CHART)] if name else [str(CHART)]
        return [command, *named, "--namespace", NAMESPACE, "--kube-version", kubernetes, *sets]


@cache
def _parsed(document: str) -> Obj | None:
    """Read one document. The large ones, the custom resources, are the same whatever is chosen."""
    obj: Obj | None = yaml.load(document, Loader=yaml.CSafeLoader)
    return obj


def of_kind(objects: Iterable[Obj], kind: str) -> list[Obj]:
    """Return the objects of a kind."""
    return [obj for obj in objects if obj["kind"] == kind]


def named(objects: Iterable[Obj], kind: str, name: str) -> Obj:
    """Return the one object of a kind and name. A hook may have the name of another object of its kind."""
    (found,) = (obj for obj in of_kind(objects, kind) if obj["metadata"]["name"] == name)
    return found


def operator(objects: Iterable[Obj]) -> Obj:
    """Return the operator's Deployment."""
    component = "app.kubernetes.io/component"
    (found,) = (obj for obj in of_kind(objects, "Deployment") if obj["metadata"]["labels"][component] == "operator")
    return found


def container(objects: Iterable[Obj]) -> Obj:
    """Return the operator's container."""
    (found,) = operator(objects)["spec"]["template"]["spec"]["containers"]
    return dict(found)


def pods(objects: Iterable[Obj]) -> Iterator[tuple[str, Obj]]:
    """Yield whose it is, and the spec, of each pod that comes of the chart, the test's workload included."""
    for obj in objects:
        match obj["kind"]:
            case "Pod":
                yield obj["metadata"]["name"], obj["spec"]
            case "Deployment" | "Job":
                yield obj["metadata"]["name"], obj["spec"]["template"]["spec"]
            case "CronJob":
                yield obj["metadata"]["name"], obj["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    for pod in of_kind(objects, "Pod"):
        for variable in pod["spec"]["containers"][0].get("env", ()):
            yield f"{variable['name']} of the test", json.loads(variable["value"])["spec"]["template"]["spec"]


def rights(objects: Sequence[Obj], account: str) -> dict[str, list[Any]]:
    """Return the rules that the bindings give to a ServiceAccount: of the cluster, and of the namespace."""
    found: dict[str, list[Any]] = {"ClusterRole": [], "Role": []}
    for binding in of_kind(objects, "ClusterRoleBinding") + of_kind(objects, "RoleBinding"):
        if any(subject["name"] == account for subject in binding["subjects"]):
            role = named(objects, binding["roleRef"]["kind"], binding["roleRef"]["name"])
            found[role["kind"]] += role["rules"]
    return found
