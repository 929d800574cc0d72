"""The CEL rules of the custom resources: what never changes, and what the controllers cannot live without.

They hold while the webhook is down. Where upstream has words for a refusal, these are its words, at its field.
"""

from typing import Any, Final, TypeAlias

Rule: TypeAlias = dict[str, Any]
Amendment: TypeAlias = dict[str, Any]


def _rule(expression: str, message: str, path: str = "", reason: str = "FieldValueInvalid", **more: Any) -> Rule:
    """Return one entry of x-kubernetes-validations."""
    at = {"fieldPath": path} if path else {}
    return {"rule": expression, "message": message, "reason": reason, **at, **more}


def _rules(*rules: Rule) -> Amendment:
    return {"x-kubernetes-validations": list(rules)}


rule = _rule
amendment = _rules

NOT_NEGATIVE: Final = _rules(_rule("self >= 0", "must be greater than or equal to 0"))

# The estimate of a rule's cost multiplies these bounds. They are far above what labels may be, so that it is the
# webhook that refuses a value of 64 characters, in upstream's words.
_LABELS: Final[Amendment] = {"maxProperties": 1000, "additionalProperties": {"type": "string", "maxLength": 1024}}

_HAS_LABELS: Final = "has(self.template.metadata) && has(self.template.metadata.labels)"

# Optional syntax (`.?`) would be shorter, but loses the bounds, and with them the budget.
_MATCH_LABELS: Final = f"""
!has(self.selector.matchLabels) || size(self.selector.matchLabels) == 0 || {_HAS_LABELS} &&
self.selector.matchLabels.all(k, k in self.template.metadata.labels &&
  self.template.metadata.labels[k] == self.selector.matchLabels[k])
""".strip()

_MATCH_EXPRESSIONS: Final = f"""
!has(self.selector.matchExpressions) || ({_HAS_LABELS}
? self.selector.matchExpressions.all(e, e.operator in ['In', 'Exists']
  ? e.key in self.template.metadata.labels && (e.operator == 'Exists' ||
    has(e.values) && self.template.metadata.labels[e.key] in e.values)
  : !(e.key in self.template.metadata.labels) || e.operator == 'NotIn' &&
    !(has(e.values) && self.template.metadata.labels[e.key] in e.values))
: self.selector.matchExpressions.all(e, !(e.operator in ['In', 'Exists'])))
""".strip()

_NO_MATCH: Final = "`selector` does not match template `labels`"


def pod_template_rules(kind: str) -> tuple[Rule, ...]:
    """Return the rules on a pod template, in the words that upstream has for a kind."""
    return (
        _rule(_MATCH_LABELS, _NO_MATCH, ".template.metadata.labels"),
        _rule(_MATCH_EXPRESSIONS, _NO_MATCH, ".template.metadata.labels"),
        _rule(
            "!has(self.template.spec) || !has(self.template.spec.activeDeadlineSeconds)",
            f"activeDeadlineSeconds in {kind} is not Supported",
            ".template.spec.activeDeadlineSeconds",
            "FieldValueForbidden",
        ),
        _rule(
            "has(self.template.spec) && size(self.template.spec.containers) > 0",
            "at least one container",
            ".template.spec.containers",
            "FieldValueRequired",
        ),
    )


POD_TEMPLATE_RULES: Final = pod_template_rules("ReplicaSet")

IMMUTABLE: Final = _rule("self == oldSelf", "field is immutable")


def selector_rules(kind: str) -> Amendment:
    """Return the rules on a selector, in the words that upstream has for a kind."""
    some = "size(self.?matchLabels.orValue({})) + size(self.?matchExpressions.orValue([])) > 0"
    return _rules(IMMUTABLE, _rule(some, f"empty selector is invalid for {kind}"))


POD_TEMPLATE: Final[dict[str, Amendment]] = {
    "selector": selector_rules("deployment"),
    "selector.matchLabels": _LABELS,
    "selector.matchExpressions": {"maxItems": 100},
    "selector.matchExpressions[]": _rules(
        _rule(
            "self.operator in ['In', 'NotIn', 'Exists', 'DoesNotExist']", "not a valid selector operator", ".operator"
        ),
        _rule(
            "!(self.operator in ['In', 'NotIn']) || size(self.?values.orValue([])) > 0",
            "must be specified when `operator` is 'In' or 'NotIn'",
            ".values",
            "FieldValueRequired",
        ),
        _rule(
            "!(self.operator in ['Exists', 'DoesNotExist']) || size(self.?values.orValue([])) == 0",
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            ".values",
            "FieldValueForbidden",
        ),
    ),
    "selector.matchExpressions[].key": {"maxLength": 1024},
    "selector.matchExpressions[].operator": {"maxLength": 1024},
    "selector.matchExpressions[].values": {"maxItems": 1000},
    "selector.matchExpressions[].values[]": {"maxLength": 1024},
    "template.metadata.labels": _LABELS,
    # a pod that is not restarted would be replaced for ever
    "template.spec.restartPolicy": {"enum": ["Always", ""]},
    "template.spec.ephemeralContainers": _rules(
        _rule("size(self) == 0", "ephemeral containers not allowed in pod template", reason="FieldValueForbidden")
    ),
    "replicas": NOT_NEGATIVE,
    "minReadySeconds": NOT_NEGATIVE,
}

_NUMBER_OR_PERCENT: Final = (
    _rule("type(self) != int || self >= 0", "must be greater than or equal to 0"),
    _rule(
        "type(self) != string || self.matches('^[0-9]+%$')",
        "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "
        "regex used for validation is '[0-9]+%')",
    ),
)

_AT_MOST_ALL: Final = _rule(
    "type(self) != string || !self.matches('^[0-9]+%$') || self.matches('^0*([0-9]{1,2}|100)%$')",
    "must not be greater than 100%",
)


def _zero(field: str) -> str:
    """Return the expression that a number or percentage is 0."""
    return f"(self.{field} == 0 || type(self.{field}) == string && self.{field}.matches('^0+%$'))"


ROLLOUT: Final[dict[str, Amendment]] = {
    "revisionHistoryLimit": NOT_NEGATIVE,
    "progressDeadlineSeconds": NOT_NEGATIVE,
    "strategy": _rules(
        # Upstream's `kubectl apply` clears rollingUpdate when it changes the type. For a custom resource it cannot know
        # to, so what an update leaves behind unchanged is taken, and means nothing.
        _rule(
            "self.type != 'Recreate' || !has(self.rollingUpdate) || "
            "oldSelf.hasValue() && has(oldSelf.value().rollingUpdate) && "
            "oldSelf.value().rollingUpdate.maxSurge == self.rollingUpdate.maxSurge && "
            "oldSelf.value().rollingUpdate.maxUnavailable == self.rollingUpdate.maxUnavailable",
            "may not be specified when strategy `type` is 'Recreate'",
            ".rollingUpdate",
            "FieldValueForbidden",
            optionalOldSelf=True,
        ),
    ),
    "strategy.rollingUpdate": _rules(
        _rule(
            f"!({_zero('maxSurge')} && {_zero('maxUnavailable')})",
            "may not be 0 when `maxSurge` is 0",
            ".maxUnavailable",
        ),
    ),
    "strategy.rollingUpdate.maxSurge": _rules(*_NUMBER_OR_PERCENT),
    "strategy.rollingUpdate.maxUnavailable": _rules(*_NUMBER_OR_PERCENT, _AT_MOST_ALL),
}

ROLLOUT_RULES: Final = (
    _rule(
        "self.progressDeadlineSeconds > self.?minReadySeconds.orValue(0)",
        "must be greater than minReadySeconds",
        ".progressDeadlineSeconds",
    ),
)

# A list of claims has no bound upstream, but a rule needs one: as many as a pod may have volumes on any node.
_MOST_CLAIMS: Final = 128
_RETENTION: Final[Amendment] = {"enum": ["Retain", "Delete", ""]}

STATEFUL: Final[dict[str, Amendment]] = {
    "selector": selector_rules("statefulset"),
    "serviceName": _rules(IMMUTABLE),
    "podManagementPolicy": _rules(IMMUTABLE),
    "ordinals.start": NOT_NEGATIVE,
    "persistentVolumeClaimRetentionPolicy.whenDeleted": _RETENTION,
    "persistentVolumeClaimRetentionPolicy.whenScaled": _RETENTION,
    "volumeClaimTemplates": {"maxItems": _MOST_CLAIMS},
    "volumeClaimTemplates[]": {"required": ["metadata"]},
    "volumeClaimTemplates[].metadata": {"required": ["name"]},
    "updateStrategy": _rules(
        _rule(
            "!(has(self.type) && self.type == 'OnDelete' && has(self.rollingUpdate))",
            "only allowed for updateStrategy 'RollingUpdate'",
            ".rollingUpdate",
        ),
    ),
    "updateStrategy.rollingUpdate.partition": NOT_NEGATIVE,
    "updateStrategy.rollingUpdate.maxUnavailable": _rules(
        *_NUMBER_OR_PERCENT,
        _AT_MOST_ALL,
        _rule("!(self == 0 || type(self) == string && self.matches('^0+%$'))", "cannot be 0"),
    ),
}

_GANG: Final = "scheduling.schedulingPolicy.gang"


def _presence(field: str) -> Rule:
    """Return the rule that a field is there from the beginning or never."""
    return _rule(f"has(self.{field}) == has(oldSelf.{field})", "field is immutable", f".{field}")


STATEFUL_RULES: Final = (
    _presence("scheduling"),
    # one pod at a time is made otherwise, each once the one before it runs
    _rule(
        "!has(self.scheduling) || self.podManagementPolicy == 'Parallel'",
        "requires podManagementPolicy 'Parallel'",
        ".scheduling",
    ),
    *pod_template_rules("StatefulSet"),
    _rule(
        "has(self.volumeClaimTemplates) && has(oldSelf.volumeClaimTemplates) "
        "? self.volumeClaimTemplates == oldSelf.volumeClaimTemplates "
        ": (!has(self.volumeClaimTemplates) || size(self.volumeClaimTemplates) == 0) && "
        "(!has(oldSelf.volumeClaimTemplates) || size(oldSelf.volumeClaimTemplates) == 0)",
        "field is immutable",
        ".volumeClaimTemplates",
    ),
)


POD_TEMPLATE_OF_ALL: Final = {path: amendment for path, amendment in POD_TEMPLATE.items() if path != "replicas"}
"""What holds of a template also where its pods are not counted."""

_NOT_ROLLING: Final = "self.type == 'OnDelete' || !has(self.rollingUpdate)"

DAEMON: Final[dict[str, Amendment]] = {
    "selector": selector_rules("daemonset"),
    "revisionHistoryLimit": NOT_NEGATIVE,
    "updateStrategy": _rules(
        _rule(
            f"{_NOT_ROLLING} || {_zero('rollingUpdate.maxSurge')} || {_zero('rollingUpdate.maxUnavailable')}",
            "may not be set when maxUnavailable is non-zero",
            ".rollingUpdate.maxSurge",
        ),
        _rule(
            f"{_NOT_ROLLING} || !({_zero('rollingUpdate.maxSurge')} && {_zero('rollingUpdate.maxUnavailable')})",
            "cannot be 0 when maxSurge is 0",
            ".rollingUpdate.maxUnavailable",
            "FieldValueRequired",
        ),
    ),
    "updateStrategy.rollingUpdate.maxSurge": _rules(*_NUMBER_OR_PERCENT, _AT_MOST_ALL),
    "updateStrategy.rollingUpdate.maxUnavailable": _rules(*_NUMBER_OR_PERCENT, _AT_MOST_ALL),
}

DAEMON_RULES: Final = pod_template_rules("DaemonSet")


_TEMPLATE_OF_ANY: Final = (
    "selector.matchLabels",
    "selector.matchExpressions",
    "selector.matchExpressions[]",
    "selector.matchExpressions[].key",
    "selector.matchExpressions[].operator",
    "selector.matchExpressions[].values",
    "selector.matchExpressions[].values[]",
    "template.metadata.labels",
    "template.spec.ephemeralContainers",
)

JOB: Final[dict[str, Amendment]] = {
    **{path: POD_TEMPLATE[path] for path in _TEMPLATE_OF_ANY},
    **dict.fromkeys(
        (
            "activeDeadlineSeconds",
            "backoffLimit",
            "backoffLimitPerIndex",
            "completions",
            "maxFailedIndexes",
            "parallelism",
            "ttlSecondsAfterFinished",
        ),
        NOT_NEGATIVE,
    ),
    # Bounds of upstream's, without which no rule could compare the policies.
    "managedBy": {"maxLength": 63},
    "podFailurePolicy.rules": {"maxItems": 20},
    "podFailurePolicy.rules[].onExitCodes.values": {"maxItems": 255},
    "podFailurePolicy.rules[].onPodConditions": {"maxItems": 20},
    "successPolicy.rules": {"maxItems": 20},
    "successPolicy.rules[].succeededIndexes": {"maxLength": 65536},
}


def _constant(field: str) -> Rule:
    """Return the rule that a field, which may be missing, never changes."""
    same = f"has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || self.{field} == oldSelf.{field})"
    return _rule(same, "field is immutable", f".{field}")


def _wanted(where: str) -> str:
    """Return the expression of how many completions a Job has: with neither figure 1, with parallelism alone none."""
    return f"(has({where}.completions) ? {where}.completions : has({where}.parallelism) ? -1 : 1)"


JOB_RULES: Final = (
    *map(
        _constant,
        ("selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"),
    ),
    _presence("scheduling"),
    _rule(
        f"!has(self.scheduling) || !has(self.{_GANG}.minCount) || "
        f"self.{_GANG}.minCount <= (has(self.parallelism) ? self.parallelism : 1)",
        "must not be greater than parallelism",
        f".{_GANG}.minCount",
    ),
    _constant("manualSelector"),  # upstream's may change, but means nothing once the object is there
    # without a selector all pods of the namespace that nobody controls would be taken
    _rule("!self.manualSelector || has(self.selector)", "Required value", ".selector", "FieldValueRequired"),
    _rule(
        f"{_wanted('self')} == {_wanted('oldSelf')} || self.completionMode == 'Indexed' && has(self.completions) && "
        "self.completions == (has(self.parallelism) ? self.parallelism : 1)",
        "field is immutable",
        ".completions",
    ),
    # without either of the two one completion is meant, with parallelism alone a queue of work: the one never
    # becomes the other
    _rule(
        "has(self.completions) || has(self.parallelism) == has(oldSelf.parallelism)",
        "may not be added or removed without completions",
        ".parallelism",
    ),
    _rule(
        "self.template.spec.restartPolicy in ['OnFailure', 'Never']",
        'valid values: "OnFailure", "Never"',
        ".template.spec.restartPolicy",
        "FieldValueRequired",
    ),
    _rule(
        "self.completionMode != 'Indexed' || has(self.completions) || !has(self.parallelism)",
        "when completion mode is Indexed",
        ".completions",
        "FieldValueRequired",
    ),
    _rule(
        "!has(self.backoffLimitPerIndex) || self.completionMode == 'Indexed'",
        "requires indexed completion mode",
        ".backoffLimitPerIndex",
    ),
    _rule(
        "!has(self.successPolicy) || self.completionMode == 'Indexed'",
        "requires indexed completion mode",
        ".successPolicy",
    ),
)


def _once(field: str, value: str) -> Rule:
    """Return the rule that a value stays, once there is one, for as long as the Service has an address."""
    return _rule(
        "self.type == 'ExternalName' || oldSelf.type == 'ExternalName' || "
        f"!has(self.{field}) || !has(oldSelf.{field}) || size(self.{field}) == 0 || size(oldSelf.{field}) == 0 || "
        f"self.{value} == oldSelf.{value}",
        "may not change once set",
        f".{field}",
    )


SERVICE: Final[dict[str, Amendment]] = {
    # The bounds are upstream's, or far above: a rule could not look at lists and texts of any length.
    "clusterIP": {"maxLength": 64},
    "ipFamilies": {"maxItems": 2},
    "ipFamilies[]": {"maxLength": 16},
    "loadBalancerClass": {"maxLength": 317},
    "type": {"enum": ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]},
    "sessionAffinity": {"enum": ["None", "ClientIP"]},
}

# What the webhook cannot see, which asks for a new Service each time.
SERVICE_RULES: Final = (
    _once("clusterIP", "clusterIP"),
    _once("ipFamilies", "ipFamilies[0]"),
    _rule(
        "self.type != 'LoadBalancer' || oldSelf.type != 'LoadBalancer' || "
        "has(self.loadBalancerClass) == has(oldSelf.loadBalancerClass) && "
        "(!has(self.loadBalancerClass) || self.loadBalancerClass == oldSelf.loadBalancerClass)",
        "may not change once set",
        ".loadBalancerClass",
    ),
)


CRON_JOB: Final[dict[str, Amendment]] = {
    "schedule": _rules(
        _rule("size(self) > 0", "", reason="FieldValueRequired"),
        _rule(
            "!self.contains('TZ')",
            "cannot use TZ or CRON_TZ in schedule, use timeZone field instead",
        ),
    )
    | {"maxLength": 1024},
    "timeZone": _rules(_rule("size(self) > 0", "timeZone must be nil or non-empty string")) | {"maxLength": 1024},
    **dict.fromkeys(
        ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit", "jitterSeconds"),
        NOT_NEGATIVE,
    ),
    "jobTemplate": {"required": ["spec"]},
    **{f"jobTemplate.spec.{path}": made for path, made in JOB.items() if not path.startswith("selector.")},
}

JOB_TEMPLATE_RULES: Final = (
    *(rule for rule in JOB_RULES if "oldSelf" not in rule["rule"]),
    _rule("!has(self.selector)", "`selector` will be auto-generated", ".selector"),
    _rule("!self.manualSelector", "supported values: nil, false", ".manualSelector"),
)
"""What holds of a Job that is only a template: any of it may change."""

SHORT_NAME: Final = _rules(_rule("size(self) <= 52", "must be no more than 52 characters"))
"""A Job's name is eleven characters longer than its CronJob's."""


def counts(*fields: str) -> dict[str, Amendment]:
    """Return what a status may not say: a negative number.

    Not in CEL: statuses are written most, and by programs, which need no wording of upstream's.
    """
    return {field: {"minimum": 0} for field in fields}


def at_most_replicas(*fields: str) -> Amendment:
    """Return what a status may not say: more of the replicas than there are, or more available than ready ones."""
    return _rules(
        *(
            _rule(
                f"self.?{field}.orValue(0) <= self.?replicas.orValue(0)",
                "cannot be greater than status.replicas",
                f".{field}",
            )
            for field in fields
        ),
        _rule(
            "self.?availableReplicas.orValue(0) <= self.?readyReplicas.orValue(0)",
            "cannot be greater than readyReplicas",
            ".availableReplicas",
        ),
    )
