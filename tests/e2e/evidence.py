"""What a cluster shows when a test has failed: its namespace's objects, and the operator's log and figures.

It is collected while everything is still there, and goes into the test's report: what fails once in a while has to be
explained by that one time.
"""

import subprocess
from collections.abc import Iterator

from tests.e2e.shell import NAMESPACE

COMPONENTS = "app.kubernetes.io/component in (operator,scheduler)"
STATIC = "app.kubernetes.io/component=static"
"""The operator of native mode, as the kubelet of a control plane runs it."""
FIGURES = ("workqueue_", "kopfwerk_controller_", "kopfwerk_informer_", "leader_election_", "rest_client_requests_total")
_NOISE = ("_bucket", "_created{")


HIDDEN = {"secrets", "endpoints", "events.events.k8s.io"}
"""What is not to be shown, and what is there under another name as well."""


def evidence(namespace: str, seconds: float) -> Iterator[tuple[str, str]]:
    """Yield titles and texts, of the last `seconds` where it is a log. What cannot be read says why."""
    yield f"objects of {namespace}", _kubectl("get", ",".join(kinds()), f"--namespace={namespace}", "--output=yaml")
    yield "nodes", _kubectl("get", "nodes", "--output=wide")
    yield "operator", _kubectl("get", "pods,leases", f"--namespace={NAMESPACE}", "--output=wide")
    for place, selector in ((NAMESPACE, COMPONENTS), ("kube-system", STATIC)):
        pods = (
            "get",
            "pods",
            f"--namespace={place}",
            f"--selector={selector}",
            "--output=jsonpath={.items[*].metadata.name}",
        )
        for name in _kubectl(*pods).split():
            log = ("logs", name, f"--namespace={place}", "--all-containers", "--prefix", "--timestamps", "--tail=300")
            yield f"log of {name}", _kubectl(*log, f"--since={seconds:.0f}s")
            yield f"log of {name} before its last restart", _kubectl(*log, "--previous")
            page = _kubectl("get", "--raw", f"/api/v1/namespaces/{place}/pods/{name}:8080/proxy/metrics")
            yield f"figures of {name}", "\n".join(line for line in page.splitlines() if _tells(line))


def kinds() -> list[str]:
    """Return every kind that a namespace can have here: ours are not everywhere, and somebody will add one."""
    found = _kubectl("api-resources", "--namespaced", "--verbs=list", "--output=name").split()
    return [kind for kind in found if kind not in HIDDEN and not kind.startswith("pods.metrics")]


def _tells(line: str) -> bool:
    return line.startswith(FIGURES) and not any(part in line for part in _NOISE) and not line.endswith(" 0.0")


def _kubectl(*args: str) -> str:
    """Return what it prints, whether it succeeds or not."""
    command = ["kubectl", *args, "--request-timeout=15s"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except subprocess.TimeoutExpired as error:
        return str(error)
    return done.stdout + done.stderr
