"""Colours and attributes of cells.

SGR parameters are read, reduced to what the terminal has, and written as differences.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from rich.color import Color, ColorSystem

from tui.terminal.capabilities import ColourDepth

_TABLE_LIMIT: Final = 4096
_LONGEST: Final = 128
_OFF_CODES: Final = {1: 22, 2: 22, 3: 23, 4: 24, 21: 24, 5: 25, 6: 25, 7: 27, 8: 28, 9: 29, 53: 55}
_SHARED_OFF: Final = {22: (1, 2), 24: (4, 21), 25: (5, 6)}
_FOREGROUNDS: Final = frozenset((*range(30, 38), 39, *range(90, 98)))
_BACKGROUNDS: Final = frozenset((*range(40, 48), 49, *range(100, 108)))
_SHOWN_ON_BLANKS: Final = sum(1 << code for code in (4, 5, 6, 7, 9, 21, 53))


class Style:
    """How one cell looks. Compared by identity: take them from one :class:`StyleTable`."""

    __slots__ = ("attributes", "background", "foreground", "inked", "paper")

    def __init__(self, attributes: int, foreground: str, background: str, paper: Style | None = None) -> None:
        self.attributes: Final = attributes
        """Bit ``n`` is SGR code ``n``."""
        self.foreground: Final = foreground
        """SGR parameters, ``""`` for the default colour."""
        self.background: Final = background
        self.inked: Final = bool(attributes & _SHOWN_ON_BLANKS)
        """A blank in this style shows more than its background, so it can't be made by erasing."""
        self.paper: Final = self if paper is None or self.inked else paper
        """What a blank in this style shows: the style of its background alone, itself where it is inked."""

    def __repr__(self) -> str:
        codes = [str(code) for code in range(64) if self.attributes >> code & 1]
        return f"Style({';'.join([*codes, self.foreground, self.background])})"


class StyleTable:
    """Interns styles for one colour depth and remembers the sequences between them; bounded."""

    def __init__(self, depth: ColourDepth = ColourDepth.TRUE) -> None:
        self.depth: Final = depth
        self.default: Final = Style(0, "", "")
        self._interned: dict[tuple[int, str, str], Style] = {(0, "", ""): self.default}
        self._parsed: dict[tuple[Style, str], Style] = {}
        self._deltas: dict[tuple[Style | None, Style], str] = {}

    def apply(self, style: Style, parameters: str) -> Style:
        """The style after ``CSI parameters m`` was read in ``style``; unknown codes change nothing."""
        key = (style, parameters)
        found = self._parsed.get(key)
        if found is None:
            if len(self._parsed) >= _TABLE_LIMIT:
                self._forget()
            found = self._parsed[key] = self._intern(*_read(style, parameters[:_LONGEST], self.depth))
        return found

    def delta(self, before: Style | None, after: Style) -> str:
        """The shortest sequence that turns ``before`` (None: unknown) into ``after``; may be empty."""
        if before is after:
            return ""
        key = (before, after)
        found = self._deltas.get(key)
        if found is None:
            if len(self._deltas) >= _TABLE_LIMIT:
                self._deltas.clear()
            found = self._deltas[key] = _difference(before, after)
        return found

    def _intern(self, attributes: int, foreground: str, background: str) -> Style:
        key = (attributes, foreground, background)
        found = self._interned.get(key)
        if found is None:
            plain = attributes == 0 and not foreground
            paper = None if plain else self._intern(0, "", background)
            found = self._interned[key] = Style(attributes, foreground, background, paper)
        return found

    def _forget(self) -> None:
        """Drop everything but the default; equal styles then repaint once, which is all it costs."""
        self._parsed.clear()
        self._deltas.clear()
        self._interned = {(0, "", ""): self.default}


def _read(style: Style, parameters: str, depth: ColourDepth) -> tuple[int, str, str]:
    attributes, foreground, background = style.attributes, style.foreground, style.background
    codes = [int(code or 0) for code in parameters.split(";")]
    position = 0
    while position < len(codes):
        code = codes[position]
        position += 1
        if code == 0:
            attributes, foreground, background = 0, "", ""
        elif code in (38, 48):
            colour, used = _extended(codes[position:], depth, foreground=code == 38)
            position += used
            if colour is not None:
                foreground, background = (colour, background) if code == 38 else (foreground, colour)
        elif code in _FOREGROUNDS:
            foreground = str(code) if depth and code != 39 else ""
        elif code in _BACKGROUNDS:
            background = str(code) if depth and code != 49 else ""
        else:
            attributes = _switched(attributes, code)
    return attributes, foreground, background


def _switched(attributes: int, code: int) -> int:
    if code in _OFF_CODES:
        return attributes | 1 << code
    for on, off in _OFF_CODES.items():
        if off == code:
            attributes &= ~(1 << on)
    return attributes


def _extended(rest: list[int], depth: ColourDepth, *, foreground: bool) -> tuple[str | None, int]:
    """Read what follows 38 or 48: the wire form of the colour and how many codes it used."""
    if rest[:1] == [5] and len(rest) >= 2:
        return _palette(min(rest[1], 255), depth, foreground), 2
    if rest[:1] == [2] and len(rest) >= 4:
        red, green, blue = (min(level, 255) for level in rest[1:4])
        return _rgb(red, green, blue, depth, foreground), 4
    return None, len(rest)


@lru_cache(maxsize=_TABLE_LIMIT)
def _palette(number: int, depth: ColourDepth, foreground: bool) -> str:
    if depth is ColourDepth.NONE:
        return ""
    if depth is ColourDepth.SIXTEEN:
        colour = Color.from_ansi(number).downgrade(ColorSystem.STANDARD)
        return ";".join(colour.get_ansi_codes(foreground))
    return f"{38 if foreground else 48};5;{number}"


@lru_cache(maxsize=_TABLE_LIMIT)
def _rgb(red: int, green: int, blue: int, depth: ColourDepth, foreground: bool) -> str:
    if depth is ColourDepth.NONE:
        return ""
    if depth is ColourDepth.TRUE:
        return f"{38 if foreground else 48};2;{red};{green};{blue}"
    system = ColorSystem.EIGHT_BIT if depth is ColourDepth.PALETTE else ColorSystem.STANDARD
    return ";".join(Color.from_rgb(red, green, blue).downgrade(system).get_ansi_codes(foreground))


def _difference(before: Style | None, after: Style) -> str:
    whole = [str(code) for code in range(64) if after.attributes >> code & 1]
    whole += [colour for colour in (after.foreground, after.background) if colour]
    fresh = f"\x1b[{';'.join(['0', *whole])}m" if whole else "\x1b[m"
    if before is None:
        return fresh
    parts = _attribute_changes(before.attributes, after.attributes)
    if before.foreground != after.foreground:
        parts.append(after.foreground or "39")
    if before.background != after.background:
        parts.append(after.background or "49")
    changed = f"\x1b[{';'.join(parts)}m" if parts else ""
    return changed if len(changed) <= len(fresh) else fresh


def _attribute_changes(before: int, after: int) -> list[str]:
    removed = [code for code in _OFF_CODES if before >> code & 1 and not after >> code & 1]
    offs = sorted({_OFF_CODES[code] for code in removed})
    kept = before
    for off in offs:
        for code in _SHARED_OFF.get(off, ()):
            kept &= ~(1 << code)  # the off code took its sibling along
    added = [code for code in _OFF_CODES if after >> code & 1 and not kept >> code & 1]
    return [str(code) for code in (*offs, *added)]
