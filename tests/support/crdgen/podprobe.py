"""The schema of PodProbe, which no built-in kind has: the probe of a container, with fractions of a second."""

from typing import Any, Final

from tests.support.crdgen import rules
from tests.support.crdgen.schema import Definitions, Schema

KINDS: Final = ("readinessProbe", "livenessProbe", "startupProbe")
_ACTIONS: Final = ("httpGet", "tcpSocket", "grpc", "exec")

_SECONDS: Final = {
    "initialDelaySeconds": {"type": "number", "minimum": 0},
    "periodSeconds": {"type": "number", "minimum": 0.1, "maximum": 86_400, "default": 10},
    "timeoutSeconds": {"type": "number", "minimum": 0.01, "maximum": 3600, "default": 1},
}
_THRESHOLD: Final = {"type": "integer", "format": "int32", "minimum": 1, "maximum": 10_000}


def schema(definitions: Definitions) -> Schema:
    """Return the schema."""
    return {
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "spec": _spec(definitions),
            "status": _status(),
        },
    }


def _spec(definitions: Definitions) -> Schema:
    return {
        "type": "object",
        "required": ["selector"],
        "properties": {
            "container": {"type": "string", "maxLength": 63},
            **{kind: _probe(definitions) for kind in KINDS},
            "restart": {
                "type": "object",
                "default": {},
                "properties": {
                    "method": {"type": "string", "enum": ["Evict", "InPlace", "None"], "default": "Evict"},
                    "maxConcurrent": {"x-kubernetes-int-or-string": True, "default": 1},
                    "baseDelaySeconds": _whole(10),
                    "maxDelaySeconds": _whole(300),
                    "recoverySeconds": _whole(300),
                    "command": {"type": "array", "items": {"type": "string"}, "maxItems": 100, "minItems": 1},
                },
            },
            "selector": definitions.expand("io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector"),
        },
    }


def _probe(definitions: Definitions) -> Schema:
    """Return the apiserver's own, with other seconds, and without a grace period: a pod that is evicted has its own."""
    found = definitions.expand("io.k8s.api.core.v1.Probe")
    properties = {name: field for name, field in found["properties"].items() if name != "terminationGracePeriodSeconds"}
    properties |= {name: dict(field) for name, field in _SECONDS.items()}
    properties |= {
        name: {**_THRESHOLD, "default": default} for name, default in (("failureThreshold", 3), ("successThreshold", 1))
    }
    return {**found, "properties": properties}


def _whole(default: int) -> Schema:
    return {"type": "integer", "format": "int32", "minimum": 1, "maximum": 86_400, "default": default}


def _status() -> Schema:
    count = {"type": "integer", "format": "int32", "minimum": 0}
    time = {"type": "string", "format": "date-time"}
    of_probe = {
        "type": "object",
        "properties": {
            "passing": count,
            "failing": count,
            "lastTransitionTime": time,
            "lastMessage": {"type": "string"},
        },
    }
    text = {"type": "string"}
    entry = {"pod": text, "uid": text, "containerID": text, "probe": text, "time": time}
    return {
        "type": "object",
        "properties": {
            "observedGeneration": {"type": "integer", "format": "int64"},
            "matched": count,
            "readiness": of_probe,
            "liveness": of_probe,
            "startup": of_probe,
            "restarts": count,
            "lastRestartTime": time,
            "restartDelaySeconds": count,
            "restarting": {
                "type": "array",
                "items": {"type": "object", "properties": entry, "required": sorted(entry)},
            },
        },
    }


_ONE_ACTION: Final = rules.rule(
    f"{' + '.join(f'(has(self.{action}) ? 1 : 0)' for action in _ACTIONS)} == 1",
    f"exactly one of {', '.join(_ACTIONS[:-1])} and {_ACTIONS[-1]} is required",
)
# The schema's minimum is held against whole numbers as a whole number, that is 0.
_SOME_TIME: Final = tuple(
    rules.rule(f"self.{field} >= {least}", f"must be at least {least}", f".{field}")
    for field, least in (("periodSeconds", 0.1), ("timeoutSeconds", 0.01))
)
_ONCE: Final = rules.rule("self.successThreshold == 1", "must be 1", ".successThreshold")
_PORT: Final = rules.rule(
    "type(self) == int ? self >= 1 && self <= 65535 : "
    "size(self) <= 15 && self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')",
    "must be a number from 1 to 65535, or the name of a port",
)
_HEADER: Final = rules.rule(
    "self.name.matches('^[-A-Za-z0-9_!#$%&*+.^|~]+$')", "must be the name of an HTTP header", ".name"
)


def _amendments() -> dict[str, rules.Amendment]:
    amendments: dict[str, rules.Amendment] = {
        "spec": rules.amendment(
            rules.rule(f"{' || '.join(f'has(self.{kind})' for kind in KINDS)}", "at least one probe is required"),
        ),
        "spec.selector": rules.amendment(
            rules.rule(
                "size(self.?matchLabels.orValue({})) + size(self.?matchExpressions.orValue([])) > 0",
                "empty selector is invalid for PodProbe",
            )
        ),
        "spec.selector.matchLabels": {
            "maxProperties": 1000,
            "additionalProperties": {"type": "string", "maxLength": 1024},
        },
        "spec.selector.matchExpressions": {"maxItems": 100},
        "spec.restart": rules.amendment(
            rules.rule(
                "!has(self.maxConcurrent) || (type(self.maxConcurrent) == int ? self.maxConcurrent >= 1 : "
                "self.maxConcurrent.matches('^([1-9][0-9]?|100)%$'))",
                "must be a number from 1, or a percentage from 1% to 100%",
                ".maxConcurrent",
            ),
            rules.rule(
                "self.?baseDelaySeconds.orValue(10) <= self.?maxDelaySeconds.orValue(300)",
                "must not exceed maxDelaySeconds",
            ),
        ),
    }
    for kind in KINDS:
        once = () if kind == "readinessProbe" else (_ONCE,)
        at = f"spec.{kind}"
        amendments |= {
            at: rules.amendment(_ONE_ACTION, *_SOME_TIME, *once),
            f"{at}.exec.command": {"maxItems": 100, "minItems": 1},
            f"{at}.exec": {"required": ["command"]},
            f"{at}.httpGet.port": rules.amendment(_PORT),
            f"{at}.tcpSocket.port": rules.amendment(_PORT),
            f"{at}.grpc.port": {"minimum": 1, "maximum": 65535},
            f"{at}.httpGet.httpHeaders": {"maxItems": 100},
            f"{at}.httpGet.httpHeaders[]": rules.amendment(_HEADER),
            f"{at}.httpGet.httpHeaders[].name": {"maxLength": 256},
            f"{at}.httpGet.host": {"maxLength": 253},
            f"{at}.tcpSocket.host": {"maxLength": 253},
        }
    return amendments


AMENDMENTS: Final = _amendments()

_PROBE: Final = {
    "": "{What} Exactly one of httpGet, tcpSocket, grpc and exec.",
    ".exec": "A command in the container that has to end with 0. The operator needs pods/exec for it.",
    ".exec.command": "The command. No shell runs it.",
    ".failureThreshold": "After how many failures in a row it counts as failed. 3 by default.",
    ".grpc": "A call of grpc.health.v1.Health/Check that has to be answered with SERVING.",
    ".grpc.port": "The port's number.",
    ".grpc.service": "The service that is asked for. Empty by default: the server as a whole.",
    ".httpGet": "A GET that has to be answered with a status from 200 to 399.",
    ".httpGet.host": "Where to connect to instead of the pod's own address. Only some users may set it.",
    ".httpGet.httpHeaders": "Headers of the request.",
    ".httpGet.path": "The path. / by default.",
    ".httpGet.port": "The port's number, or its name in the container.",
    ".httpGet.scheme": "HTTP (the default) or HTTPS, whose certificate is not checked.",
    ".initialDelaySeconds": "How many seconds after the container's start the first try is made.",
    ".periodSeconds": "How many seconds lie between two tries; 0.5 is half a second. 10 by default.",
    ".successThreshold": "After how many successes in a row it counts as passed. 1 by default; always 1 for liveness "
    "and startup.",
    ".tcpSocket": "A connection that has to come about.",
    ".tcpSocket.host": "Where to connect to instead of the pod's own address. Only some users may set it.",
    ".tcpSocket.port": "The port's number, or its name in the container.",
    ".timeoutSeconds": "After how many seconds a try has failed; 0.2 is a fifth of a second. 1 by default.",
}
_WHAT: Final = {
    "readinessProbe": "Whether the pod may get requests: what it finds is the pod's condition probe.kopfwerk.dev/NAME.",
    "livenessProbe": "Whether the container is alive; one that is not is restarted as `restart` says.",
    "startupProbe": "Whether the container has started: the other probes wait for it.",
}

_OF_PROBE: Final = {
    "": "What the {kind} probe has found.",
    ".failing": "Of how many pods it fails.",
    ".lastMessage": "What was said then.",
    ".lastTransitionTime": "When it last became something else for any pod.",
    ".passing": "Of how many pods it passes.",
}

FIELDS: Final[dict[str, Any]] = {
    "spec": "What is wanted.",
    "spec.container": "The container that the probes are about, which knows ports by name and is restarted. The pod's "
    "first one by default.",
    **{f"spec.{kind}{path}": text.replace("{What}", _WHAT[kind]) for kind in KINDS for path, text in _PROBE.items()},
    "spec.restart": "How containers are restarted that fail their liveness or startup probe.",
    "spec.restart.baseDelaySeconds": "How long a container that fails again soon after a restart waits for the next "
    "one; twice as long each time. 10 by default.",
    "spec.restart.command": "What ends the container, with InPlace. `/bin/sh -c 'kill 1'` by default.",
    "spec.restart.maxConcurrent": "How many of the pods may be under restart at once: a number, or a percentage of "
    "those that match, rounded down but at least 1. 1 by default.",
    "spec.restart.maxDelaySeconds": "How long it waits at most. 300 by default.",
    "spec.restart.method": "Evict (the default): the pod is evicted, if disruption budgets allow it. InPlace: a "
    "command ends the container, and the kubelet starts it again; needs pods/exec. None: nothing is restarted.",
    "spec.restart.recoverySeconds": "For how long a restarted pod that does not become ready takes up a place of "
    "maxConcurrent. 300 by default.",
    "spec.selector": "Which pods of the namespace are probed.",
    "status": "What the controller last saw. Users do not write it.",
    "status.lastRestartTime": "When a restart was last decided on.",
    "status.matched": "How many pods are probed: those that the selector takes and that have an address.",
    "status.observedGeneration": "The generation of the spec that this status is about.",
    "status.restartDelaySeconds": "How long a container that fails again has to wait from lastRestartTime on.",
    "status.restarting": "The restarts that have been decided on and are not over.",
    "status.restarts": "How many restarts have been decided on.",
    **{
        f"status.{kind}{path}": text.replace("{kind}", kind)
        for kind in ("readiness", "liveness", "startup")
        for path, text in _OF_PROBE.items()
    },
}
