"""How log lines become lines on the screen: time, level, source and text, wrapped or cut, matches told apart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import Final, NamedTuple

from quarterdeck.text import cell_width, clean, fit, mask_text, wrap
from tui.look.glyphs import Glyphs
from tui.widgets.logring import LINE_LIMIT, LogLine

_LEVEL_STYLES: Final = {"DEBUG": "muted", "WARNING": "warn", "ERROR": "bad", "CRITICAL": "bad"}
_SOURCE_CELLS: Final = 16

StyledText = tuple[str, tuple[str, ...]]


class LogLook(NamedTuple):
    """How lines are to be shown now."""

    width: int
    wrapped: bool
    times: bool
    left: int
    pattern: str
    zone: tzinfo | None
    glyphs: Glyphs


def shown_text(line: LogLine, glyphs: Glyphs) -> str:
    """The text of a line, masked and clean."""
    return glyphs.plain(clean(mask_text(line.text), LINE_LIMIT))


def time_of(at_ms: int | None, zone: tzinfo | None) -> str:
    """`12:04:05.678` in the viewer's zone (this machine's where None), or as many blanks."""
    if at_ms is None:
        return " " * 12
    try:
        moment = datetime.fromtimestamp(at_ms / 1_000, UTC).astimezone(zone)
    except (OverflowError, OSError, ValueError):
        return "??:??:??.???"
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1_000:03}"


def line_rows(line: LogLine, look: LogLook, found: bool) -> list[tuple[StyledText, ...]]:
    """The rows of one line on the screen, at least one: each a sequence of texts with the names of their styles."""
    if line.mark:
        rule = look.glyphs.rule
        text = f"{rule * 3} {time_of(line.at_ms, look.zone)} {shown_text(line, look.glyphs)} "
        return [((fit(text + rule * max(0, look.width - cell_width(text)), look.width), ("rule",)),)]
    prefix = tuple(_prefix(line, look))
    used = sum(cell_width(text) for text, _ in prefix)
    room = max(8, look.width - used)
    text, style = shown_text(line, look.glyphs), _LEVEL_STYLES.get(line.level.upper(), "")
    spans = spans_of(text, look.pattern)
    if look.wrapped:
        pieces = list(wrap(text, room))
    else:
        text, spans = text[look.left :], [(low - look.left, high - look.left) for low, high in spans]
        pieces = [fit(text, room, "left", look.glyphs.ellipsis) if cell_width(text) > room else text]
    rows: list[tuple[StyledText, ...]] = []
    at = 0
    for piece in pieces:
        head = ((" " * used, ()),) if rows else prefix
        rows.append((*head, *_highlighted(piece, at, spans, style, "found" if found else "match")))
        at += len(piece)
    return rows


def _prefix(line: LogLine, look: LogLook) -> Iterator[StyledText]:
    """Time, level and source; the level is a letter, so that colour is not needed to tell it."""
    if look.times:
        yield f"{time_of(line.at_ms, look.zone)} ", ("muted",)
    if line.level:
        yield f"{clean(line.level, 8)[:1].upper()} ", (_LEVEL_STYLES.get(line.level.upper(), "muted"),)
    if line.source:
        source = fit(look.glyphs.plain(clean(line.source, 256)), _SOURCE_CELLS, "left", look.glyphs.ellipsis)
        yield f"{source} ", ("note",)


def matches(text: str, pattern: str) -> bool:
    """Whether a text holds a pattern; upper and lower case are one unless the pattern has an upper-case letter."""
    return pattern in (text if pattern != pattern.lower() else text.lower())


def spans_of(text: str, pattern: str) -> list[tuple[int, int]]:
    """Where the pattern stands in the text."""
    if not pattern:
        return []
    looked_at = text if pattern != pattern.lower() else text.lower()
    if len(looked_at) != len(text):  # a few letters change their length in lower case: then nothing is underlined
        return []
    spans: list[tuple[int, int]] = []
    at = looked_at.find(pattern)
    while at >= 0:
        spans.append((at, at + len(pattern)))
        at = looked_at.find(pattern, at + len(pattern))
    return spans


def _highlighted(piece: str, at: int, spans: list[tuple[int, int]], style: str, match: str) -> Iterator[StyledText]:
    """One row's part of the text, split where matches begin and end."""
    done = 0
    for low, high in spans:
        start, stop = max(low - at, done), min(high - at, len(piece))
        if start >= stop:
            continue
        if start > done:
            yield piece[done:start], (style,)
        yield piece[start:stop], (style, match)
        done = stop
    if done < len(piece) or not piece:
        yield piece[done:], (style,)
