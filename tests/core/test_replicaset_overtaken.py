"""When a ReplicaSet's status is left to the next sync, because this one has just overtaken it."""

import pytest

from operators.core.objects import PODS
from operators.core.plan import Create, Delete, Failure, Outcome, Patch, Result, Step, Target
from operators.core.replicaset import Observed, report
from tests.support.builders import NOW, replicaset

POD = Target(PODS, "default", "web-1", "uid-1")
CREATED: tuple[Step, Result] = (Create(PODS, {"metadata": {"generateName": "web-"}}), {"metadata": {"name": "web-1"}})
DELETED: tuple[Step, Result] = (Delete(POD), {})
ADOPTED: tuple[Step, Result] = (Patch(POD, {}), {"metadata": {"name": "web-1"}})
REFUSED: tuple[Step, Result] = (CREATED[0], Failure(403, "Forbidden", "exceeded quota"))


@pytest.mark.parametrize(
    ("results", "want_written"),
    [
        pytest.param((), True, id="nothing-done"),
        pytest.param((CREATED,), False, id="pods-created"),
        pytest.param((DELETED,), False, id="pods-deleted"),
        pytest.param((ADOPTED,), True, id="pods-adopted"),
        pytest.param((CREATED, REFUSED), True, id="some-refused"),
        pytest.param(((ADOPTED[0], REFUSED[1]),), False, id="adoption-refused"),
    ],
)
def test_status_waits_for_pods_to_show(results: tuple[tuple[Step, Result], ...], want_written: bool) -> None:  # noqa: FBT001
    """Pods that come or go wake the next sync, which reports; a refusal is reported at once."""
    written = report(Observed(replicaset(), (), (), NOW), Outcome(results))
    assert (written is not None) == want_written
