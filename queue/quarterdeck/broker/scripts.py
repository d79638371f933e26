"""The engine's Lua scripts, each with the preludes it needs. What they take and return stands in their heads."""

from __future__ import annotations

from typing import Final

from quarterdeck.script import Script, load

_NAMES: Final = "quarterdeck.record:names"
_FAILED: Final = "quarterdeck.record:failed"
_ENDS: Final = (_NAMES, "tell", _FAILED, "run", "settle", "settle_each", "settle_all")
_PRELUDES: Final = {
    "turn": (_NAMES, "payload", "settle", "settle_all"),
    "turn_each": (_NAMES, "payload", _FAILED, "run", "settle", "settle_each", "settle_all"),
    "mark": (_NAMES,),
    "void": (_NAMES, "payload"),
    "finish": _ENDS,
    "enqueue": (_NAMES, "tell"),
    "abort": _ENDS,
    "promote": (_NAMES,),
    "remind": (_NAMES,),
    "update": (),
    "watch": (_NAMES,),
    "beat": (_NAMES,),
    "leave": (_NAMES,),
    "rescue": (_NAMES, "payload"),
    "fold": (_NAMES, _FAILED, "quarterdeck.record:keeping"),
}


_FILES: Final = {"turn_each": "turn"}
"""Scripts that differ in their preludes only: a server makes every function of a script anew with each call."""


def script(name: str) -> Script:
    """The engine's script `lua/<name>.lua`."""
    return load("quarterdeck.broker", _FILES.get(name, name), *_PRELUDES[name])


def all_scripts() -> list[Script]:
    """Every script of the engine, for loading them on a new connection."""
    return [script(name) for name in _PRELUDES]
