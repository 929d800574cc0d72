"""`kopfwerk webhook-certificate` as the chart's jobs run it: with the rights that it says it needs."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from operators.runtime.client import Client
from tests.apiserver.installation import CONFIGURATION, CREATE, NAME, RIGHTS, SECRET, Installation, Rules

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("webhook certificate")]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command answered."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the command."""

    installation: Installation
    kubeconfig: Path

    async def run(self, *more: str) -> Ran:
        """Run the command."""
        of = [f"--namespace={self.installation.namespace}", f"--secret={NAME}", f"--service={NAME}"]
        command = ["-m", "operators.cli.main", "webhook-certificate", f"--kubeconfig={self.kubeconfig}", *of, *more]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await process.communicate()
        return Ran(process.returncode or 0, out.decode(), err.decode())


def _write(kubeconfig: Path, own: Path, token: str) -> None:
    """Write a kubeconfig as that one, for another user."""
    present = yaml.safe_load(kubeconfig.read_text())
    user = {"name": present["users"][0]["name"], "user": {"token": token}}
    own.write_text(yaml.safe_dump(present | {"users": [user]}))


REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


async def account(client: Client, kubeconfig: Path, folder: Path, namespace: str, rules: Rules) -> Account:
    """Return somebody with these rights, as soon as the apiserver knows of them."""
    installation = Installation(client, namespace)
    await installation.create()
    await installation.configure()
    token = await installation.account(rules)
    own = folder / "kubeconfig"
    _write(kubeconfig, own, token)
    last = {"resource": "secrets", "verb": "create", "namespace": namespace}
    if not rules[CREATE]:
        last |= {"verb": "get", "name": NAME}
    user = f"system:serviceaccount:{namespace}:certificate"
    bound = {"resource": "validatingwebhookconfigurations", "group": "admissionregistration.k8s.io"}
    bound |= {"verb": "patch" if "patch" in rules[CONFIGURATION] else "get", "name": installation.configuration}
    async with asyncio.timeout(30):
        for what in (last, bound):
            review = {"spec": {"user": user, "resourceAttributes": what}}
            while not (await client.request("POST", REVIEWS, review))["status"]["allowed"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    return Account(installation, own)


async def test_from_install_to_renewal(client: Client, kubeconfig: Path, tmp_path: Path, unique: str) -> None:
    """The stated rights are enough for all that it does; it says in one line what that was, and never a key."""
    job = await account(client, kubeconfig, tmp_path, unique, RIGHTS)
    configuration = job.installation.configuration
    made = await job.run()
    again = await job.run(f"--configuration={configuration}")
    absent = await job.run(f"--configuration={configuration}", "--service=other")
    renewed = await job.run(f"--configuration={configuration}", "--valid-for=36h")

    until = f"{(await job.installation.serving()).expires:%Y-%m-%d %H:%M} UTC"
    for ran, want in (
        (made, f"certificate {unique}/{NAME} is new, because there was none, and good until "),
        (again, f"certificate {unique}/{NAME} is good until "),
        (absent, f"is new, because the old one was not for other.{unique}.svc, and good until "),
        (renewed, f"is new, because the old one was not for {NAME}.{unique}.svc, and good until {until}"),
    ):
        assert (ran.code, ran.err) == (0, "")
        assert want in ran.out
        assert ran.out.count("\n") == 1
    assert made.out.endswith(" on\n")
    assert again.out.endswith(f"; {configuration} trusts it\n")
    assert not [ran for ran in (made, again, absent, renewed) if "KEY" in ran.out]


@pytest.mark.parametrize(
    ("what", "verb"),
    [pytest.param(what, verb, id=f"{verb} {what}") for what, verbs in RIGHTS.items() for verb in verbs],
)
async def test_each_right_is_needed(
    client: Client, kubeconfig: Path, tmp_path: Path, unique: str, *, what: str, verb: str
) -> None:
    """Without one of them it ends with one line that names it and says where they are listed."""
    rules = {**RIGHTS, what: [each for each in RIGHTS[what] if each != verb]}
    job = await account(client, kubeconfig, tmp_path, unique, rules)
    if (what, verb) == (SECRET, "update"):
        assert (await job.run()).code == 0
    ran = await job.run(f"--configuration={job.installation.configuration}", "--service=other")
    assert (ran.code, ran.out) == (1, "")
    assert f'cannot {verb} resource "' in ran.err
    assert ran.err.endswith("; kopfwerk webhook-certificate --help lists the rights that it needs\n")
    assert ran.err.count("\n") == 1


async def test_no_namespace(kubeconfig: Path, client: Client, unique: str) -> None:
    """Where the namespace is missing, the way out is said."""
    ran = await Account(Installation(client, unique), kubeconfig).run()
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f'error: namespaces "{unique}" not found; kubectl create namespace {unique} makes it\n'


async def test_configuration_before_the_install(kubeconfig: Path, client: Client, unique: str) -> None:
    """A configuration that is yet to come is no error, and is said in the same line."""
    installation = Installation(client, unique)
    await installation.create()
    ran = await Account(installation, kubeconfig).run("--configuration=absent")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("; absent does not exist yet\n")
