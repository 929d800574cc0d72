"""What must hold of Services and their slices, whatever befalls the operator."""

from collections import Counter

from operators.core import objects, pods
from operators.core.endpointslice import ENDPOINTSLICES, MANAGERS
from operators.core.endpointslice.observed import MANAGED_BY, SERVICE_NAME
from operators.core.nodes import NODES
from operators.core.objects import KOPFWERK, PODS, Obj
from operators.core.pods import Pod
from operators.core.service import SERVICES
from tests.properties.rules import Rules, is_controlled
from tests.properties.store import OURS, Change


class ListingRules(Rules):
    """Nothing of others is written; at rest each pod is listed once, as it is."""

    resources = (OURS, SERVICES, ENDPOINTSLICES, PODS, NODES)
    controllers = ("service", "endpointslice")

    def check(self, change: Change) -> None:
        """Check one write."""
        super().check(change)
        if not change.by_operator or change.resource == OURS:
            return
        for version in filter(None, (change.before, change.after)):
            name = objects.name(version)
            if change.resource == ENDPOINTSLICES:
                self._expect(_is_own(version), f"slice {name} is another's, and was written")
                self._expect(len(version["endpoints"]) <= 100, f"slice {name} has too many endpoints")
            else:
                owner = objects.controller_of(version)
                is_ours = owner is not None and owner.group == KOPFWERK
                self._expect(change.resource == SERVICES and is_ours, f"{change.resource} {name} was written")

    def check_rest(self) -> None:
        """Check that each Service of ours has its core Service, and this one what it has to list."""
        slices = [slice_ for slice_ in self.store.all(ENDPOINTSLICES) if _is_own(slice_)]
        for ours in self.store.all(OURS):
            core = self.store.get(SERVICES, objects.key(ours))
            if not is_controlled(core, ours):
                continue
            assert "selector" not in core["spec"], "kube-controller-manager would keep slices too"
            for part, value in ours["spec"].items():
                assert part == "selector" or core["spec"].get(part) is not None or value is False, part
            listed = [s for s in slices if objects.labels(s)[SERVICE_NAME] == objects.name(ours)]
            assert all(is_controlled(slice_, core) for slice_ in listed)
            assert _entries(listed) == self._wanted(ours), objects.name(ours)
            assert listed, "nobody would know that anybody looked"
        assert len({objects.labels(slice_)[SERVICE_NAME] for slice_ in slices}) <= len(self.store.all(SERVICES))

    def _wanted(self, ours: Obj) -> Counter[tuple[str, bool, tuple[int, ...]]]:
        """Return each pod that a Service stands for, whether it is ready, and its ports."""
        selector, published = ours["spec"]["selector"], ours["spec"].get("publishNotReadyAddresses", False)
        chosen = [
            pod
            for pod in map(pods.parse, self.store.all(PODS))
            if selector.items() <= dict(pod.labels).items() and pod.ips and not pod.is_terminated
        ]
        return Counter(
            (pod.name, published or (pod.ready and not pod.terminating), _ports(ours, pod)) for pod in chosen
        )


def _ports(ours: Obj, pod: Pod) -> tuple[int, ...]:
    """Return the numbers of a Service's ports in a pod."""
    named = {name: number for name, _, number in pod.named_ports}
    targets = [port.get("targetPort", port["port"]) for port in ours["spec"]["ports"]]
    return tuple(sorted(t if isinstance(t, int) else named[t] for t in targets if isinstance(t, int) or t in named))


def _entries(slices: list[Obj]) -> Counter[tuple[str, bool, tuple[int, ...]]]:
    return Counter(
        (e["targetRef"]["name"], e["conditions"]["ready"], tuple(sorted(port["port"] for port in slice_["ports"])))
        for slice_ in slices
        for e in slice_["endpoints"]
    )


def _is_own(slice_: Obj) -> bool:
    return objects.labels(slice_).get(MANAGED_BY) == MANAGERS[KOPFWERK]
