"""A Job's life in the simulated apiserver: what its two controllers ask of it is what they may ask, and all of that."""

from operators.core import objects
from operators.core.objects import PODS, Obj, key
from tests.properties import rights
from tests.properties.rules import Rules
from tests.properties.store import JOBS
from tests.properties.world import World
from tests.support.jobs import job

LABELS = {"job": "one"}


class JobRules(Rules):
    """No rules of its own: those of Jobs are in jobs.py, on a simpler apiserver."""

    resources = (PODS, JOBS)
    controllers = ("job", "ttl-after-finished")

    def check_rest(self) -> None:
        """Check that nothing is left of it."""
        assert self.store.all(JOBS) == []
        assert all(not pod["metadata"].get("finalizers") for pod in self.store.all(PODS))


def a_job() -> Obj:
    """Return a Job of three pods at a time."""
    made = job(completions=3, parallelism=3, manualSelector=True, ttlSecondsAfterFinished=0)
    spec = made["spec"] | {"selector": {"matchLabels": LABELS}}
    template = spec["template"] | {"metadata": {"labels": LABELS}}
    return {"metadata": {"namespace": "ns", "name": "one"}, "spec": spec | {"template": template}}


def an_orphan() -> Obj:
    """Return a pod that the Job takes on."""
    meta = {"namespace": "ns", "name": "orphan", "labels": LABELS}
    return {"metadata": meta, "spec": {"restartPolicy": "Never", "containers": [{"name": "app", "image": "app:1"}]}}


def test_what_jobs_need() -> None:
    """It takes a pod on, loses an answer, has a pod too many, ends, and is deleted: no right is missing or idle."""
    world = World(JobRules())
    try:
        world.store.create(PODS, an_orphan())
        world.network.faults.extend(["unanswered"] * 4)
        world.store.create(JOBS, a_job())
        world.run(30)
        world.kubelets()
        world.run(5)
        world.store.patch(JOBS, ("ns", "one"), {"spec": {"parallelism": 2}})
        world.run(5)
        world.store.patch(JOBS, ("ns", "one"), {"spec": {"parallelism": 3}})
        world.run(5)
        while present := [pod for pod in world.store.all(PODS) if pod["status"]["phase"] != "Succeeded"]:
            for pod in present:
                world.set_pod(pod, "Succeeded", ready=False, node="node-a")
                if objects.is_terminating(pod):
                    world.store.remove(PODS, key(pod))
            world.run(5)
        world.quiesce()
        world.check_rest()
        rights.check("job", "ttl-after-finished")
    finally:
        world.close()
