"""When a Job has succeeded before all its indexes have. Mirrors pkg/controller/job/success_policy.go."""

from operators.core.job.indexes import Indexes
from operators.core.objects import Obj


def match(policy: Obj | None, completions: int, succeeded: Indexes) -> str | None:
    """Name the first rule that the succeeded indexes meet, None where there is none."""
    if not succeeded:
        return None
    for number, rule in enumerate((policy or {}).get("rules") or ()):
        if _is_met(rule, completions, succeeded):
            return f"Matched rules at index {number}"
    return None


def _is_met(rule: Obj, completions: int, succeeded: Indexes) -> bool:
    count = rule.get("succeededCount")
    if "succeededIndexes" not in rule:
        return count is not None and len(succeeded) >= count
    wanted = Indexes.parse(rule["succeededIndexes"], completions)
    if not wanted:
        return False
    found = wanted.common(succeeded)
    return found == len(wanted) or (count is not None and found >= count)
