"""What the controller of PodProbes looks at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from operators.core.objects import Obj
from operators.core.pods import Pod
from operators.core.probe.spec import Kind, Wanted, read
from operators.core.probe.worker import State
from operators.core.probed import Container


@dataclass(frozen=True, slots=True)
class Member:
    """A pod that the selector takes and that has an address, with what its probes amount to so far."""

    pod: Pod
    container: Container | None
    """None where the pod has none of that name."""
    states: Mapping[Kind, State]

    @property
    def failed(self) -> Kind | None:
        """The probe for which the container has to be restarted, None where there is none."""
        if self.container is None or not self.container.is_running or not self.pod.is_active:
            return None
        for kind in (Kind.LIVENESS, Kind.STARTUP):
            state = self.states.get(kind)
            if state is not None and state.result == "failed" and state.container == self.container.id:
                return kind
        return None


@dataclass(frozen=True, slots=True)
class Observed:
    """A PodProbe, its pods in order of name, and pods of the namespace that have its condition and are not its own."""

    podprobe: Obj
    members: tuple[Member, ...]
    left: tuple[Pod, ...]
    now: datetime

    @property
    def wanted(self) -> Wanted:
        """The spec."""
        return read(self.podprobe)

    @property
    def status(self) -> Obj:
        """The status that is there."""
        return self.podprobe.get("status") or {}
