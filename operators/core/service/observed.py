"""What is looked at for one Service of ours."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from operators.core import objects
from operators.core.objects import Obj, services

SERVICES: Final = services("")
"""The core Services."""


@dataclass(frozen=True, slots=True)
class Observed:
    """A Service of ours, and the core Service of its name, whoever's it is."""

    service: Obj
    core: Obj | None
    now: datetime

    @property
    def own(self) -> Obj | None:
        """The core Service, where it is this object's."""
        owner = objects.controller_of(self.core) if self.core is not None else None
        return self.core if owner is not None and owner.uid == objects.uid(self.service) else None

    @property
    def is_taken(self) -> bool:
        """Whether the name is somebody else's: not this object's, nor that of one of ours that is gone."""
        if self.core is None or self.own is not None:
            return False
        owner = objects.controller_of(self.core)
        mine = (self.service["apiVersion"], self.service["kind"], objects.name(self.service))
        return owner is None or (owner.api_version, owner.kind, owner.name) != mine
