"""Nodes of a scenario's own: that join, leave, fall silent, and are cordoned, labelled and tainted."""

import asyncio
from typing import Any, Final

from operators.cluster import nodes
from operators.core.objects import Obj
from operators.runtime.client import MERGE_PATCH, ApiError, Client
from tests.parity.manifests import template

TAINT: Final = "example.com/own"
UNREACHABLE: Final = "node.kubernetes.io/unreachable"
OUT_OF_SERVICE: Final = "node.kubernetes.io/out-of-service"


class Fleet:
    """The nodes of one scenario, all with one label and one taint that keep everybody else's pods off."""

    def __init__(self, admin: Client, unique: str) -> None:
        self._admin = admin
        self._unique = unique
        self.names: list[str] = []

    async def join(self, *letters: str, **labels: str) -> None:
        """Let nodes join, and wait until nothing but the scenario's own taint keeps pods off them."""
        for letter in letters:
            node = nodes.build(self.name(letter), "zone-a")
            node["metadata"]["labels"] |= {TAINT: self._unique, **labels}
            node["spec"] = {"taints": [{"key": TAINT, "value": self._unique, "effect": "NoSchedule"}]}
            await self._admin.request("POST", "/api/v1/nodes", node)
            self.names.append(node["metadata"]["name"])
        for letter in letters:
            await self._tainted(letter, TAINT)

    @property
    def pinning(self) -> Obj:
        """What a pod's spec has to have in order to run on these nodes, and on no others."""
        return {
            "nodeSelector": {TAINT: self._unique},
            "tolerations": [{"key": TAINT, "operator": "Exists"}],
        }

    def name(self, letter: str) -> str:
        """Return the name of a node."""
        return f"{self._unique}-{letter}"

    async def leave(self, *names: str) -> None:
        """Take nodes away, whatever runs there."""
        for name in names:
            try:
                await self._admin.request("DELETE", f"/api/v1/nodes/{name}")
            except ApiError as error:
                if error.status != 404:
                    raise

    async def taint(self, letter: str, key: str = "", effect: str = "NoSchedule") -> None:
        """Give a node a taint beside the scenario's own; without a key it loses it again."""
        taints = [{"key": TAINT, "value": self._unique, "effect": "NoSchedule"}]
        if key:
            taints.append({"key": key, "value": "", "effect": effect})
        await self._patch(letter, {"spec": {"taints": taints}})

    async def label(self, letter: str, **labels: str | None) -> None:
        """Change labels of a node."""
        await self._patch(letter, {"metadata": {"labels": labels}})

    async def cordon(self, letter: str, *, undo: bool = False) -> None:
        """Cordon a node as kubectl does, or undo it."""
        await self._patch(letter, {"spec": {"unschedulable": None if undo else True}})

    async def silence(self, letter: str) -> None:
        """Stop a node's kubelet, and wait until it is missed: taints keep pods off the node."""
        await self._patch(letter, {"metadata": {"labels": {nodes.KUBELET: nodes.STOPPED}}})
        await self._tainted(letter, UNREACHABLE, TAINT, within=80)

    async def shut_down(self, letter: str) -> None:
        """Say of a silent node what an administrator says who knows that it is off: nothing runs there any more."""
        node = await self._admin.request("GET", f"/api/v1/nodes/{self.name(letter)}")
        off = {"key": OUT_OF_SERVICE, "value": "nodeshutdown", "effect": "NoExecute"}
        await self._patch(letter, {"spec": {"taints": [*node["spec"]["taints"], off]}})

    def daemonset(self, *, image: str = "app:1", pod_spec: Obj | None = None, sim: Any = None, **spec: Any) -> Obj:
        """Return a DaemonSet web for these nodes; pod_spec goes into its template."""
        made = template(image, **(sim or {}))
        made["spec"] |= {
            **self.pinning,
            **(pod_spec or {}),
        }
        meta = {"name": "web"}
        return {
            "kind": "DaemonSet",
            "metadata": meta,
            "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": made, **spec},
        }

    async def _patch(self, letter: str, body: Obj) -> None:
        url = f"/api/v1/nodes/{self.name(letter)}"
        await self._admin.request("PATCH", url, body, content_type=MERGE_PATCH)

    async def _tainted(self, letter: str, *want: str, within: float = 30) -> None:
        """Wait until a node has taints with these keys and no others."""
        async with asyncio.timeout(within):
            while True:
                node = await self._admin.request("GET", f"/api/v1/nodes/{self.name(letter)}")
                if {taint["key"] for taint in node["spec"].get("taints") or ()} == set(want):
                    return
                await asyncio.sleep(0.1)
