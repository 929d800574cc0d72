"""Job: run pods until enough of them have succeeded. Mirrors pkg/controller/job."""

from operators.core.job.backoff import Endings
from operators.core.job.observed import Observed
from operators.core.job.plan import plan
from operators.core.job.remember import remember
from operators.core.job.spec import label_selector, managed_elsewhere, selector
from operators.core.job.status import announce, report
from operators.core.job.stray import is_stray, release
from operators.core.job.tally import Tally, tally

__all__ = [
    "Endings",
    "Observed",
    "Tally",
    "announce",
    "is_stray",
    "label_selector",
    "managed_elsewhere",
    "plan",
    "release",
    "remember",
    "report",
    "selector",
    "tally",
]
