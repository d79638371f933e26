"""Keys pressed as fast as they can be: Pilot waits 60 ms after each."""

from typing import Any

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot


def strike(pilot: Pilot[Any], *keys: str) -> None:
    """Give the app keys in one piece, without waiting: as a bad line delivers them."""
    for key in keys:
        character = " " if key == "space" else key if len(key) == 1 else None
        name = _character_to_key(key) if len(key) == 1 else key
        pilot.app.post_message(events.Key(name, character))


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys one after the other and wait until what follows from each has been done."""
    for key in keys:
        strike(pilot, key)
        await pilot.pause()
