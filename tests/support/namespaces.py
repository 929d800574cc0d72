"""Namespaces for tests that make pods."""

import asyncio

from operators.runtime.client import Client


async def make(client: Client, *names: str) -> None:
    """Make namespaces, and wait until each has its ServiceAccount: before that the apiserver refuses every pod."""
    for name in names:
        await client.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    async with asyncio.timeout(60):
        for name in names:
            while not await _has_account(client, name):  # noqa: ASYNC110  # what another process does
                await asyncio.sleep(0.1)


async def _has_account(client: Client, namespace: str) -> bool:
    found = await client.request("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts")
    return any(account["metadata"]["name"] == "default" for account in found["items"])
