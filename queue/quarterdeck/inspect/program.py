"""The one script that snapshots are read with, put together from its files."""

from __future__ import annotations

from functools import cache
from typing import Final

from quarterdeck.script import Script, load

_HERE: Final = "quarterdeck.inspect"
_SCHEDULES: Final = "quarterdeck.schedule"
_BASE: Final = ("calls", "reads")
"""Files that every snapshot uses."""
_CHAPTERS: Final[dict[str, tuple[str, ...]]] = {
    "groups": (_HERE, "groups"),
    "windows": (_HERE, "windows"),
    "streams": (_HERE, "streams"),
    "jobs": (_HERE, "jobs"),
    "schedules": (_SCHEDULES, "operations", "names", "reading"),
}
"""Files that some snapshots use, as a function each that adds its operations to `OPS` when one of them is asked for.

The server makes every function of a script anew each time that it runs, and throws it away: sixty of them cost a
snapshot more than most of its reads, and the more so the more its memory is strewn with what is kept there.
"""


@cache
def program() -> Script:
    """The script; what it takes and returns is told in `lua/snapshot.lua`."""
    base = "".join(load(_HERE, name).source + "\n" for name in _BASE)
    chapters = "".join(
        f"local function {name}_chapter()\n{load(*files).source}\nend\n" for name, files in _CHAPTERS.items()
    )
    return Script(f"{_HERE}.snapshot", base + chapters + load(_HERE, "snapshot").source)
