"""The engine's Lua scripts, each with the preludes it needs. What they take and return stands in their heads."""

from __future__ import annotations

from typing import Final

from quarterdeck.script import Script, load

_PRELUDES: Final = {
    "turn": ("names", "payload", "failed", "run", "settle"),
    "mark": ("names",),
    "void": ("names", "payload"),
    "finish": ("names", "failed", "run", "settle"),
    "enqueue": ("names",),
    "abort": ("names",),
    "promote": ("names",),
    "update": (),
    "watch": ("names",),
    "beat": ("names",),
    "leave": ("names",),
    "rescue": ("names", "payload"),
    "fold": ("names", "failed"),
}


def script(name: str) -> Script:
    """The engine's script `lua/<name>.lua`."""
    return load("quarterdeck.broker", name, *_PRELUDES[name])


def all_scripts() -> list[Script]:
    """Every script of the engine, for loading them on a new connection."""
    return [script(name) for name in _PRELUDES]
