"""Which ports of which nodes are taken."""

from collections import defaultdict
from collections.abc import Iterable

from operators.scheduler.pod import Port


class Ports(defaultdict[tuple[str, int], defaultdict[int, list[str]]]):
    """By protocol and number, for each node where it is taken the addresses at which it is."""

    def __init__(self) -> None:
        super().__init__(lambda: defaultdict(list))

    def take(self, ports: Iterable[Port], row: int) -> None:
        """Count the ports of a pod on a node."""
        for address, protocol, number in ports:
            self[protocol, number][row].append(address)

    def free(self, ports: Iterable[Port], row: int) -> None:
        """Count them no longer."""
        for address, protocol, number in ports:
            rows = self[protocol, number]
            rows[row].remove(address)
            if not rows[row]:
                del rows[row]
            if not rows:
                del self[protocol, number]
