"""The versions that the embedded cluster is made of: each Kubernetes release, and the etcd and KWOK that go with it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Release:
    """One pinned set of programs that are known to run together."""

    kubernetes: str
    etcd: str
    """As `kubeadm config images list` of this Kubernetes names it."""
    kwok: str

    @property
    def minor(self) -> str:
        """The Kubernetes minor version, as in `1.37`."""
        return self.kubernetes.rpartition(".")[0]


RELEASES: Final = {release.kubernetes: release for release in (Release("1.37.1", etcd="3.7.0", kwok="0.8.0"),)}
"""Every release that can be asked for, by its Kubernetes version."""

DEFAULT: Final = RELEASES["1.37.1"]
"""The release that is used unless another is asked for."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the cluster: its file name, and the Go module and package that it is built from."""

    name: str
    module: str
    """The project that releases it, which is also the name of our Go module that pins it."""
    package: str

    def version(self, release: Release) -> str:
        """The version of this program in a release."""
        return str(getattr(release, self.module))


PROGRAMS: Final[dict[str, Program]] = {
    program.name: program
    for program in (
        Program("etcd", "etcd", "go.etcd.io/etcd/server/v3"),
        *(
            Program(name, "kubernetes", f"k8s.io/kubernetes/cmd/{name}")
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
        ),
        Program("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok"),
    )
}
"""Every program that the cluster starts, and kubectl."""
