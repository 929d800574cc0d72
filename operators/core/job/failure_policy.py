"""What a pod's failure means to its Job. Mirrors pkg/controller/job/pod_failure_policy.go."""

from dataclasses import dataclass

from operators.core.objects import Obj
from operators.core.pods import Pod
from operators.core.runs import Run

IGNORE, COUNT, FAIL_INDEX, FAIL_JOB = "Ignore", "Count", "FailIndex", "FailJob"


@dataclass(frozen=True, slots=True)
class Match:
    """The action of the first rule that a failed pod meets; message is why it fails the whole Job."""

    action: str
    message: str = ""

    @property
    def counts(self) -> bool:
        """Whether the failure counts towards the limits."""
        return self.action != IGNORE


DEFAULT = Match(COUNT)
"""What happens to a pod that no rule is about."""


def match(policy: Obj | None, pod: Pod, run: Run) -> Match:
    """Return what the policy says of a failed pod."""
    for number, rule in enumerate((policy or {}).get("rules") or ()):
        why = _reason(rule, pod, run)
        if why is None:
            continue
        action = rule["action"]
        message = f"{why} matching {action} rule at index {number}" if action == FAIL_JOB else ""
        return Match(action, message)
    return DEFAULT


def _reason(rule: Obj, pod: Pod, run: Run) -> str | None:
    """Say in upstream's words what of the pod meets a rule, None where nothing does."""
    if exit_codes := rule.get("onExitCodes"):
        for container, code in run.exits:
            if exit_codes.get("containerName", container) == container and _is_meant(exit_codes, code):
                return f"Container {container} for pod {pod.namespace}/{pod.name} failed with exit code {code}"
        return None
    patterns = {(p["type"], p.get("status", "True")) for p in rule.get("onPodConditions") or ()}
    for condition in run.conditions:
        if condition in patterns:
            return f"Pod {pod.namespace}/{pod.name} has condition {condition[0]}"
    return None


def _is_meant(exit_codes: Obj, code: int) -> bool:
    found = code in exit_codes["values"]
    return found if exit_codes["operator"] == "In" else not found
