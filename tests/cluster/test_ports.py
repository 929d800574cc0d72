"""Ports: free, different, and the same again for a cluster that keeps its state."""

import socket
from dataclasses import asdict
from pathlib import Path

from operators.cluster import ports


def test_chosen_ports_are_different() -> None:
    """No two components share a port."""
    chosen = list(asdict(ports.choose()).values())

    assert len(set(chosen)) == len(chosen)


def test_kept_ports_are_the_same_again(tmp_path: Path) -> None:
    """A restart finds every component where it was."""
    first = ports.keep(tmp_path / "ports.json")

    assert ports.keep(tmp_path / "ports.json") == first


def test_a_port_that_was_taken_in_the_meantime_is_replaced(tmp_path: Path) -> None:
    """Where another program listens by now, other ports are chosen, and kept from then on."""
    first = ports.keep(tmp_path / "ports.json")
    with socket.create_server(("127.0.0.1", first.etcd)):
        second = ports.keep(tmp_path / "ports.json")

    assert second.etcd != first.etcd
    assert ports.keep(tmp_path / "ports.json") == second
