"""Queues as rows."""

from __future__ import annotations

from typing import Final

from quarterdeck.model import Level, QueueStat, QueueState, alarm, failing_level, waiting_level
from quarterdeck.text import count_of, human_age, human_count, human_duration, human_percent, human_rate
from tui.rendering.moment import Moment
from tui.widgets.cell import AnyCell, Cell, GridRow
from tui.widgets.columns import Column


def columns(spark_cells: int = 9) -> tuple[Column, ...]:
    """What a queue shows; where it is narrow the columns with the highest priority number go first."""
    return (
        Column("name", "QUEUE", 9, flex=2, sortable=True),
        Column("depth", "depth", 6, align="right", sortable=True, descending=True),
        Column("active", "active", 6, align="right", priority=4),
        Column("scheduled", "sched", 6, align="right", priority=6),
        Column("depths", "last hour", spark_cells, style="muted", priority=1),
        Column("oldest", "oldest", 6, align="right", sortable=True, descending=True),
        Column("in", "in/s", 5, align="right", priority=3),
        Column("out", "out/s", 5, align="right", priority=3),
        Column("fail", "fail", 5, align="right", sortable=True, descending=True, priority=1),
        Column("p50", "p50", 5, align="right", priority=8),
        Column("p95", "p95", 5, align="right", sortable=True, descending=True, priority=2),
        Column("p99", "p99", 5, align="right", priority=9),
        Column("failed", "failed", 6, align="right", priority=5),
        Column("slots", "slots", 7, align="right", priority=7),
        Column("state", "state", 14, flex=1),
    )


_STYLES: Final = {Level.WARNING: "warn", Level.BAD: "bad"}


def queue_row(queue: QueueStat, moment: Moment, spark_cells: int = 9, *, workers_known: bool = True) -> GridRow:
    """One queue as cells in the order of `columns`; the row's key is the queue's name. Of a past moment it may be that
    nobody knows which workers there were: that is not to say that there was none.
    """
    text, style = queue_state(queue, moment, workers_known=workers_known)
    waits = _STYLES.get(waiting_level(queue), "")
    fails = _STYLES.get(failing_level(queue), "")
    cells: tuple[AnyCell, ...] = (
        moment.text(queue.name),
        human_count(queue.depth, 6),
        human_count(queue.active, 6),
        human_count(queue.scheduled, 6),
        moment.spark(queue.depths, spark_cells),
        Cell(human_age(queue.oldest_ms), waits) if queue.oldest_ms is not None else Cell("-", "muted"),
        human_rate(queue.in_per_s),
        human_rate(queue.out_per_s),
        Cell(human_percent(queue.failure_rate), fails),
        human_duration(queue.p50_ms),
        human_duration(queue.p95_ms),
        human_duration(queue.p99_ms),
        Cell(human_count(queue.failed, 6), "" if queue.failed else "muted"),
        _used(queue) if queue.workers else "none" if workers_known else Cell("-", "muted"),
        Cell(text, style),
    )
    return GridRow(queue.name, cells)


def _used(queue: QueueStat) -> str:
    """Slots in use, of how many where that is known: stock workers don't tell."""
    return f"{queue.active}/{queue.slots}" if queue.slots else str(queue.active)


def queue_state(queue: QueueStat, moment: Moment, *, workers_known: bool = True) -> tuple[str, str]:
    """In what state a queue is, in a few words, and the style that goes with it."""
    state = alarm.queue_state(queue, workers_known=workers_known)
    match state:
        case QueueState.BROKEN:
            return f"{state}: {moment.text(queue.error, 60)}", "bad"
        case QueueState.PAUSED if queue.paused is not None:
            return moment.pause(queue.paused), "paused"
        case QueueState.ORPHANS:
            return count_of(queue.orphans, "orphan"), "warn"
        case QueueState.DESERTED:
            return str(state), "bad" if queue.depth else "muted"
        case QueueState.FAILING:
            return str(state), _STYLES[failing_level(queue)]
    return str(state), {QueueState.BACKING_UP: "warn", QueueState.RUNNING: "ok"}.get(state, "muted")
