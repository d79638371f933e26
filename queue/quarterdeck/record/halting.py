"""Ending tasks for sure."""

from __future__ import annotations

import asyncio
from typing import Any, Final

AGAIN_S: Final = 0.2


async def halted(*tasks: asyncio.Task[Any]) -> None:
    """Cancel `tasks` until all have ended; what they end with is left for whoever awaits them.

    Once is not enough: redis-py sends inside `asyncio.wait_for`, which in Python 3.11 swallows a cancellation that
    arrives as the sending ends.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=AGAIN_S)
    await asyncio.gather(*tasks, return_exceptions=True)
