"""A Job, its pods and a controller that may die between any two writes: the pure rules against a ledger of the truth.

Pods are JSON, as an apiserver has them. What the controller sees is a snapshot that is at least as new as its own last
write, which is what the runtime promises; it may be older than what anybody else did.
"""

import copy
from collections import Counter
from datetime import timedelta
from typing import Any, Literal

from operators.core import job as rules
from operators.core import pods as parsing
from operators.core import runs
from operators.core.job import Endings, Observed
from operators.core.job.indexes import Indexes
from operators.core.objects import Obj, format_time
from operators.core.plan import Create, Delete, Failure, Outcome, Patch, Result, Step
from tests.support.builders import NOW
from tests.support.jobs import job

Fault = Literal["refused", "unanswered", "death before", "death after"]
_LOST = Failure(0, "NoAnswer", "no answer")


class DeathError(Exception):
    """The process ended."""


class JobWorld:
    """One Job and everything that befalls it."""

    def __init__(self, group: str = "batch", **spec: Any) -> None:
        self.group = group
        self.job = job(status={}, group=group, **spec)
        self.is_gone = False
        """Whether the Job is deleted for good."""
        self.propagation = ""
        """How it is being deleted, empty where it is not."""
        self.pods: dict[str, Obj] = {}
        self.now = NOW
        self.version = 1
        self.withdrawn: set[str] = set()
        """Pods that were let go uncounted on purpose."""
        self.spared: set[str] = set()
        """Pods that a success made superfluous."""
        self.ignored: set[str] = set()
        """Pods that were let go uncounted because the policy ignores their failure, or their index is no more."""
        self.released: set[str] = set()
        """Pods that were let go because they are accounted for."""
        self.counted: set[str] = set()
        """Pods that were named in a status and are part of its counts by now."""
        self._endings = Endings()
        self._cache: tuple[Obj, list[Obj]] | None = None
        self._seen = self.job
        self._seen_pods: dict[str, Obj] = {}
        self.requeue_after: timedelta | None = None
        self._faults: list[tuple[int, Fault]] = []
        self._writes = 0

    # what others do

    def change(self, pod: Obj) -> None:
        """Give a pod a new version."""
        self.version += 1
        pod["metadata"]["resourceVersion"] = str(self.version)

    def end(self, pod: Obj, phase: str, code: int = 1) -> None:
        """A pod's containers end, where it fails with this code."""
        if pod["status"]["phase"] in ("Succeeded", "Failed"):
            return
        code = 0 if phase == "Succeeded" else code
        state = {"terminated": {"exitCode": code, "finishedAt": format_time(self.now)}}
        pod["status"] = {"phase": phase, "containerStatuses": [{"name": "app", "state": state}]}
        self.change(pod)
        self._reap(pod)

    def delete(self, pod: Obj) -> None:
        """A pod's deletion is asked for; without finalizers it is gone at once."""
        if "deletionTimestamp" not in pod["metadata"]:
            pod["metadata"] |= {"deletionTimestamp": format_time(self.now), "deletionGracePeriodSeconds": 0}
            self.change(pod)
        self._reap(pod)

    def edit(self, **spec: Any) -> None:
        """Somebody changes the Job."""
        self._replace(spec=self.job["spec"] | spec)

    def _replace(self, *, metadata: Obj | None = None, **fields: Obj) -> None:
        self.version += 1
        meta = self.job["metadata"] | (metadata or {}) | {"resourceVersion": str(self.version)}
        self.job = self.job | fields | {"metadata": meta}

    def delete_job(self, propagation: str) -> None:
        """Somebody deletes the Job: in the background it is gone at once, else once its pods are dealt with."""
        if self.propagation:
            return
        self.propagation = propagation
        if propagation == "Background":
            self.is_gone = True
        else:
            self._replace(metadata={"deletionTimestamp": format_time(self.now)})

    def collect(self, pod: Obj) -> None:
        """The garbage collector deals with a pod of a Job that is being deleted, and with the Job after the last."""
        if self.propagation == "Orphan":
            pod["metadata"]["ownerReferences"] = []
            self.change(pod)
        elif self.propagation:
            self.delete(pod)
        if self.propagation and not any(pod["metadata"]["ownerReferences"] for pod in self.pods.values()):
            self.is_gone = True

    def steal(self, pod: Obj) -> None:
        """Upstream's controller takes the finalizer off a pod that it took for nobody's."""
        if self.group != "batch" and self.is_active(pod):
            pod["metadata"]["finalizers"] = []
            self.change(pod)

    def _reap(self, pod: Obj) -> None:
        meta = pod["metadata"]
        if "deletionTimestamp" in meta and not meta.get("finalizers"):
            self.pods.pop(meta["uid"], None)

    # what the controller does

    def look(self) -> None:
        """The cache catches up."""
        self._cache = copy.deepcopy(self.job), copy.deepcopy(list(self.pods.values()))

    def sync(self, *faults: tuple[int, Fault]) -> bool:
        """Run one sync, with faults at some of its writes; say whether anything was written."""
        if self._cache is None:
            self.look()
        assert self._cache is not None
        self._faults, self._writes = list(faults), 0
        seen, pods = self._cache
        self._seen, self._seen_pods = seen, {pod["metadata"]["uid"]: pod for pod in pods}
        if self.is_gone:
            return self._clean(pods)
        observed = Observed(seen, tuple(map(parsing.parse, pods)), self.now, self._endings)
        self._endings = rules.remember(observed)
        observed = Observed(seen, observed.pods, self.now, self._endings)
        plan = rules.plan(observed)
        self.requeue_after = plan.requeue_after
        try:
            outcome = self._apply(plan.batches)
            status = rules.report(observed, outcome)
            if status is not None:
                self._put(seen, status)
        except DeathError:
            self._endings = Endings()
        if self._writes:
            self._cache = None
        return bool(self._writes)

    def _clean(self, pods: list[Obj]) -> bool:
        """Let go of pods whose Job is gone; of those that are nobody's only where the Jobs are built in."""
        strays = [pod for pod in map(parsing.parse, pods) if rules.is_stray(pod, self.group, None)]
        for batch in rules.release(strays).batches:
            for step in batch.steps:
                self._writes += 1
                assert isinstance(step, Patch)
                self._put_off(step)
        if self._writes:
            self._cache = None
        return bool(self._writes)

    def _put_off(self, step: Patch) -> None:
        pod = self.pods.get(step.target.uid)
        if pod is not None and step.resource_version in (None, pod["metadata"]["resourceVersion"]):
            pod["metadata"]["finalizers"] = []
            self.change(pod)
            self._reap(pod)

    def _apply(self, batches: Any) -> Outcome:
        results: list[tuple[Step, Result]] = []
        for batch in batches:
            done = [(step, self._write(step)) for step in batch.steps]
            results += done
            if any(isinstance(result, Failure) for _, result in done):
                break
        return Outcome(tuple(results))

    def _fault(self) -> Fault | None:
        self._writes += 1
        return next((fault for at, fault in self._faults if at == self._writes), None)

    def _write(self, step: Step) -> Result:
        fault = self._fault()
        if fault == "death before":
            raise DeathError
        if fault == "refused":
            return Failure(500, "InternalError", "broken")
        result = self._carry_out(step)
        if fault == "death after":
            raise DeathError
        return _LOST if fault == "unanswered" and not isinstance(step, Create) else result

    def _carry_out(self, step: Step) -> Result:
        match step:
            case Create():
                return self._create(step.body)
            case Delete():
                if pod := self.pods.get(step.target.uid):
                    self.delete(pod)
                return {}
            case Patch():
                return self._strip(step) if step.strategic else self._regain(step)

    def _create(self, body: Obj) -> Obj:
        """Make a pod; this is where a Job could have too many, or an index twice."""
        assert "deletionTimestamp" not in self._seen["metadata"], "a pod for a Job that goes"
        active = [pod for pod in self.pods.values() if self.is_active(pod)]
        assert len(active) < self.job["spec"]["parallelism"] or self._is_stale, "more pods than parallelism"
        self.version += 1
        uid = f"pod-{self.version}"
        index = body["metadata"].get("annotations", {}).get(runs.INDEX)
        if index is not None:
            assert int(index) not in self.completed, f"index {index} had succeeded"
            assert index not in [self.index(pod) for pod in active], f"index {index} twice"
        meta = copy.deepcopy(body["metadata"]) | {
            "name": uid,
            "uid": uid,
            "resourceVersion": str(self.version),
            "creationTimestamp": format_time(self.now),
        }
        pod = {"metadata": meta, "spec": {"nodeName": "n"}, "status": {"phase": "Running"}}
        self.pods[uid] = pod
        return pod

    def _regain(self, step: Patch) -> Result:
        """Give a pod its finalizer back; the pod has to be as it was seen."""
        pod = self.pods.get(step.target.uid)
        if pod is None or step.resource_version != pod["metadata"]["resourceVersion"]:
            return Failure(409, "Conflict", "changed")
        pod["metadata"]["finalizers"] = step.body["metadata"]["finalizers"]
        self.change(pod)
        return pod

    def _strip(self, step: Patch) -> Result:
        pod = self.pods.get(step.target.uid)
        if pod is None:
            return {}
        meta = pod["metadata"]
        if step.resource_version not in (None, meta["resourceVersion"]):
            return Failure(409, "Conflict", "changed")
        if runs.FINALIZER in meta["finalizers"]:
            if step.resource_version is not None:
                self.withdrawn.add(meta["uid"])
            else:
                self._note(pod)
        meta["finalizers"] = []
        self.change(pod)
        self._reap(pod)
        return pod

    def _note(self, pod: Obj) -> None:
        """Hold a pod that is let go against the status: its end has to be in there, or to be of no account."""
        status, uid = self.job.get("status") or {}, pod["metadata"]["uid"]
        named = [uid for uids in (status.get("uncountedTerminatedPods") or {}).values() for uid in uids]
        index = self.index(pod)
        self.released.add(uid)
        if uid in named or (
            index is not None and int(index) in self.completed and pod["status"]["phase"] == "Succeeded"
        ):
            return
        if self._is_of_no_account(pod):
            self.ignored.add(uid)
            return
        types = {c["type"] for c in status.get("conditions", ()) if c["status"] == "True"}
        assert "SuccessCriteriaMet" in types, "let go before its end was written down"
        is_deleted = "deletionTimestamp" in pod["metadata"]
        assert is_deleted or pod["status"]["phase"] != "Failed", "let go before its failure was written down"
        self.spared.add(uid)

    def _is_of_no_account(self, pod: Obj) -> bool:
        """Whether a pod's failure is ignored, its index is none that the controller knows of, or its Job goes."""
        index = self.index(pod)
        spec = self._seen["spec"]
        if "deletionTimestamp" in self._seen["metadata"] and pod["status"]["phase"] == "Running":
            return True
        if index is not None and int(index) >= spec["completions"]:
            return True
        return self._action(pod) == "Ignore"

    def _action(self, pod: Obj) -> str | None:
        """Return what the policy says of a pod that has failed."""
        policy = (self._seen["spec"].get("podFailurePolicy") or {}).get("rules") or ()
        ended = pod["status"].get("containerStatuses") or ()
        codes = {container["state"]["terminated"]["exitCode"] for container in ended} - {0}
        return next((str(rule["action"]) for rule in policy if codes & set(rule["onExitCodes"]["values"])), None)

    def _put(self, seen: Obj, status: Obj) -> None:
        fault = self._fault()
        if fault == "death before":
            raise DeathError
        if (
            self.is_gone
            or fault == "refused"
            or seen["metadata"]["resourceVersion"] != self.job["metadata"]["resourceVersion"]
        ):
            return
        self.check(self.job.get("status") or {}, status)
        self.version += 1
        self.job = self.job | {
            "status": copy.deepcopy(status),
            "metadata": self.job["metadata"] | {"resourceVersion": str(self.version)},
        }
        if fault == "death after":
            raise DeathError

    # what has to hold

    @property
    def _is_stale(self) -> bool:
        """Whether the controller has yet to see the Job as it is."""
        return (
            self._cache is None
            or self._cache[0]["metadata"]["resourceVersion"] != (self.job["metadata"]["resourceVersion"])
        )

    @staticmethod
    def is_active(pod: Obj) -> bool:
        """Whether a pod runs."""
        return pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]

    @staticmethod
    def index(pod: Obj) -> str | None:
        """Return a pod's index."""
        found: str | None = pod["metadata"].get("annotations", {}).get(runs.INDEX)
        return found

    @property
    def completed(self) -> Indexes:
        """The indexes that the status says are done."""
        return Indexes.parse((self.job.get("status") or {}).get("completedIndexes", ""), 1000)

    @property
    def is_over(self) -> bool:
        """Whether the Job has ended."""
        found = (self.job.get("status") or {}).get("conditions") or ()
        return any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in found)

    def check(self, old: Obj, new: Obj) -> None:
        """Hold a status to be written against the one there is: no count goes down, nothing is named twice."""
        named = [uid for uids in new["uncountedTerminatedPods"].values() for uid in uids]
        assert max(Counter(named).values(), default=0) <= 1, "a pod is named twice"
        assert not set(named) & (self.withdrawn | self.spared), "a pod that does not count is named"
        assert not set(named) & self.counted, "a pod is named that is counted"
        known = (old.get("uncountedTerminatedPods") or {}).get("failed", [])
        for uid in set(new["uncountedTerminatedPods"].get("failed", [])) - set(known):
            assert self._action(self._seen_pods[uid]) != "Ignore", "a failure counts that the policy ignores"
        for kind in ("succeeded", "failed"):
            before = (old.get("uncountedTerminatedPods") or {}).get(kind, [])
            left = set(before) - set(new["uncountedTerminatedPods"].get(kind, []))
            assert not left & self.counted, "a pod is counted twice"
            assert not [u for u in left if u in self.pods and self.pods[u]["metadata"]["finalizers"]], (
                "counted too soon"
            )
            if kind == "failed" or not self.is_indexed:
                assert new[kind] - old.get(kind, 0) == len(left), "the count is not of those that were named"
            self.counted |= left
        if self.is_indexed and not self.is_elastic:
            assert new["succeeded"] >= old.get("succeeded", 0)
        types = {c["type"] for c in new.get("conditions", ()) if c["status"] == "True"}
        if types & {"Complete", "Failed"}:
            assert not named, "over before all is counted"
            assert not any(pod["metadata"].get("finalizers") for pod in self.pods.values()), (
                "over with a finalizer left"
            )
            before = {c["type"] for c in old.get("conditions", ()) if c["status"] == "True"}
            assert before & {"FailureTarget", "SuccessCriteriaMet"}, "over without saying why first"

    def quiesce(self) -> None:
        """Let the controller have its way, undisturbed, for as long as it has something to do."""
        for _ in range(400):
            self.look()
            if not self.sync():
                self._check_held()
                return
        raise AssertionError("it never comes to rest")

    def _check_held(self) -> None:
        """A pod of ours that runs has the finalizer, whoever took it off."""
        if self.group != "batch" and not self.propagation and not self.is_over:
            running = [pod for pod in self.pods.values() if self.is_active(pod)]
            assert all(pod["metadata"]["finalizers"] for pod in running), "nobody would count it"

    def check_counts(self) -> None:
        """Every pod that was let go is in the count, but for those whose index is."""
        status = self.job["status"]
        assert not status["uncountedTerminatedPods"]
        if self.is_indexed:
            assert status["succeeded"] == len(self.completed)
            assert status["failed"] == len(self.counted)
        else:
            assert status["succeeded"] + status["failed"] == len(self.counted)
            assert self.counted == self.released - self.spared - self.withdrawn - self.ignored

    @property
    def is_indexed(self) -> bool:
        """Whether it is an Indexed Job."""
        return bool(self.job["spec"].get("completionMode") == "Indexed")

    @property
    def is_elastic(self) -> bool:
        """Whether its completions may change, with its parallelism."""
        spec = self.job["spec"]
        return self.is_indexed and spec["completions"] == spec["parallelism"]

    @property
    def is_waiting(self) -> bool:
        """Whether nothing but time can bring it on: pods are wanted, and there is none that could end or go."""
        spec = self.job["spec"]
        wants = spec["parallelism"] > 0 and not spec.get("suspend") and not self.propagation
        held = any(self.is_active(pod) or "deletionTimestamp" in pod["metadata"] for pod in self.pods.values())
        return wants and not held and not self.is_over

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
