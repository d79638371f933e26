"""Where each row of a document is: which lines are open, and into how many rows each is wrapped."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Final

from quarterdeck.text import wrap
from tui.widgets.doclines import DocLine

_LINES_KEPT: Final = 64
_PROSE: Final = 2_000
"""Lines up to so many characters are wrapped between words; longer ones are payloads, and wrapped anywhere."""


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
        if not self.wrapped or len(text) * 2 <= self.width:
            return 1
        if text.isascii() and (len(text) > _PROSE or len(text) <= self.width):
            return max(1, -(-len(text) // self.width))
        return len(self._wrapped(index)) - 1

    def _wrapped(self, index: int) -> list[int]:
        """Where the pieces of a line begin and where the last one ends; those of a few lines are kept."""
        bounds = self._bounds.get(index)
        if bounds is None:
            if len(self._bounds) >= _LINES_KEPT:
                self._bounds.clear()
            text = self.lines[index].text
            pieces = wrap(text, self.width) if len(text) > _PROSE else _between_words(text, self.width)
            bounds = self._bounds[index] = list(accumulate(map(len, pieces), initial=0))
        return bounds

    def locate(self, row: int) -> tuple[int, int]:
        """The index of the line that a row belongs to, and which of its rows it is."""
        at = bisect_right(self._starts, row) - 1
        return self.visible[at], row - self._starts[at]

    def row_of(self, index: int, offset: int = 0) -> int:
        """The row of a line's character; that of the line it is folded under, where it is folded away."""
        at = max(0, bisect_right(self.visible, index) - 1)
        if not self._starts:
            return 0
        if not offset or not self.wrapped or self.visible[at] != index:
            return self._starts[at]
        if len(self.lines[index].text) > _PROSE and self.lines[index].text.isascii():
            return self._starts[at] + offset // self.width
        return self._starts[at] + bisect_right(self._wrapped(index)[:-1], offset) - 1

    def piece(self, row: int, left: int = 0) -> tuple[int, str, int]:
        """The line's index, the text of a row, and where in the line that text begins."""
        index, sub = self.locate(row)
        text = self.lines[index].text
        if not self.wrapped:
            return index, text[left : left + self.width * 2], left
        if text.isascii() and len(text) > _PROSE:
            start = sub * self.width
            return index, text[start : start + self.width], start
        start, end = self._wrapped(index)[sub : sub + 2]
        if sub and text[start] == " " and end - start > 1:
            start += 1  # the blank between two words, where they stand in two rows
        return index, text[start:end], start

    @cached_property
    def heads(self) -> frozenset[int]:
        """Indexes of the lines that something can be folded under."""
        pairs = zip(self.lines, self.lines[1:], strict=False)
        return frozenset(at for at, (line, following) in enumerate(pairs) if following.depth > line.depth)


def _between_words(text: str, width: int) -> Iterator[str]:
    """The text in pieces as `wrap` has them, but broken after a space where one stands in a piece's second half."""
    while True:
        piece = next(wrap(text, width))
        if len(piece) == len(text):
            yield piece
            return
        space = piece.rfind(" ") + 1
        if text[len(piece)] != " " and space > len(piece) // 2:
            piece = piece[:space]
        yield piece
        text = text[len(piece) :]


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
