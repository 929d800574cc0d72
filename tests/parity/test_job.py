"""Jobs, ours beside upstream's: how they run and how they end."""

from typing import Any

import pytest

from operators.core.objects import Obj
from tests.parity.manifests import job, lingering, pod, quota
from tests.parity.pair import Pair, Want
from tests.parity.wanted import both, gone, job_is, job_status, pods

pytestmark = pytest.mark.cluster

OK = {"exit_after": "1s"}
BAD = {"exit_after": "1s", "exit_code": "7"}
COMPLETE = job_is("Complete", "CompletionsReached")


def failed(reason: str) -> Want:
    """The Job has failed for this reason."""
    return job_is("Failed", reason)


def on_code(action: str, *codes: int, operator: str = "In") -> Obj:
    """Return a podFailurePolicy with one rule about exit codes."""
    return {"rules": [{"action": action, "onExitCodes": {"operator": operator, "values": list(codes)}}]}


INDEXED: dict[str, Any] = {"completionMode": "Indexed"}


@pytest.mark.parametrize(
    ("made", "want"),
    [
        pytest.param(job(sim=OK), COMPLETE, id="one pod"),
        pytest.param(job(sim=OK, completions=3), COMPLETE, id="one after the other"),
        pytest.param(job(sim=OK, completions=4, parallelism=2), COMPLETE, id="two at a time"),
        pytest.param(job(sim=OK, completions=2, parallelism=5), COMPLETE, id="no more than are wanted"),
        pytest.param(job(sim=OK, parallelism=3), COMPLETE, id="a queue of work"),
        pytest.param(job(sim=OK, completions=0), COMPLETE, id="nothing to do"),
        pytest.param(job(completions=2, parallelism=0), both(pods(0), job_status(active=0)), id="no parallelism"),
        pytest.param(job(sim=OK, completions=3, parallelism=3, **INDEXED), COMPLETE, id="indexed"),
        pytest.param(job(sim=OK, completions=5, parallelism=2, **INDEXED), COMPLETE, id="indexed, two at a time"),
        pytest.param(job(sim=OK, completions=0, **INDEXED), COMPLETE, id="indexed, nothing to do"),
        pytest.param(job(sim=OK, restart="OnFailure", completions=2, parallelism=2), COMPLETE, id="OnFailure"),
        pytest.param(job(completions=3, parallelism=2), job_status(active=2, ready=2), id="runs on"),
        pytest.param(job(sim=BAD, backoffLimit=0), failed("BackoffLimitExceeded"), id="no failure is allowed"),
        pytest.param(job(sim=BAD, backoffLimit=1), failed("BackoffLimitExceeded"), id="one more try after 10 s"),
        pytest.param(
            job(sim=BAD | {"restart_after": "1s"}, restart="OnFailure", backoffLimit=2),
            failed("BackoffLimitExceeded"),
            id="restarts count",
        ),
        pytest.param(job(activeDeadlineSeconds=2), failed("DeadlineExceeded"), id="deadline"),
        pytest.param(
            job(activeDeadlineSeconds=2, completions=4, parallelism=3),
            failed("DeadlineExceeded"),
            id="deadline of many",
        ),
        pytest.param(
            job(activeDeadlineSeconds=2, sim={"terminate_after": "4s"}), failed("DeadlineExceeded"), id="slow to go"
        ),
        pytest.param(
            job(sim=BAD, podFailurePolicy=on_code("FailJob", 7), completions=2),
            failed("PodFailurePolicy"),
            id="a policy fails it",
        ),
        pytest.param(
            job(sim=BAD, podFailurePolicy=on_code("FailJob", 8), backoffLimit=0),
            failed("BackoffLimitExceeded"),
            id="a policy about another code",
        ),
        pytest.param(
            job(sim=BAD, podFailurePolicy=on_code("FailJob", 8, operator="NotIn"), backoffLimit=3),
            failed("PodFailurePolicy"),
            id="a policy about all other codes",
        ),
        pytest.param(
            job(sim=BAD, podFailurePolicy=on_code("Count", 7), backoffLimit=0),
            failed("BackoffLimitExceeded"),
            id="a policy that counts",
        ),
        pytest.param(
            job(sim=BAD, completions=3, parallelism=3, backoffLimitPerIndex=0, **INDEXED),
            failed("FailedIndexes"),
            id="each index fails",
        ),
        pytest.param(
            job(sim=BAD, completions=1, backoffLimitPerIndex=1, **INDEXED),
            failed("FailedIndexes"),
            id="an index is tried again after 10 s",
        ),
        pytest.param(
            job(
                sim=BAD,
                completions=2,
                parallelism=2,
                backoffLimitPerIndex=5,
                podFailurePolicy=on_code("FailIndex", 7),
                **INDEXED,
            ),
            failed("FailedIndexes"),
            id="a policy fails indexes",
        ),
        pytest.param(
            job(sim=OK, completions=4, parallelism=1, successPolicy={"rules": [{"succeededCount": 2}]}, **INDEXED),
            job_is("Complete", "SuccessPolicy"),
            id="two are enough",
        ),
        pytest.param(
            job(sim=OK, completions=4, parallelism=1, successPolicy={"rules": [{"succeededIndexes": "0"}]}, **INDEXED),
            job_is("Complete", "SuccessPolicy"),
            id="the first is enough",
        ),
        pytest.param(job(suspend=True, completions=2), job_is("Suspended", "JobSuspended"), id="begins suspended"),
        pytest.param(job(suspend=True, completions=0), COMPLETE, id="suspended with nothing to do"),
        pytest.param(job(managedBy="example.com/other"), pods(0), id="another's Job is left alone"),
        pytest.param(job(sim=OK, managedBy="kubernetes.io/job-controller"), COMPLETE, id="named as its own"),
        pytest.param(job(sim=OK, ttlSecondsAfterFinished=3600), COMPLETE, id="not deleted yet"),
    ],
)
async def test_life(jobs: Pair, made: Obj, want: Want) -> None:
    """From its creation to its end, or to where it stays."""
    await jobs.create(made)
    await jobs.agree(want)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        pytest.param({"backoffLimit": 0}, "BackoffLimitExceeded", id="more pods fail than may"),
        pytest.param(
            {"backoffLimitPerIndex": 0, "maxFailedIndexes": 0, **INDEXED},
            "MaxFailedIndexesExceeded",
            id="more indexes fail than may",
        ),
        pytest.param({"backoffLimitPerIndex": 1, "backoffLimit": 0, **INDEXED}, "BackoffLimitExceeded", id="both"),
        pytest.param(
            {"podFailurePolicy": {"rules": [{"action": "FailJob", "onPodConditions": [{"type": "Lost"}]}]}},
            "PodFailurePolicy",
            id="a policy about a condition",
        ),
    ],
)
async def test_one_failure_too_many(jobs: Pair, made: Obj, reason: str) -> None:
    """The pods that still run are deleted, and count as failed; their indexes do not."""
    await jobs.create(job(completions=3, parallelism=3, **made))
    await jobs.agree(job_status(active=3, ready=3))
    selector = "batch.kubernetes.io/job-completion-index=1" if "completionMode" in made else "job-name=web"
    for side in (jobs.upstream, jobs.ours):
        await side.end_first(selector, "Failed", Lost="True")
    await jobs.agree(both(pods(1), job_status(failed=3), failed(reason)))


async def test_ttl(jobs: Pair) -> None:
    """A Job that has ended is deleted with its pods."""
    await jobs.create(job(sim=OK, ttlSecondsAfterFinished=1))
    await jobs.agree(both(gone("jobs"), pods(0)))


async def test_suspend_and_resume(jobs: Pair) -> None:
    """Suspended, its pods go uncounted; resumed, there are others."""
    await jobs.create(job(completions=3, parallelism=2))
    await jobs.agree(job_status(active=2, ready=2))
    await jobs.edit(suspend=True)
    await jobs.agree(both(pods(0), job_is("Suspended")))
    await jobs.edit(suspend=False)
    await jobs.agree(both(pods(2), job_status(active=2, ready=2)))


@pytest.mark.parametrize("parallelism", [0, 1, 4])
async def test_parallelism_changes(jobs: Pair, parallelism: int) -> None:
    """Pods that are too many go uncounted, and what is missing is made."""
    await jobs.create(job(completions=6, parallelism=2))
    await jobs.agree(job_status(active=2, ready=2))
    await jobs.edit(parallelism=parallelism)
    await jobs.agree(both(pods(parallelism), job_status(active=parallelism, ready=parallelism, failed=0)))


@pytest.mark.parametrize("size", [1, 5])
async def test_elastic(jobs: Pair, size: int) -> None:
    """An Indexed Job whose completions change with its parallelism."""
    await jobs.create(job(completions=3, parallelism=3, **INDEXED))
    await jobs.agree(job_status(active=3, ready=3))
    await jobs.edit(parallelism=size, completions=size)
    await jobs.agree(both(pods(size), job_status(active=size, ready=size)))


@pytest.mark.parametrize("propagation", ["Background", "Foreground", "Orphan"])
async def test_deletion(jobs: Pair, propagation: str) -> None:
    """No finalizer is left behind, whether the pods go or stay."""
    await jobs.create(job(completions=3, parallelism=2))
    await jobs.agree(job_status(active=2, ready=2))
    await jobs.delete("jobs", "web", propagation)
    await jobs.without_events().agree(both(gone("jobs"), pods(2 if propagation == "Orphan" else 0)))


async def test_a_deleted_pod_has_failed(jobs: Pair) -> None:
    """It is counted, and replaced after a while."""
    await jobs.create(job(completions=3, parallelism=2))
    await jobs.agree(job_status(active=2, ready=2))
    await jobs.delete_pods(1, "job-name=web")
    await jobs.agree(job_status(active=2, ready=2, failed=1))


async def test_a_pod_that_goes_slowly_is_replaced_only_then(jobs: Pair) -> None:
    """With podReplacementPolicy Failed, not before it has ended."""
    made = lingering()
    made["spec"]["restartPolicy"] = "Never"
    await jobs.create(job(template=made, parallelism=1, podReplacementPolicy="Failed"))
    await jobs.agree(job_status(active=1, ready=1))
    await jobs.delete_pods(1, "job-name=web")
    await jobs.agree(job_status(active=0, terminating=1))
    await jobs.let_go()
    await jobs.agree(job_status(active=1, ready=1, failed=1))


async def test_quota(jobs: Pair) -> None:
    """What cannot be made is said so, and made when it can."""
    await jobs.create(quota(1))
    await jobs.used_quota()
    await jobs.create(job(completions=3, parallelism=3))
    await jobs.without_events().agree(both(pods(1), job_status(active=1)))
    await jobs.delete_quota()
    await jobs.without_events().agree(both(pods(3), job_status(active=3, ready=3)))


async def test_a_pod_that_leaves(jobs: Pair) -> None:
    """A pod whose labels no longer match is let go, without the finalizer, and replaced."""
    await jobs.create(job(completions=3, parallelism=1))
    await jobs.agree(job_status(active=1, ready=1))
    labels = {"batch.kubernetes.io/controller-uid": "none"}
    await jobs.change_pods(1, {"metadata": {"labels": labels}}, "job-name=web")
    await jobs.without_pods().agree(both(pods(2), job_status(active=1, ready=1)))


async def test_a_job_of_the_same_name_again(jobs: Pair) -> None:
    """The pods of the one that was there before are none of its own, and are let go."""
    await jobs.create(job(completions=3, parallelism=2))
    await jobs.agree(job_status(active=2, ready=2))
    await jobs.delete("jobs", "web")
    await jobs.create(job(completions=3, parallelism=1))
    await jobs.without_events().agree(both(pods(1), job_status(active=1, ready=1)))


async def test_takes_on_an_orphan(jobs: Pair) -> None:
    """With a selector of the user's own, a pod that it takes becomes the Job's."""
    await jobs.create(pod("alone", labels={"app": "web"}))
    await jobs.agree(pods(1))  # whose watch is behind makes a pod, and deletes one of two when it sees this one
    made = job(completions=3, parallelism=1, manualSelector=True, selector={"matchLabels": {"app": "web"}})
    await jobs.create(made)
    await jobs.agree(both(pods(1), job_status(active=1, ready=1)))


async def test_success_makes_what_runs_superfluous(jobs: Pair) -> None:
    """Pods of other indexes go, and count as nothing."""
    policy = {"rules": [{"succeededIndexes": "0"}]}
    await jobs.create(job(completions=3, parallelism=3, successPolicy=policy, **INDEXED))
    await jobs.agree(job_status(active=3, ready=3))
    for side in (jobs.upstream, jobs.ours):
        await side.end_first("batch.kubernetes.io/job-completion-index=0", "Succeeded")
    await jobs.agree(both(pods(1), job_is("Complete", "SuccessPolicy")))


async def test_an_ignored_failure(jobs: Pair) -> None:
    """It is replaced, after the same wait, and counts for nothing."""
    await jobs.create(job(sim=BAD, backoffLimit=0, podFailurePolicy=on_code("Ignore", 7)))
    await jobs.without_events().agree(both(pods(2), job_status(failed=0)), quiet_for=0.5)
