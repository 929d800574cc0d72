"""What the documents tell a reader to type, typed just so."""

from pathlib import Path

import yaml

from tests.e2e.client import Caller
from tests.e2e.manifests import OURS, container, deployment, service
from tests.e2e.shell import Shell, documented, eventually

STRATEGY = {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}


def test_first_steps(shell: Shell) -> None:
    """The guestbook is applied and its pods are made, of images that are not looked for here."""
    documented("kubectl apply -f examples/guestbook.yaml", shell.namespace)
    look = "kubectl get deployments.kopfwerk.dev,replicasets.kopfwerk.dev,pods"
    eventually("pods", lambda: len(shell.get("pods")) >= 3)
    assert "replicaset.kopfwerk.dev/frontend" in documented(look, shell.namespace)


def test_from_upstream_and_back(shell: Shell, tmp_path: Path) -> None:
    """A Deployment moves over and back, and a client that calls all the while gets an answer every time."""
    web = {"apiVersion": "apps/v1"} | deployment(2, strategy=STRATEGY) | {"apiVersion": "apps/v1"}
    (tmp_path / "web.yaml").write_text(yaml.safe_dump(web, sort_keys=False))
    place = (shell.namespace, tmp_path)
    shell.apply(service())
    documented("kubectl apply -f web.yaml", *place)
    documented("kubectl rollout status deployment/web", *place)
    caller = Caller(shell, "http://web")
    documented("sed 's,^apiVersion: apps/v1,apiVersion: kopfwerk.dev/v1,' web.yaml | kubectl apply -f -", *place)
    documented("kubectl kopfwerk rollout status deploy/web", *place)
    documented("kubectl delete deployments.apps web", *place)
    eventually("two pods of ours", lambda: _groups(shell) == [OURS] * 2)
    documented("kubectl apply -f web.yaml", *place)
    documented("kubectl rollout status deployment/web", *place)
    documented("kubectl delete deployments.kopfwerk.dev web", *place)
    eventually("two pods of upstream's", lambda: _groups(shell) == ["apps/v1"] * 2)
    eventually("more answers", lambda: len(caller.answers()) > 100)
    assert set(caller.answers()) == {"v1"}


def test_looking_at_an_installation(shell: Shell) -> None:
    """What docs/operate.md has a reader look at is there."""
    assert "kopfwerk-" in documented("kubectl --namespace kopfwerk-system get pods")
    assert "holderIdentity" in documented("kubectl --namespace kopfwerk-system get lease kopfwerk --output yaml")
    leases = documented("kubectl get leases --all-namespaces | grep kopfwerk").splitlines()
    assert len([line for line in leases if line.startswith("kopfwerk-system ")]) == 1
    assert "cronjob.batch/kopfwerk" in documented("kubectl --namespace kopfwerk-system get cronjobs,jobs")


def test_looking_into_a_rollout(shell: Shell) -> None:
    """A rollout is looked at and taken back as the alert's section says."""
    shell.apply(deployment(1))
    documented("kubectl kopfwerk rollout status deploy/NAME", shell.namespace, NAME="web")
    shell.kubectl("kopfwerk", "set", "image", "deployment/web", "app=kopfwerk-e2e:missing")
    eventually("what is wrong", lambda: "kopfwerk-e2e:missing" in documented("kubectl describe pod", shell.namespace))
    documented("kubectl kopfwerk rollout undo deploy/NAME", shell.namespace, NAME="web")
    shell.rolled_out()
    documented("kubectl get pvc", shell.namespace)


def test_looking_into_jobs(shell: Shell) -> None:
    """A Job and a CronJob are looked at, and a Job that hangs is ended, as the alerts' sections say."""
    pod = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
        "containers": [container("v1", "call", "http://x")],
    }
    job = {"template": {"spec": pod}}
    made = {"apiVersion": OURS, "metadata": {"name": "web"}}
    each = {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": job}}
    shell.apply(made | {"kind": "Job", "spec": job}, made | {"kind": "CronJob", "spec": each})
    name, place = "web", shell.namespace
    logs = "kubectl kopfwerk logs job/NAME"
    eventually("its log", lambda: "failed" in documented(logs, place, NAME=name))
    documented(
        'kubectl patch jobs.kopfwerk.dev NAME --type=merge -p \'{"spec":{"activeDeadlineSeconds":1}}\'',
        place,
        NAME=name,
    )
    shell.kubectl("wait", "jobs.kopfwerk.dev/web", "--for=condition=Failed", "--timeout=60s")
    assert "DeadlineExceeded" in documented("kubectl describe jobs.kopfwerk.dev NAME", place, NAME=name)
    documented("kubectl get cronjobs.kopfwerk.dev NAME -o jsonpath='{.status.active[*].name}'", place, NAME=name)
    assert "0 0 1 1 *" in documented("kubectl describe cronjobs.kopfwerk.dev NAME", place, NAME=name)


def _groups(shell: Shell) -> list[str]:
    """Return of which group the ReplicaSet of each pod is."""
    return [pod["metadata"]["ownerReferences"][0]["apiVersion"] for pod in shell.pods(app="web")]
