"""Why a pod goes where it goes, and what keeps it from every other node: the extender's rules, put in words.

The same object is served by the extender and printed by `kubectl kopfwerk why` and `what-if`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from operators.core.objects import Obj
from operators.scheduler import gang, placement, preemption
from operators.scheduler.pod import Pod
from operators.scheduler.predicates import ports, resources
from operators.scheduler.rules import Rules
from operators.scheduler.snapshot import Snapshot


def explain(pod: Pod, nodes: Snapshot, rules: Rules) -> Obj:
    """Say what the rules say about every node, as if the pod were to be placed now. Changes nothing.

    `nodes` has the nodes that it fits on, the best first, each with its total and every rule's weighted share of it;
    `refused` has the others, each with the reason, whether evicting pods could help, and what would. `group` says how
    the group stands of a pod that is placed together with others.
    """
    on, pod = pod.node, replace(pod, node="")  # who has a place did not ask for it by name
    refused: list[Obj] = []
    with nodes.without([pod.uid]):
        found = placement.fit(pod, nodes, rules, np.flatnonzero(nodes.alive))
        scores = placement.score(pod, nodes, rules, found.rows)
        names = nodes.names
        fitting = [
            {
                "node": names[row],
                "total": int(scores.total[at]),
                "scores": {rule: int(part[at]) * rules.priorities[rule][1] for rule, part in scores.parts.items()},
            }
            for at, row in enumerate(scores.rows.tolist())
        ]
        fitting.sort(key=lambda one: (-one["total"], one["node"]))
        fits = {one["node"] for one in fitting}
        for row, node in sorted(nodes.nodes.items(), key=lambda item: item[1].name):
            if node.name not in fits:
                reason, hopeless = found.why(row)
                remedies = remedy(pod, nodes, row, reason.split(", "))
                refused.append({"node": node.name, "reason": reason, "unresolvable": hopeless, "wouldFitIf": remedies})
        chosen = names[placement.best(pod, scores)] if fitting else ""
        spared = fitting or _needs_others(on, pod, nodes)
        evicting = {} if spared else preemption.victims(pod, nodes, rules, [str(one["node"]) for one in refused])
    group = {"group": gang.outlook(pod, pod.group, nodes, rules)} if pod.group else {}
    return {
        "pod": f"{pod.namespace}/{pod.name}",
        **group,
        "on": on,
        "chosen": chosen,
        "nodes": fitting,
        "refused": refused,
        "victims": {
            node: [_name_of(uid, nodes) for uid in victims.uids] for node, victims in evicting.items()
        },
    }  # fmt: skip


def _needs_others(on: str, pod: Pod, nodes: Snapshot) -> bool:
    """Whether nobody is evicted for a pod, which cannot be placed without others of its group."""
    return not on and pod.group is not None and gang.count(pod, pod.group, nodes).needed > 1


def remedy(pod: Pod, nodes: Snapshot, row: int, reasons: Sequence[str]) -> list[str]:
    """Say what would have to be different for a node not to be refused for these reasons: each goes on after "if"."""
    node, said = nodes.nodes[row], []
    for reason in reasons:
        name = reason.removeprefix("Insufficient ")
        if name in pod.requests:
            alloc = int(nodes.allocatable[name][row])
            free, needed = (_amount(name, n) for n in (alloc - int(nodes.requested[name][row]), pod.requests[name]))
            said.append(f"it had {needed} {name} free (it has {free} of {_amount(name, alloc)})")
        elif reason == resources.TOO_MANY:
            most = int(nodes.allocatable["pods"][row])
            said.append(f"it took more than {most} pod{'' if most == 1 else 's'}")
        elif "taints" in reason:
            kept = [
                taint for taint in node.taints
                if taint[2] != "PreferNoSchedule" and not any(one.tolerates(*taint) for one in pod.tolerations)
            ]  # fmt: skip
            said += [f"the pod tolerated {key}{value and f'={value}'}:{effect}" for key, value, effect in kept]
        elif "unschedulable" in reason:
            said.append("it were uncordoned")
        elif "affinity/selector" in reason:
            said += [f"it had the label {k}={v}" for k, v in pod.node_selector.items() if node.labels.get(k) != v]
            if pod.node_terms is not None:
                said.append("it matched a required term of the pod's node affinity")
        elif "missing required label" in reason:
            missing = {one.key for one in pod.spread if one.hard} - node.labels.keys()
            said += [f"it had the label {key}" for key in sorted(missing)]
        elif reason == ports.REASON:
            said.append(
                "it had these ports free: " + ", ".join(f"{number}/{protocol}" for _, protocol, number in pod.ports)
            )
    return said


def _amount(resource: str, amount: int) -> str:
    """Write an amount as a quantity: CPU in thousandths, bytes in the largest unit that loses little."""
    if resource == "cpu":
        return f"{amount}m" if amount % 1000 else str(amount // 1000)
    if resource not in ("memory", "ephemeral-storage") and not resource.startswith("hugepages-"):
        return str(amount)
    for suffix, size in (("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)):
        if abs(amount) >= 10 * size:
            return f"{amount // size}{suffix}"
    return str(amount)


def _name_of(uid: str, nodes: Snapshot) -> str:
    placed = nodes.placed(uid)
    return "/".join(placed.pod.key) if placed else uid
