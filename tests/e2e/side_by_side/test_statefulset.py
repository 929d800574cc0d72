"""StatefulSets with real names, real DNS and real storage."""

from tests.e2e.manifests import OURS, Obj, container
from tests.e2e.shell import Shell, eventually

HEADLESS: Obj = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {
        "clusterIP": "None",
        "selector": {"app": "web"},
        "ports": [{"port": 8080}],
        "publishNotReadyAddresses": True,
    },
}


def test_name_address_and_data_stay(shell: Shell) -> None:
    """A pod that is replaced has its name in DNS again, and what it wrote."""
    mounts = [{"name": "data", "mountPath": "/data"}]
    ready = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {
            "containers": [container(readinessProbe=ready, volumeMounts=mounts)],
            "securityContext": {"fsGroup": 65532},
        },
    }
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    spec = {
        "replicas": 2,
        "serviceName": "web",
        "selector": {"matchLabels": {"app": "web"}},
        "template": template,
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
    }
    shell.apply(HEADLESS, {"apiVersion": OURS, "kind": "StatefulSet", "metadata": {"name": "web"}, "spec": spec})
    shell.kubectl("kopfwerk", "rollout", "status", "statefulset/web", "--timeout=300s")
    assert [pod["metadata"]["name"] for pod in shell.get("pods")] == ["web-0", "web-1"]
    _python(shell, "web-0", "open('/data/word', 'w').write('kept')")
    assert _python(shell, "web-0", "import socket; print(socket.gethostname())") == "web-0"
    before = shell.get("pod/web-0")["metadata"]["uid"]
    shell.kubectl("delete", "pod", "web-0")
    eventually("another pod", lambda: shell.get("pod/web-0")["metadata"]["uid"] != before)
    shell.kubectl("wait", "pod/web-0", "--for=condition=Ready", "--timeout=60s")
    assert _python(shell, "web-0", "print(open('/data/word').read())") == "kept"
    look = "import socket; print(socket.gethostbyname('web-0.web'))"
    address = shell.get("pod/web-0")["status"]["podIP"]
    eventually("its new address in DNS", lambda: _python(shell, "web-1", look) == address, 90)


def _python(shell: Shell, pod: str, program: str) -> str:
    """Run a program in a pod, and return what it prints."""
    return shell.kubectl("exec", pod, "--", "python", "-c", program).strip()
