"""Fields of an object as JSON has them, each of the type that it has to be: who asks the extender may send anything.

What comes from the apiserver has been through its validation; what is asked about has not. A TypeError names the field.
"""

from collections.abc import Mapping

from operators.core.objects import Obj


def text(obj: Obj, field: str, default: str | None = None) -> str:
    """Return a string; where it is absent or null the default, without which there has to be one."""
    found = obj.get(field)
    if found is None and default is not None:
        return default
    if not isinstance(found, str):
        raise TypeError(f"{field} has to be a string")
    return found


def whole(obj: Obj, field: str, default: int | None = None) -> int:
    """Return a whole number; where it is absent or null the default, without which there has to be one."""
    found = obj.get(field)
    if found is None and default is not None:
        return default
    if type(found) is not int:  # True is not one
        raise TypeError(f"{field} has to be a whole number")
    return found


def texts(obj: Obj, field: str) -> Mapping[str, str]:
    """Return an object whose values are strings; an empty one where it is absent or null."""
    found = obj.get(field) or {}
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise TypeError(f"{field} has to be an object of strings")
    return found
