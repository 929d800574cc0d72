"""What a webhook is asked, which questions need no answer, and the twin that answers the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from operators.core import objects
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
        """Whether the template stays as it was."""
        return self.old is not None and _spec(self.obj).get(self.template) == _spec(self.old).get(self.template)

    def is_exempt(self, own_user: str) -> bool:
        """Whether there is nothing to ask.

        That is so for deletions, subresources (status, scale), writes that leave the spec alone (labels, annotations,
        finalizers), and for what the operator itself creates for one of our objects, which was asked about when that
        one was written. `own_user` is the operator's user name.
        """
        if self.operation not in ("CREATE", "UPDATE") or self.subresource or self.obj.get("kind") not in TWINS:
            return True
        if self.old is not None and _spec(self.obj) == _spec(self.old):
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
        """Return the spec, less a rollingUpdate that was left behind by a change to Recreate and means nothing."""
        spec = _spec(self.obj)
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
