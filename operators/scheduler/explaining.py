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
    `refused` has the others, each with the reason of the first rule that refuses it, whether evicting pods could help,
    and what would have to be different for all rules to accept it, where that can be said. `group` says how the group
    stands of a pod that is placed together with others.
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
        refusals = [refusal for predicate in rules.predicates.values() for refusal in predicate(pod, nodes)]
        for row, node in sorted(nodes.nodes.items(), key=lambda item: item[1].name):
            if node.name not in fits:
                reason, hopeless = found.why(row)
                others = [refusal.reason for refusal in refusals if refusal.nodes[row]]
                remedies = remedy(pod, nodes, row, list(dict.fromkeys([*reason.split(", "), *others])))
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
    """Say what would have to be different for a node not to be refused for these reasons: each goes on after "if".

    Nothing, where one of the reasons has no remedy that is known: the others alone would not help.
    """
    remedies = [_remedy(pod, nodes, row, reason) for reason in reasons]
    return [one for said in remedies for one in said] if all(remedies) else []


def _remedy(pod: Pod, nodes: Snapshot, row: int, reason: str) -> list[str]:
    node, name = nodes.nodes[row], reason.removeprefix("Insufficient ")
    if name in pod.requests:
        alloc = int(nodes.allocatable[name][row])
        free, needed = (_amount(name, n) for n in (alloc - int(nodes.requested[name][row]), pod.requests[name]))
        return [f"it had {needed} {name} free (it has {free} of {_amount(name, alloc)})"]
    if reason == resources.TOO_MANY:
        most = int(nodes.allocatable["pods"][row])
        return [f"it took more than {most} pod{'' if most == 1 else 's'}"]
    if reason == ports.REASON:
        return ["it had these ports free: " + ", ".join(f"{number}/{protocol}" for _, protocol, number in pod.ports)]
    if "taints" in reason:
        kept = [
            taint for taint in node.taints
            if taint[2] != "PreferNoSchedule" and not any(one.tolerates(*taint) for one in pod.tolerations)
        ]  # fmt: skip
        return [f"the pod tolerated {key}{value and f'={value}'}:{effect}" for key, value, effect in kept]
    if "unschedulable" in reason:
        return ["it were uncordoned"]
    if "affinity/selector" in reason:
        said = [f"it had the label {k}={v}" for k, v in pod.node_selector.items() if node.labels.get(k) != v]
        return said + ["it matched a required term of the pod's node affinity"] * (pod.node_terms is not None)
    if "missing required label" in reason:
        missing = {one.key for one in pod.spread if one.hard} - node.labels.keys()
        return [f"it had the label {key}" for key in sorted(missing)]
    return []


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
