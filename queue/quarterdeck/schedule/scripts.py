"""The Lua scripts of schedules. What they take and return stands in their heads."""

from __future__ import annotations

from typing import Final

from quarterdeck.script import Script, load

_PRELUDES: Final = {
    "tick": ("names", "runs"),
    "define": ("names", "runs"),
    "remove": ("names", "runs"),
    "pause": ("names",),
    "control": ("names", "runs"),
    "unsettled": ("names",),
    "settle": ("quarterdeck.record:names", "quarterdeck.broker:run"),
    "stock": (),
    "look": ("names", "reading"),
}


def script(name: str) -> Script:
    """The script `lua/<name>.lua`."""
    return load("quarterdeck.schedule", name, *_PRELUDES[name])


def all_scripts() -> list[Script]:
    """Every script of schedules, for loading them on a new connection."""
    return [script(name) for name in _PRELUDES]
