"""The programs that tests of the chart start."""

from pathlib import Path

import pytest

from operators.cluster.progress import Lines
from tests.chart.rendering import Helm
from tests.support import tools


@pytest.fixture(scope="session")
def helm() -> Helm:
    """Return helm."""
    return Helm(tools.obtain(tools.HELM, Lines()))


@pytest.fixture(scope="session")
def kubeconform() -> Path:
    """Return kubeconform."""
    return tools.obtain(tools.KUBECONFORM, Lines())
