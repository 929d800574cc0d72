"""Groups before the real kube-scheduler: all of a group's pods are bound or none, and no pod that waits is forgotten.

Nothing else happens in these clusters, so that whatever wakes a pod is what the extender does about it.
"""

import re
from collections.abc import Iterator

import pytest

from operators.cluster import nodes
from operators.cluster.api import Api
from operators.cluster.cluster import Cluster, Settings
from operators.cluster.readiness import wait
from operators.core.gang import MIN_COUNT, POD_GROUP
from operators.core.objects import Obj
from tests.scheduler.test_embedded import PODS, condition_of, metrics_of, node_of, pod, said_of

pytestmark = pytest.mark.cluster
SIXTH = "5"
"""Of the 32 CPUs of a node, so that six pods fit."""
_EMPTY = (
    re.compile(r'^scheduler_cache_size\{type="nodes"\} 1(\.0)?$', re.MULTILINE),
    re.compile(r'^scheduler_cache_size\{type="pods"\} 0(\.0)?$', re.MULTILINE),
)
_ASLEEP = re.compile(r'^scheduler_pending_pods\{queue="unschedulable"\} (\d+)$', re.MULTILINE)


@pytest.fixture(scope="module")
def shared() -> Iterator[Cluster]:
    """Return a cluster of one node, on which nothing runs but the scheduler."""
    with Cluster(Settings(name="gangs", nodes=1, operator=False)) as started:
        yield started


@pytest.fixture
def cluster(shared: Cluster) -> Iterator[Cluster]:
    """Return it, empty again after the test."""
    yield shared
    with shared.api() as api:
        api.request("DELETE", f"{PODS}?gracePeriodSeconds=0")
        for node in api.get("/api/v1/nodes")["items"][1:]:
            nodes.remove(api, node["metadata"]["name"])
        wait(shared, lambda: all(is_empty(page) for page in pages(shared)), "pods or nodes are left")


def member(name: str, group: str, minimum: int = 5, cpu: str = "8", **spec: object) -> Obj:
    """Build a pod of a group; four of 8 CPUs fit on a node."""
    return pod(name, cpu, **spec) | {"metadata": {"name": name, "labels": {POD_GROUP: group, MIN_COUNT: str(minimum)}}}


def make(api: Api, group: str, count: int = 5, **more: object) -> None:
    """Create pods of a group."""
    for number in range(count):
        api.request("POST", PODS, member(f"{group}-{number}", group, **more))  # type: ignore[arg-type]


def bound(api: Api, group: str) -> set[str]:
    """Return the pods of a group that are on a node."""
    found = api.get(f"{PODS}?labelSelector={POD_GROUP}%3D{group}")["items"]
    return {one["metadata"]["name"] for one in found if one["spec"].get("nodeName")}


def is_told(api: Api, name: str, what: str) -> bool:
    """Whether a pod's condition says something."""
    return what in condition_of(api, name)


def has_no_room(api: Api, group: str) -> bool:
    """Whether one of a group's pods, the one that was tried last, is told that there is no room for all."""
    found = api.get(f"{PODS}?labelSelector={POD_GROUP}%3D{group}")["items"]
    return any(f"no room for group {group}" in said_of(one) for one in found)


def pages(cluster: Cluster) -> tuple[str, str]:
    """Return the metrics of kube-scheduler and of the extender."""
    scheduler = Api(f"https://127.0.0.1:{cluster.layout.ports.scheduler}", cluster.layout.pki)
    return scheduler.get("/metrics"), metrics_of(cluster)


def is_empty(page: str) -> bool:
    """Whether who has these metrics knows of one node only, and of no pod on it."""
    return all(pattern.search(page) for pattern in _EMPTY)


def asleep(cluster: Cluster) -> int:
    """Return how many pods kube-scheduler tries again only when something happens."""
    found = _ASLEEP.search(pages(cluster)[0])
    return int(found[1]) if found else 0


def missing_claim() -> Obj:
    """Return what keeps a pod from being placed: kube-scheduler itself refuses it, the extender is not asked."""
    return {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "missing"}}]}


def all_but_one(cluster: Cluster, api: Api, group: str) -> None:
    """Create four pods of a group, the last of which kube-scheduler refuses, and wait until the others wait for it."""
    cluster.processes["kube-scheduler"].kill()  # so that all are there when the first is asked about
    make(api, group, 3, minimum=4)
    api.request("POST", PODS, member(f"{group}-3", group, 4, **missing_claim()))
    cluster.restart("kube-scheduler")
    what = f"wait for group {group}: fewer than its 4 pods have a node that would do"
    wait(cluster, lambda: all(is_told(api, f"{group}-{n}", what) for n in range(3)), "the group is not tried")
    wait(cluster, lambda: is_told(api, f"{group}-3", "not found"), "the pod has its claim")


def test_room_for_four_of_five_is_room_for_none(cluster: Cluster) -> None:
    """Once there is another node all are placed, at once."""
    with cluster.api() as api:
        cluster.processes["kube-scheduler"].kill()  # so that all are there when the first is asked about
        make(api, "five")
        cluster.restart("kube-scheduler")
        wait(cluster, lambda: has_no_room(api, "five"), "not told")
        wait(cluster, lambda: asleep(cluster) == 5, "they are tried again and again")
        assert bound(api, "five") == set()
        nodes.add(api)
        wait(cluster, lambda: len(bound(api, "five")) == 5, "not placed")


def test_of_two_groups_one_is_placed_and_then_the_other(cluster: Cluster) -> None:
    """Their pods are made by turns. Neither ever has a part of its pods bound."""
    with cluster.api() as api:
        for number in range(3):
            for group in ("left", "right"):
                api.request("POST", PODS, member(f"{group}-{number}", group, 3))
        wait(cluster, lambda: bool(bound(api, "left") | bound(api, "right")), "neither is placed")
        [first, second] = ["left", "right"] if bound(api, "left") else ["right", "left"]
        wait(cluster, lambda: len(bound(api, first)) == 3, "one is placed in part")
        wait(cluster, lambda: has_no_room(api, second), "the other is not told")
        assert bound(api, second) == set()
        for name in sorted(bound(api, first)):
            api.request("DELETE", f"{PODS}/{name}")
        wait(cluster, lambda: len(bound(api, second)) == 3, "the other is not placed")


def test_pods_that_were_tried_long_ago_are_placed_when_the_last_comes(cluster: Cluster) -> None:
    """kube-scheduler tells nobody that a pod was made: that the last one is bound has the others tried again."""
    with cluster.api() as api:
        make(api, "late", 4, cpu=SIXTH)
        wait(
            cluster,
            lambda: all(is_told(api, f"late-{n}", "fewer than its 5 pods are there") for n in range(4)),
            "not told",
        )
        wait(cluster, lambda: asleep(cluster) == 4, "they are tried again and again")
        assert bound(api, "late") == set()
        api.request("POST", PODS, member("late-4", "late", cpu=SIXTH))
        wait(cluster, lambda: len(bound(api, "late")) == 5, "not placed")  # sooner than by trying all pods again


def test_a_group_that_waits_holds_nothing(cluster: Cluster) -> None:
    """Another pod is placed meanwhile. Once there is room again, and all of its pods can come, the group is placed."""
    with cluster.api() as api:
        all_but_one(cluster, api, "held")
        api.request("POST", PODS, pod("alone", "8"))
        wait(cluster, lambda: node_of(api, "alone") != "", "it waits for the group")
        api.request("DELETE", f"{PODS}/held-3")
        wait(cluster, lambda: len(api.get(PODS)["items"]) == 4, "not deleted")
        api.request("POST", PODS, member("held-3", "held", 4))
        wait(cluster, lambda: has_no_room(api, "held"), "not told")
        assert bound(api, "held") == set()
        api.request("DELETE", f"{PODS}/alone")
        wait(cluster, lambda: len(bound(api, "held")) == 4, "not placed")


def test_a_pod_that_is_deleted_while_others_wait(cluster: Cluster) -> None:
    """They are not bound without it, and are with the one in its place."""
    with cluster.api() as api:
        all_but_one(cluster, api, "gone")
        cluster.processes["kube-scheduler"].kill()
        api.request("DELETE", f"{PODS}/gone-1")
        api.request("DELETE", f"{PODS}/gone-3")
        api.request("POST", PODS, member("gone-4", "gone", 4))
        cluster.restart("kube-scheduler")
        wait(cluster, lambda: is_told(api, "gone-4", "fewer than its 4 pods are there"), "not told")
        assert bound(api, "gone") == set()
        api.request("POST", PODS, member("gone-5", "gone", 4))
        wait(cluster, lambda: bound(api, "gone") == {"gone-0", "gone-2", "gone-4", "gone-5"}, "not placed")


def test_an_extender_that_starts_again_in_between(cluster: Cluster) -> None:
    """It knows of no plan. Those that waited are placed with the last, and a bound pod's successor beside the bound."""
    with cluster.api() as api:
        all_but_one(cluster, api, "again")
        cluster.processes["scheduler-extender"].kill()
        cluster.restart("scheduler-extender")
        api.request("DELETE", f"{PODS}/again-3")
        api.request("POST", PODS, pod("other", "0"))
        wait(cluster, lambda: node_of(api, "other") != "", "the extender does not answer")
        assert bound(api, "again") == set()
        api.request("POST", PODS, member("again-4", "again", 4))
        wait(cluster, lambda: len(bound(api, "again")) == 4, "not placed")
        cluster.processes["scheduler-extender"].kill()
        cluster.restart("scheduler-extender")
        api.request("DELETE", f"{PODS}/again-4")
        wait(cluster, lambda: len(api.get(PODS)["items"]) == 4, "not deleted")
        api.request("POST", PODS, member("again-5", "again", 4))
        wait(cluster, lambda: len(bound(api, "again")) == 4, "the one in its place waits for others")


def test_a_group_that_was_begun_comes_first_after_a_restart(cluster: Cluster) -> None:
    """Three of four are bound when an extender takes over: an older pod does not get the room of the fourth."""
    with cluster.api() as api:
        cluster.processes["kube-scheduler"].kill()
        cluster.processes["scheduler-extender"].kill()
        on_node = {"nodeName": api.get("/api/v1/nodes")["items"][0]["metadata"]["name"]}
        for number in range(3):
            api.request("POST", PODS, member(f"begun-{number}", "begun", 4, **on_node))
        api.request("POST", PODS, pod("alone", "8"))
        api.request("POST", PODS, member("begun-3", "begun", 4))
        cluster.restart("scheduler-extender")
        cluster.restart("kube-scheduler")
        wait(cluster, lambda: node_of(api, "begun-3") != "", "not placed")
        wait(cluster, lambda: is_told(api, "alone", "Insufficient cpu"), "not told")
