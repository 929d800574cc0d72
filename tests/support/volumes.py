"""A Secret's volume on a node, as a kubelet writes it."""

import itertools
from collections.abc import Mapping
from pathlib import Path


class Volume:
    """Links to files in a folder that another link names, so that all files change at once."""

    def __init__(self, path: Path, files: Mapping[str, bytes]) -> None:
        self.path = path
        self._numbers = itertools.count()
        self.bring(files)
        for name in files:
            (path / name).symlink_to(Path("..data", name))

    def bring(self, files: Mapping[str, bytes]) -> None:
        """Put new files in place of the old ones."""
        version = self.path / f"..{next(self._numbers)}"
        version.mkdir()
        for name, content in files.items():
            (version / name).write_bytes(content)
        link = self.path / "..data_tmp"
        link.symlink_to(version.name)
        link.replace(self.path / "..data")
