"""The CEL rules of a Job as a whole and of its status: what upstream's apiserver holds against whoever writes it.

With `managedBy` that is somebody else than our controller. Mirrors getStatusValidationOptions in
pkg/registry/batch/job/strategy.go and validateJobStatus in pkg/apis/batch/validation/validation.go.
"""

from typing import Final

from tests.support.crdgen.rules import Amendment, _rule, _rules


def _is(condition: str, status: str = "True", where: str = "self") -> str:
    """Return the expression that a status has a condition."""
    return (
        f"(has({where}.conditions) && {where}.conditions.exists(c, c.type == '{condition}' && c.status == '{status}'))"
    )


_COMPLETE, _FAILED = _is("Complete"), _is("Failed")
_DECIDED: Final = _is("FailureTarget"), _is("SuccessCriteriaMet")
_OVER: Final = f"({_COMPLETE} || {_FAILED})"
_MOST_CONDITIONS: Final = 100

# Suspended, and either it has not begun or the controller has seen to it that nothing runs.
_MAY_CHANGE: Final = (
    "has(oldSelf.spec.suspend) && oldSelf.spec.suspend && (!has(oldSelf.status) || "
    "(!has(oldSelf.status.startTime) || "
    f"{_is('Suspended', where='oldSelf.status')}) && oldSelf.status.?active.orValue(0) == 0)"
)

# Every status write runs all of these, and each costs: so what belongs together is one rule, and what is cheap to ask
# comes first. To compare two templates is a tenth of the write; one that changes the status cannot change the spec.
WHOLE: Final = _rules(
    _rule(
        "has(self.status) && has(oldSelf.status) && self.status != oldSelf.status || "
        f"self.spec.template == oldSelf.spec.template || {_MAY_CHANGE}",
        "field is immutable",
        ".spec.template",
    ),
    _rule(
        "!has(self.status) || !has(oldSelf.status) || ("
        "has(self.status.startTime) || "
        "self.spec.suspend && has(self.spec.completions) && self.spec.completions == 0 || "
        f"!{_OVER.replace('self.', 'self.status.')}) && (!has(oldSelf.status.startTime) || "
        "has(self.status.startTime) && self.status.startTime == oldSelf.status.startTime || self.spec.suspend || "
        f"{_is('Suspended', where='oldSelf.status')} && {_is('Suspended', 'False', where='self.status')})",
        "field is immutable for unsuspended job once set, and required for finished job",
        ".status.startTime",
    ),
    _rule(
        "!has(self.status) || !has(oldSelf.status) || "
        "self.status.?succeeded.orValue(0) >= oldSelf.status.?succeeded.orValue(0) || "
        "self.spec.completionMode == 'Indexed' && self.spec.completions == self.spec.?parallelism.orValue(1)",
        "cannot decrease the succeeded counter",
        ".status.succeeded",
    ),
    _rule(
        "!has(self.status) || (self.status.?completedIndexes.orValue('') == '' || "
        "self.spec.completionMode == 'Indexed') && "
        "(!has(self.status.failedIndexes) || has(self.spec.backoffLimitPerIndex))",
        "cannot set completedIndexes when non-indexed completion mode, nor failedIndexes when backoffLimitPerIndex "
        "is null",
        ".status.completedIndexes",
    ),
)

_TERMINAL: Final = "['Failed', 'Complete', 'FailureTarget', 'SuccessCriteriaMet']"

RULES: Final = (
    _rule(
        f"!{_COMPLETE} || {_DECIDED[1]} && !{_DECIDED[0]} && !{_FAILED}",
        "cannot set Complete=True condition without the SuccessCriteriaMet=true condition, or beside Failed or "
        "FailureTarget",
        ".conditions",
    ),
    _rule(
        f"!({_FAILED} || {_DECIDED[1]}) || {_DECIDED[0]} != {_DECIDED[1]}",
        "cannot set Failed=True condition without the FailureTarget=true condition, nor that beside "
        "SuccessCriteriaMet=True",
        ".conditions",
    ),
    _rule(
        f"!has(oldSelf.conditions) || oldSelf.conditions.all(o, o.status != 'True' || !(o.type in {_TERMINAL}) || "
        "has(self.conditions) && self.conditions.exists(c, c.type == o.type && c.status == 'True'))",
        "cannot disable a terminal condition",
        ".conditions",
    ),
    _rule(
        f"has(self.completionTime) == {_COMPLETE} && (!has(self.completionTime) || "
        "(!has(self.startTime) || self.completionTime >= self.startTime) && "
        "(!has(oldSelf.completionTime) || self.completionTime == oldSelf.completionTime))",
        "is what a Complete job has, equal to or after `startTime`, and immutable",
        ".completionTime",
    ),
    _rule("self.?failed.orValue(0) >= oldSelf.?failed.orValue(0)", "cannot decrease the failed counter", ".failed"),
    _rule("self.?ready.orValue(0) <= self.?active.orValue(0)", "cannot set more ready pods than active", ".ready"),
    _rule(
        "self.?active.orValue(0) == 0 && self.?terminating.orValue(0) == 0 && "
        "size(self.?uncountedTerminatedPods.?succeeded.orValue([])) + "
        f"size(self.?uncountedTerminatedPods.?failed.orValue([])) == 0 || !{_OVER}",
        "active>0, terminating>0 and uncountedTerminatedPods are invalid for finished job",
        ".conditions",
    ),
)

_INDEXES: Final[Amendment] = {"pattern": "^([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?$"}

FIELDS: Final[dict[str, Amendment]] = {
    "conditions": {"maxItems": _MOST_CONDITIONS},
    "conditions[].type": {"maxLength": 316},
    "conditions[].status": {"maxLength": 32},
    "completedIndexes": _INDEXES,
    "failedIndexes": _INDEXES,
}
"""Bounds, without which no rule could look at the conditions, and the form of ranges of indexes."""
