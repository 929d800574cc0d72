"""Where the embedded cluster keeps things: programs in the user's cache, clusters in the user's state folder."""

import os
from pathlib import Path


def cache() -> Path:
    """The per-user cache: `KOPFWERK_CACHE`, or `kopfwerk` in the XDG cache folder."""
    return _folder("KOPFWERK_CACHE", "XDG_CACHE_HOME", ".cache")


def state() -> Path:
    """Where clusters are registered by name: `KOPFWERK_STATE`, or `kopfwerk` in the XDG state folder."""
    return _folder("KOPFWERK_STATE", "XDG_STATE_HOME", ".local/state")


def _folder(own: str, xdg: str, fallback: str) -> Path:
    """A folder of ours: by our own variable, by the desktop's, or in the home folder."""
    if chosen := os.environ.get(own):
        return Path(chosen).expanduser().absolute()
    base = os.environ.get(xdg)
    return (Path(base) if base else Path.home() / fallback) / "kopfwerk"
