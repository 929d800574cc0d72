"""The CEL rules of a Job as a whole and of its status: what upstream's apiserver holds against whoever writes it.

With `managedBy` that is somebody else than our controller. Mirrors getStatusValidationOptions in
pkg/registry/batch/job/strategy.go and validateJobStatus in pkg/apis/batch/validation/validation.go.
"""

from typing import Final

from tests.support.crdgen.rules import Amendment, Rule, _rule, _rules


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

WHOLE: Final = _rules(
    _rule(f"self.spec.template == oldSelf.spec.template || {_MAY_CHANGE}", "field is immutable", ".spec.template"),
    _rule(
        "!has(self.status) || !has(oldSelf.status) || self.spec.completionMode == 'Indexed' && "
        "self.spec.completions == self.spec.?parallelism.orValue(1) || "
        "self.status.?succeeded.orValue(0) >= oldSelf.status.?succeeded.orValue(0)",
        "cannot decrease the succeeded counter",
        ".status.succeeded",
    ),
    _rule(
        "!has(self.status) || !has(oldSelf.status) || !has(oldSelf.status.startTime) || self.spec.suspend || "
        "has(self.status.startTime) && self.status.startTime == oldSelf.status.startTime || "
        f"{_is('Suspended', where='oldSelf.status')} && {_is('Suspended', 'False', where='self.status')}",
        "field is immutable for unsuspended job once set",
        ".status.startTime",
    ),
    _rule(
        "!has(self.status) || !has(self.status.completedIndexes) || self.status.completedIndexes == '' || "
        "self.spec.completionMode == 'Indexed'",
        "cannot set non-empty completedIndexes when non-indexed completion mode",
        ".status.completedIndexes",
    ),
    _rule(
        "!has(self.status) || !has(self.status.failedIndexes) || has(self.spec.backoffLimitPerIndex)",
        "cannot set non-null failedIndexes when backoffLimitPerIndex is null",
        ".status.failedIndexes",
    ),
    _rule(
        f"!has(self.status) || has(self.status.startTime) || !{_OVER.replace('self.', 'self.status.')} || "
        "self.spec.suspend && has(self.spec.completions) && self.spec.completions == 0",
        "startTime is required for finished job",
        ".status.startTime",
        "FieldValueRequired",
    ),
)


def _never(*together: str, said: str) -> Rule:
    """Return the rule that conditions exclude each other."""
    return _rule(f"!({' && '.join(together)})", said, ".conditions")


def _stays(condition: str, said: str) -> Rule:
    """Return the rule that a condition, once it is true, remains so."""
    return _rule(f"!{_is(condition, where='oldSelf')} || {_is(condition)}", said, ".conditions")


RULES: Final = (
    _never(_COMPLETE, _FAILED, said="cannot set Complete=True and Failed=true conditions"),
    _never(_COMPLETE, _DECIDED[0], said="cannot set Complete=True and FailureTarget=true conditions"),
    _never(
        _FAILED, f"!{_DECIDED[0]}", said="cannot set Failed=True condition without the FailureTarget=true condition"
    ),
    _never(
        _COMPLETE,
        f"!{_DECIDED[1]}",
        said="cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
    ),
    _never(*_DECIDED, said="cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"),
    *(
        _stays(condition, f"cannot disable the terminal {condition}=True condition")
        for condition in ("Failed", "Complete", "FailureTarget")
    ),
    _stays("SuccessCriteriaMet", "cannot disable the SuccessCriteriaMet=True condition"),
    _rule(
        f"!has(self.completionTime) || {_COMPLETE}",
        "cannot set completionTime when there is no Complete=True condition",
        ".completionTime",
    ),
    _rule(
        f"has(self.completionTime) || !{_COMPLETE}",
        "completionTime is required for Complete jobs",
        ".completionTime",
        "FieldValueRequired",
    ),
    _rule(
        "!has(self.completionTime) || !has(self.startTime) || self.completionTime >= self.startTime",
        "must be equal to or after `startTime`",
        ".completionTime",
    ),
    _rule(
        "!has(self.completionTime) || !has(oldSelf.completionTime) || self.completionTime == oldSelf.completionTime",
        "field is immutable",
        ".completionTime",
    ),
    _rule("self.?failed.orValue(0) >= oldSelf.?failed.orValue(0)", "cannot decrease the failed counter", ".failed"),
    _rule("self.?ready.orValue(0) <= self.?active.orValue(0)", "cannot set more ready pods than active", ".ready"),
    _rule(f"!{_OVER} || self.?active.orValue(0) == 0", "active>0 is invalid for finished job", ".active"),
    _rule(
        f"!{_OVER} || self.?terminating.orValue(0) == 0", "terminating>0 is invalid for finished job", ".terminating"
    ),
    _rule(
        f"!{_OVER} || size(self.?uncountedTerminatedPods.?succeeded.orValue([])) + "
        "size(self.?uncountedTerminatedPods.?failed.orValue([])) == 0",
        "must be empty for finished job",
        ".uncountedTerminatedPods",
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
