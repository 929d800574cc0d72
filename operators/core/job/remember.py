"""Which of a Job's pods count as failures in a row. See backoff.py."""

from operators.core.job.backoff import Endings
from operators.core.job.observed import Observed


def remember(observed: Observed) -> Endings:
    """Return the endings that are known with those of the pods that are there.

    A pod that was deleted counts while it has the finalizer, as it does in the status. Without one it was either
    counted before, and is remembered, or taken away on purpose (suspended, too many).
    """
    successes, failures = [], []
    for pod in observed.owned:
        run = pod.run
        if run is None or not observed.is_valid(run):
            continue
        if pod.phase == "Succeeded":
            successes.append(run.finished)
        elif observed.is_failed(pod) and (run.tracked or not pod.terminating):
            failures.append((run.finished, pod.uid))
    return observed.endings.with_(successes, failures)
