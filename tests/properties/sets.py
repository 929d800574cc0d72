"""What may happen to a StatefulSet: every rule is somebody's or something's doing, in any order."""

from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import initialize, rule

from operators.core.objects import PODS, Obj, key
from operators.core.revisions import CONTROLLERREVISIONS
from operators.core.statefulset import CLAIMS
from operators.core.statefulset.identity import POD_NAME_LABEL
from tests.properties.order import OrderRules
from tests.properties.store import STATEFULSETS
from tests.properties.trouble import MOMENTS, PICK, Trouble
from tests.properties.world import BAD, NODES
from tests.support.builders import template

SIZES = st.integers(0, 5)
IMAGES = st.sampled_from(["app:1", "app:2", "app:3", BAD])
POLICIES = st.sampled_from([None, ("Delete", "Retain"), ("Retain", "Delete"), ("Delete", "Delete")])
STRATEGIES = st.sampled_from([
    {"type": "OnDelete", "rollingUpdate": None},
    {"type": "RollingUpdate", "rollingUpdate": None},
    *({"type": "RollingUpdate", "rollingUpdate": {"partition": partition, "maxUnavailable": unavailable}}
      for partition, unavailable in ((0, 1), (0, 2), (2, 1), (1, "60%"))),
])  # fmt: skip
ROLLING: Obj = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0, "maxUnavailable": 1}}
WEB = ("ns", "web")


class Sets(Trouble):
    """One StatefulSet with claims, and everything that befalls it."""

    judge = OrderRules

    @initialize(
        replicas=SIZES,
        strategy=STRATEGIES,
        policy=POLICIES,
        parallel=st.booleans(),
        seconds=st.sampled_from([0, 0, 5]),
        claims=st.booleans(),
        settled=st.booleans(),
    )
    def begin(
        self,
        replicas: int,
        strategy: Obj,
        policy: tuple[str, str] | None,
        *,
        parallel: bool,
        seconds: int,
        claims: bool,
        settled: bool,
    ) -> None:
        """Create it, and perhaps let it come to rest."""
        spec: Obj = {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "serviceName": "svc",
            "template": template(),
            "podManagementPolicy": "Parallel" if parallel else "OrderedReady",
            "updateStrategy": {part: value for part, value in strategy.items() if value is not None},
            "minReadySeconds": seconds,
            "revisionHistoryLimit": 1,
            "persistentVolumeClaimRetentionPolicy": _policy(policy),
        }
        if claims:
            spec["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": {}}]
        self.world.store.create(STATEFULSETS, {"metadata": {"namespace": "ns", "name": "web"}, "spec": spec})
        if settled:
            self.world.quiesce()
            self.world.check_rest()

    def change(self, spec: Obj, seconds: float) -> None:
        """Change fields of the spec."""
        self.world.store.patch(STATEFULSETS, WEB, {"spec": spec})
        self.after(seconds)

    @rule(replicas=SIZES, seconds=MOMENTS)
    def scale(self, replicas: int, seconds: float) -> None:
        """Somebody scales it."""
        self.change({"replicas": replicas}, seconds)

    @rule(image=IMAGES, seconds=MOMENTS)
    def change_template(self, image: str, seconds: float) -> None:
        """Somebody rolls out a template, perhaps one that was there before, perhaps one that cannot work."""
        self.change({"template": template(image)}, seconds)

    @rule(image=IMAGES)
    def roll_out(self, image: str) -> None:
        """Somebody rolls out a template, and it goes as far as it can."""
        self.change({"template": template(image)}, 0)
        for _ in range(8):
            self.world.kubelets()
            self.after(20)

    @rule(strategy=STRATEGIES, seconds=MOMENTS)
    def change_strategy(self, strategy: Obj, seconds: float) -> None:
        """Somebody changes how it is updated."""
        self.change({"updateStrategy": strategy}, seconds)

    @rule(first=st.integers(0, 3), seconds=MOMENTS)
    def move(self, first: int, seconds: float) -> None:
        """Somebody lets the ordinals begin elsewhere."""
        self.change({"ordinals": {"start": first}}, seconds)

    @rule(policy=POLICIES, seconds=MOMENTS)
    def change_policy(self, policy: tuple[str, str] | None, seconds: float) -> None:
        """Somebody decides otherwise about the claims."""
        self.change({"persistentVolumeClaimRetentionPolicy": _policy(policy)}, seconds)

    @rule(
        pick=PICK,
        how=st.sampled_from(["ready", "unready", "Failed", "Succeeded", "deleted", "removed"]),
        seconds=MOMENTS,
    )
    def pod_changes(self, pick: int, how: str, seconds: float) -> None:
        """One pod changes its state, or somebody deletes it, gently or by force."""
        pod = self.some(PODS, pick)
        if pod is not None and how == "removed":
            self.world.store.remove(PODS, key(pod))
        elif pod is not None and how == "deleted":
            self.world.store.delete(PODS, key(pod))
        elif pod is not None and pod["status"]["phase"] in ("Pending", "Running"):
            ended = how in ("Failed", "Succeeded")
            self.world.set_pod(pod, how if ended else "Running", ready=how == "ready", node=NODES[0])
        self.after(seconds)

    @rule(pick=PICK, label=st.sampled_from(["app", POD_NAME_LABEL]), seconds=MOMENTS)
    def label_changes(self, pick: int, label: str, seconds: float) -> None:
        """Somebody takes a label from a pod, so that it leaves the set or does not say who it is."""
        pod = self.some(PODS, pick)
        if pod is not None:
            self.world.store.patch(PODS, key(pod), {"metadata": {"labels": {label: None}}})
        self.after(seconds)

    @rule(pick=PICK, seconds=MOMENTS)
    def pod_orphaned(self, pick: int, seconds: float) -> None:
        """Somebody takes a pod from the set, which adopts it anew."""
        pod = self.some(PODS, pick)
        if pod is not None:
            self.world.store.patch(PODS, key(pod), {"metadata": {"ownerReferences": None}})
        self.after(seconds)

    @rule(ordinal=st.integers(0, 6), foreign=st.booleans(), seconds=MOMENTS)
    def stranger(self, ordinal: int, foreign: bool, seconds: float) -> None:  # noqa: FBT001
        """A pod with a member's name comes, an orphan or another controller's, where the name is free."""
        store, name = self.world.store, f"web-{ordinal}"
        if ("ns", name) not in store.objects[PODS]:
            meta: Obj = {"namespace": "ns", "name": name, "labels": {"app": "web"}}
            if foreign:
                owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "job", "uid": "foreign-1", "controller": True}
                meta["ownerReferences"] = [owner]
            data = {"name": "data", "persistentVolumeClaim": {"claimName": f"data-{name}"}}
            store.create(PODS, {"metadata": meta, "spec": {"containers": [], "volumes": [data]}})
        self.after(seconds)

    @rule(pick=PICK, how=st.sampled_from(["removed", "orphaned", "deleting"]), seconds=MOMENTS)
    def claim_changes(self, pick: int, how: str, seconds: float) -> None:
        """Somebody deletes a claim, which may take its time, or takes its owners away."""
        claim, store = self.some(CLAIMS, pick), self.world.store
        if claim is not None and how == "removed":
            store.remove(CLAIMS, key(claim))
        elif claim is not None:
            meta: dict[str, Any] = (
                {"ownerReferences": None} if how == "orphaned" else {"deletionTimestamp": "2030-01-01T00:00:00Z"}
            )
            store.patch(CLAIMS, key(claim), {"metadata": meta})
        self.after(seconds)

    @rule(pick=PICK, removed=st.booleans(), seconds=MOMENTS)
    def revision_changes(self, pick: int, removed: bool, seconds: float) -> None:  # noqa: FBT001
        """Somebody deletes a revision, or takes it from the set."""
        revision, store = self.some(CONTROLLERREVISIONS, pick), self.world.store
        if revision is not None and removed:
            store.remove(CONTROLLERREVISIONS, key(revision))
        elif revision is not None:
            store.patch(CONTROLLERREVISIONS, key(revision), {"metadata": {"ownerReferences": None}})
        self.after(seconds)

    def settle(self) -> None:
        """Correct the template where it cannot work, take away who has a member's name, and end what is ending.

        Pods of a template that cannot work are only replaced where the strategy is to replace them at all.
        """
        store = self.world.store
        spec = store.get(STATEFULSETS, WEB)["spec"]
        if _is_bad(spec["template"]["spec"]):
            store.patch(STATEFULSETS, WEB, {"spec": {"template": template("app:4")}})
        if any(_is_bad(pod["spec"]) for pod in store.all(PODS)):
            store.patch(STATEFULSETS, WEB, {"spec": {"updateStrategy": ROLLING}})
        for pod in store.all(PODS):
            owner: Obj = next(iter(pod["metadata"].get("ownerReferences") or ()), {})
            is_stray = "app" not in pod["metadata"]["labels"]
            if str(owner.get("uid", "")).startswith("foreign") or is_stray:
                store.remove(PODS, key(pod))
        for claim in store.all(CLAIMS):
            if "deletionTimestamp" in claim["metadata"]:
                store.remove(CLAIMS, key(claim))

    def come_to_rest(self) -> None:
        """End all trouble, and check that all is well without anybody's help."""
        self.settle()
        self.world.quiesce()  # the operator may only now have made pods of a template that cannot work
        self.settle()
        super().come_to_rest()


def _is_bad(spec: Obj) -> bool:
    return any(container["image"] == BAD for container in spec["containers"])


def _policy(policy: tuple[str, str] | None) -> Obj:
    deleted, scaled = policy or ("Retain", "Retain")
    return {"whenDeleted": deleted, "whenScaled": scaled}
