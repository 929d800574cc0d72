"""What a webhook is asked, which questions need no answer, and the twin that answers the others."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from operators.core import objects
from operators.core.gates import asked, gated
from operators.core.objects import KOPFWERK, Obj, Resource

TWINS: Final[Mapping[str, Resource]] = {
    twin.kind: twin
    for twin in (
        objects.replicasets("apps"),
        objects.deployments("apps"),
        objects.statefulsets("apps"),
        objects.daemonsets("apps"),
        objects.jobs("batch"),
        objects.cronjobs("batch"),
        objects.services(""),
    )
}
"""The built-in kind of the same name, for each custom resource."""


@dataclass(frozen=True, slots=True)
class Review:
    """One write that is about to happen: `obj` as it would be stored, `old` as it is (None on CREATE)."""

    operation: str
    obj: Obj
    old: Obj | None = None
    subresource: str = ""
    user: str = ""

    @property
    def template(self) -> str:
        """The field of the spec that is a template."""
        return "jobTemplate" if self.obj["kind"] == "CronJob" else "template"

    @property
    def is_template_unchanged(self) -> bool:
        """Whether the template stays as it was, with the gates that are added to it."""
        if self.old is None or self.template not in _spec(self.obj) or asked(self.obj) != asked(self.old):
            return False
        return bool(_spec(self.obj)[self.template] == _spec(self.old).get(self.template))

    def is_exempt(self, own_user: str) -> bool:
        """Whether there is nothing to ask.

        That is so for deletions, subresources (status, scale), writes that leave spec and readiness gates alone
        (labels, other annotations, finalizers), and for what the operator itself creates for one of our objects, which
        was asked about when that one was written. `own_user` is the operator's user name.
        """
        if self.operation not in ("CREATE", "UPDATE") or self.subresource or self.obj.get("kind") not in TWINS:
            return True
        if self.old is not None and _spec(self.obj) == _spec(self.old) and asked(self.obj) == asked(self.old):
            return True
        owner = objects.controller_of(self.obj)
        return bool(own_user) and self.user == own_user and owner is not None and owner.group == KOPFWERK

    @property
    def twin(self) -> Obj:
        """The same object as its built-in kind.

        It has what is validated: name, spec, and the annotations, since upstream reads one of them. Labels stay behind,
        so that webhooks that select by label are not troubled with an object that never comes to be; status, finalizers
        and owners likewise.
        """
        meta = self.obj["metadata"]
        kept = ("name", "generateName", "namespace", "annotations")
        return {
            "apiVersion": TWINS[self.obj["kind"]].api_version,
            "kind": self.obj["kind"],
            "metadata": {field: meta[field] for field in kept if field in meta},
            "spec": self._spec_of_twin(),
        }

    def _spec_of_twin(self) -> Obj:
        """Return the spec with the gates that pods will have, less what only an update may say.

        The latter is a rollingUpdate that was left behind by a change to Recreate and means nothing, and the addresses
        and ports that a Service has already: another could not have them.
        """
        spec = _gated(self.obj)
        if self.obj["kind"] == "Service" and self.old is not None:
            return _without_held(spec, self.old)
        strategy = spec.get("strategy") or {}
        if strategy.get("type") != "Recreate" or self.old is None:
            return spec
        before = _spec(self.old).get("strategy") or {}
        if strategy.get("rollingUpdate") != before.get("rollingUpdate"):
            return spec
        return spec | {"strategy": {field: value for field, value in strategy.items() if field != "rollingUpdate"}}


def _spec(obj: Obj) -> Obj:
    """Return the spec, empty where there is none."""
    return obj.get("spec") or {}


def _gated(obj: Obj) -> Obj:
    """Return the spec as its pods will be, where it has them."""
    spec = _spec(obj)
    template = spec.get("template") or {}
    if "spec" not in template:
        return spec
    return spec | {"template": template | {"spec": gated(obj, template["spec"])}}


def _without_held(spec: Obj, old: Obj) -> Obj:
    """Return a Service's spec without the address and the node ports that the Service has."""
    held = [_spec(old), old.get("status") or {}]
    addresses = {part.get("clusterIP") for part in held} - {None, "", "None"}
    if spec.get("clusterIP") in addresses or (spec.get("clusterIPs") or [None])[0] in addresses:
        spec = {field: value for field, value in spec.items() if field not in ("clusterIP", "clusterIPs")}
    if spec.get("healthCheckNodePort") in [part.get("healthCheckNodePort") for part in held]:
        spec = {field: value for field, value in spec.items() if field != "healthCheckNodePort"}
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        drawn = {port.get("nodePort") for part in held for port in part.get("ports") or ()}
        spec = spec | {"ports": [_without_node_port(port, drawn) for port in spec.get("ports") or ()]}
    return spec


def _without_node_port(port: Obj, held: Collection[int | None]) -> Obj:
    if port.get("nodePort") not in held:
        return port
    return {field: value for field, value in port.items() if field != "nodePort"}
