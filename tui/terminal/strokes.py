"""What of a row has to be painted, cut into strokes: neighbouring cells that one style and one way of painting reach.

A blank shows its background and nothing else, unless it is underlined, struck or reversed: which colour it would write
in is nobody's business, so that it goes with the text on either side, and is not sent for such a change alone.
"""

from __future__ import annotations

from enum import Enum, auto
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from tui.terminal.cells import REST
from tui.terminal.glyphs import steady

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tui.terminal.styles import Style

_JOIN: Final = 6
"""Equal cells between two changed ones that are rewritten rather than jumped over: a jump costs 4 to 6 bytes."""

_ERASE_LINE_FROM: Final = 4
_ERASE_RUN_FROM: Final = 11
"""Blanks on one paper from which ``CSI K`` (3 bytes) or ``CSI n X`` with the jump after it (10 bytes) is shorter."""

_STROKE_CELLS: Final = 64
"""Longest stroke: it is written or left as a whole when the budget ends."""


class How(Enum):
    """How a stroke is painted."""

    TEXT = auto()
    """Written; the cursor follows."""
    UNSTEADY = auto()
    """One glyph after which nobody knows where the cursor is."""
    ERASE_RUN = auto()
    """Blanks, made by erasing that many cells."""
    ERASE_LINE = auto()
    """Blanks up to the end of the row, made by erasing it."""


class Stroke(NamedTuple):
    """Cells from ``start`` to ``end`` of a row; of a blank one only the paper of ``style`` matters."""

    start: int
    end: int
    style: Style
    how: How
    blank: bool


class Row:
    """The cells of a row as they are wanted, beside those the terminal has."""

    def __init__(
        self,
        glyphs: Sequence[str],
        styles: Sequence[Style],
        old_glyphs: Sequence[str],
        old_styles: Sequence[Style],
        *,
        erases_in_colour: bool,
    ) -> None:
        self._glyphs: Final = glyphs
        self._styles: Final = styles
        self._old: Final = (old_glyphs, old_styles)
        self._erases_in_colour: Final = erases_in_colour
        self._tail: Final = self._blank_tail()

    def strokes(self) -> list[Stroke]:
        """What must be painted, from left to right; empty when the terminal shows it already."""
        found: list[Stroke] = []
        for start, end in self._spans():
            column = start
            while column < end:
                stroke = self._stroke(column, end)
                found.append(stroke)
                column = stroke.end
        return found

    def text(self, stroke: Stroke) -> str:
        """The characters of a stroke."""
        return "".join(self._glyphs[stroke.start : stroke.end])

    def _spans(self) -> Iterator[tuple[int, int]]:
        """Runs of changed cells, near ones joined, never beginning or ending inside a wide glyph."""
        glyphs = self._glyphs
        start = end = -1
        for column, (glyph, style, old_glyph, old_style) in enumerate(
            zip(glyphs, self._styles, *self._old, strict=True)
        ):
            if glyph == old_glyph and (style is old_style or (glyph == " " and style.paper is old_style.paper)):
                continue
            if start >= 0 and column > end and not self._joins(end, column):
                yield start, self._whole(end)
                start = -1
            if start < 0:
                start = column - 1 if glyph == REST else column
            end = column + 1
        if start >= 0:
            yield start, self._whole(end)

    def _whole(self, end: int) -> int:
        return end + 1 if end < len(self._glyphs) and self._glyphs[end] == REST else end

    def _joins(self, end: int, start: int) -> bool:
        """True when rewriting the equal cells from ``end`` to ``start`` is no dearer than a jump."""
        if start - end >= _JOIN:
            return False
        left, right = self._styles[end - 1], self._styles[start]
        if not (self._writable(end, start, left) or self._writable(end, start, right)):
            return False
        gap = "".join(self._glyphs[end:start])
        return len(gap.encode()) < _JOIN and all(map(steady, gap))

    def _writable(self, start: int, end: int, style: Style) -> bool:
        """True when one style does for all these cells."""
        cells = zip(self._glyphs[start:end], self._styles[start:end], strict=True)
        return all(own is style or (glyph == " " and own.paper is style.paper) for glyph, own in cells)

    def _blank_tail(self) -> int:
        """The column from which the row is blank on one paper that erasing can make; the width if none."""
        glyphs, styles = self._glyphs, self._styles
        column = len(glyphs)
        paper = styles[-1].paper
        if not self._erasable(paper):
            return column
        while column and glyphs[column - 1] == " " and styles[column - 1].paper is paper:
            column -= 1
        return column

    def _erasable(self, paper: Style) -> bool:
        return not paper.inked and (self._erases_in_colour or not paper.background)

    def _stroke(self, column: int, end: int) -> Stroke:
        """As many cells from ``column`` on as one style and one way of painting reach."""
        glyph, style = self._glyphs[column], self._styles[column]
        if glyph == " ":
            return self._stroke_of_blanks(column, end)
        if not steady(glyph):
            return Stroke(column, self._whole(column + 1), style, How.UNSTEADY, blank=False)
        return Stroke(column, self._stop(column, end, style), style, How.TEXT, blank=False)

    def _stroke_of_blanks(self, column: int, end: int) -> Stroke:
        """Blanks, and the text after them where it stands on the same paper."""
        style, blanks = self._styles[column], self._blanks(column, end)
        after = column + blanks
        if after < end and self._styles[after].paper is style.paper:
            style = self._styles[after]
        if column >= self._tail and end - column >= _ERASE_LINE_FROM:
            return Stroke(column, len(self._glyphs), style, How.ERASE_LINE, blank=True)
        if blanks >= _ERASE_RUN_FROM and self._erasable(style.paper):
            return Stroke(column, after, style, How.ERASE_RUN, blank=True)
        stop = self._stop(column, end, style)
        return Stroke(column, stop, style, How.TEXT, blank=stop <= after)

    def _blanks(self, column: int, end: int) -> int:
        """How many blanks there are from ``column`` on, all on one paper."""
        glyphs, styles = self._glyphs, self._styles
        paper, stop = styles[column].paper, column
        while stop < end and glyphs[stop] == " " and styles[stop].paper is paper:
            stop += 1
        return stop - column

    def _stop(self, column: int, end: int, style: Style) -> int:
        """Where a run of plain printing ends: style, unsteady glyph, worthwhile erasing, or length."""
        glyphs, styles, tail = self._glyphs, self._styles, self._tail
        erasable = self._erasable(style.paper)
        limit = min(end, column + _STROKE_CELLS)
        stop = column + 1
        while stop < limit:
            glyph = glyphs[stop]
            if glyph == " ":
                if styles[stop].paper is not style.paper or (stop == tail and end - tail >= _ERASE_LINE_FROM):
                    break
                if erasable and glyphs[stop - 1] != " " and self._blanks(stop, end) >= _ERASE_RUN_FROM:
                    break
            elif styles[stop] is not style or (glyph != REST and not steady(glyph)):
                break
            stop += 1
        return self._whole(stop)


def by_style(strokes: Sequence[Stroke], present: Style | None) -> list[Stroke] | None:
    """The same strokes with those of one style together, the ``present`` one first.

    A move is a third of a colour. None where no style comes back, or where the order from left to right matters: the
    right neighbour of a glyph of doubtful width must be written after it.
    """
    strokes = _attached(strokes)
    changes = sum(one.style is not other.style for one, other in pairwise(strokes))
    groups: dict[Style, list[Stroke]] = {}
    for stroke in strokes:
        if stroke.how is How.UNSTEADY:
            return None
        groups.setdefault(stroke.style, []).append(stroke)
    first = groups.pop(present, []) if present is not None else []
    if changes + 1 <= len(groups) + bool(first):
        return None
    return [*first, *(stroke for group in groups.values() for stroke in group)]


def _attached(strokes: Sequence[Stroke]) -> list[Stroke]:
    """The strokes with blank ones in the style of what they follow, where that stands on the same paper.

    The cursor is there then, and what comes after them is jumped to anyway.
    """
    found: list[Stroke] = []
    for stroke in strokes:
        last = found[-1] if found and found[-1].end == stroke.start else stroke
        found.append(
            stroke._replace(style=last.style) if stroke.blank and last.style.paper is stroke.style.paper else stroke
        )
    return found
