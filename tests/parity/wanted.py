"""What scenarios wait for."""

from operators.core.objects import Obj
from tests.parity.pair import Want
from tests.parity.view import View


def size(count: int) -> Want:
    """All pods run and are ready, and there are so many of them."""
    return lambda v: len(v.raw["pods"]) == count and all("ready=True" in line for line in v.pods)


def pods(count: int) -> Want:
    """There are so many pods, however they are."""
    return lambda v: len(v.raw["pods"]) == count


def status(kind: str = "deployments", name: str = "web", **counts: int) -> Want:
    """An object's status has these counts."""

    def holds(v: View) -> bool:
        found = next((obj for obj in v.raw[kind] if obj["metadata"]["name"] == name), None)
        return found is not None and all((found.get("status") or {}).get(k, 0) == n for k, n in counts.items())

    return holds


def complete(image: str, count: int) -> Want:
    """A rollout is complete: so many pods, all of the image, ready and available."""

    def holds(v: View) -> bool:
        good = status(updatedReplicas=count, replicas=count, availableReplicas=count, terminatingReplicas=0)
        images = [p["spec"]["containers"][0]["image"] for p in v.raw["pods"]]
        return images == [image] * count and good(v)

    return holds


def condition(type_: str, reason: str | None, plural: str = "deployments") -> Want:
    """An object of the kind has a condition for this reason, or has none of the type where the reason is None."""

    def holds(v: View) -> bool:
        found = [
            c for obj in v.raw[plural] for c in (obj.get("status") or {}).get("conditions") or () if c["type"] == type_
        ]
        return any(c["reason"] == reason for c in found) if reason else not found

    return holds


def both(*wants: Want) -> Want:
    """All of it holds."""
    return lambda v: all(want(v) for want in wants)


def replicasets(count: int) -> Want:
    """There are so many ReplicaSets."""
    return lambda v: len(v.raw["replicasets"]) == count


def gone(plural: str = "deployments") -> Want:
    """No object of the kind is left."""
    return lambda v: not v.raw[plural]


def sizes(*wanted: int) -> Want:
    """The ReplicaSets are asked for so many pods, in any order."""

    def of(rs: Obj) -> int:
        return int(rs["spec"]["replicas"])

    return lambda v: sorted(map(of, v.raw["replicasets"])) == sorted(wanted)
