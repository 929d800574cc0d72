"""One cluster for the tests of simulated nodes and pods, which commands find by its name."""

from collections.abc import Iterator

import pytest

from operators.cluster import registry
from operators.cluster.cluster import Cluster, Settings
from operators.cluster.registry import Record

NAME = "simulated"
SETTINGS = Settings(
    name=NAME,
    nodes=2,
    operator=False,
    # A silent kubelet is noticed within ten seconds. One that is alive must renew its Lease much more often than that,
    # and KWOK does so after a quarter of the Lease's duration: 40 s, unless told otherwise.
    controller_manager_args=("--node-monitor-grace-period=10s", "--node-monitor-period=1s"),
    kwok_args=("--node-lease-duration-seconds=8",),
)


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Return a cluster of two nodes without the operator, written down as `kopfwerk up` would."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KOPFWERK_STATE", str(tmp_path_factory.mktemp("state")))
        with (
            registry.take(registry.folder(NAME), "it runs already"),
            Cluster(SETTINGS) as cluster,
        ):
            Record(
                name=NAME,
                server=cluster.server,
                context=cluster.context,
                kubeconfig=str(cluster.kubeconfig),
                kubernetes=SETTINGS.release.kubernetes,
                data_dir=str(cluster.folder),
            ).save()
            yield cluster
