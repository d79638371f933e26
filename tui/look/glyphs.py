"""The signs that the deck draws with: one cell each, in every terminal; and the same in ASCII."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from textual.app import App

from quarterdeck.text import asciify


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of signs. Each is one cell wide and tells its meaning without colour."""

    ascii: bool
    cursor: str
    lost: str
    mark: str
    ok: str
    bad: str
    running: str
    waiting: str
    paused: str
    skipped: str
    late: str
    unknown: str
    warning: str
    up: str
    down: str
    folded: str
    unfolded: str
    thumb: str
    track: str
    rule: str
    ellipsis: str
    placeholder: str

    def plain(self, text: str) -> str:
        """Cleaned text as this set can show it: as it is, or in ASCII."""
        return asciify(text) if self.ascii else text


UNICODE: Final = Glyphs(
    ascii=False,
    cursor="▸",
    lost="▹",
    mark="•",
    ok="✓",
    bad="✗",
    running="▶",
    waiting="·",
    paused="‖",
    skipped="–",
    late="◷",
    unknown="?",
    warning="⚠",
    up="▲",
    down="▼",
    folded="▸",
    unfolded="▾",
    thumb="▐",
    track=" ",
    rule="─",
    ellipsis="…",
    placeholder="·",
)
"""For terminals that speak UTF-8. None of these has an emoji form that is on by default, none is two cells wide."""

ASCII: Final = Glyphs(
    ascii=True,
    cursor=">",
    lost="?",
    mark="*",
    ok="+",
    bad="x",
    running=">",
    waiting=".",
    paused="=",
    skipped="-",
    late="~",
    unknown="?",
    warning="!",
    up="^",
    down="v",
    folded="+",
    unfolded="-",
    thumb="#",
    track=" ",
    rule="-",
    ellipsis="~",
    placeholder=".",
)
"""For `--ascii`: nothing above 0x7E."""


def glyphs_of(app: App[object]) -> Glyphs:
    """The set that an app draws with: its `glyphs` attribute, or Unicode where it has none."""
    found = getattr(app, "glyphs", UNICODE)
    return found if isinstance(found, Glyphs) else UNICODE
