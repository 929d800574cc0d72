"""What a Service of ours reports: what the apiserver allocated, what a load balancer says, and whether it is in place.

It is in the status and not in the spec, so that the spec stays what its author wrote. Three texts are there for the
columns of `kubectl get`, which are kubectl's for the built-in kind (pkg/printers/internalversion/printers.go).
"""

from typing import Final

from operators.core import conditions, objects
from operators.core.objects import Obj
from operators.core.plan import Exists, Failure, Outcome
from operators.core.ready import READY, STALLED
from operators.core.service.observed import SERVICES, Observed
from operators.core.service.plan import NAME_TAKEN, taken

_MIRRORED: Final = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort")
_OF_A_PORT: Final = ("name", "nodePort", "port", "protocol")


def report(observed: Observed, outcome: Outcome) -> Obj | None:
    """Return the status to write, or None where there is nothing new."""
    service = observed.service
    if objects.is_terminating(service):
        return None
    before: Obj = service.get("status") or {}
    core = _core(observed, outcome)
    status: Obj = {
        "observedGeneration": objects.generation(service),
        "selector": ",".join(
            f"{key}={value}" for key, value in sorted((service["spec"].get("selector") or {}).items())
        ),
        "conditions": _conditions(observed, outcome, core, before),
    }
    if core is not None:
        spec, live = core["spec"], core.get("status") or {}
        status |= {field: spec[field] for field in _MIRRORED if spec.get(field)}
        status["loadBalancer"] = live.get("loadBalancer") or {}
        status["externalAddress"] = _external(core)
        ports = spec.get("ports") or ()
        status["ports"] = [{field: port[field] for field in _OF_A_PORT if port.get(field)} for port in ports] or None
        status["portList"] = ",".join(map(_port, ports)) or "<none>"
    status = {field: value for field, value in status.items() if value not in ("", None)}
    return None if status == before else status


def _core(observed: Observed, outcome: Outcome) -> Obj | None:
    """Return this object's core Service as it is after what was written."""
    for _, result in outcome.results:
        if isinstance(result, dict) and result.get("kind") == SERVICES.kind:
            return result
    return observed.own


def _conditions(observed: Observed, outcome: Outcome, core: Obj | None, before: Obj) -> list[Obj]:
    """Return the core Service's conditions, and whether all is in place (and, where it will not be, that)."""
    live: list[Obj] = ((core or {}).get("status") or {}).get("conditions") or []
    found = [condition for condition in live if condition["type"] not in (READY, STALLED)]
    status, reason, message, is_stalled = _state(observed, outcome, core)
    made = [conditions.new(READY, status, reason, message, observed.now)]
    if is_stalled:
        made.append(conditions.new(STALLED, "True", reason, message, observed.now))
    return found + [_since(condition, before) for condition in made]


def _since(condition: Obj, before: Obj) -> Obj:
    """Return a condition with the time since when its status has been what it is."""
    current = conditions.get(before.get("conditions") or (), condition["type"])
    if current is None or current["status"] != condition["status"] or not current.get("lastTransitionTime"):
        return condition
    return condition | {"lastTransitionTime": current["lastTransitionTime"]}


def _state(observed: Observed, outcome: Outcome, core: Obj | None) -> tuple[str, str, str, bool]:
    """Return status, reason and message of Ready, and whether nothing will change without somebody's doing."""
    if observed.is_taken:
        return "False", NAME_TAKEN, taken(observed), True
    for _, result in outcome.results:
        if isinstance(result, Failure) and result.status != 409:
            return "False", result.reason or "NoAnswer", result.message, result.status == 422
    is_conflict = any(isinstance(result, Failure | Exists) for _, result in outcome.results)
    if core is None or is_conflict or objects.is_terminating(core):
        return "False", "Pending", "Waiting for the core Service", False
    if core["spec"].get("type") == "LoadBalancer" and not _ingress(core):
        return "False", "LoadBalancerPending", "Waiting for an address of the load balancer", False
    return "True", "InPlace", "The core Service says what this one does", False


def _ingress(core: Obj) -> list[Obj]:
    return ((core.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []


def _external(core: Obj) -> str:
    """Return the column EXTERNAL-IP."""
    spec = core["spec"]
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", ""))
    found: list[str] = list(spec.get("externalIPs") or ())
    if spec.get("type") == "LoadBalancer":
        found = [*dict.fromkeys(e.get("ip") or e.get("hostname") or "" for e in _ingress(core)), *found]
        return ",".join(filter(None, found)) or "<pending>"
    return ",".join(found) or "<none>"


def _port(port: Obj) -> str:
    """Return a port as in the column PORT(S)."""
    node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{node_port}/{port.get('protocol', 'TCP')}"
