"""What a pod requests: containers, sidecars, init containers, the pod as a whole, overhead, and a resize under way."""

from typing import Any

import pytest

from operators.core.objects import Obj
from operators.scheduler import quantities, requests
from operators.scheduler.quantities import InvalidQuantityError


def container(name: str, cpu: str = "", **more: Any) -> Obj:
    """Build a container that requests CPU."""
    return {"name": name, "resources": {"requests": {"cpu": cpu}} if cpu else {}, **more}


def pod(*containers: Obj, init: tuple[Obj, ...] = (), status: Obj | None = None, **spec: Any) -> Obj:
    """Build a pod's JSON."""
    return {"spec": {"containers": list(containers), "initContainers": list(init), **spec}, "status": status or {}}


SIDECAR = container("side", "200m", restartPolicy="Always")


INFEASIBLE = [{"type": "PodResizePending", "reason": "Infeasible"}]


def allocated(cpu: str) -> Obj:
    """Build the part of a status that says how much CPU the kubelet has allocated."""
    return {"allocatedResources": {"cpu": cpu}}


@pytest.mark.parametrize(
    ("one", "want_cpu"),
    [
        pytest.param(pod(container("a", "100m"), container("b", "0.2")), 300, id="the sum of containers"),
        pytest.param(pod(container("a", "100m"), init=(container("i", "1"),)), 1000, id="a larger init container"),
        pytest.param(pod(container("a", "100m"), init=(SIDECAR,)), 300, id="a sidecar runs beside"),
        pytest.param(
            pod(container("a", "100m"), init=(SIDECAR, container("i", "1"))),
            1200,
            id="an init container after a sidecar",
        ),
        pytest.param(
            pod(container("a", "100m"), init=(container("i", "1"), SIDECAR)), 1000, id="an init container before it"
        ),
        pytest.param(pod(container("a", "100m"), overhead={"cpu": "50m"}), 150, id="overhead"),
        pytest.param(pod(container("a", "100m"), resources={"requests": {"cpu": "2"}}), 2000, id="the pod as a whole"),
        pytest.param(
            pod(
                container("a", "100m"),
                status={"containerStatuses": [{"name": "a", "allocatedResources": {"cpu": "400m"}}]},
            ),
            400,
            id="what is allocated while it shrinks",
        ),
        pytest.param(
            pod(
                container("a", "100m"),
                container("b", "100m"),
                status={"conditions": INFEASIBLE, "containerStatuses": [{"name": "a", **allocated("400m")}]},
            ),
            400,
            id="nothing of a container that is not there yet where the resize is refused",
        ),
        pytest.param(
            pod(
                container("a", "100m"),
                resources={"requests": {"cpu": "1"}},
                status={"resources": {"requests": {"cpu": "2"}}, **allocated("2")},
            ),
            2000,
            id="what is allocated while the pod as a whole shrinks",
        ),
        pytest.param(
            pod(
                container("a", "100m"),
                resources={"requests": {"cpu": "3"}},
                status={"conditions": INFEASIBLE, "resources": {"requests": {"cpu": "2"}}, **allocated("2")},
            ),
            2000,
            id="the pod as a whole cannot grow",
        ),
        pytest.param(
            pod(
                container("a", "100m"),
                status={
                    "resources": {"requests": {"cpu": "300m"}},
                    **allocated("200m"),
                    "containerStatuses": [{"name": "a", **allocated("900m")}],
                },
            ),
            300,
            id="what is said of the pod before what is said of a container",
        ),
    ],
)
def test_cpu(one: Obj, want_cpu: int) -> None:
    """The pod takes so many thousandths of a CPU."""
    assert requests.of_pod(one)["cpu"] == want_cpu


def test_scores_count_a_default() -> None:
    """A container that requests nothing counts for 100m and 200 MiB, one that requests CPU only for the memory."""
    assert requests.for_scores(pod(container("a"), container("b", "1"))) == (1100, 2 * 200 * 1024 * 1024)


def test_scores_count_a_pod_as_a_whole_once_it_is_placed() -> None:
    """While it is to be placed its containers count, as upstream has it."""
    one = pod(container("a"), container("b", "1"), resources={"requests": {"cpu": "3"}}, overhead={"cpu": "50m"})
    assert requests.for_scores(one) == (3050, 2 * 200 * 1024 * 1024)
    assert requests.asked_for_scores(one) == (1150, 2 * 200 * 1024 * 1024)


@pytest.mark.parametrize(
    ("text", "want_whole"),
    [
        ("1", 1),
        ("1Ki", 1024),
        ("1k", 1000),
        ("1e3", 1000),
        ("1E", 10**18),
        ("0.5", 1),
        ("100m", 1),
        ("-1.5", -1),
        ("1.5Gi", 1610612736),
    ],
)
def test_quantity(text: str, want_whole: int) -> None:
    """A quantity counts in whole units, rounded up."""
    assert quantities.whole(text) == want_whole


@pytest.mark.parametrize("text", ["", "much", "1 Gi", "1e999999999", "1.2.3", "Ki"])
def test_no_quantity(text: str) -> None:
    """What is none is refused."""
    with pytest.raises(InvalidQuantityError):
        quantities.whole(text)
