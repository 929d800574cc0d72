"""Deployments with real containers, through kubectl alone."""

import re

import pytest

from tests.e2e.manifests import Obj, deployment, pod, server, service
from tests.e2e.shell import Shell, eventually

UNKNOWN_VOLUME = {"containers": [server(volumeMounts=[{"name": "nothing", "mountPath": "/x"}])]}


def test_rolling_update_without_a_failed_request(shell: Shell) -> None:
    """A client that calls all the while gets an answer every time, first of the old version, in the end of the new."""
    shell.apply(deployment(3, strategy={"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}), service())
    shell.rolled_out()
    shell.apply(pod("client", "call", "http://web"))
    eventually("answers of v1", lambda: "v1" in shell.kubectl("logs", "client"))
    before = len(shell.kubectl("logs", "client").splitlines())
    shell.kubectl("kopfwerk", "set", "image", "deployment/web", "app=kopfwerk-e2e:v2")
    shell.rolled_out()
    eventually("ten answers of v2 in a row", lambda: set(shell.kubectl("logs", "client").split()[-10:]) == {"v2"})
    answers = shell.kubectl("logs", "client").splitlines()[before:]
    assert len(answers) > 100
    assert not [answer for answer in answers if answer not in ("v1", "v2")]


def test_rollback(shell: Shell) -> None:
    """An image that does not exist leaves the old pods at work, and the plugin takes it back."""
    shell.apply(deployment(3))
    shell.rolled_out()
    impatient = '{"spec": {"progressDeadlineSeconds": 5}}'  # of what must not succeed, and of nothing before
    shell.kubectl("patch", "deployments.kopfwerk.dev/web", "--type=merge", f"--patch={impatient}")
    first = {pod["metadata"]["name"] for pod in shell.pods(app="web")}
    shell.kubectl("kopfwerk", "set", "image", "deployment/web", "app=kopfwerk-e2e:missing")
    failed = 'jsonpath={.status.conditions[?(@.type=="Progressing")].reason}=ProgressDeadlineExceeded'
    shell.kubectl("wait", "deployments.kopfwerk.dev/web", f"--for={failed}", "--timeout=60s")
    assert shell.get("deployments.kopfwerk.dev/web")["status"]["availableReplicas"] == 3
    shell.kubectl("kopfwerk", "rollout", "undo", "deployment/web")
    shell.rolled_out()
    assert {pod["metadata"]["name"] for pod in shell.pods(app="web")} == first
    assert (
        shell.get("deployments.kopfwerk.dev/web")["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"
    )


def test_configuration_through_the_template(shell: Shell) -> None:
    """ConfigMaps, Secrets and volumes reach the containers, as environment and as files."""
    shell.kubectl("create", "configmap", "settings", "--from-literal=colour=green")
    shell.kubectl("create", "secret", "generic", "password", "--from-literal=word=xyzzy")
    mounts = [{"name": name, "mountPath": f"/{name}"} for name in ("settings", "password", "scratch")]
    reference = {"configMapKeyRef": {"name": "settings", "key": "colour"}}
    main = server(volumeMounts=mounts, env=[{"name": "VERSION", "valueFrom": reference}])
    volumes = [
        {"name": "settings", "configMap": {"name": "settings"}},
        {"name": "password", "secret": {"secretName": "password"}},
        {"name": "scratch", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
    ]
    shell.apply(deployment(1, pod={"containers": [main], "volumes": volumes}), service())
    shell.rolled_out()
    shell.apply(
        *(pod(name, "call", f"http://web{path}") for name, path in (("environment", ""), ("file", "/password/word")))
    )
    eventually("the ConfigMap's value", lambda: "green" in shell.kubectl("logs", "environment"))
    eventually("the Secret's value", lambda: "xyzzy" in shell.kubectl("logs", "file"))


@pytest.mark.parametrize(
    ("manifest", "want"),
    [
        pytest.param(deployment(-1), "spec.replicas", id="by the schema"),
        pytest.param(deployment(pod=UNKNOWN_VOLUME), "volumeMounts[0].name", id="by the webhook"),
    ],
)
def test_refused_at_apply(shell: Shell, manifest: Obj, want: str) -> None:
    """What upstream refuses is refused by the apiserver, at apply, and the message names the field."""
    with pytest.raises(AssertionError, match=re.escape(want)):
        shell.apply(manifest)
