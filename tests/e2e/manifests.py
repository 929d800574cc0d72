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
    return container(version, **{"readinessProbe": probe("/", 1, failureThreshold=3)} | more)


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


def daemonset(name: str = "web", version: str = "v1", **spec: Any) -> Obj:
    """Return a DaemonSet of web servers."""
    made = deployment(name=name, version=version)
    shared = {field: made["spec"][field] for field in ("selector", "template")}
    return made | {"kind": "DaemonSet", "spec": shared | spec}


def service(name: str = "web", api: str = "v1", app: str = "web", **spec: Any) -> Obj:
    """Return a Service before the pods of a Deployment, the ordinary one or ours."""
    body = {"selector": {"app": app}, "ports": [{"port": 80, "targetPort": 8080}]} | spec
    return {"apiVersion": api, "kind": "Service", "metadata": {"name": name}, "spec": body}


def podprobe(name: str = "web", **spec: Any) -> Obj:
    """Return a PodProbe of a Deployment's pods."""
    body = {"selector": {"matchLabels": {"app": "web"}}} | spec
    return {"apiVersion": OURS, "kind": "PodProbe", "metadata": {"name": name}, "spec": body}


def probe(path: str = "/healthz", period: float = 0.5, **more: Any) -> Obj:
    """Return a probe that asks the server how it is."""
    return {"httpGet": {"path": path, "port": 8080}, "periodSeconds": period, "failureThreshold": 2} | more


def account(name: str, rules: list[Obj], namespace: str = "") -> list[Obj]:
    """Return a service account with rights: in its own namespace or, where that is named, in the whole cluster."""
    prefix, full = ("Cluster", f"{namespace}-{name}") if namespace else ("", name)
    group = "rbac.authorization.k8s.io"
    subject = {"kind": "ServiceAccount", "name": name} | ({"namespace": namespace} if namespace else {})
    role = {"apiGroup": group, "kind": f"{prefix}Role", "name": full}
    rights: Obj = {"apiVersion": f"{group}/v1", "metadata": {"name": full}}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}},
        rights | {"kind": f"{prefix}Role", "rules": rules},
        rights | {"kind": f"{prefix}RoleBinding", "subjects": [subject], "roleRef": role},
    ]


def pod(name: str, *command: str, **more: Any) -> Obj:
    """Return a pod of its own."""
    spec = {"containers": [container("v1", *command)], "terminationGracePeriodSeconds": 1, **more}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


EVICTED_SOON: list[Obj] = [
    {"key": f"node.kubernetes.io/{state}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 2}
    for state in ("not-ready", "unreachable")
]
"""How long a pod stays on a node that is silent: seconds instead of minutes."""
