"""What the end-to-end tests apply."""

from typing import Any

from tests.e2e.shell import APP

Obj = dict[str, Any]

OURS = "kopfwerk.dev/v1"

RESTRICTED: Obj = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def container(version: str = "v1", *command: str, **more: Any) -> Obj:
    """Return a container of the test's image."""
    made = {
        "name": "app",
        "image": f"{APP}:{version}",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": RESTRICTED,
    }
    return made | ({"args": list(command)} if command else {}) | more


def server(version: str = "v1", **more: Any) -> Obj:
    """Return a web server that is ready when it answers."""
    ready = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    return container(version, readinessProbe=ready, **more)


def deployment(replicas: int = 2, name: str = "web", version: str = "v1", pod: Obj | None = None, **spec: Any) -> Obj:
    """Return a Deployment of web servers."""
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [server(version)]} | (pod or {})}
    selector = {"matchLabels": {"app": name}}
    return {
        "apiVersion": OURS,
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": selector, "template": template} | spec,
    }


def service(name: str = "web") -> Obj:
    """Return an ordinary Service before the pods of a Deployment."""
    spec = {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def pod(name: str, *command: str, **more: Any) -> Obj:
    """Return a pod of its own."""
    spec = {"containers": [container("v1", *command)], "terminationGracePeriodSeconds": 1, **more}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


EVICTED_SOON: list[Obj] = [
    {"key": f"node.kubernetes.io/{state}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 2}
    for state in ("not-ready", "unreachable")
]
"""How long a pod stays on a node that is silent: seconds instead of minutes."""
