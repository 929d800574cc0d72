"""Leader election by a Lease (coordination.k8s.io/v1): at most one process writes at any time.

Mirrors client-go's tools/leaderelection, and is stricter in one thing: the leader may write only while
`may_write()` holds, which ends RENEW_DEADLINE after the last renewal was *sent*, and no request lives longer
than REQUEST_TIMEOUT; both together are shorter than the lease, so that another leader never meets an old one's write.
Other clocks are not trusted: a lease has run out when its record has not changed for its duration by our own clock.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from operators.core.objects import Obj, Resource
from operators.runtime import metrics
from operators.runtime.client import REQUEST_TIMEOUT, ApiError, Requests, path

log = logging.getLogger(__name__)

LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
LEASE_DURATION, RENEW_DEADLINE, RETRY_PERIOD = 15.0, 6.0, 1.5
assert RENEW_DEADLINE + REQUEST_TIMEOUT < LEASE_DURATION  # noqa: S101 - the promise of the module


def _since_boot() -> float:
    """Return seconds that go on while a machine is suspended, as a lease does and the monotonic clock does not."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Lease:
    """One candidate for one Lease."""

    def __init__(
        self,
        client: Requests,
        namespace: str,
        name: str,
        identity: str,
        clock: Callable[[], float] = _since_boot,
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._clock = clock
        self._until = 0.0
        self._record: Obj = {}
        self._seen = 0.0
        self._version = ""
        self._gauge = metrics.leader.labels(name)
        self._gauge.set(0)

    def may_write(self) -> bool:
        """Whether this process leads, with enough of the lease left for a write."""
        return self._clock() < self._until

    async def acquire(self) -> None:
        """Wait until this process leads."""
        while not await self._try():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(RETRY_PERIOD)
        self._gauge.set(1)
        log.info("leading as %s", self._identity)

    async def hold(self) -> None:
        """Renew until that fails for RENEW_DEADLINE; then return: this process leads no longer."""
        while self.may_write():
            await asyncio.sleep(RETRY_PERIOD)
            await self._try()
        self._gauge.set(0)

    async def release(self) -> None:
        """Give the lease up, so that another need not wait for it to run out."""
        if not self.may_write():
            return
        self._until = 0.0
        self._gauge.set(0)
        try:
            async with asyncio.timeout(RENEW_DEADLINE / 2):
                while not await self._hand_over():
                    self._version = ""
        except (ApiError, TimeoutError) as error:
            log.warning("the lease could not be released, and has to run out: %s", str(error) or "no answer in time")
        else:
            log.info("the lease is released")

    async def _hand_over(self) -> bool:
        """Write that nobody holds the lease; False where the record had changed meanwhile.

        A renewal may have been broken off a moment ago: whether it took effect is not known, and it may yet.
        """
        if not self._version:
            self._observe(await self._client.request("GET", self._url()))
            if self._record.get("holderIdentity") != self._identity:
                return True
        try:
            await self._put(self._record | {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _now()})
        except ApiError as error:
            if error.status != 409:
                raise
            return False
        return True

    async def _try(self) -> bool:
        """Create, take or renew the lease where that is due. Failures mean that we do not lead, not more."""
        sent = self._clock()
        try:
            async with asyncio.timeout(RENEW_DEADLINE / 2):
                if not await self._claim():
                    self._until = 0.0
                    return False
        except (ApiError, TimeoutError) as error:
            log.warning("lease %s/%s: %s", self._namespace, self._name, str(error) or "no answer in time")
            return False
        self._until = sent + RENEW_DEADLINE
        return True

    async def _claim(self) -> bool:
        if not (self.may_write() and self._version):
            try:
                live = await self._client.request("GET", self._url())
            except ApiError as error:
                if error.status != 404:
                    raise
                await self._create()
                return True
            self._observe(live)
            holder = self._record.get("holderIdentity")
            duration = self._record.get("leaseDurationSeconds") or LEASE_DURATION
            if holder and holder != self._identity and self._clock() - self._seen < duration:
                return False
        mine = self._record.get("holderIdentity") == self._identity
        now = _now()
        await self._put(
            {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": int(LEASE_DURATION),
                "acquireTime": (self._record.get("acquireTime") if mine else None) or now,
                "renewTime": now,
                "leaseTransitions": self._record.get("leaseTransitions", 0) + (not mine),
            }
        )
        return True

    def _observe(self, live: Obj) -> None:
        """Note a record, and when by our clock it was last seen to change."""
        self._version = live["metadata"]["resourceVersion"]
        spec = live.get("spec") or {}
        if spec != self._record:
            self._record, self._seen = spec, self._clock()

    async def _create(self) -> None:
        now = _now()
        spec = {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": int(LEASE_DURATION),
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": 0,
        }
        body = {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": spec,
        }
        self._observe(await self._client.request("POST", path(LEASES, self._namespace), body))

    async def _put(self, spec: Obj) -> None:
        """Write the record over the version that was seen; a conflict shows the next try what came in between."""
        meta = {"name": self._name, "namespace": self._namespace, "resourceVersion": self._version}
        body = {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": meta, "spec": spec}
        self._version = ""
        self._observe(await self._client.request("PUT", self._url(), body))

    def _url(self) -> str:
        return path(LEASES, self._namespace, self._name)


def _now() -> str:
    """Return the time as a metav1.MicroTime, for people to read: no decision rests on it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
