"""Gives the operator of an embedded cluster the rights that it declares, and no others: as the chart does."""

from typing import Final

from operators.cluster.api import APPLY, Api
from operators.cluster.bootstrap import FIELD_MANAGER
from operators.cluster.certificates import CLIENTS
from operators.controllers import controllers
from operators.core.admission.review import TWINS
from operators.core.objects import Obj
from operators.runtime.access import cluster_rules, lease_rules
from operators.runtime.operator import LEASE

_RBAC: Final = "rbac.authorization.k8s.io"
_USER: Final = {"apiGroup": _RBAC, "kind": "User", "name": CLIENTS["operator"][0]}
_NAMESPACE: Final = "kube-system"
"""Where the Lease is of an operator that is no pod."""


def grant(api: Api, *, native: bool) -> None:
    """Let the operator's user do what the operator needs for the custom resources or, in native mode, for apps/v1."""
    name = "kopfwerk-native" if native else "kopfwerk"
    twins = () if native else TWINS.values()
    _bind(api, "ClusterRole", name, cluster_rules(controllers(native=native), twins), "")
    _bind(api, "Role", "kopfwerk", lease_rules(LEASE), f"namespaces/{_NAMESPACE}/")


def _bind(api: Api, kind: str, name: str, rules: list[Obj], scope: str) -> None:
    binding = {"roleRef": {"apiGroup": _RBAC, "kind": kind, "name": name}, "subjects": [_USER]}
    for made, body in ((kind, {"rules": rules}), (f"{kind}Binding", binding)):
        obj = {"apiVersion": f"{_RBAC}/v1", "kind": made, "metadata": {"name": name}, **body}
        path = f"/apis/{_RBAC}/v1/{scope}{made.lower()}s/{name}"
        api.request("PATCH", f"{path}?{FIELD_MANAGER}", obj, APPLY)
