"""Writes the operator's rights for the chart, from what its controllers declare."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import yaml

from operators.controllers import controllers
from operators.core.admission.review import TWINS
from operators.runtime.access import cluster_rules, lease_rules
from operators.runtime.operator import LEASE

FILE: Final = Path("helm/kopfwerk/files/rules.yaml")
_HEAD: Final = "# What the operator may do, in each mode: its ClusterRole, and its Role beside the Lease.\n"


def files() -> Iterable[tuple[Path, str]]:
    """Yield the one file."""
    lease = lease_rules(LEASE)
    modes = {
        "kopfwerk": {"cluster": cluster_rules(controllers(native=False), TWINS.values()), "lease": lease},
        "native": {"cluster": cluster_rules(controllers(native=True)), "lease": lease},
    }
    yield FILE, _HEAD + yaml.dump(modes, Dumper=_Plain, sort_keys=False, width=120)


class _Plain(yaml.SafeDumper):
    """Lists as kubectl prints rules: one line each, quoted where a line would otherwise be empty."""

    def ignore_aliases(self, data: object) -> bool:
        """Write the Lease's rules twice rather than refer to them."""
        return True
