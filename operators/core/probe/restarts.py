"""Which containers are restarted for failed probes, and when: a ledger in the status, written before anything is done.

A restart takes up a place from the moment it is entered until the pod, or the one that replaces it, is ready, or until
nobody waits for that any more. There are `maxConcurrent` places, so that a probe that is wrong about a whole set takes
down that many of it at a time. Being written first, the ledger holds through lost writes and changes of the leader.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from operators.core.objects import Obj, format_time, parse_time
from operators.core.pods import Pod
from operators.core.probe.observed import Member, Observed
from operators.core.probe.spec import Kind, Method, Restart
from operators.core.rounding import scaled


@dataclass(frozen=True, slots=True)
class Entry:
    """A restart that has been decided: of which pod, and which of its containers by ID."""

    pod: str
    uid: str
    container: str
    probe: Kind
    time: datetime

    def obj(self) -> Obj:
        """Return it as the status has it."""
        return {
            "pod": self.pod,
            "uid": self.uid,
            "containerID": self.container,
            "probe": str(self.probe),
            "time": format_time(self.time),
        }


def entries(status: Obj) -> tuple[Entry, ...]:
    """Read the ledger."""
    return tuple(
        Entry(one["pod"], one["uid"], one["containerID"], Kind(one["probe"]), parse_time(one["time"]))
        for one in status.get("restarting") or ()
    )


@dataclass(frozen=True, slots=True)
class Ledger:
    """What becomes of the ledger now. delay is what the next restart of a container that failed again waits."""

    entries: tuple[Entry, ...]
    new: tuple[Entry, ...]
    delay: timedelta
    last: datetime | None
    look_again: timedelta | None
    """In how much time, without being woken, there may be something to do."""


def ledger(observed: Observed) -> Ledger:
    """Return the ledger without what is over, and with what is to be restarted next."""
    restart, now, status = observed.wanted.restart, observed.now, observed.status
    last = parse_time(status["lastRestartTime"]) if status.get("lastRestartTime") else None
    said = timedelta(seconds=status.get("restartDelaySeconds", 0))
    delay = timedelta() if last is not None and now - last > 2 * restart.longest else said
    kept, taken = _standing(observed, restart)
    failed = [member for member in observed.members if member.failed and member.pod.uid not in taken]
    if restart.method == Method.NONE:
        kept, taken, failed = (), frozenset(), []
    places = max(0, limit(restart, observed.members) - len(taken))
    again = last + delay if last is not None else now
    waits = [member for member in failed if is_repeated(member, restart, now) and now < again]
    chosen = sorted((member for member in failed if member not in waits), key=_longest_failed_first)[:places]
    new = tuple(_entry(member, now) for member in chosen)
    if new and (not delay or any(is_repeated(member, restart, now) for member in chosen)):
        delay = min(max(2 * delay, restart.base), restart.longest)
    kept = tuple(entry for entry in kept if entry.uid not in {one.uid for one in new})
    ahead = [entry.time + restart.recovery - now for entry in kept if entry.uid in taken]
    if waits and places > len(chosen):
        ahead.append(again - now)
    wait = max(min(ahead), timedelta(seconds=1)) if ahead else None
    return Ledger((*kept, *new), new, delay if new else said, now if new else last, wait)


def limit(restart: Restart, members: Sequence[Member]) -> int:
    """Return how many of the set may be restarted at once: at least one, since otherwise none ever were."""
    return max(1, scaled(restart.limit, sum(member.pod.is_active for member in members), round_up=False))


def is_repeated(member: Member, restart: Restart, now: datetime) -> bool:
    """Whether the container had not been running for long: a restart that does not help is not tried again at once."""
    since = member.container.running_since if member.container else None
    return since is not None and now - since < 2 * restart.longest


def is_awaited(entry: Entry, member: Member) -> bool:
    """Whether the container of an entry is still the one that failed, and nothing has been done about it."""
    return member.pod.uid == entry.uid and member.failed is not None and _id(member) == entry.container


def _standing(observed: Observed, restart: Restart) -> tuple[tuple[Entry, ...], frozenset[str]]:
    """Return the entries that stay, and the UIDs of those that take up a place.

    An entry that is over stays as long as another is not: the pod that took its pod's place is counted against it.
    """
    by_uid = {member.pod.uid: member for member in observed.members}
    found = sorted(entries(observed.status), key=lambda entry: (entry.time, entry.pod))
    ready = sum(pod.ready for pod in _replacements(observed, found))
    stays: list[Entry] = []
    taken: set[str] = set()
    for entry in found:
        member = by_uid.get(entry.uid)
        if member is not None and is_awaited(entry, member):
            taken.add(entry.uid)  # it waits for the disruption budget, or for the kubelet
        elif observed.now - entry.time >= restart.recovery:
            continue
        elif member is not None and member.pod.is_active:
            if _id(member) == entry.container:
                continue  # it has come to itself; if it fails again, it waits for a place again
            if not member.pod.ready:
                taken.add(entry.uid)  # restarted in place, and not well yet
        elif member is not None and member.pod.is_terminating:
            taken.add(entry.uid)
        elif ready:
            ready -= 1
        else:
            taken.add(entry.uid)
        stays.append(entry)
    return (tuple(stays) if taken else ()), frozenset(taken)


def _replacements(observed: Observed, found: Sequence[Entry]) -> Iterator[Pod]:
    """Yield the pods that were made since the first restart in the ledger."""
    if found:
        first, known = found[0].time, {entry.uid for entry in found}
        pods = (member.pod for member in observed.members)
        yield from (pod for pod in pods if pod.is_active and pod.created >= first and pod.uid not in known)


def _entry(member: Member, now: datetime) -> Entry:
    failed = member.failed
    if failed is None:
        raise ValueError(f"nothing of {member.pod.name} has failed")
    return Entry(member.pod.name, member.pod.uid, _id(member), failed, now)


def _id(member: Member) -> str:
    return member.container.id if member.container else ""


def _longest_failed_first(member: Member) -> tuple[datetime, str]:
    kind = member.failed
    since = member.states[kind].since if kind else None
    return since or member.pod.created, member.pod.name
