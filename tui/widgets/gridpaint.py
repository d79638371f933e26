"""How the lines of a grid are painted: from what a line is to a strip of cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rich.style import Style
from textual.strip import Strip

from quarterdeck.text import cell_width, clean, fit, shorten
from tui.widgets.cell import AnyCell, Cell, GridRow
from tui.widgets.columns import Placed
from tui.widgets.painted import Painted, Run

_CELL_LIMIT = 512


class LineState(NamedTuple):
    """All that the look of a body line depends on: two equal ones are painted alike."""

    row: GridRow | None
    beyond: bool
    cursor: str
    focused: bool
    marked: bool
    thumb: bool


def header_strip(
    widget: Painted, layout: tuple[Placed, ...], gap: int, sort: tuple[str, bool] | None, width: int
) -> Strip:
    """The titles, with an arrow at the column that is sorted by."""
    glyphs = widget.glyphs
    plain, sorted_style = widget.style_of("header"), widget.style_of("header", "strong")
    runs: list[Run] = [(" ", plain)]
    for at, (_, column, cells) in enumerate((placed.index, placed.column, placed.width) for placed in layout):
        title, style = column.title, plain
        if sort is not None and sort[0] == column.key:
            arrow = glyphs.down if sort[1] else glyphs.up
            title = f"{arrow}{title}" if column.align == "right" else f"{title}{arrow}"
            style = sorted_style
        runs.append((" " * gap if at else "", plain))
        runs.append((fit(title, cells, column.align, glyphs.ellipsis), style))
    return widget.strip(runs, width, plain)


def message_strip(widget: Painted, text: str, width: int) -> Strip:
    """A line that says why there are no rows, or says nothing."""
    style = widget.style_of("placeholder")
    return widget.strip([(fit(f"  {clean(text)}", width), style)], width, style)


def row_strip(widget: Painted, line: LineState, layout: tuple[Placed, ...], gap: int, width: int) -> Strip:
    """One row: a gutter for cursor and mark, the cells, the scroll bar."""
    over = _overlay(line)
    runs: list[Run] = [_gutter(widget, line, over)]
    if line.row is None:
        filler = widget.glyphs.placeholder if not line.beyond else " "
        style = widget.style_of("placeholder", *over)
        for at, placed in enumerate(layout):
            runs.append((" " * gap if at else "", style))
            runs.append((fit(filler, placed.width, placed.column.align), style))
        rest = style
    else:
        rest = widget.style_of(line.row.style, *over)
        for at, placed in enumerate(layout):
            runs.append((" " * gap if at else "", rest))
            cell = line.row.cells[placed.index] if placed.index < len(line.row.cells) else ""
            runs.extend(_cell_runs(widget, cell, placed, line.row.style, over))
    used = sum(cell_width(text) for text, _ in runs)
    runs.append((" " * max(0, width - 1 - used), rest))
    thumb = widget.glyphs.thumb if line.thumb else " "
    runs.append((thumb, widget.style_of("rule") if line.thumb else rest))
    return widget.strip(runs, width, rest)


def _overlay(line: LineState) -> tuple[str, ...]:
    """Styles that lie over every cell of the line."""
    marked = ("marked",) if line.marked else ()
    if not line.cursor:
        return marked
    if line.cursor == "lost":
        return (*marked, "lost")
    return (*marked, "cursor" if line.focused else "blurred")


def _gutter(widget: Painted, line: LineState, over: tuple[str, ...]) -> Run:
    """The sign at the left: a mark, or the cursor. Both are told by it without any colour."""
    glyphs = widget.glyphs
    if line.marked:
        sign = glyphs.mark
    elif line.cursor == "lost":
        sign = glyphs.lost
    else:
        sign = glyphs.cursor if line.cursor and line.focused else " "
    return sign, widget.style_of("gutter", *over)


def _cell_runs(widget: Painted, cell: AnyCell, placed: Placed, row_style: str, over: tuple[str, ...]) -> Iterator[Run]:
    """The text of one cell in exactly its width."""
    glyphs, column = widget.glyphs, placed.column
    shown = cell if isinstance(cell, Cell) else Cell(cell if isinstance(cell, str) else "")
    if not shown.runs:
        text = glyphs.plain(clean(shown.text, _CELL_LIMIT))
        if column.middle:
            text = shorten(text, placed.width, glyphs.ellipsis)
        text = fit(text, placed.width, column.align, glyphs.ellipsis)
        yield text, _cell_style(widget, row_style, column.style, shown.style, over)
        return
    parts = [(glyphs.plain(clean(text, _CELL_LIMIT)), style) for text, style in shown.runs]
    spare = placed.width - sum(cell_width(text) for text, _ in parts)
    blank = _cell_style(widget, row_style, column.style, "", over)
    if column.align == "right" and spare > 0:
        yield " " * spare, blank
    left = placed.width
    for text, style in parts:
        piece = text if cell_width(text) <= left else fit(text, left, "left", glyphs.ellipsis)
        left -= cell_width(piece)
        yield piece, _cell_style(widget, row_style, column.style, style, over)
    if column.align != "right" and spare > 0:
        yield " " * spare, blank


def _cell_style(widget: Painted, row: str, column: str, cell: str, over: tuple[str, ...]) -> Style:
    """The row's style, the column's and the cell's over it, the cursor's over all."""
    return widget.style_of(column, row, cell, *over)
