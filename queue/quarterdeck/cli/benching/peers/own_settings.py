"""SAQ settings as `quarterdeck worker` takes them, with the bench's jobs."""

from __future__ import annotations

from typing import Any

from quarterdeck.cli.benching import meter


async def noop(_: Any) -> None:
    """Do nothing."""
    meter.tick()


async def burn(_: Any) -> None:
    """Burn CPU."""
    meter.burn()


async def nap(_: Any) -> None:
    """Sleep."""
    await meter.nap()


settings: dict[str, Any] = {"functions": [noop, burn, nap]}
