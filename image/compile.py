"""Prepares the image: bytecode for the modules that the operator imports, and no files that nothing reads."""

import compileall
import shutil
import sys
import sysconfig
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from py_compile import PycInvalidationMode

SITE = Path(sysconfig.get_path("purelib"))

UNUSED = ("kubernetes/client", "kubernetes/aio/client")
"""Typed models and calls of the whole API, a fifth of the image: the operator sends JSON by itself."""


def main() -> None:
    """Import all that the operator has, and compile what that took."""
    sys.dont_write_bytecode = True
    for package in walk_packages(import_module("operators").__path__, "operators."):
        import_module(package.name)
    used = {Path(file) for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))}
    for file in sorted(used):
        if file.suffix == ".py" and file.is_relative_to(SITE):
            # Without a look at the source's time, which does not survive every way of building an image.
            compileall.compile_file(file, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    for folder in [*SITE.glob("**/tests"), *(SITE / path / part for path in UNUSED for part in ("api", "models"))]:
        if not any(file.is_relative_to(folder) for file in used):
            shutil.rmtree(folder)


main()
