"""What may happen in the world: every rule is somebody's or something's doing, in any order."""

from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import initialize, rule

from operators.core.objects import PODS, Obj, key
from operators.core.semantic import HASH_LABEL
from tests.properties.invariants import WorkloadRules
from tests.properties.store import DEPLOYMENTS, REPLICASETS
from tests.properties.trouble import MOMENTS, PICK, Trouble
from tests.properties.world import NODES
from tests.support.builders import template

SIZES = st.integers(0, 6)
BOUNDS = st.sampled_from([(1, 0), (0, 1), (1, 1), ("25%", "25%"), (3, 2)])
ALONE = ("ns", "alone")
WEB = ("ns", "web")


class Workloads(Trouble):
    """One Deployment and one ReplicaSet without one, and everything that befalls them."""

    judge = WorkloadRules

    @initialize(replicas=SIZES, web=SIZES, bounds=BOUNDS, settled=st.booleans(), seconds=st.sampled_from([0, 0, 5]))
    def begin(self, replicas: int, web: int, bounds: tuple[Any, Any], settled: bool, seconds: int) -> None:  # noqa: FBT001
        """Create both, and perhaps let them come to rest."""
        store = self.world.store
        meta = {"namespace": "ns"}
        spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "alone"}}}
        pod = template(app="alone")
        store.create(REPLICASETS, {"metadata": meta | {"name": "alone"}, "spec": spec | {"template": pod}})
        spec = {
            "replicas": web,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template(),
            "strategy": rolling(bounds),
            "minReadySeconds": seconds,
            "revisionHistoryLimit": 1,
            "progressDeadlineSeconds": 600,
        }
        store.create(DEPLOYMENTS, {"metadata": meta | {"name": "web"}, "spec": spec})
        if settled:
            self.world.quiesce()
            self.world.check_rest()

    @rule(replicas=SIZES, seconds=MOMENTS)
    def scale_replicaset(self, replicas: int, seconds: float) -> None:
        """Somebody scales the ReplicaSet."""
        self.world.store.patch(REPLICASETS, ALONE, {"spec": {"replicas": replicas}})
        self.after(seconds)

    @rule(replicas=SIZES, seconds=MOMENTS)
    def scale_deployment(self, replicas: int, seconds: float) -> None:
        """Somebody scales the Deployment."""
        self.world.store.patch(DEPLOYMENTS, WEB, {"spec": {"replicas": replicas}})
        self.after(seconds)

    @rule(version=st.integers(1, 3), seconds=MOMENTS)
    def change_template(self, version: int, seconds: float) -> None:
        """Somebody rolls out a version, perhaps one that was there before."""
        self.world.store.patch(DEPLOYMENTS, WEB, {"spec": {"template": template(f"app:{version}")}})
        self.after(seconds)

    @rule(bounds=BOUNDS, recreate=st.integers(0, 4), seconds=MOMENTS)
    def change_strategy(self, bounds: tuple[Any, Any], recreate: int, seconds: float) -> None:
        """Somebody changes how the Deployment rolls out."""
        strategy = {"type": "Recreate", "rollingUpdate": None} if recreate == 0 else rolling(bounds)
        self.world.store.patch(DEPLOYMENTS, WEB, {"spec": {"strategy": strategy}})
        self.after(seconds)

    @rule(paused=st.booleans(), seconds=MOMENTS)
    def pause(self, paused: bool, seconds: float) -> None:  # noqa: FBT001
        """Somebody pauses the Deployment, or lets it go on."""
        self.world.store.patch(DEPLOYMENTS, WEB, {"spec": {"paused": paused}})
        self.after(seconds)

    @rule(pick=PICK, how=st.sampled_from(["ready", "unready", "failed", "deleted", "removed"]), seconds=MOMENTS)
    def pod_changes(self, pick: int, how: str, seconds: float) -> None:
        """One pod changes its state, or somebody deletes it, gently or by force."""
        pod = self.some(PODS, pick)
        if pod is not None and how == "removed":
            self.world.store.remove(PODS, key(pod))
        elif pod is not None and how == "deleted":
            self.world.store.delete(PODS, key(pod))
        elif pod is not None and pod["status"]["phase"] in ("Pending", "Running"):
            self.world.set_pod(pod, "Failed" if how == "failed" else "Running", ready=how == "ready", node=NODES[0])
        self.after(seconds)

    @rule(pick=PICK, app=st.sampled_from(["alone", "web", "none"]), other=PICK, seconds=MOMENTS)
    def label_changes(self, pick: int, app: str, other: int, seconds: float) -> None:
        """Somebody changes a pod's labels, so that it leaves its ReplicaSet or is another's to adopt."""
        pod = self.some(PODS, pick)
        if pod is not None:
            labels = {"app": app, HASH_LABEL: self.hash(other) if app == "web" else None}
            self.world.store.patch(PODS, key(pod), {"metadata": {"labels": labels}})
        self.after(seconds)

    @rule(
        foreign=st.booleans(), app=st.sampled_from(["alone", "web"]), pick=PICK, namesake=st.booleans(), seconds=MOMENTS
    )
    def stranger(self, foreign: bool, app: str, pick: int, namesake: bool, seconds: float) -> None:  # noqa: FBT001
        """A pod with matching labels comes: an orphan or another controller's, perhaps with the name of one of ours."""
        store, name = self.world.store, f"stranger-{self.world.store.version}"
        if namesake and (pod := self.some(PODS, pick)) is not None:
            store.remove(PODS, key(pod))
            name = pod["metadata"]["name"]
        labels = {"app": app} | ({HASH_LABEL: self.hash(pick)} if app == "web" else {})
        meta: Obj = {"namespace": "ns", "name": name, "labels": labels}
        if foreign:
            owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "job", "uid": "foreign-1", "controller": True}
            meta["ownerReferences"] = [owner]
        store.create(PODS, {"metadata": meta, "spec": {"containers": []}})
        self.after(seconds)

    @rule(pick=PICK, seconds=MOMENTS)
    def replicaset_deleted(self, pick: int, seconds: float) -> None:
        """Somebody deletes a ReplicaSet of the Deployment; its pods go after it."""
        rs = self.some(REPLICASETS, pick)
        if rs is not None and key(rs) != ALONE:
            self.world.store.delete(REPLICASETS, key(rs))
            self.world.store.collect_garbage()
        self.after(seconds)

    @rule(pick=PICK, seconds=MOMENTS)
    def replicaset_orphaned(self, pick: int, seconds: float) -> None:
        """Somebody takes a ReplicaSet from its Deployment, which adopts it anew."""
        rs = self.some(REPLICASETS, pick)
        if rs is not None:
            self.world.store.patch(REPLICASETS, key(rs), {"metadata": {"ownerReferences": None}})
        self.after(seconds)

    def hash(self, pick: int) -> str:
        """Return the hash of one of the Deployment's ReplicaSets."""
        found = [rs for rs in self.world.store.all(REPLICASETS) if key(rs) != ALONE]
        return str(found[pick % len(found)]["metadata"]["labels"][HASH_LABEL]) if found else "none"


def rolling(bounds: tuple[Any, Any]) -> Obj:
    """Return a strategy by its surge and its unavailability."""
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": bounds[0], "maxUnavailable": bounds[1]}}
