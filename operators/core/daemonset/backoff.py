"""How long a failed pod has to wait for its deletion. Mirrors k8s.io/client-go/util/flowcontrol/backoff.go.

A kubelet that refuses a pod would refuse the next one as well: the longer it goes on, the less often it is tried.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

FIRST: Final = timedelta(seconds=1)
LONGEST: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Retry:
    """A failed pod was deleted at `since`; the next one on that node waits for `delay` from there."""

    delay: timedelta
    since: datetime

    def wait(self, now: datetime) -> timedelta:
        """Return how long to wait yet, zero where it is over."""
        return max(timedelta(), self.since + self.delay - now)

    def is_forgotten(self, now: datetime) -> bool:
        """Whether there has been no failure for so long that the next one counts as the first."""
        return now - self.since > 2 * LONGEST


def after(before: Retry | None, now: datetime) -> Retry:
    """Return what follows a deletion: a second, then two, four … up to a quarter of an hour."""
    if before is None or before.is_forgotten(now):
        return Retry(FIRST, now)
    return Retry(min(2 * before.delay, LONGEST), now)
