"""Columns of a grid, and how they share the width there is."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from quarterdeck.text.cells import Align


class Column(msgspec.Struct, frozen=True):
    """One column as it is declared.

    `width` is in cells; with a `flex` above zero it is the least, and what is left over is shared by flex. `priority`
    0 always stays; where the width does not suffice the highest number is dropped first. `style` names a component
    class without its `deck--`. `descending` says how a first sort by it goes (largest or latest first).
    """

    key: str
    title: str
    width: int
    flex: int = 0
    align: Align = "left"
    style: str = ""
    sortable: bool = False
    descending: bool = False
    priority: int = 0
    middle: bool = False
    """Whether what is too long is cut in its middle: keys differ at their ends."""


class Placed(msgspec.Struct, frozen=True):
    """A column that is shown: its index among the declared ones, and its width in cells."""

    index: int
    column: Column
    width: int


def lay_out(columns: Sequence[Column], width: int, gap: int = 2) -> tuple[Placed, ...]:
    """Return the columns to be shown in `width` cells, in declared order, `gap` cells between them.

    Columns are dropped by falling priority number until the rest fits; columns of priority 0 are never dropped but
    squeezed, the flexible ones first, then from the right.
    """
    kept = list(enumerate(columns))
    while _needed(kept, gap) > width and (least := max((column.priority for _, column in kept), default=0)) > 0:
        dropped = max(at for at, (_, column) in enumerate(kept) if column.priority == least)
        del kept[dropped]
    widths = [column.width for _, column in kept]
    spare = width - _needed(kept, gap)
    if spare > 0:
        _share(widths, [column.flex for _, column in kept], spare)
    elif spare < 0:
        _squeeze(widths, [column.flex for _, column in kept], -spare)
    return tuple(Placed(index, column, cells) for (index, column), cells in zip(kept, widths, strict=True) if cells > 0)


def _needed(kept: Sequence[tuple[int, Column]], gap: int) -> int:
    """Cells that these columns take at least."""
    return sum(column.width for _, column in kept) + gap * max(0, len(kept) - 1)


def _share(widths: list[int], flexes: Sequence[int], spare: int) -> None:
    """Give `spare` cells to the flexible columns in proportion; the odd ones go to the first of them."""
    total = sum(flexes)
    if not total:
        return
    given = [spare * flex // total for flex in flexes]
    first = next(at for at, flex in enumerate(flexes) if flex)
    given[first] += spare - sum(given)
    widths[:] = [width + extra for width, extra in zip(widths, given, strict=True)]


def _squeeze(widths: list[int], flexes: Sequence[int], missing: int) -> None:
    """Take `missing` cells away: from flexible columns down to four cells, then from the right to nothing."""
    for least, only_flex in ((4, True), (0, False)):
        for at in reversed(range(len(widths))):
            if only_flex and not flexes[at]:
                continue
            taken = min(missing, max(0, widths[at] - least))
            widths[at] -= taken
            missing -= taken
