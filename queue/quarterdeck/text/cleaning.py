"""Cleaning of untrusted text: what comes out can be painted, and can only be painted."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

ELLIPSIS: Final = "…"
"""Stands where text was cut off."""

DOT: Final = "·"
"""Stands for a character that has no look of its own, or one that terminals disagree about."""

_REPLACEMENT: Final = "\ufffd"
_DOTTED_CIRCLE: Final = "\u25cc"
_MARKS_KEPT: Final = 3

# Ranges that turn into a dot. Everything here either steers the terminal (C1), reorders or hides what stands beside
# it (bidi, zero-width, tags), or is drawn one cell wide by some terminals and two by others, which shifts columns.
_DOTTED_RANGES: Final = (
    (0x80, 0x9F),  # C1 controls; 0x9B alone is a CSI
    (0xAD, 0xAD),  # soft hyphen
    (0x34F, 0x34F),  # combining grapheme joiner
    (0x61C, 0x61C),  # Arabic letter mark
    (0x115F, 0x1160),  # Hangul fillers
    (0x17B4, 0x17B5),  # Khmer inherent vowels, invisible
    (0x180B, 0x180F),  # Mongolian variation selectors and vowel separator
    (0x200B, 0x200F),  # zero-width space, (non-)joiners, left/right marks
    (0x2028, 0x202E),  # line and paragraph separators, embeddings and overrides
    (0x2060, 0x206F),  # word joiner, invisible operators, isolates, deprecated format controls
    (0x2630, 0x2637),  # trigrams: narrow up to Unicode 15, wide since 16
    (0x268A, 0x268F),  # mono- and digrams, the same
    (0x3164, 0x3164),  # Hangul filler
    (0x4DC0, 0x4DFF),  # hexagrams, as the trigrams
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFA0, 0xFFA0),  # halfwidth Hangul filler
    (0xFFF9, 0xFFFB),  # interlinear annotation
    (0x1BCA0, 0x1BCA3),  # shorthand format controls
    (0x1D173, 0x1D17A),  # musical format controls
    (0x1D300, 0x1D356),  # Tai Xuan Jing symbols, as the trigrams
    (0x1D360, 0x1D376),  # counting rods, as the trigrams
    (0x1F1E6, 0x1F1FF),  # regional indicators: two make a flag here and two letters there
    (0x1F3FB, 0x1F3FF),  # skin tones
    (0xE0000, 0xE0FFF),  # tags and the second block of variation selectors
)


def _character_class() -> str:
    """The body of a regular expression class that matches all that `clean` replaces by rule."""
    dotted = "".join(f"{re.escape(chr(low))}-{re.escape(chr(high))}" for low, high in _DOTTED_RANGES)
    return f"\x00-\x1f\x7f\ud800-\udfff{dotted}"


def _stand_in(match: re.Match[str]) -> str:
    """What is shown instead of one matched character."""
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return _REPLACEMENT if 0xD800 <= code <= 0xDFFF else DOT


_UNSAFE: Final = re.compile(f"[{_character_class()}]")
# The blocks that hold marks at all, so that texts in most scripts are not looked at one character at a time.
_MAY_BE_MARK: Final = re.compile(
    "[\u0300-\u036f\u0483-\u1fff\u20d0-\u20ff\u2c80-\u2dff\u3000-\u30ff\ua600-\uabff\ud7b0-\ud7ff\ufb00-\ufe2f\U00010000-\U0001efff]"
)


def clean(value: str, limit: int = 4096) -> str:
    """Return `value` as one line of at most `limit` characters that no terminal can take for anything but text.

    C0 controls become their control pictures (newline and tab too), DEL becomes U+2421, C1 and bidi controls,
    zero-width and invisible characters become a dot, surrogates and unassigned code points U+FFFD, and every kind of
    space a plain one. Combining marks stay, three at most on one character. Cut text ends in an ellipsis.
    A printable ASCII string within the limit comes back as it is. Idempotent.

    Source of the classes: Unicode 16, chapters 23.1-23.9; ECMA-48 for C0 and C1.
    """
    value = _cut(value, limit)
    if value.isascii() and value.isprintable():
        return value
    value = _UNSAFE.sub(_stand_in, value)
    if value.isascii():
        return value
    if not value.isprintable():
        value = "".join(char if char.isprintable() else _unprintable(char) for char in value)
    return _cut(_settle_marks(value), limit)


def clean_lines(value: str, limit: int = 1_048_576, line_limit: int = 4096, tab: int = 4) -> list[str]:
    """Return `value` as clean lines: breaks at LF and CR LF, tabs expanded to `tab` columns, the rest as in `clean`.

    At most `limit` characters are looked at, and at most `line_limit` of each line; both cuts end in an ellipsis.
    An empty text is one empty line, and a final line break adds none.
    """
    lines = _cut(value, limit).split("\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    return [clean(_expand(line, tab, line_limit), line_limit) for line in lines]


def _expand(line: str, tab: int, limit: int) -> str:
    """One line without its carriage return and with its tabs as spaces (never longer than it needs to be cut)."""
    line = line.removesuffix("\r")
    return line[: limit + 1].expandtabs(tab) if "\t" in line else line


def _unprintable(char: str) -> str:
    """Stand-in for what the rules left over: odd spaces, private use, and code points this Python does not know."""
    return " " if unicodedata.category(char) == "Zs" else _REPLACEMENT


def _settle_marks(value: str) -> str:
    """Give a leading combining mark something to stand on, and bound the marks on one character.

    A mark with nothing before it would land on the cell of the neighbouring column; a hundred marks on one letter
    ("zalgo") paint over the lines above and below.
    """
    if not _MAY_BE_MARK.search(value):
        return value
    value = unicodedata.normalize("NFC", value)
    kept: list[str] = []
    marks = 0
    for char in value:
        marks = marks + 1 if is_mark(char) else 0
        if marks and not kept:
            kept.append(_DOTTED_CIRCLE)
        if marks <= _MARKS_KEPT:
            kept.append(char)
    return "".join(kept)


def is_mark(char: str) -> bool:
    """Whether a character takes no cell of its own but joins the one before it."""
    code = ord(char)
    if code < 0x300:
        return False
    if 0x1160 <= code <= 0x11FF or 0xD7B0 <= code <= 0xD7FF:  # Hangul vowels and finals that did not compose
        return True
    return unicodedata.category(char) in ("Mn", "Me", "Mc")


def _cut(value: str, limit: int) -> str:
    """`value` in at most `limit` characters, the last of them an ellipsis where it was longer."""
    return value if len(value) <= limit else value[: max(0, limit - 1)] + ELLIPSIS[:limit]
