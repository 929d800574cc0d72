"""Gives our components of an embedded cluster the rights that they declare, and no others: as the chart does."""

from typing import Final

from operators.cluster.api import APPLY, Api
from operators.cluster.bootstrap import FIELD_MANAGER
from operators.cluster.certificates import CLIENTS
from operators.controllers import controllers
from operators.core.admission.review import TWINS
from operators.core.objects import Obj
from operators.runtime.access import cluster_rules, lease_rules
from operators.runtime.operator import LEASE
from operators.scheduler import access as extender

_RBAC: Final = "rbac.authorization.k8s.io"
_NAMESPACE: Final = "kube-system"
"""Where the Lease is of an operator that is no pod."""


def grant(api: Api, *, native: bool) -> None:
    """Let the operator's user do what the operator needs for the custom resources or, in native mode, for apps/v1."""
    name = "kopfwerk-native" if native else "kopfwerk"
    twins = () if native else TWINS.values()
    _bind(api, "operator", ("ClusterRole", name), cluster_rules(controllers(native=native), twins))
    _bind(api, "operator", ("Role", "kopfwerk"), lease_rules(LEASE), f"namespaces/{_NAMESPACE}/")


def grant_scheduler(api: Api, *, binds: bool) -> None:
    """Let the extender's user do what the extender needs. kube-scheduler's own rights are there in every cluster."""
    rules = extender.cluster_rules(binds=binds)
    _bind(api, "scheduler-extender", ("ClusterRole", "kopfwerk-scheduler-extender"), rules)


def _bind(api: Api, identity: str, role: tuple[str, str], rules: list[Obj], scope: str = "") -> None:
    kind, name = role
    user = {"apiGroup": _RBAC, "kind": "User", "name": CLIENTS[identity][0]}
    binding = {"roleRef": {"apiGroup": _RBAC, "kind": kind, "name": name}, "subjects": [user]}
    for made, body in ((kind, {"rules": rules}), (f"{kind}Binding", binding)):
        obj = {"apiVersion": f"{_RBAC}/v1", "kind": made, "metadata": {"name": name}, **body}
        path = f"/apis/{_RBAC}/v1/{scope}{made.lower()}s/{name}"
        api.request("PATCH", f"{path}?{FIELD_MANAGER}", obj, APPLY)
