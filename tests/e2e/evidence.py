"""What a cluster shows when a test has failed: its namespace's objects, and the operator's log and figures.

It is collected while everything is still there, and goes into the test's report: what fails once in a while has to be
explained by that one time.
"""

import subprocess
from collections.abc import Iterator

from tests.e2e.shell import NAMESPACE

KINDS = (
    "deployments.kopfwerk.dev,replicasets.kopfwerk.dev,statefulsets.kopfwerk.dev,daemonsets.kopfwerk.dev,"
    "jobs.kopfwerk.dev,deployments.apps,replicasets.apps,statefulsets.apps,daemonsets.apps,pods,events"
)
FIGURES = ("workqueue_", "kopfwerk_controller_", "kopfwerk_informer_", "leader_election_", "rest_client_requests_total")
_NOISE = ("_bucket", "_created{")


def evidence(namespace: str, seconds: float) -> Iterator[tuple[str, str]]:
    """Yield titles and texts, of the last `seconds` where it is a log. What cannot be read says why."""
    yield f"objects of {namespace}", _kubectl("get", KINDS, f"--namespace={namespace}", "--output=yaml")
    yield "nodes", _kubectl("get", "nodes", "--output=wide")
    place = f"--namespace={NAMESPACE}"
    yield "operator", _kubectl("get", "pods,leases", place, "--output=wide")
    pods = ("get", "pods", place, "--selector=app.kubernetes.io/component=operator")
    for name in _kubectl(*pods, "--output=jsonpath={.items[*].metadata.name}").split():
        since = f"--since={seconds:.0f}s"
        log = ("logs", name, place, "--timestamps", "--tail=300")
        yield f"log of {name}", _kubectl(*log, since)
        yield f"log of {name} before its last restart", _kubectl(*log, "--previous")
        page = _kubectl("get", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/{name}:8080/proxy/metrics")
        yield f"figures of {name}", "\n".join(line for line in page.splitlines() if _tells(line))


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
