"""What `kubectl logs` shows of a simulated container: one log for all of them, since no program runs in any.

There is no such thing for `exec`: KWOK would run the command on this machine, as whoever started the cluster, and its
port asks nobody who they are.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_LINE: Final = "This container is simulated: no program runs in it, and its log is this line."


def write(folder: Path) -> Path:
    """Write the log, and the file that tells KWOK of it, into a cluster's folder; return the latter.

    Lines that are appended to the log (`logs/containers.log`, in the format of CRI) reach who follows it.
    """
    log = folder / "logs" / "containers.log"
    log.write_text(f"{datetime.now(UTC).isoformat(timespec='microseconds').replace('+00:00', 'Z')} stdout F {_LINE}\n")
    one = {"logsFile": str(log), "previousLogsFile": str(log)}
    config = folder / "kwok-logs.yaml"
    # JSON is YAML too.
    config.write_text(
        json.dumps(
            {
                "apiVersion": "kwok.x-k8s.io/v1alpha1",
                "kind": "ClusterLogs",
                "metadata": {"name": "simulated"},
                "spec": {"logs": [one]},
            }
        )
    )
    return config
