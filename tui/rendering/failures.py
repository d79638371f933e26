"""Failure groups as rows."""

from __future__ import annotations

from typing import Final

from quarterdeck.model import FailureGroup
from quarterdeck.text import human_count, human_percent
from tui.rendering.moment import Moment
from tui.widgets.cell import Age, AnyCell, Cell, GridRow
from tui.widgets.columns import Column

COLUMNS: Final = (
    Column("function", "FAILURES", 14, flex=1, sortable=True),
    Column("count", "count", 7, align="right", sortable=True, descending=True),
    Column("broke", "what broke", 40, flex=5),
    Column("trend", "last hour", 12, style="muted", priority=3),
    Column("share", "of runs", 7, align="right", priority=4),
    Column("queue", "queue", 9, priority=5),
    Column("first", "first", 6, align="right", sortable=True, priority=2),
    Column("last", "last", 6, align="right", sortable=True),
)
"""What a failure group shows."""


def group_row(group: FailureGroup, moment: Moment) -> GridRow:
    """One failure group as cells in the order of `COLUMNS`."""
    cells: tuple[AnyCell, ...] = (
        moment.text(group.function, 80),
        Cell(human_count(group.count, 7), "bad"),
        broke_cell(group, moment),
        moment.spark(group.trend, 12),
        human_percent(group.share),
        moment.text(group.queue, 60),
        Age(group.first_ms or None),
        Age(group.last_ms or None),
    )
    return GridRow(group.id, cells)


def broke_cell(group: FailureGroup, moment: Moment) -> Cell:
    """`ConnectionError: smtp:25 refused  export.py:88`, poison marked so."""
    said = ": ".join(filter(None, (group.exception, group.message)))
    runs: list[tuple[str, str]] = []
    if group.poison:
        runs.append(("poison ", "bad"))
    runs.append((moment.text(said), ""))
    if group.frame:
        runs.append((f"  {moment.text(group.frame, 100)}", "muted"))
    return Cell(runs=tuple(runs))
