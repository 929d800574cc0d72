"""The workloads that `kubectl kopfwerk` knows, and the words by which a user may call them.

One entry a kind: whoever adds a custom resource adds it here, and to the tables of the rules that apply to it
(`status.VIEWERS`, `rollout.PAUSABLE`, `rollout.RESTARTABLE`, `history.REVISIONED`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from operators.core.objects import KOPFWERK, Obj

GROUPS = frozenset({KOPFWERK, "apps", "batch"})
"""The API groups that serve these kinds: ours, and those of the built-in namesakes."""


class Refused(Exception):  # noqa: N818 - it is kubectl that says no, in the words of the message
    """What was asked for cannot be done; the message is what kubectl says then."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A workload: its names, and where its pod template is."""

    kind: str
    plural: str
    short_names: tuple[str, ...]
    template: tuple[str, ...] = ("spec", "template")

    @property
    def words(self) -> frozenset[str]:
        """Everything that names it on a command line, in lower case."""
        return frozenset({self.kind.lower(), self.plural, *self.short_names})


DEPLOYMENT = Kind("Deployment", "deployments", ("deploy", "kdeploy"))
REPLICASET = Kind("ReplicaSet", "replicasets", ("rs", "krs"))
STATEFULSET = Kind("StatefulSet", "statefulsets", ("sts", "ksts"))
DAEMONSET = Kind("DaemonSet", "daemonsets", ("ds", "kds"))
JOB = Kind("Job", "jobs", ("kjob",))
CRONJOB = Kind("CronJob", "cronjobs", ("cj", "kcj"), ("spec", "jobTemplate", "spec", "template"))
KINDS = (DEPLOYMENT, REPLICASET, STATEFULSET, DAEMONSET, JOB, CRONJOB)

_BY_WORD = {word: kind for kind in KINDS for word in kind.words}
_BY_KIND = {kind.kind: kind for kind in KINDS}


def group_of(obj: Obj) -> str:
    """Return the API group of an object, empty for the core."""
    return str(obj["apiVersion"]).rpartition("/")[0]


def kind_of(obj: Obj) -> Kind | None:
    """Return the workload that an object is, or None where it is something else."""
    return _BY_KIND.get(obj["kind"]) if group_of(obj) in GROUPS else None


def group_kind(obj: Obj) -> str:
    """Name an object's kind as kubectl's messages do: `Deployment.apps`, `Service`."""
    group = group_of(obj)
    return f"{obj['kind']}.{group}" if group else str(obj["kind"])


def resource_of(obj: Obj) -> str:
    """Name an object's resource as kubectl takes it: `deployments.kopfwerk.dev`."""
    group = group_of(obj)
    return f"{plural_of(obj)}.{group}" if group else plural_of(obj)


def plural_of(obj: Obj) -> str:
    """Name an object's resource without its group; for what is no workload, as upstream guesses it from the kind."""
    kind = str(obj["kind"])
    if kind in _BY_KIND:
        return _BY_KIND[kind].plural
    singular = kind.lower()
    if singular.endswith("y"):
        return f"{singular[:-1]}ies"
    return singular + ("es" if singular.endswith("s") else "s")


def reference(obj: Obj) -> str:
    """Name an object as kubectl's messages of success do: `deployment.kopfwerk.dev/web`."""
    return f"{group_kind(obj).lower()}/{obj['metadata']['name']}"


def pod_template(obj: Obj) -> Obj:
    """Return the pod template of a workload."""
    kind = kind_of(obj)
    if kind is None:
        version = obj["apiVersion"].rpartition("/")[2]
        raise Refused(f"the object is not a pod or does not have a pod template: *{version}.{obj['kind']}")
    found: Obj = obj
    for step in kind.template:
        found = found[step]
    return found


def resource_arguments(args: Sequence[str]) -> list[str]:
    """Turn `deploy/web`, `deploy web`, `deploy,rs` into arguments of `kubectl get` that mean the custom resources.

    A word that names its group (`deployments.apps/web`) or no workload (`pod/web`) stays as it is.
    """
    if any("/" in arg for arg in args):
        return [_typed(kind) + slash + name for kind, slash, name in (arg.partition("/") for arg in args)]
    if not args:
        return []
    return [",".join(_typed(word) for word in args[0].split(",")), *args[1:]]


def is_workload(arg: str) -> bool:
    """Whether an argument, `TYPE/NAME` or `TYPE`, names one of the workloads, of any group."""
    word, _, group = arg.partition("/")[0].partition(".")
    return word.lower() in _BY_WORD and (not group or group.removeprefix("v1.") in GROUPS)


def _typed(word: str) -> str:
    """Give a workload's name its plural and, where it names no group, ours."""
    name, dot, group = word.partition(".")
    kind = _BY_WORD.get(name.lower())
    if kind is None or (dot and group.removeprefix("v1.") not in GROUPS):
        return word
    return f"{kind.plural}.{group or KOPFWERK}"
