"""The commands of the plugin."""

import click

from operators.cli.plugin import placing, pods, rollout, running, setting
from operators.cli.plugin.options import Group


@click.group("kubectl-kopfwerk", cls=Group)
def commands() -> None:
    """Do with Kopfwerk's workloads what kubectl does with the built-in ones.

    TYPE is deployment (deploy), replicaset (rs), statefulset (sts), daemonset (ds), job or cronjob (cj): alone, the
    custom resource of the group kopfwerk.dev; with its group, as in deployments.apps/web, the built-in one.
    """


_SINGLE = (pods.logs, pods.execute, pods.port_forward, running.run_now, placing.why, placing.what_if)
for command in (rollout.commands, setting.commands, *_SINGLE):
    commands.add_command(command)
