"""Functions and their figures as rows."""

from __future__ import annotations

from typing import Final

from quarterdeck.model import FunctionStat
from quarterdeck.text import human_count, human_duration, human_percent
from tui.rendering.moment import Moment
from tui.widgets.cell import AnyCell, Cell, GridRow
from tui.widgets.columns import Column

COLUMNS: Final = (
    Column("name", "FUNCTION", 14, flex=2, sortable=True),
    Column("complete", "done", 8, align="right", sortable=True, descending=True),
    Column("failed", "failed", 7, align="right", sortable=True, descending=True),
    Column("rate", "fail", 5, align="right"),
    Column("counts", "last hour", 20, style="muted", priority=1),
    Column("p50", "p50", 6, align="right", priority=2),
    Column("p95", "p95", 6, align="right"),
    Column("p99", "p99", 6, align="right", priority=3),
    Column("mean", "mean", 6, align="right", priority=5),
    Column("retried", "retried", 7, align="right", priority=4),
    Column("aborted", "aborted", 7, align="right", priority=6),
    Column("queue", "queue", 9, priority=3),
)


def function_row(stat: FunctionStat, moment: Moment) -> GridRow:
    """One function as cells in the order of `COLUMNS`; the key is `queue/function`."""
    finished = stat.complete + stat.failed
    share = stat.failed / finished if finished else None
    cells: tuple[AnyCell, ...] = (
        moment.text(stat.name, 80),
        human_count(stat.complete, 8),
        Cell(human_count(stat.failed, 7), "bad" if stat.failed else "muted"),
        Cell(human_percent(share), "bad" if (share or 0) >= 0.05 else ""),
        moment.spark(stat.counts, 20),
        human_duration(stat.p50_ms),
        human_duration(stat.p95_ms),
        human_duration(stat.p99_ms),
        human_duration(stat.mean_ms),
        Cell(human_count(stat.retried, 7), "" if stat.retried else "muted"),
        Cell(human_count(stat.aborted, 7), "" if stat.aborted else "muted"),
        moment.text(stat.queue, 60),
    )
    return GridRow(f"{stat.queue}/{stat.name}", cells)


def sort_functions(stats: tuple[FunctionStat, ...], column: str, descending: bool) -> list[FunctionStat]:
    """The functions by a column; most failures first where none was chosen."""
    keys = {
        "name": lambda stat: stat.name,
        "complete": lambda stat: stat.complete,
        "failed": lambda stat: stat.failed,
    }
    if column not in keys:
        return sorted(stats, key=lambda stat: (-stat.failed, -stat.complete, stat.name))
    return sorted(stats, key=keys[column], reverse=descending)
