"""Where each row of a document is: which lines are open, and into how many rows each is wrapped."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate

from quarterdeck.text import wrap
from tui.widgets.doclines import DocLine

_LINES_KEPT = 64


class DocLayout:
    """A document laid out for a width. Finding a row costs no more in the middle of a megabyte than at its start."""

    def __init__(self, lines: Sequence[DocLine], folded: frozenset[int], width: int, wrapped: bool) -> None:
        self.lines = lines
        self.width = max(4, width)
        self.wrapped = wrapped
        self.visible = _visible(lines, folded)
        """Indexes of the lines that are not folded away."""
        self._bounds: dict[int, list[int]] = {}
        self._starts: list[int] = []
        row = 0
        for index in self.visible:
            self._starts.append(row)
            row += self._rows_of(index)
        self.rows = row
        """How many rows there are in all."""

    def _rows_of(self, index: int) -> int:
        text = self.lines[index].text
        if not self.wrapped:
            return 1
        if text.isascii():
            return max(1, -(-len(text) // self.width))
        if len(text) * 2 <= self.width:
            return 1
        return len(self._wrapped(index)) - 1

    def _wrapped(self, index: int) -> list[int]:
        """Where the pieces of a line that is not ASCII begin and where the last ends; those of a few lines are kept."""
        bounds = self._bounds.get(index)
        if bounds is None:
            if len(self._bounds) >= _LINES_KEPT:
                self._bounds.clear()
            pieces = wrap(self.lines[index].text, self.width)
            bounds = self._bounds[index] = list(accumulate(map(len, pieces), initial=0))
        return bounds

    def locate(self, row: int) -> tuple[int, int]:
        """The index of the line that a row belongs to, and which of its rows it is."""
        at = bisect_right(self._starts, row) - 1
        return self.visible[at], row - self._starts[at]

    def row_of(self, index: int) -> int:
        """The first row of a line; that of the line it is folded under, where it is folded away."""
        at = bisect_right(self.visible, index) - 1
        return self._starts[max(0, at)] if self._starts else 0

    def piece(self, row: int, left: int = 0) -> tuple[int, str, int]:
        """The line's index, the text of a row, and where in the line that text begins."""
        index, sub = self.locate(row)
        text = self.lines[index].text
        if not self.wrapped:
            return index, text[left : left + self.width * 2], left
        if text.isascii():
            start = sub * self.width
            return index, text[start : start + self.width], start
        start, end = self._wrapped(index)[sub : sub + 2]
        return index, text[start:end], start

    @cached_property
    def heads(self) -> frozenset[int]:
        """Indexes of the lines that something can be folded under."""
        pairs = zip(self.lines, self.lines[1:], strict=False)
        return frozenset(at for at, (line, following) in enumerate(pairs) if following.depth > line.depth)


def _visible(lines: Sequence[DocLine], folded: frozenset[int]) -> list[int]:
    """Indexes of the lines that are not deeper than a folded one above them."""
    visible: list[int] = []
    hidden_from: int | None = None
    for index, line in enumerate(lines):
        if hidden_from is not None and line.depth > hidden_from:
            continue
        hidden_from = line.depth if index in folded else None
        visible.append(index)
    return visible
