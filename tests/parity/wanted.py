"""What scenarios wait for."""

from operators.core.objects import Obj
from tests.parity.pair import Want
from tests.parity.view import View


def size(count: int) -> Want:
    """All pods run and are ready, nobody deletes them, and there are so many of them."""
    good = ("ready=True", "deleting=False")
    return lambda v: len(v.raw["pods"]) == count and all(part in line for line in v.pods for part in good)


def phase(wanted: str) -> Want:
    """All pods there are, and there are some, are in this phase, and nobody deletes them."""
    return lambda v: bool(v.pods) and all(f"phase={wanted} " in line and "deleting=False" in line for line in v.pods)


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
        return images == [image] * count and not _any_deleted(v) and good(v)

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


def rolled(image: str, count: int) -> Want:
    """A StatefulSet has so many pods, all of the image and ready, and says that they are current."""

    def holds(v: View) -> bool:
        found = v.find("statefulsets").get("status") or {}
        counts = [found.get(f"{name}eplicas", 0) for name in ("r", "readyR", "availableR", "currentR", "updatedR")]
        same = found.get("currentRevision") == found.get("updateRevision")
        return images(image, count=count)(v) and not _any_deleted(v) and counts == [count] * 5 and same

    return holds


def _any_deleted(v: View) -> bool:
    """Whether a pod is on its way out."""
    return any("deletionTimestamp" in pod["metadata"] for pod in v.raw["pods"])


def images(*wanted: str, count: int | None = None) -> Want:
    """The pods have these images, by their names; or, with a count, so many have the one."""
    expected = list(wanted) if count is None else list(wanted) * count

    def holds(v: View) -> bool:
        ordered = sorted(v.raw["pods"], key=lambda pod: str(pod["metadata"]["name"]))
        return [pod["spec"]["containers"][0]["image"] for pod in ordered] == expected

    return holds


def counts(plural: str, count: int) -> Want:
    """There are so many objects of the kind."""
    return lambda v: len(v.raw[plural]) == count


def job_is(type_: str, reason: str | None = None) -> Want:
    """The Job has this condition, for this reason where one is named, and no pod is on its way out."""

    def holds(v: View) -> bool:
        found = v.find("jobs").get("status") or {}
        return any(
            c["type"] == type_ and c["status"] == "True" and reason in (None, c["reason"])
            for c in found.get("conditions") or ()
        )

    return holds


def job_status(**wanted: int | str) -> Want:
    """The Job's status has these figures."""

    def holds(v: View) -> bool:
        found = v.find("jobs").get("status") or {}
        return all(found.get(k, 0 if isinstance(n, int) else "") == n for k, n in wanted.items())

    return holds


def set_status(**wanted: int) -> Want:
    """A StatefulSet's status has these counts."""
    return status("statefulsets", "web", **wanted)


def owned_by(kind: str | None, *claims: str) -> Want:
    """These claims are owned by an object of the kind, or by nobody."""

    def holds(v: View) -> bool:
        found = {obj["metadata"]["name"]: obj["metadata"].get("ownerReferences") or [] for obj in
                 v.raw["persistentvolumeclaims"]}  # fmt: skip
        want = [kind] if kind else []
        return all([ref["kind"] for ref in found.get(name, ({"kind": "missing"},))] == want for name in claims)

    return holds
