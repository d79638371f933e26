"""Widths in terminal cells, and text fitted to them.

The standard library's Unicode tables are used rather than a package: importing one costs as much as a fifth of the
time to the first paint, and for every character that `clean` lets through the answers are the same (a test says so).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, Literal

from quarterdeck.text.cleaning import DOT, ELLIPSIS, is_mark

Align = Literal["left", "right", "center"]

_ASCII_STAND_INS: Final = {
    ELLIPSIS: "~",
    DOT: ".",
    "–": "-",
    "—": "-",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "×": "x",
    "→": ">",
    "←": "<",
    "✓": "+",
    "✗": "x",
    "─": "-",
    "│": "|",
}


@lru_cache(maxsize=4096)
def _char_width(char: str) -> int:
    """Cells of one character of cleaned text: 0 for a combining mark, 2 for a wide one, else 1."""
    if is_mark(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cell_width(text: str) -> int:
    """How many terminal cells cleaned text takes (Unicode UAX #11; ambiguous width counts as one)."""
    return len(text) if text.isascii() else sum(map(_char_width, text))


def fit(text: str, width: int, align: Align = "left", ellipsis: str = ELLIPSIS) -> str:
    """Return cleaned text in exactly `width` cells: padded, or cut at its end with an ellipsis.

    A wide character that would be cut in half is replaced by a space; a base character keeps its marks.
    """
    if width <= 0:
        return ""
    used = cell_width(text)
    if used > width:
        text, used = _cut(text, width - cell_width(ellipsis), ellipsis)
        if used > width:  # not even the ellipsis fits
            return " " * width
    spare = width - used
    if align == "right":
        return " " * spare + text
    if align == "center":
        return " " * (spare // 2) + text + " " * (spare - spare // 2)
    return text + " " * spare


def _cut(text: str, room: int, ellipsis: str) -> tuple[str, int]:
    """The longest head of `text` that takes at most `room` cells, with the ellipsis; and its width."""
    room = max(0, room)
    if text.isascii():
        return text[:room] + ellipsis, room + cell_width(ellipsis)
    used = at = 0
    while at < len(text) and used + (step := _char_width(text[at])) <= room:
        used += step
        at += 1
    return text[:at] + ellipsis, used + cell_width(ellipsis)


def shorten(text: str, width: int, ellipsis: str = ELLIPSIS) -> str:
    """Return cleaned text in at most `width` cells, cut in its middle: keys of one producer differ at their ends."""
    room = width - cell_width(ellipsis)
    if cell_width(text) <= width or room < 2 or not text.isascii():
        return text
    head = room * 2 // 5
    return text[:head] + ellipsis + text[head - room :]


def wrap(text: str, width: int) -> Iterator[str]:
    """Yield cleaned text in pieces of at most `width` cells; broken anywhere, since a payload has no words.

    Nothing is lost or padded: the pieces joined are the text. An empty text is one empty piece.
    """
    width = max(2, width)
    if text.isascii():
        yield from (text[at : at + width] for at in range(0, len(text) or 1, width))
        return
    start = used = 0
    for at, char in enumerate(text):
        step = _char_width(char)
        if used + step > width:
            yield text[start:at]
            start, used = at, 0
        used += step
    yield text[start:]


def asciify(text: str) -> str:
    """Return cleaned text in ASCII alone, for terminals that can show no more: one sign for each that it can't."""
    if text.isascii():
        return text
    plain = (_ASCII_STAND_INS.get(char) or _ascii_letter(char) for char in text)
    return "".join(plain)


@lru_cache(maxsize=4096)
def _ascii_letter(char: str) -> str:
    """One character without its accents; `?` when nothing of it is ASCII, nothing for a mark by itself."""
    if char.isascii():
        return char
    if _char_width(char) == 0:
        return ""
    letters = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
    return letters.strip() if letters.strip().isprintable() and letters.strip() else "?"
