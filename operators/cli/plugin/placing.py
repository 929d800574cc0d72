"""`kubectl kopfwerk why` and `what-if`: the scheduler's rules on the cluster as it is now, worked out right here.

Nothing is asked of the scheduler itself, so both work wherever one may read the cluster, and change nothing.
"""

import json
from collections import defaultdict
from pathlib import Path

import click
import yaml

from operators.cli.plugin.kubectl import Failed, Kubectl, read_documents
from operators.cli.plugin.options import Command, option, pass_kubectl
from operators.core.kubectl.kinds import Refused
from operators.core.objects import Obj

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_output = option("--output", "-o", type=click.Choice(["text", "json"]), default="text", help="text or json.")
_profiles = option("--profiles", type=_FILE, help="The scheduler's profiles, where it has other than upstream's rules.")
_most = option("--most", type=click.IntRange(min=1), default=10, help="At most so many nodes of a kind; 10 by default.")


@click.command("why", cls=Command)
@click.argument("pod")
@_output
@_profiles
@_most
@pass_kubectl
def why(kubectl: Kubectl, /, pod: str, output: str, profiles: Path | None, most: int) -> None:
    """Say why a pod is where it is, or why it is nowhere: why POD.

    Every node with each rule's share of its score, or with what is in the way there and what would have to be
    different, if the pod were to be placed now.
    """
    found, code = kubectl.read_objects("pod", pod.removeprefix("pod/").removeprefix("pods/"))
    if code:
        raise Failed(code)
    _tell(kubectl, found[0], output, profiles, most)


@click.command("what-if", cls=Command)
@option("--filename", "-f", required=True, help="A file with a pod, or a workload of which one pod is looked at.")
@_output
@_profiles
@_most
@pass_kubectl
def what_if(kubectl: Kubectl, /, filename: str, output: str, profiles: Path | None, most: int) -> None:
    """Say where a pod would go, and change nothing: what-if -f FILENAME.

    The apiserver checks and completes it as if it were created, for which one needs the right to create pods.
    """
    text = kubectl.read_text(
        "create", "--dry-run=client", "--validate=false", "--output=json", f"--filename={filename}"
    )
    found = [obj for obj in read_documents(text) if obj["kind"] == "Pod" or "template" in obj.get("spec", {})]
    if len(found) != 1:
        raise Refused(f"{filename} has to have one pod, or one workload with a pod template; it has {len(found)}")
    [obj] = found
    pod = obj if obj["kind"] == "Pod" else _pod_of(obj)
    dry_run = ("create", "--dry-run=server", "--output=json", "--filename=-")
    created = json.loads(kubectl.read_text(*dry_run, stdin=json.dumps(pod), namespace=pod["metadata"].get("namespace")))
    _tell(kubectl, created, output, profiles, most)


def _pod_of(workload: Obj) -> Obj:
    """Return a pod of a workload's template."""
    template, meta = workload["spec"]["template"], workload["metadata"]
    kept = {key: value for key, value in template.get("metadata", {}).items() if key in ("labels", "annotations")}
    place = {"namespace": meta["namespace"]} if "namespace" in meta else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{meta['name']}-what-if", **place, **kept},
        "spec": template["spec"],
    }


def _tell(kubectl: Kubectl, obj: Obj, output: str, file: Path | None, most: int) -> None:
    """Read the cluster and print the explanation."""
    # The rules work on arrays, whose import takes a while: nobody else is to wait for it.
    from operators.scheduler import explaining, feed, profiles, telling  # noqa: PLC0415
    from operators.scheduler import pod as pods  # noqa: PLC0415
    from operators.scheduler.own import RuleError  # noqa: PLC0415
    from operators.scheduler.rules import InvalidProfileError  # noqa: PLC0415
    from operators.scheduler.snapshot import Snapshot  # noqa: PLC0415

    try:
        chosen = profiles.read(yaml.safe_load(file.read_text()) if file else None)
    except (InvalidProfileError, yaml.YAMLError) as error:
        raise Refused(f"{file}: {error}") from error
    listed, code = kubectl.read_objects(",".join(str(resource) for resource in feed.WATCHED), "--all-namespaces")
    if code:
        raise Failed(code)
    by_kind = defaultdict(list)
    for one in listed:
        by_kind[one["kind"]].append(one)
    snapshot = Snapshot()
    for resource in feed.WATCHED:
        feed.fill(snapshot, resource, by_kind[resource.kind])
    pod = pods.parse(obj)
    try:
        explained = explaining.explain(pod, snapshot, chosen.of(pod))
    except RuleError as error:
        raise Refused(str(error)) from error
    click.echo(json.dumps(explained, indent=2) if output == "json" else "\n".join(telling.tell(explained, most)))
