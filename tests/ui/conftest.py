"""What the tests of the screens share: a deck over doubles, on a frozen clock, with nothing of this terminal in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from boards import Bridge, busy
from fingers import strike
from textual.pilot import Pilot

from quarterdeck.model import Snapshot, View

Aboard = Callable[..., AbstractAsyncContextManager[tuple[Bridge, Pilot[None]]]]


@pytest.fixture
def aboard() -> Aboard:
    """`async with aboard(answer, size=(80, 24), **station) as (bridge, pilot)`: a running deck that has read once."""

    @asynccontextmanager
    async def board(
        answer: Callable[[View], Snapshot] = busy, size: tuple[int, int] = (80, 24), **station: Any
    ) -> AsyncIterator[tuple[Bridge, Pilot[None]]]:
        bridge = Bridge(answer, **station)
        async with bridge.deck.run_test(size=size) as pilot:
            await pilot.pause()
            await settled(bridge, pilot)
            yield bridge, pilot

    return board


async def settled(bridge: Bridge, pilot: Pilot[None]) -> None:
    """Wait until the screen on top was answered, commands are through, and what they changed is painted."""
    quiet = 0
    for _ in range(200):
        await pilot.pause()
        deck = bridge.deck
        groups = {worker.group for worker in deck.workers if not worker.is_finished}
        asks = deck.screen is not deck.deck_screen
        waits = "sending" in groups or ("commands" in groups and not asks)
        answered = deck.deck_screen.answered or bridge.source.error is not None
        quiet = quiet + 1 if answered and not waits else 0
        if quiet == 2:
            break


async def keys(bridge: Bridge, pilot: Pilot[None], *pressed: str) -> None:
    """Press keys one after the other, each on the screen that the one before made."""
    for key in pressed:
        strike(pilot, key)
        await settled(bridge, pilot)


def shown(bridge: Bridge) -> str:
    """What is on the screen, as text."""
    strips = bridge.deck.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)
