"""What probes know of a pod, and what keeps it out of Services."""

import pytest

from operators.core.endpointslice.endpoints import endpoint
from operators.core.probe.spec import PortError, port
from operators.core.probed import Container
from tests.support.probes import probed


@pytest.mark.parametrize(
    ("says", "gated", "want"),
    [
        pytest.param(None, False, True, id="nobody probes it"),
        pytest.param("True", False, True, id="its probe passes"),
        pytest.param("False", False, False, id="its probe fails, gated or not"),
        pytest.param("False", True, False, id="its gate is shut"),
        pytest.param(None, True, False, id="its gate has not been opened yet"),
        pytest.param("True", True, True, id="its gate is open"),
    ],
)
def test_services_react_at_once(says: str | None, gated: bool, want: bool) -> None:  # noqa: FBT001 - columns
    """A pod that the kubelet still calls ready is no ready endpoint once a probe or a gate says otherwise."""
    made = endpoint(probed(says=says, gated=gated), None, {"metadata": {"name": "web"}, "spec": {}}, "IPv4")
    assert made is not None
    assert made["conditions"] == {"ready": want, "serving": want, "terminating": False}


def test_ports() -> None:
    """A port is a number, or the name of one of the container's."""
    container = Container("app", "c1", None, started=True, ports=(("http", 8080),))
    assert (port(80, container), port("http", container)) == (80, 8080)
    with pytest.raises(PortError, match='port "grpc" not found'):
        port("grpc", container)


def test_a_container_has_another_identity_each_time() -> None:
    """Also where a runtime gives it none, as a simulated one."""
    first, second = (probed(container="", running=seconds).probed for seconds in (60, 5))
    assert first is not None
    assert second is not None
    assert first.containers[0].id
    assert first.containers[0].id != second.containers[0].id
