"""Something that goes on while a test does something else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine


@contextlib.asynccontextmanager
async def during(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Have something endless done as long as the block runs; what ended it early is raised at the block's end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task  # raises what ended it, which explains a wait in vain
