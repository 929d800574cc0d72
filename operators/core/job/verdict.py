"""Whether a Job is to end, and why.

Mirrors the evaluation in syncJob. A verdict is written into the status as FailureTarget or SuccessCriteriaMet before
anything that it rests on may go; once all pods are accounted for, Failed or Complete follows with the same reason.
"""

from dataclasses import dataclass

from operators.core import conditions
from operators.core.job import spec, success_policy
from operators.core.job.failure_policy import FAIL_JOB
from operators.core.job.observed import COMPLETE, FAILED, FAILURE_TARGET, SUCCESS_CRITERIA_MET, Observed, is_true


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it ends. recorded: whether the status says so already."""

    success: bool
    reason: str
    message: str
    recorded: bool = False

    @property
    def interim(self) -> str:
        """The condition that announces it."""
        return SUCCESS_CRITERIA_MET if self.success else FAILURE_TARGET

    @property
    def final(self) -> str:
        """The condition that ends it."""
        return COMPLETE if self.success else FAILED


COMPLETED = Verdict(success=True, reason="CompletionsReached", message="Reached expected number of succeeded pods")


def verdict(observed: Observed) -> Verdict | None:
    """Return why it is to end, None while there is no reason but the number of completions."""
    for success, type_ in ((True, SUCCESS_CRITERIA_MET), (False, FAILURE_TARGET)):
        if is_true(observed.status, type_):
            found = conditions.get(observed.status["conditions"], type_) or {}
            return Verdict(
                success=success, reason=found.get("reason", ""), message=found.get("message", ""), recorded=True
            )
    return _by_policy(observed) or _by_limits(observed) or _by_indexes(observed)


def is_complete(observed: Observed, active: int) -> bool:
    """Whether enough pods have succeeded, and none are left that run."""
    wanted = observed.completions
    enough = observed.succeeded > 0 if wanted is None else observed.succeeded >= wanted
    return enough and active == 0


def _by_policy(observed: Observed) -> Verdict | None:
    """A pod failed in a way that fails the Job."""
    if not observed.job["spec"].get("podFailurePolicy"):
        return None
    for pod in observed.owned:
        if pod.run is not None and observed.is_failed(pod):
            match = observed.match(pod, pod.run)
            if match.action == FAIL_JOB:
                return Verdict(success=False, reason="PodFailurePolicy", message=match.message)
    return None


def _by_limits(observed: Observed) -> Verdict | None:
    """Too many pods failed, or it took too long."""
    if observed.failed > spec.backoff_limit(observed.job) or _restarted_too_often(observed):
        return Verdict(
            success=False, reason="BackoffLimitExceeded", message="Job has reached the specified backoff limit"
        )
    left = observed.until_deadline
    if left is not None and left.total_seconds() <= 0:
        return Verdict(
            success=False, reason="DeadlineExceeded", message="Job was active longer than specified deadline"
        )
    return None


def _restarted_too_often(observed: Observed) -> bool:
    """Whether containers that are restarted in their pods have been so as often as the limit says."""
    if observed.job["spec"]["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    restarts = sum(pod.run.restarts for pod in observed.owned if pod.run and pod.phase in ("Running", "Pending"))
    return restarts >= max(1, spec.backoff_limit(observed.job))


def _by_indexes(observed: Observed) -> Verdict | None:
    """Too many indexes failed, or all others succeeded, or enough by the success policy."""
    if not observed.is_indexed:
        return None
    failed, completions = len(observed.failed_indexes), observed.completions or 0
    most = observed.job["spec"].get("maxFailedIndexes")
    if failed and most is not None and failed > most:
        message = "Job has exceeded the specified maximal number of failed indexes"
        return Verdict(success=False, reason="MaxFailedIndexesExceeded", message=message)
    if failed and failed + len(observed.succeeded_indexes) >= completions:
        return Verdict(success=False, reason="FailedIndexes", message="Job has failed indexes")
    policy = observed.job["spec"].get("successPolicy")
    met = success_policy.match(policy, completions, observed.succeeded_indexes)
    return Verdict(success=True, reason="SuccessPolicy", message=met) if met is not None else None
