"""Ingresses before Services of ours, through an ingress controller that is no part of Kopfwerk."""

import pytest

from tests.e2e.client import CLIENT, NAME, ask
from tests.e2e.manifests import OURS, Obj, account, container, deployment, pod, service
from tests.e2e.shell import Shell, eventually

READS: list[Obj] = [
    {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses"], "verbs": ["list"]},
    {"apiGroups": [""], "resources": ["services"], "verbs": ["get"]},
]
NAMED: list[Obj] = [{"name": "http", "port": 8000, "targetPort": 8080}]


def to(path: str, name: str, port: Obj) -> Obj:
    """Return the rule of a path."""
    return {"path": path, "pathType": "Prefix", "backend": {"service": {"name": name, "port": port}}}


def ingress(**hosts: list[Obj]) -> Obj:
    """Return an Ingress with the rules of hosts under example.com."""
    rules = [{"host": f"{host}.example.com", "http": {"paths": paths}} for host, paths in hosts.items()]
    meta = {"name": "web"}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta, "spec": {"rules": rules}}


def test_routing(shell: Shell) -> None:
    """Hosts and paths lead to the pods of Services of ours, by number and by name of a port, and so after a change."""
    proxy = container(command=["python", "-m", "app.ingress"])
    shell.apply(
        deployment(2),
        service(api=OURS),
        deployment(1, "shop", "v2"),
        service("shop", OURS, "shop", ports=NAMED),
        *account("ingress", READS),
        pod("ingress", serviceAccountName="ingress", containers=[proxy])
        | {"metadata": {"name": "ingress", "labels": {"app": "ingress"}}},
        service("ingress", OURS, "ingress"),
        ingress(
            web=[to("/", "web", {"number": 80})],
            all=[to("/", "web", {"number": 80}), to("/etc", "shop", {"name": "http"})],
        ),
        CLIENT,
    )
    shell.rolled_out()
    shell.rolled_out("shop")
    shell.kubectl("wait", "pod/client", "pod/ingress", "--for=condition=Ready", "--timeout=60s")
    names = {app: {one["metadata"]["name"] for one in shell.pods(app=app)} for app in ("web", "shop")}

    def answers(host: str, path: str = "/", times: int = 1) -> set[str]:
        return set(ask(shell, f"http://ingress{path}", times, f"{host}.example.com"))

    eventually("an answer", lambda: answers("web") == {"v1"}, 90)
    eventually("all pods of the host answer", lambda: answers("web", NAME, 20) == names["web"])
    assert answers("all") == {"v1"}
    assert answers("all", NAME, 3) == names["shop"]
    with pytest.raises(AssertionError, match="404"):
        answers("nobody")
    shell.apply(ingress(web=[to("/", "shop", {"number": 8000})]))
    eventually("it leads elsewhere", lambda: answers("web") == {"v2"})
