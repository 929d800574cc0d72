"""What PodProbes may do by the chart: no commands unless asked for, no foreign hosts for just anybody."""

import pytest

from tests.chart.rendering import Helm, named, of_kind, rights


@pytest.mark.parametrize(
    ("options", "want"),
    [
        pytest.param((), [], id="by-default"),
        pytest.param(("probes.exec=true",), ["create", "get"], id="asked-for"),
        pytest.param(("probes.exec=true", "native.enabled=true"), [], id="native"),
    ],
)
def test_commands(helm: Helm, options: tuple[str, ...], want: list[str]) -> None:
    """The operator may enter containers only where a value says so."""
    rules = rights(helm.render(*options), "kopfwerk")["ClusterRole"]
    assert [verb for rule in rules if "pods/exec" in rule["resources"] for verb in rule["verbs"]] == want


@pytest.mark.parametrize(
    ("options", "want"),
    [
        pytest.param((), 1, id="by-default"),
        pytest.param(("probes.guardHosts=false",), 0, id="off"),
        pytest.param(("native.enabled=true",), 0, id="native"),
    ],
)
def test_hosts(helm: Helm, options: tuple[str, ...], want: int) -> None:
    """Who sets `host` needs a right of its own, unless that is switched off."""
    objects = helm.render(*options)
    policies = of_kind(objects, "ValidatingAdmissionPolicy")
    bindings = of_kind(objects, "ValidatingAdmissionPolicyBinding")
    assert (len(policies), [one["spec"]["policyName"] for one in bindings]) == (
        want,
        [policy["metadata"]["name"] for policy in policies],
    )


@pytest.mark.parametrize(
    ("options", "want"),
    [
        pytest.param(("networkPolicy.enabled=true",), [{"to": [{"namespaceSelector": {}}]}], id="every-pod"),
        pytest.param(("networkPolicy.enabled=true", "networkPolicy.probesTo=null"), [], id="none"),
    ],
)
def test_network(helm: Helm, options: tuple[str, ...], want: list[object]) -> None:
    """Beside the apiserver, probes reach the pods that a value names."""
    policy = named(helm.render(*options), "NetworkPolicy", "kopfwerk")
    assert policy["spec"]["egress"][1:] == want
