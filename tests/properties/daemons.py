"""What may happen to a DaemonSet: every rule is somebody's or something's doing, in any order."""

import hypothesis.strategies as st
from hypothesis.stateful import initialize, rule

from operators.core import objects, pods
from operators.core.daemonset.observed import SKIPS_NOT_READY
from operators.core.nodes import NODES
from operators.core.objects import PODS, Obj, key
from operators.core.revisions import CONTROLLERREVISIONS
from tests.properties.places import PlaceRules
from tests.properties.store import DAEMONSETS
from tests.properties.trouble import MOMENTS, PICK, Trouble
from tests.properties.world import BAD
from tests.support.builders import template

NAMES = st.sampled_from([f"node-{letter}" for letter in "abcde"])
IMAGES = st.sampled_from(["app:1", "app:2", "app:3", BAD])
TAINTS = st.sampled_from([None, None, "NoSchedule", "NoExecute", "PreferNoSchedule"])
STRATEGIES = st.sampled_from([
    {"type": "OnDelete", "rollingUpdate": None},
    *({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": unavailable, "maxSurge": surge}}
      for unavailable, surge in ((1, 0), (2, 0), ("40%", 0), (0, 1), (0, "50%"))),
])  # fmt: skip
ROLLING: Obj = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
WEB = ("ns", "web")


class Daemons(Trouble):
    """One DaemonSet, its nodes, and everything that befalls them."""

    judge = PlaceRules

    @initialize(
        count=st.integers(0, 4),
        strategy=STRATEGIES,
        seconds=st.sampled_from([0, 0, 5]),
        skips=st.booleans(),
        settled=st.booleans(),
    )
    def begin(self, count: int, strategy: Obj, *, seconds: int, skips: bool, settled: bool) -> None:
        """Create nodes and the DaemonSet, and perhaps let it come to rest."""
        for letter in "abcde"[:count]:
            self._join(f"node-{letter}")
        meta: Obj = {"namespace": "ns", "name": "web", "annotations": {SKIPS_NOT_READY: str(skips).lower()}}
        spec: Obj = {
            "selector": {"matchLabels": {"app": "web"}},
            "template": template(),
            "updateStrategy": {part: value for part, value in strategy.items() if value is not None},
            "minReadySeconds": seconds,
            "revisionHistoryLimit": 1,
        }
        self.world.store.create(DAEMONSETS, {"metadata": meta, "spec": spec})
        if settled:
            self.world.quiesce()
            self.world.check_rest()

    def change(self, spec: Obj, seconds: float) -> None:
        """Change fields of the spec."""
        self.world.store.patch(DAEMONSETS, WEB, {"spec": spec})
        self.after(seconds)

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

    @rule(zone=st.sampled_from(["a", "b", None]), seconds=MOMENTS)
    def move(self, zone: str | None, seconds: float) -> None:
        """Somebody lets it run in one zone alone, or everywhere."""
        self.change({"template": {"spec": {"nodeSelector": zone and {"zone": zone}}}}, seconds)

    @rule(name=NAMES, taint=TAINTS, zone=st.sampled_from("ab"), seconds=MOMENTS)
    def node_changes(self, name: str, taint: str | None, zone: str, seconds: float) -> None:
        """A node joins, or gets another taint and zone."""
        if ("", name) not in self.world.store.objects[NODES]:
            self._join(name)
        taints = [{"key": "gpu", "effect": taint}] if taint else []
        change = {"metadata": {"labels": {"zone": zone}}, "spec": {"taints": taints}}
        self.world.store.patch(NODES, ("", name), change)
        self.after(seconds)

    @rule(name=NAMES, ready=st.booleans(), seconds=MOMENTS)
    def node_falters(self, name: str, ready: bool, seconds: float) -> None:  # noqa: FBT001
        """A node is lost, and what runs there is not ready any more; or it is back."""
        if ("", name) in self.world.store.objects[NODES]:
            self._report(name, ready=ready)
            self._lose(name if not ready else "")
        self.after(seconds)

    @rule(name=NAMES, collected=st.booleans(), seconds=MOMENTS)
    def node_leaves(self, name: str, collected: bool, seconds: float) -> None:  # noqa: FBT001
        """A node is gone; its pods are collected, perhaps only later."""
        if ("", name) in self.world.store.objects[NODES]:
            self.world.store.remove(NODES, ("", name))
            if collected:
                self._collect()
        self.after(seconds)

    @rule(node=NAMES, seconds=MOMENTS)
    def node_dies(self, node: str, seconds: float) -> None:
        """A node is lost, and somebody deletes what ran there."""
        self._lose(node)
        for pod in self.world.store.all(PODS):
            if pod["spec"].get("nodeName") == node:
                self.world.store.delete(PODS, key(pod))
        self.after(seconds)

    @rule(
        pick=PICK,
        how=st.sampled_from(["ready", "unready", "Failed", "Failed", "Succeeded", "deleted", "removed"]),
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
            self.world.set_pod(pod, how if ended else "Running", ready=how == "ready")
        self.after(seconds)

    @rule(node=NAMES, rounds=st.integers(2, 4))
    def kubelet_refuses(self, node: str, rounds: int) -> None:
        """A node's kubelet refuses one pod after the other."""
        for _ in range(rounds):
            for pod in self.world.store.all(PODS):
                if pod["status"]["phase"] == "Pending" and pods.parse(pod).target_node == node:
                    self.world.set_pod(pod, "Failed", ready=False, node=node)
            self.after(0.3)

    @rule(pick=PICK, orphaned=st.booleans(), seconds=MOMENTS)
    def pod_leaves(self, pick: int, orphaned: bool, seconds: float) -> None:  # noqa: FBT001
        """Somebody takes a pod's owner, so that it is adopted anew, or its label, so that it is let go."""
        pod = self.some(PODS, pick)
        if pod is not None:
            meta: Obj = {"ownerReferences": None} if orphaned else {"labels": {"app": None}}
            self.world.store.patch(PODS, key(pod), {"metadata": meta})
        self.after(seconds)

    @rule(node=NAMES, foreign=st.booleans(), seconds=MOMENTS)
    def stranger(self, node: str, foreign: bool, seconds: float) -> None:  # noqa: FBT001
        """A pod with matching labels comes, an orphan or another controller's, on a node that may have one."""
        store = self.world.store
        meta: Obj = {"namespace": "ns", "name": f"stranger-{store.version}", "labels": {"app": "web"}}
        if foreign:
            owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "job", "uid": "foreign-1", "controller": True}
            meta["ownerReferences"] = [owner]
        store.create(PODS, {"metadata": meta, "spec": {"containers": [], "nodeName": node}})
        self.after(seconds)

    @rule(pick=PICK, removed=st.booleans(), seconds=MOMENTS)
    def revision_changes(self, pick: int, removed: bool, seconds: float) -> None:  # noqa: FBT001
        """Somebody deletes a revision, or takes it from the DaemonSet."""
        revision, store = self.some(CONTROLLERREVISIONS, pick), self.world.store
        if revision is not None and removed:
            store.remove(CONTROLLERREVISIONS, key(revision))
        elif revision is not None:
            store.patch(CONTROLLERREVISIONS, key(revision), {"metadata": {"ownerReferences": None}})
        self.after(seconds)

    @rule(pick=PICK, labelled=st.booleans(), seconds=MOMENTS)
    def revision_doubles(self, pick: int, labelled: bool, seconds: float) -> None:  # noqa: FBT001
        """A second revision of one template turns up, as an earlier controller might have left it."""
        revision, store = self.some(CONTROLLERREVISIONS, pick), self.world.store
        if revision is not None:
            name = f"twin-{store.version}"
            labels = {"app": "web"} | ({"controller-revision-hash": name} if labelled else {})
            meta: Obj = {"namespace": "ns", "name": name, "labels": labels}
            store.create(CONTROLLERREVISIONS, {"metadata": meta, "data": revision["data"], "revision": 1})
        self.after(seconds)

    def come_to_rest(self) -> None:
        """End all trouble, let back-offs end, and check that all is as it was asked for."""
        self._settle()
        self.world.quiesce()
        self._settle()
        self.world.run(1000)
        super().come_to_rest()

    def _settle(self) -> None:
        """Let every node work, correct a template that cannot, and take away what nobody collects by himself."""
        store = self.world.store
        for node in store.all(NODES):
            self._report(objects.name(node), ready=True)
        self._collect()
        if _is_bad(store.get(DAEMONSETS, WEB)["spec"]["template"]["spec"]):
            store.patch(DAEMONSETS, WEB, {"spec": {"template": template("app:4")}})
        if any(_is_bad(pod["spec"]) for pod in store.all(PODS)):
            store.patch(DAEMONSETS, WEB, {"spec": {"updateStrategy": ROLLING}})

    def _join(self, name: str) -> None:
        zone = "a" if name in ("node-a", "node-b") else "b"
        self.world.store.create(NODES, {"metadata": {"name": name, "labels": {"zone": zone}}, "spec": {}})
        self._report(name, ready=True)

    def _report(self, name: str, *, ready: bool) -> None:
        condition = {"type": "Ready", "status": "True" if ready else "Unknown"}
        self.world.store.patch(NODES, ("", name), {"status": {"conditions": [condition]}})

    def _lose(self, node: str) -> None:
        """Let what runs on a node be ready no more."""
        for pod in self.world.store.all(PODS):
            if pod["spec"].get("nodeName") == node and pod["status"]["phase"] == "Running":
                self.world.set_pod(pod, "Running", ready=False)

    def _collect(self) -> None:
        """Do as the pod garbage collector: take the pods of nodes that are gone."""
        store = self.world.store
        known = {"", *(objects.name(node) for node in store.all(NODES))}
        for pod in store.all(PODS):
            if pod["spec"].get("nodeName", "") not in known:
                store.remove(PODS, key(pod))


def _is_bad(spec: Obj) -> bool:
    return any(container["image"] == BAD for container in spec["containers"])
