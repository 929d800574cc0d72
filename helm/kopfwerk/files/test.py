"""What `helm test` runs in the operator's own image: a Deployment comes up, and goes again with all that it owns."""

import asyncio
import json
import os
import sys

from operators.core.kubectl.status import progress
from operators.core.objects import Resource
from operators.runtime.client import ApiError, Client, path

DEPLOYMENT = json.loads(os.environ["DEPLOYMENT"])
GROUP, _, VERSION = DEPLOYMENT["apiVersion"].partition("/")
NAMESPACE, NAME = DEPLOYMENT["metadata"]["namespace"], DEPLOYMENT["metadata"]["name"]
DEPLOYMENTS = path(Resource(GROUP, VERSION, "deployments", "Deployment"), NAMESPACE)
PATIENCE = 120
"""Seconds for the pods to be scheduled and started: the image is on the node or is pulled meanwhile."""


async def test(client: Client) -> None:
    """Return once the Deployment is rolled out. Raises TimeoutError."""
    await client.request("POST", DEPLOYMENTS, DEPLOYMENT)
    print(f"created {DEPLOYMENT['apiVersion']} Deployment {NAMESPACE}/{NAME}")
    said = ""
    async with asyncio.timeout(PATIENCE):
        while True:
            now = progress(await client.request("GET", f"{DEPLOYMENTS}/{NAME}"), 0)
            if now.message != said:
                print(said := now.message)
            if now.done:
                return
            await asyncio.sleep(0.5)


async def remove(client: Client) -> None:
    """Delete the Deployment with its ReplicaSet and pods, and return when it is gone."""
    url = f"{DEPLOYMENTS}/{NAME}"
    try:
        await client.request("DELETE", url, {"propagationPolicy": "Foreground"})
        async with asyncio.timeout(PATIENCE):
            while True:
                await client.request("GET", url)
                await asyncio.sleep(0.5)
    except ApiError as error:
        if error.status != 404:
            raise


async def main() -> int:
    """Run the test and leave nothing behind, not even of one that was broken off."""
    async with await Client.connect() as client:
        await remove(client)
        try:
            await test(client)
        except TimeoutError:
            print(f"not rolled out after {PATIENCE} s", file=sys.stderr)
            return 1
        finally:
            await remove(client)
    print("removed it again")
    return 0


sys.exit(asyncio.run(main()))
