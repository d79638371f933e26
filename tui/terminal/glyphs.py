"""Text cut into glyphs: what one cell, or two, may hold.

Widths are Textual's (``rich.cells``), because Textual has laid the screen out by them. Where terminals are known to
disagree the glyph is reduced to what all of them draw alike, or marked so that the encoder places the next one
absolutely instead of trusting where the cursor went.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from rich.cells import cell_len

Glyph = tuple[str, int]
"""The characters and their width in cells: 1 or 2, or 0 for marks that belong on the glyph before this text."""

_JOINER: Final = "\u200d"
_EMOJI_STYLE: Final = "\ufe0f"
_LONGEST: Final = 8
_TEXTS: Final = 256
"""Texts whose glyphs are remembered. A long one takes 15 KB, and what is painted each second differs each second."""
_STEADY_WIDE: Final = (
    (0x1100, 0x115F),
    (0x2E80, 0xA4CF),
    (0xAC00, 0xD7A3),
    (0xF900, 0xFAFF),
    (0xFE30, 0xFE6F),
    (0xFF01, 0xFF60),
    (0xFFE0, 0xFFE6),
    (0x20000, 0x3FFFD),
)
"""Two cells in every terminal since Unicode 4.1; emoji are not."""


_LOOK_ALIKES: Final = {
    "-": "─━┄┅┈┉╌╍╴╶╸╺‐‑‒–—−",
    "=": "═",
    "|": "│┃┆┇┊┋╎╏║╵╷╹╻▏▕",
    ".": "▁·•∙⋅․",
    "_": "▂",
    ":": "▃",
    "+": "▄",
    "*": "▅●◆■★✱",
    "#": "▆▇█▉▊▋▌▍▎▐▓▒▀▔",
    "%": "░",
    "o": "○◯◦□◇",
    ">": "→▸▶►›»❯",
    "<": "←◂◀◄‹«❮",
    "^": "↑▲△",
    "v": "↓▼▽✓✔",
    "x": "×✗✘✕✖",
    "!": "⚠❗",
    "~": "…≈",
    "'": "‘’",
    '"': "“”",
}
"""ASCII for what a console screen is drawn with; one for one, so that no cell moves."""


_SINGLES: Final = re.compile(
    "[ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0373\u0391-\u03a1\u03a3-\u03ff\u0400-\u0482\u048a-\u052f"
    "\u2010-\u2027\u2030-\u205e\u2190-\u2199\u2500-\u25fc\u26a0\u2713-\u2718\u2800-\u28ff]*"
)
"""Text of which each character is a glyph of one cell in every terminal: nearly all that a console paints."""


def singles(text: str) -> bool:
    """True for printable text whose characters are each a glyph one cell wide, for sure; False means look closer."""
    return text.isascii() or _SINGLES.fullmatch(text) is not None


@lru_cache(maxsize=_TEXTS)
def split(text: str) -> tuple[Glyph, ...]:
    """Cut ``text`` into glyphs whose widths add up to what Textual reserved for it.

    Dropped: control and format characters (bidi controls, zero-width spaces, tags), marks beyond the eighth on one
    glyph, and all that a zero-width joiner joins after its first glyph (most terminals draw those side by side).
    Surrogates become U+FFFD. Characters without a width of their own that are not marks vanish; a format character
    that Textual counts as one cell becomes a blank.
    """
    glyphs: list[Glyph] = []
    joined = False
    for character in text:
        if joined:
            joined = False
            continue
        if character == _JOINER:
            joined = True
            continue
        width = cell_len(character)
        if width == 0:
            _attach(glyphs, character)
        else:
            glyphs.append((_printable(character), width))
    return tuple(_widened(glyph) for glyph in glyphs)


@lru_cache(maxsize=4096)
def steady(glyph: str) -> bool:
    """True when every terminal moves its cursor by the width that Textual counts for ``glyph``."""
    if glyph.isascii():
        return True
    if _EMOJI_STYLE in glyph:
        return False
    code = ord(glyph[0])
    if code >= 0x1F000:
        return any(first <= code <= last for first, last in _STEADY_WIDE)
    if cell_len(glyph) == 2:
        return any(first <= code <= last for first, last in _STEADY_WIDE)
    return unicodedata.category(glyph[0]) != "Cn"


def ascii_form(text: str) -> str:
    """``text`` in ASCII alone that takes the same cells: look-alikes, base letters, or ``?``, wide ones filled up."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_look_alike(glyph[0]) + " " * (width - 1) for glyph, width in split(text) if width)


@lru_cache(maxsize=4096)
def _look_alike(character: str) -> str:
    if character.isascii():
        return character
    for look, group in _LOOK_ALIKES.items():
        if character in group:
            return look
    code = ord(character)
    if 0x2800 <= code <= 0x28FF:  # braille: by the number of dots
        return " .:-=+*##"[(code & 0xFF).bit_count()]
    if 0x2500 <= code <= 0x257F:
        return "+"
    base = unicodedata.normalize("NFKD", character)[0]
    return base if base.isascii() and base.isprintable() else "?"


def _printable(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cs":
        return "\ufffd"
    return " " if category in ("Cf", "Cc", "Zl", "Zp") else character


def _attach(glyphs: list[Glyph], character: str) -> None:
    """Put a character without width on the glyph before it, if it is a mark, a jamo or a skin tone."""
    if not (unicodedata.category(character).startswith("M") or "\u1160" <= character <= "\u11ff"):
        return
    if not glyphs:
        if character != _EMOJI_STYLE:
            glyphs.append((character, 0))
    elif len(glyphs[-1][0]) < _LONGEST:
        base, width = glyphs[-1]
        glyphs[-1] = (base + character, width)


def _widened(glyph: Glyph) -> Glyph:
    """An emoji style selector may turn one cell into two."""
    text = glyph[0]
    return (text, cell_len(text)) if _EMOJI_STYLE in text else glyph
