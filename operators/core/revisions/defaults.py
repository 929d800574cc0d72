"""The defaults of a pod template, filled in.

Mirrors SetObjectDefaults_StatefulSet in pkg/apis/apps/v1/zz_generated.defaults.go, as far as it is about the template,
and the functions of pkg/apis/core/v1/defaults.go that it calls. It is the same for every kind with a template. Only
comparisons use it: what is written stays as the user wrote it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from operators.core.objects import Obj


class _Default(NamedTuple):
    """The value of a field that is missing, or as good as missing."""

    value: Any
    missing: tuple[Any, ...] = (None, "")


Shape: TypeAlias = Mapping[str, Any]
"""What may be missing below an object: a default, or the shape of an object or of each object of a list."""


def _not_zero(value: int) -> _Default:
    """Return the default of a number that 0 stands for."""
    return _Default(value, (None, 0))


_FIELD_REF: Final[Shape] = {"apiVersion": _Default("v1")}
_ITEMS: Final[Shape] = {"items": {"fieldRef": _FIELD_REF}}
_HTTP_GET: Final[Shape] = {"path": _Default("/"), "scheme": _Default("HTTP")}
_PROBE: Final[Shape] = {
    "timeoutSeconds": _not_zero(1),
    "periodSeconds": _not_zero(10),
    "successThreshold": _not_zero(1),
    "failureThreshold": _not_zero(3),
    "httpGet": _HTTP_GET,
    "grpc": {"service": _Default("")},
}
_HOOK: Final[Shape] = {"httpGet": _HTTP_GET, "sleep": {"seconds": _Default(0)}}
_CONTAINER: Final[Shape] = {
    "terminationMessagePath": _Default("/dev/termination-log"),
    "terminationMessagePolicy": _Default("File"),
    "resources": _Default({}),
    "ports": {"protocol": _Default("TCP")},
    "env": {"valueFrom": {"fieldRef": _FIELD_REF, "fileKeyRef": {"optional": _Default(value=False)}}},
    "livenessProbe": _PROBE,
    "readinessProbe": _PROBE,
    "startupProbe": _PROBE,
    "lifecycle": {"postStart": _HOOK, "preStop": _HOOK},
}
_MODE: Final[Shape] = {"defaultMode": _Default(0o644)}
_VOLUME: Final[Shape] = {
    "hostPath": {"type": _Default("")},
    "secret": _MODE,
    "configMap": _MODE,
    "downwardAPI": {**_MODE, **_ITEMS},
    "projected": {
        **_MODE,
        "sources": {"downwardAPI": _ITEMS, "serviceAccountToken": {"expirationSeconds": _Default(3600)}},
    },
    "ephemeral": {"volumeClaimTemplate": {"spec": {"volumeMode": _Default("Filesystem")}}},
    "iscsi": {"iscsiInterface": _Default("default"), "lun": _Default(0)},
    "rbd": {"pool": _Default("rbd"), "user": _Default("admin"), "keyring": _Default("/etc/ceph/keyring")},
    "azureDisk": {
        "cachingMode": _Default("ReadWrite"),
        "fsType": _Default("ext4"),
        "kind": _Default("Shared"),
        "readOnly": _Default(value=False),
    },
    "scaleIO": {"storageMode": _Default("ThinProvisioned"), "fsType": _Default("xfs")},
}
_SPEC: Final[Shape] = {
    "dnsPolicy": _Default("ClusterFirst"),
    "restartPolicy": _Default("Always"),
    "schedulerName": _Default("default-scheduler"),
    "securityContext": _Default({}),
    "terminationGracePeriodSeconds": _Default(30),
    "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": {"preference": _Default({})}}},
    "containers": _CONTAINER,
    "initContainers": _CONTAINER,
    "volumes": _VOLUME,
}


def with_defaults(template: Obj) -> Obj:
    """Return a pod template as the apiserver would complete it."""
    spec = _filled(template.get("spec") or {}, _SPEC)
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec |= {"serviceAccountName": account, "serviceAccount": account}
    for field, complete in _COMPLETIONS.items():
        if spec.get(field):
            spec[field] = [complete(item) for item in spec[field]]
    return template | {"spec": spec}


def _filled(value: Any, shape: Shape) -> Any:
    """Return an object, or each of a list, with its defaults."""
    if isinstance(value, list):
        return [_filled(item, shape) for item in value]
    filled = dict(value)
    for field, below in shape.items():
        present = filled.get(field)
        if isinstance(below, _Default):
            if present in below.missing:
                filled[field] = below.value
        elif isinstance(present, dict | list):
            filled[field] = _filled(present, below)
    return filled


def _with_pull_policy(container: Obj) -> Obj:
    """Return a container, or the image of a volume, with the policy that depends on the tag."""
    if container.get("imagePullPolicy"):
        return container
    return container | {"imagePullPolicy": _pull_policy(container.get("image", ""))}


def _with_source(volume: Obj) -> Obj:
    """Return a volume with a source, which is an empty directory where none is named."""
    if not any(value is not None for field, value in volume.items() if field != "name"):
        return volume | {"emptyDir": {}}
    image = volume.get("image")
    if image and not image.get("pullPolicy"):
        return volume | {"image": image | {"pullPolicy": _pull_policy(image.get("reference", ""))}}
    return volume


def _pull_policy(image: str) -> str:
    """Return Always for what is, or is taken for, the tag `latest`: a name with neither tag nor digest."""
    tagged, digest, _ = image.partition("@")
    _, colon, tag = tagged.rpartition("/")[2].partition(":")
    is_latest = tag == "latest" if colon else bool(image) and not digest
    return "Always" if is_latest else "IfNotPresent"


_COMPLETIONS: Final[Mapping[str, Callable[[Obj], Obj]]] = {
    "containers": _with_pull_policy,
    "initContainers": _with_pull_policy,
    "volumes": _with_source,
}
"""What depends on another field."""
