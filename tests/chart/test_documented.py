"""The helm commands of the documents: helm knows their flags, and the chart takes their values."""

import re
import shlex
from typing import Final

import pytest

from tests.chart.rendering import CHART, Helm
from tests.support.documented import commands, pages

COMMANDS: Final = sorted(
    {
        command.partition(" | ")[0]
        for document in pages()
        for command in commands(document)
        if re.match(r"helm \w+ (?!…)", command)
    }
)


@pytest.mark.parametrize("command", COMMANDS)
def test_helm_knows_the_flags(helm: Helm, command: str) -> None:
    """Asked for its help, helm reads the other flags all the same."""
    ran = helm.run(*shlex.split(command)[1:], "--help")
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("command", [command for command in COMMANDS if " helm/kopfwerk " in command])
def test_the_chart_takes_the_values(helm: Helm, command: str) -> None:
    """It refuses a value that it does not know."""
    values = [f"--set={value}" for value in re.findall(r" --set (\S+)", command)]
    ran = helm.run("template", "kopfwerk", str(CHART), "--kube-version=1.37.1", *values)
    assert ran.returncode == 0, ran.stderr
