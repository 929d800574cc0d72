"""CronJobs that run on the minute, with Jobs whose containers end with real codes."""

from operators.core.objects import KOPFWERK
from tests.e2e import scenarios
from tests.e2e.shell import Shell


def test_each_minute(shell: Shell) -> None:
    """One Job succeeds, another fails, and the CronJobs' status says so."""
    scenarios.each_minute(shell, KOPFWERK)


def test_run_by_hand(shell: Shell) -> None:
    """The plugin starts a run at once, of a CronJob that is suspended too."""
    shell.apply(scenarios.cronjob(KOPFWERK, "never", 0, suspend=True))
    shell.kubectl("kopfwerk", "run-now", "never", "--name=now")
    shell.kubectl("wait", "jobs.kopfwerk.dev/now", "--for=condition=Complete", "--timeout=60s")
