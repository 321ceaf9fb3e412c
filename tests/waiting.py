"""Waiting for what another process does: ask again until it holds, never for a fixed time."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

ASK_AGAIN_SECONDS = 0.05


async def until(holds: Callable[[], bool | Awaitable[bool]], seconds: float = 30.0) -> None:
    """Return once `holds()` (plain or async) is true; raises TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while True:
            answer = holds()
            if await answer if inspect.isawaitable(answer) else answer:
                return
            await asyncio.sleep(ASK_AGAIN_SECONDS)
