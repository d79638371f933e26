"""The screen as a grid of cells, kept twice by the driver: what is wanted and what was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tui.terminal.glyphs import Glyph
    from tui.terminal.styles import Style

UNKNOWN: Final = "\x00"
"""In a sent cell: nobody knows what the terminal shows there. Equals no wanted cell."""

REST: Final = ""
"""The second half of a glyph that is two cells wide."""

_LONGEST_GLYPH: Final = 16


class Grid:
    """Rows of glyphs and rows of styles, each ``height`` lists of ``width``; row and column count from 0.

    A wide glyph sits in its left cell and :data:`REST` in its right one. Overwriting one half blanks the other, as
    terminals do it.
    """

    def __init__(self, width: int, height: int, style: Style) -> None:
        self.width = width
        self.height = height
        self.default: Final = style
        self.glyphs: list[list[str]] = [[" "] * width for _ in range(height)]
        self.styles: list[list[Style]] = [[style] * width for _ in range(height)]
        self.dirty: set[int] = set()
        """Rows written to since whoever sends them took them off."""

    def copy(self) -> Grid:
        """The same cells, to be kept while these change."""
        other = Grid(0, 0, self.default)
        other.width, other.height, other.dirty = self.width, self.height, set(self.dirty)
        other.glyphs = [[*row] for row in self.glyphs]
        other.styles = [[*row] for row in self.styles]
        return other

    def resize(self, width: int, height: int) -> None:
        """Keep what fits, blank the rest."""
        if width > self.width:
            for glyphs, styles in zip(self.glyphs, self.styles, strict=True):
                glyphs.extend([" "] * (width - self.width))
                styles.extend([self.default] * (width - self.width))
        for glyphs, styles in zip(self.glyphs, self.styles, strict=True):
            if len(glyphs) > width and glyphs[width] == REST:
                glyphs[width - 1] = " "
            del glyphs[width:], styles[width:]
        del self.glyphs[height:], self.styles[height:]
        for _ in range(height - len(self.glyphs)):
            self.glyphs.append([" "] * width)
            self.styles.append([self.default] * width)
        self.width, self.height = width, height
        self.dirty = set(range(height))

    def fill(self, glyph: str) -> None:
        """Set every cell to ``glyph`` (one cell wide, or :data:`UNKNOWN`) in the default style."""
        for row in range(self.height):
            self.glyphs[row] = [glyph] * self.width
            self.styles[row] = [self.default] * self.width

    def put(self, row: int, column: int, text: str, style: Style) -> None:
        """Write ``text``, each character one cell, from ``column`` on; the caller keeps it inside the row."""
        self._clear_halves(row, column, column + len(text))
        self.glyphs[row][column : column + len(text)] = text
        self.styles[row][column : column + len(text)] = [style] * len(text)
        self.dirty.add(row)

    def put_glyph(self, row: int, column: int, glyph: Glyph, style: Style) -> None:
        """Write one glyph of width 1 or 2, or put a mark of width 0 on the glyph left of ``column``."""
        text, width = glyph
        if width == 0:
            self._mark(row, column - 1, text)
            return
        self._clear_halves(row, column, column + width)
        self.glyphs[row][column : column + width] = [text, REST][:width]
        self.styles[row][column : column + width] = [style] * width
        self.dirty.add(row)

    def _mark(self, row: int, column: int, mark: str) -> None:
        glyphs = self.glyphs[row]
        if column > 0 and glyphs[column] == REST:
            column -= 1
        if column >= 0 and len(glyphs[column]) + len(mark) <= _LONGEST_GLYPH:
            glyphs[column] += mark
            self.dirty.add(row)

    def _clear_halves(self, row: int, start: int, end: int) -> None:
        glyphs = self.glyphs[row]
        if start and glyphs[start] == REST:
            glyphs[start - 1] = " "
        if end < self.width and glyphs[end] == REST:
            glyphs[end] = " "
