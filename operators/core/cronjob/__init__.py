"""CronJob: run Jobs by a schedule. Mirrors pkg/controller/cronjob."""

from operators.core.cronjob.decision import decide, next_after_last
from operators.core.cronjob.due import delay
from operators.core.cronjob.observed import Observed, zone_name
from operators.core.cronjob.plan import plan
from operators.core.cronjob.status import announce, report

__all__ = ["Observed", "announce", "decide", "delay", "next_after_last", "plan", "report", "zone_name"]
