"""What a process has used, as the kernel counts it, and what an apiserver has written, as itself does."""

import os
import re
from collections import Counter
from pathlib import Path

_LABEL = re.compile(r'(\w+)="([^"]*)"')
_READS = frozenset({"GET", "LIST", "WATCH", "CONNECT"})
_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process, its threads included, in user and kernel mode. 0 where there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def machine_cpu_seconds() -> float:
    """Return the CPU time that everything on this machine has used."""
    user, nice, system, _idle, _iowait, irq, softirq, *_ = Path("/proc/stat").read_text().split()[1:9]
    return sum(map(int, (user, nice, system, irq, softirq))) / _TICKS


def peak_memory(pid: int) -> float:
    """Return the most memory, in MB, that a process has had resident since it began."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"the kernel does not tell the memory of process {pid}")


def child_of(pid: int) -> int:
    """Return the first child of a process, 0 where it has none."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else 0


def writes(metrics: str) -> Counter[str]:
    """Return from an apiserver's metrics how many writes it has answered, by verb, resource and subresource."""
    found: Counter[str] = Counter()
    for line in metrics.splitlines():
        if line.startswith("apiserver_request_total{"):
            labels = dict(_LABEL.findall(line))
            if labels["verb"] not in _READS:
                what = "/".join(filter(None, (labels["resource"], labels["subresource"])))
                found[f"{labels['verb']} {what} {labels['code']}"] += int(float(line.rpartition(" ")[2]))
    return found
