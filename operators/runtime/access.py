"""What the operator may do: RBAC rules, derived from what the controllers declare and what the runtime itself sends.

The chart's roles are generated from here, and the embedded cluster grants its operator these and no more, so that a
missing one fails wherever the operator is tested.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from operators.core.objects import Obj, Resource
from operators.runtime.controller import Controller
from operators.runtime.events import EVENTS
from operators.runtime.lease import LEASES


class Grant(NamedTuple):
    """A verb on a resource, or on one object of it."""

    resource: Resource
    verb: str
    subresource: str = ""
    name: str = ""


def cluster_rules(controllers: Iterable[Controller[Any]], twins: Iterable[Resource] = ()) -> list[Obj]:
    """Return the rules of a ClusterRole. `twins` are the kinds as which the webhook dry-runs what it validates."""
    grants = [grant for controller in controllers for grant in _of(controller)]
    grants += (Grant(EVENTS, verb) for verb in ("create", "patch"))
    grants += (Grant(twin, "create") for twin in twins)
    return rules(grants)


def webhook_rules(twins: Iterable[Resource]) -> list[Obj]:
    """Return what the ClusterRole has beside where objects are validated: to dry-run them as `twins`."""
    return rules(Grant(twin, "create") for twin in twins)


def lease_rules(lease: str) -> list[Obj]:
    """Return the rules of a Role in the namespace of the Lease: a create cannot be limited to a name."""
    return rules([Grant(LEASES, "create"), *(Grant(LEASES, verb, name=lease) for verb in ("get", "update"))])


def _of(controller: Controller[Any]) -> Iterator[Grant]:
    """Yield what a controller needs: what it watches, its own status, and what it declares to write."""
    own = controller.resource
    for resource in (own, *(watch.resource for watch in controller.watches)):
        yield from (Grant(resource, verb) for verb in ("list", "watch"))
    yield Grant(own, "get")  # whether it may still take on children
    if controller.reports:
        yield Grant(own, "update", "status")
    for writes in controller.writes:
        yield from (Grant(writes.resource, verb, writes.subresource) for verb in writes.verbs)
        if "create" in writes.verbs and not writes.subresource:
            yield Grant(writes.resource, "get")  # what came of a write whose answer was lost
            yield Grant(own, "update", "finalizers")  # what is created blocks its owner's deletion in the foreground


def rules(grants: Iterable[Grant]) -> list[Obj]:
    """Gather grants into as few rules as read well: resources of a group that share their verbs are one."""
    verbs: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for grant in grants:
        resource = "/".join(part for part in (grant.resource.plural, grant.subresource) if part)
        verbs[grant.resource.group, resource, grant.name].add(grant.verb)
    alike: defaultdict[tuple[str, tuple[str, ...], str], list[str]] = defaultdict(list)
    for (group, resource, name), allowed in sorted(verbs.items()):
        alike[group, tuple(sorted(allowed)), name].append(resource)
    return [
        {"apiGroups": [group], "resources": resources, "verbs": list(allowed)}
        | ({"resourceNames": [name]} if name else {})
        for (group, allowed, name), resources in alike.items()
    ]
