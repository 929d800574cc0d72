"""Where the cluster's programs come from."""

import os
from pathlib import Path

from operators.cluster import folders
from operators.cluster.errors import ClusterError
from operators.cluster.versions import Program, Release


def cached(program: Program, release: Release) -> Path:
    """Where the cache has, or will have, a program of a release."""
    return folders.cache() / "bin" / f"{program.module}-{program.version(release)}" / program.name


def find(program: Program, release: Release, explicit: Path | None = None) -> Path:
    """The file of a program: of the explicit folder or `KUBEBUILDER_ASSETS`, else of the cache."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    given = [folder / program.name for folder in (explicit, Path(assets) if assets else None) if folder]
    for path in (*given, cached(program, release)):
        if os.access(path, os.X_OK) and path.is_file():
            return path
    raise ClusterError(f"{program.name} was not found")
