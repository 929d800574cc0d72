"""Claims of StatefulSets, ours beside upstream's, with real PersistentVolumes."""

from typing import Any

import pytest

from tests.parity.manifests import claim_template, statefulset
from tests.parity.pair import Pair, Side
from tests.parity.view import View
from tests.parity.wanted import both, counts, gone, owned_by, pods, rolled, set_status

pytestmark = pytest.mark.cluster

CLAIMS = "persistentvolumeclaims"


def policy(deleted: str, scaled: str) -> dict[str, Any]:
    """Return the field that says what becomes of claims."""
    return {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": deleted, "whenScaled": scaled}}


def bound(count: int) -> Any:
    """There are so many claims, and all have a volume."""
    return lambda v: [obj["status"].get("phase") for obj in v.raw[CLAIMS]] == ["Bound"] * count


def _without_conflicts(sets: Pair) -> Pair:
    """Compare no events: upstream tells of conflicts with whoever binds a claim just as it is given its owner."""
    return sets.without_events()


async def test_claims(sets: Pair, storage: str) -> None:
    """Each pod has claims of its own, which are there before it; they stay as the set shrinks, and are found again."""
    await sets.create(statefulset(2, storage=storage))
    view = await sets.agree(both(rolled("app:1", 2), bound(2)))
    before = volumes(view)
    await sets.scale(1)
    await sets.agree(both(rolled("app:1", 1), bound(2)))
    await sets.scale(2)
    view = await sets.agree(both(rolled("app:1", 2), bound(2)))
    assert volumes(view) == before


def volumes(view: View) -> dict[str, str]:
    """Return which claim has which volume."""
    return {obj["metadata"]["name"]: obj["spec"]["volumeName"] for obj in view.raw[CLAIMS]}


async def test_several_claims_in_parallel(sets: Pair, storage: str) -> None:
    """Claims of several templates are made for all pods at once."""
    templates = [claim_template(name, storage) for name in ("data", "log")]
    await sets.create(statefulset(2, parallel=True, volumeClaimTemplates=templates))
    await sets.agree(both(rolled("app:1", 2), bound(4)))


async def test_claims_outlive_the_set(sets: Pair, storage: str) -> None:
    """By default claims are kept when the set is deleted."""
    await sets.create(statefulset(2, storage=storage))
    await sets.agree(both(rolled("app:1", 2), bound(2)))
    await sets.delete("statefulsets", "web")
    await sets.agree(both(gone("statefulsets"), pods(0), bound(2)))


async def test_claims_go_with_the_set(sets: Pair, storage: str) -> None:
    """With whenDeleted: Delete the set owns them, and they go with it, but not when it shrinks."""
    sets = _without_conflicts(sets)
    await sets.create(statefulset(2, storage=storage, **policy("Delete", "Retain")))
    await sets.agree(both(rolled("app:1", 2), bound(2), owned_by("StatefulSet", "data-web-0", "data-web-1")))
    await sets.scale(1)
    await sets.agree(both(rolled("app:1", 1), bound(2)))
    await sets.delete("statefulsets", "web")
    await sets.agree(both(gone("statefulsets"), pods(0), gone(CLAIMS)))


async def test_claims_go_with_scaling(sets: Pair, storage: str) -> None:
    """With whenScaled: Delete a pod that is too many takes its claims along; they come anew with the next."""
    await sets.create(statefulset(2, storage=storage, **policy("Retain", "Delete")))
    await sets.agree(both(rolled("app:1", 2), bound(2), owned_by(None, "data-web-0", "data-web-1")))
    await sets.scale(1)
    await sets.agree(both(rolled("app:1", 1), bound(1)))
    await sets.scale(2)
    await sets.agree(both(rolled("app:1", 2), bound(2)))
    await sets.delete("statefulsets", "web")
    await sets.agree(both(gone("statefulsets"), pods(0), bound(2)))


async def test_claims_go_with_both(sets: Pair, storage: str) -> None:
    """With both the set owns those in use, and a pod that is too many its own."""
    sets = _without_conflicts(sets)
    await sets.create(statefulset(2, storage=storage, **policy("Delete", "Delete")))
    await sets.agree(both(rolled("app:1", 2), owned_by("StatefulSet", "data-web-0", "data-web-1")))
    await sets.scale(1)
    await sets.agree(both(rolled("app:1", 1), bound(1)))
    await sets.delete("statefulsets", "web")
    await sets.agree(both(gone("statefulsets"), gone(CLAIMS)))


async def test_a_killed_pod_keeps_its_claims(sets: Pair, storage: str) -> None:
    """With every policy, what is no scaling down takes no claims."""
    sets = _without_conflicts(sets)
    await sets.create(statefulset(1, storage=storage, **policy("Delete", "Delete")))
    await sets.agree(both(rolled("app:1", 1), bound(1)))
    await sets.delete("pods", "web-0")
    await sets.agree(both(rolled("app:1", 1), bound(1), owned_by("StatefulSet", "data-web-0")))


async def test_change_of_policy(sets: Pair, storage: str) -> None:
    """A policy that changes changes who owns the claims that there are, and back."""
    await sets.create(statefulset(2, storage=storage))
    await sets.agree(both(rolled("app:1", 2), bound(2)))
    await sets.edit(**policy("Delete", "Delete"))
    await sets.without_events().agree(owned_by("StatefulSet", "data-web-0", "data-web-1"))
    await sets.edit(**policy("Retain", "Retain"))
    await sets.without_events().agree(owned_by(None, "data-web-0", "data-web-1"))


async def test_claims_that_were_there(sets: Pair, storage: str) -> None:
    """A claim that has the name already is used, with the labels that it has."""
    made = claim_template("data-web-0", storage)
    await sets.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim"} | made)
    await sets.agree(bound(1))
    await sets.create(statefulset(2, storage=storage))
    await sets.agree(both(rolled("app:1", 2), bound(2)))


async def test_claim_that_somebody_controls(sets: Pair, storage: str) -> None:
    """A claim that another object controls stays that object's, and it is said."""
    await sets.create(statefulset(1, storage=storage))
    await sets.agree(both(rolled("app:1", 1), bound(1)))

    async def take(side: Side) -> None:
        url = f"/api/v1/namespaces/{side.namespace}/configmaps"
        owner = await side.client.request("POST", url, {"metadata": {"name": "owner"}})
        ref = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
        await side.merge(CLAIMS, "data-web-0", {"metadata": {"ownerReferences": [ref | {"controller": True}]}})

    await sets.each(take)
    await sets.edit(**policy("Delete", "Delete"))
    await sets.agree(owned_by("ConfigMap", "data-web-0"))


async def test_claim_that_is_being_deleted(sets: Pair, storage: str) -> None:
    """While a claim is being deleted its pod cannot be made; once it is gone both come."""
    await sets.create(statefulset(2, storage=storage))
    await sets.agree(both(rolled("app:1", 2), bound(2)))
    await sets.patch(CLAIMS, "data-web-1", {"metadata": {"finalizers": ["example.com/hold"]}})
    await sets.delete(CLAIMS, "data-web-1")
    await sets.delete("pods", "web-1")
    await sets.agree(both(pods(1), counts(CLAIMS, 2), set_status(replicas=1)))
    await sets.patch(CLAIMS, "data-web-1", {"metadata": {"finalizers": None}})
    await sets.agree(both(rolled("app:1", 2), bound(2)), patience=60)


async def test_deleted_claim_of_a_pending_pod(sets: Pair, storage: str) -> None:
    """A claim that goes before its pod runs is made anew."""
    missing = f"{storage}-none"
    await sets.create(statefulset(1, storage=missing))
    await sets.agree(both(pods(1), counts(CLAIMS, 1)))

    async def lose(side: Side) -> None:
        (before,) = (await side.look("none")).raw[CLAIMS]
        await side.merge(CLAIMS, "data-web-0", {"metadata": {"finalizers": None}})
        await side.client.request("DELETE", side.url(CLAIMS, "data-web-0"))
        await side.until(lambda v: all(obj["metadata"]["uid"] != before["metadata"]["uid"] for obj in v.raw[CLAIMS]))

    await sets.each(lose)
    await sets.annotate_pods(1, note="wake")  # upstream is not woken by a claim that goes
    await sets.agree(counts(CLAIMS, 1))


async def test_storage_of_another_template(sets: Pair, storage: str) -> None:
    """Pods that were left behind by a set with another claim template are adopted, and cannot be changed."""
    await sets.create(statefulset(1, storage=storage))
    await sets.agree(both(rolled("app:1", 1), bound(1)))
    await sets.delete("statefulsets", "web", "Orphan")
    await sets.agree(both(gone("statefulsets"), pods(1)))
    made = statefulset(1, volumeClaimTemplates=[claim_template("other", storage)])
    await sets.create(made)
    quiet = sets.without_events()
    await quiet.agree(both(pods(1), bound(2), set_status(replicas=1, readyReplicas=1)))
    await sets.each(lambda side: side.until(lambda v: any("FailedUpdate" in e["reason"] for e in v.raw["events"])))
    await sets.delete("pods", "web-0")
    await quiet.agree(both(rolled("app:1", 1), bound(2)))
