"""Clusters and pods drawn at random, with what the rules look at: every draw from one seed."""

import random
from typing import Any

from operators.core.objects import Obj

APPS = ("a", "b", "c")
ZONES = ("z1", "z2", "z3")
HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
HASH = "pod-template-hash"
KEYS = (HOSTNAME, ZONE, ZONE, "rack")
NAMESPACES = ("left", "right", "up", "down")
_SIDE = "side"
_MIB = 1024 * 1024
_OTHERS = ("TaintToleration", "NodeAffinity", "PodTopologySpread", "NodeResourcesBalancedAllocation", "ImageLocality")
_IMAGE_SIZES = {"a": 310 * _MIB, "b": 24 * _MIB + 17, "c": 1500 * _MIB}
"""The same on every node: where nodes differ, upstream takes that of whichever it heard of first."""


def namespace(rng: random.Random, name: str) -> Obj:
    """Draw a namespace."""
    return {"metadata": {"name": name, "labels": {_SIDE: rng.choice(("near", "far"))}}}


def services(rng: random.Random) -> list[Obj]:
    """Draw the Services of a namespace, which spread its pods."""
    selectors: list[dict[str, str]] = [
        rng.choice(({"app": rng.choice(APPS)}, {"app": rng.choice(APPS), "track": "stable"}, {}))
        for _ in range(rng.randint(0, 3))
    ]
    return [
        {"metadata": {"name": f"s{number}"}, "spec": {"selector": selector, "ports": [{"port": 80}]}}
        for number, selector in enumerate(selectors)
    ]


def profile(rng: random.Random, strategy: str) -> Obj:
    """Draw a profile of a strategy: what it counts, its shape, its weight and that of another rule."""
    resources = rng.sample(("cpu", "memory", "ephemeral-storage", "example.com/gpu"), rng.randint(1, 4))
    found: Obj = {
        "strategy": strategy,
        "resources": {name: rng.choice((1, 2, 3, 10, 100)) for name in resources},
        "weights": {"NodeResourcesFit": rng.randint(1, 9), rng.choice(_OTHERS): rng.randint(0, 5)},
    }
    if strategy == "RequestedToCapacityRatio":
        utilizations = sorted(rng.sample(range(101), rng.randint(1, 5)))
        found["shape"] = [[at, rng.randint(0, 10)] for at in utilizations]
    return found


def node(rng: random.Random, number: int) -> Obj:
    """Draw a node."""
    name = f"d{number}"
    labels = {HOSTNAME: name, "disk": rng.choice(("ssd", "hdd")), "generation": str(rng.randint(1, 4))}
    if rng.random() < 0.9:
        labels[ZONE] = rng.choice(ZONES)
    if rng.random() < 0.7:
        labels["rack"] = rng.choice(("r1", "r2", "r3", "r4"))
    size = {
        "cpu": rng.choice(("2", "4", "3500m", "8")),
        "memory": rng.choice(("4Gi", "8Gi", "7654321Ki")),
        "ephemeral-storage": "20Gi",
        "pods": rng.choice(("5", "20", "110")),
    }
    if rng.random() < 0.4:
        size["example.com/gpu"] = str(rng.randint(1, 4))
    taints = [
        {"key": key, "value": "yes", "effect": effect}
        for key, effect in (("dedicated", "NoSchedule"), ("slow", "PreferNoSchedule"), ("old", "PreferNoSchedule"))
        if rng.random() < 0.2
    ]
    images = [
        {"names": [f"registry.example/{app}@sha256:{app * 64}", f"registry.example/{app}:{tag}"], "sizeBytes": size}
        for app, size in _IMAGE_SIZES.items()
        for tag in ("latest", "v2")
        if rng.random() < 0.5
    ]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": taints, "unschedulable": rng.random() < 0.05},
        "status": {"capacity": size, "allocatable": size, "images": images},
    }


def pod(rng: random.Random, name: str) -> Obj:
    """Draw a pod."""
    app = rng.choice(APPS)
    spec: Obj = {
        "containers": [_container(rng, f"c{number}", app) for number in range(rng.randint(1, 2))],
        "terminationGracePeriodSeconds": 0,
    }
    if rng.random() < 0.1:
        spec["resources"] = {"requests": rng.choice(({"cpu": "3"}, {"cpu": "2500m", "memory": "3Gi"}))}
    if rng.random() < 0.1:
        spec["volumes"] = [{"name": "image", "image": {"reference": f"registry.example/{rng.choice(APPS)}:v2"}}]
    if rng.random() < 0.2:
        spec["initContainers"] = [_container(rng, "init", rng.choice(APPS))]
        if rng.random() < 0.5:
            spec["initContainers"][0]["restartPolicy"] = "Always"
    if rng.random() < 0.2:
        spec["nodeSelector"] = {"disk": rng.choice(("ssd", "hdd"))}
    if rng.random() < 0.3:
        spec["tolerations"] = [_toleration(rng)]
    if rng.random() < 0.35:
        spec["topologySpreadConstraints"] = [
            _spread(rng, key) for key in rng.sample((HOSTNAME, ZONE, "rack"), rng.randint(1, 2))
        ]
    affinity = {
        **({"nodeAffinity": _node_affinity(rng)} if rng.random() < 0.3 else {}),
        **({"podAffinity": _pod_affinity(rng, 0.2)} if rng.random() < 0.25 else {}),
        **({"podAntiAffinity": _pod_affinity(rng, 0.1)} if rng.random() < 0.25 else {}),
    }
    if affinity:
        spec["affinity"] = affinity
    labels = {"app": app, "track": rng.choice(("stable", "canary"))}
    if rng.random() < 0.7:
        labels[HASH] = rng.choice(("1", "2"))
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}


def _container(rng: random.Random, name: str, app: str) -> Obj:
    requests: dict[str, str] = {}
    if rng.random() < 0.8:
        requests["cpu"] = rng.choice(("50m", "100m", "0.25", "700m", "0"))
    if rng.random() < 0.7:
        requests["memory"] = rng.choice(("64Mi", "128M", "1Gi", "300Mi"))
    if rng.random() < 0.1:
        requests["ephemeral-storage"] = "1Gi"
    container: Obj = {"name": name, "image": f"registry.example/{app}{rng.choice(('', ':v2', ':v3'))}"}
    if rng.random() < 0.07:
        requests["example.com/gpu"] = "1"
        container["resources"] = {"limits": {"example.com/gpu": "1"}}
    container.setdefault("resources", {})["requests"] = requests
    if rng.random() < 0.1 and name == "c0":
        port: Obj = {"containerPort": 80, "hostPort": rng.choice((8080, 9090)), "protocol": rng.choice(("TCP", "UDP"))}
        if rng.random() < 0.5:
            port["hostIP"] = rng.choice(("127.0.0.1", "127.0.0.2", "0.0.0.0"))  # noqa: S104 - an address like others
        container["ports"] = [port]
    return container


def _toleration(rng: random.Random) -> Obj:
    return rng.choice(
        (
            {"operator": "Exists"},
            {"key": "dedicated", "operator": "Equal", "value": "yes", "effect": "NoSchedule"},
            {"key": "dedicated", "operator": "Equal", "value": "no"},
            {"key": "slow", "operator": "Exists", "effect": "PreferNoSchedule"},
            {"key": "old", "operator": "Exists"},
            {"operator": "Exists", "effect": "PreferNoSchedule"},
            {"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"},
        )
    )


def _selector(rng: random.Random) -> Obj:
    return rng.choice(
        (
            {"matchLabels": {"app": rng.choice(APPS)}},
            {"matchExpressions": [{"key": "app", "operator": "In", "values": list(rng.sample(APPS, 2))}]},
            {"matchExpressions": [{"key": "track", "operator": "NotIn", "values": ["canary"]}]},
            {"matchLabels": {"app": rng.choice(APPS), "track": "stable"}},
            {"matchExpressions": [{"key": HASH, "operator": rng.choice(("Exists", "DoesNotExist"))}]},
            {},
        )
    )


def _spread(rng: random.Random, key: str) -> Obj:
    hard = rng.random() < 0.5
    constraint: Obj = {
        "maxSkew": rng.randint(1, 3),
        "topologyKey": key,
        "whenUnsatisfiable": "DoNotSchedule" if hard else "ScheduleAnyway",
        "labelSelector": _selector(rng),
    }
    if hard and rng.random() < 0.3:
        constraint["minDomains"] = rng.randint(1, 4)
    for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        if rng.random() < 0.4:
            constraint[field] = rng.choice(("Honor", "Ignore"))
    if rng.random() < 0.05:
        del constraint["labelSelector"]
    elif rng.random() < 0.2 and HASH not in str(constraint["labelSelector"]):
        constraint["matchLabelKeys"] = [HASH]
    return constraint


def _node_affinity(rng: random.Random) -> Obj:
    def expression() -> Obj:
        return rng.choice(
            (
                {"key": "disk", "operator": "In", "values": ["ssd"]},
                {"key": "disk", "operator": "NotIn", "values": ["hdd"]},
                {"key": ZONE, "operator": rng.choice(("Exists", "DoesNotExist"))},
                {"key": "generation", "operator": rng.choice(("Gt", "Lt")), "values": ["2"]},
                {"key": "rack", "operator": rng.choice(("Gt", "Lt")), "values": ["2"]},
                {"key": ZONE, "operator": rng.choice(("In", "NotIn")), "values": rng.sample(ZONES, rng.randint(1, 2))},
            )
        )

    def term() -> Obj:
        if rng.random() < 0.1:
            named = {
                "key": "metadata.name",
                "operator": rng.choice(("In", "NotIn")),
                "values": [f"d{rng.randint(0, 13)}"],
            }
            return {"matchFields": [named]}
        return {"matchExpressions": [expression() for _ in range(rng.randint(1, 2))]} if rng.random() < 0.95 else {}

    found: Obj = {}
    if rng.random() < 0.5:
        terms = [term() for _ in range(rng.randint(1, 2))]
        found["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": terms}
    else:
        preferred = [{"weight": rng.randint(1, 100), "preference": term()} for _ in range(rng.randint(1, 3))]
        found["preferredDuringSchedulingIgnoredDuringExecution"] = preferred
    return found


def _pod_affinity(rng: random.Random, rarely: float) -> Obj:
    """Draw terms about other pods; required ones rarely, for soon nothing would fit any more."""

    def term() -> dict[str, Any]:
        found: Obj = {"topologyKey": rng.choice(KEYS), "labelSelector": _selector(rng)}
        if rng.random() < 0.2:
            found["namespaceSelector"] = rng.choice(
                ({}, {"matchLabels": {"kubernetes.io/metadata.name": "left"}}, {"matchLabels": {_SIDE: "near"}})
            )
        if rng.random() < 0.15:
            found["namespaces"] = rng.sample(NAMESPACES, rng.randint(1, 2))
        if rng.random() < 0.05:
            del found["labelSelector"]
        elif rng.random() < 0.2 and HASH not in str(found["labelSelector"]):
            found[rng.choice(("matchLabelKeys", "mismatchLabelKeys"))] = [HASH]
        return found

    if rng.random() < rarely:
        return {"requiredDuringSchedulingIgnoredDuringExecution": [term() for _ in range(rng.randint(1, 2))]}
    weighted = [{"weight": rng.randint(1, 100), "podAffinityTerm": term()} for _ in range(rng.randint(1, 2))]
    return {"preferredDuringSchedulingIgnoredDuringExecution": weighted}
