"""The engine's Lua scripts, each with the preludes it needs. What they take and return stands in their heads."""

from __future__ import annotations

from typing import Final

from quarterdeck.script import Script, load

_PRELUDES: Final = {
    "turn": ("names", "payload", "settle", "settle_all"),
    "turn_each": ("names", "payload", "failed", "run", "settle", "settle_each", "settle_all"),
    "mark": ("names",),
    "void": ("names", "payload"),
    "finish": ("names", "failed", "run", "settle", "settle_each", "settle_all"),
    "enqueue": ("names", "tell"),
    "abort": ("names", "tell", "failed", "run", "settle", "settle_each", "settle_all"),
    "promote": ("names",),
    "update": (),
    "watch": ("names",),
    "beat": ("names",),
    "leave": ("names",),
    "rescue": ("names", "payload"),
    "fold": ("names", "failed"),
}


_FILES: Final = {"turn_each": "turn"}
"""Scripts that differ in their preludes only: a server makes every function of a script anew with each call."""


def script(name: str) -> Script:
    """The engine's script `lua/<name>.lua`."""
    return load("quarterdeck.broker", _FILES.get(name, name), *_PRELUDES[name])


def all_scripts() -> list[Script]:
    """Every script of the engine, for loading them on a new connection."""
    return [script(name) for name in _PRELUDES]
