"""A grid of cells as a painting for the album, and back."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from tui.terminal.album import Painting
from tui.terminal.cells import Grid
from tui.terminal.encoder import Encoder
from tui.terminal.frame import FrameParser

if TYPE_CHECKING:
    from tui.terminal.styles import StyleTable


def draw(key: str, cells: Grid, styles: StyleTable, *, erases_in_colour: bool) -> Painting:
    """The painting of these cells; ``cells`` is used up."""
    rows = []
    for number, row in enumerate(zip(cells.styles, cells.glyphs, strict=True)):
        runs = groupby(zip(*row, strict=True), key=itemgetter(0))
        texts = (styles.delta(None, style) + "".join(glyph for _, glyph in run) for style, run in runs)
        rows.append(f"\x1b[{number + 1}H{''.join(texts)}")
    encoder = Encoder(cells, styles, erases_in_colour=erases_in_colour)
    encoder.blank()
    return Painting(key, (cells.width, cells.height), encoder.encode(1 << 20), "".join(rows))


def read(painting: Painting, styles: StyleTable) -> Grid:
    """The cells that a terminal shows after the painting."""
    cells = Grid(*painting.size, styles.default)
    FrameParser(cells, styles).feed(painting.cells)
    return cells
