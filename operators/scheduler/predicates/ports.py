"""NodePorts: a port of the node goes to one pod for each address and protocol."""

import numpy as np

from operators.scheduler.pod import ANY_ADDRESS, Pod
from operators.scheduler.predicates.refusal import Refusal
from operators.scheduler.snapshot import Snapshot

REASON = "node(s) didn't have free ports for the requested pod ports"


def refuse(pod: Pod, nodes: Snapshot) -> list[Refusal]:
    """Refuse nodes on which a port is taken. A port at no particular address is taken at all of them."""
    if not pod.ports:
        return []
    taken = np.zeros(nodes.size, np.bool_)
    for address, protocol, number in pod.ports:
        for row, addresses in nodes.ports.get((protocol, number), {}).items():
            if address == ANY_ADDRESS or address in addresses or ANY_ADDRESS in addresses:
                taken[row] = True
    return [Refusal(taken, REASON)]
