"""How long a failed pod's replacement waits: 10 s, doubling with each failure in a row, up to 10 min.

Mirrors pkg/controller/job/backoff_utils.go. Upstream counts failures as it comes upon them, and forgets them with its
process; here they are read from the pods that are there, and only those that are gone have to be remembered. So a
restart forgets no more than what left no trace.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

_MOST = 64
"""The failures that are remembered: no back-off goes on doubling for longer."""


@dataclass(frozen=True, slots=True)
class Endings:
    """The last success, and since then the failures, oldest first, each with the UID of its pod."""

    success: datetime | None = None
    failures: tuple[tuple[datetime, str], ...] = ()

    def with_(self, successes: Iterable[datetime], failures: Iterable[tuple[datetime, str]]) -> "Endings":
        """Return these and further ones. A failure that is known already stays as it was first seen."""
        last = max((moment for moment in (self.success, *successes) if moment is not None), default=None)
        known = {uid for _, uid in self.failures}
        every = sorted((*self.failures, *(failure for failure in failures if failure[1] not in known)))
        after = [failure for failure in every if last is None or failure[0] > last]
        return Endings(last, tuple(after[-_MOST:]))

    def wait(self, base: timedelta, maximum: timedelta, now: datetime) -> timedelta:
        """Return how long no pod is to be created."""
        if not self.failures:
            return timedelta()
        return wait(len(self.failures), self.failures[-1][0], base, maximum, now)


def wait(failures: int, last: datetime, base: timedelta, maximum: timedelta, now: datetime) -> timedelta:
    """Return what is left of the wait after so many failures in a row. The third, at 10 s and 10 min, waits 40 s."""
    delay = min(base, maximum)
    for _ in range(1, failures):
        delay *= 2
        if delay >= maximum:
            delay = maximum
            break
    return max(timedelta(), delay - (now - last))
