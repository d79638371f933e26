"""Schedules and their runs as rows."""

from __future__ import annotations

from typing import Final

from quarterdeck.model import RunRow, ScheduleRow
from quarterdeck.text import human_duration
from tui.look.glyphs import Glyphs
from tui.rendering.moment import Moment
from tui.widgets.cell import AnyCell, Cell, Countdown, GridRow
from tui.widgets.columns import Column

OVERVIEW_COLUMNS: Final = (
    Column("name", "SCHEDULE", 14, flex=2),
    Column("next", "next", 14, align="right"),
    Column("expression", "cron", 13, flex=1),
    Column("function", "function", 14, flex=1, priority=3),
    Column("last", "last", 14, flex=1),
    Column("strip", "runs", 10, priority=2),
    Column("missed", "missed", 6, align="right", priority=1),
)
"""A schedule on the overview."""

COLUMNS: Final = (
    Column("name", "SCHEDULE", 14, flex=2, sortable=True),
    Column("next", "next", 14, align="right", sortable=True),
    Column("at", "at", 11, align="right", priority=3),
    Column("expression", "cron", 12, priority=2),
    Column("words", "in words", 14, flex=4, priority=1),
    Column("last", "last", 11, flex=1),
    Column("strip", "runs", 8, priority=4),
    Column("missed", "missed", 6, align="right", sortable=True, descending=True, priority=1),
    Column("function", "function", 12, flex=1, priority=6),
    Column("queue", "queue", 9, priority=7),
    Column("origin", "from", 8, priority=8),
)
"""A schedule on its own screen."""

RUN_COLUMNS: Final = (
    Column("tick", "TICK", 11),
    Column("outcome", "outcome", 8),
    Column("status", "status", 9),
    Column("took", "took", 6, align="right"),
    Column("late", "late", 6, align="right", priority=2),
    Column("cause", "cause, result or error", 16, flex=4),
    Column("job", "job", 14, flex=1, priority=1, middle=True),
)
"""One tick in the ledger."""

_OUTCOME_STYLES: Final = {
    "ran": "ok",
    "complete": "ok",
    "completed": "ok",
    "late": "warn",
    "skipped": "warn",
    "running": "busy",
    "manual": "note",
    "failed": "bad",
    "aborted": "bad",
}


def outcome_sign(outcome: str, glyphs: Glyphs) -> tuple[str, str]:
    """The sign and the style of an outcome of a run."""
    signs = {
        "ran": glyphs.ok,
        "complete": glyphs.ok,
        "completed": glyphs.ok,
        "late": glyphs.late,
        "skipped": glyphs.skipped,
        "running": glyphs.running,
        "failed": glyphs.bad,
        "aborted": glyphs.bad,
        "manual": glyphs.ok,
    }
    word = outcome.lower()
    return signs.get(word, glyphs.unknown), _OUTCOME_STYLES.get(word, "muted")


def next_cell(schedule: ScheduleRow, moment: Moment) -> AnyCell:
    """The countdown to the next fire, or why there is none."""
    if schedule.broken:
        return Cell("broken", "bad")
    if schedule.paused is not None:
        return Cell(moment.pause(schedule.paused), "paused")
    if schedule.skip_next:
        return Cell("skips next", "paused")
    return Countdown(schedule.next_ms)


def last_cell(schedule: ScheduleRow, moment: Moment) -> Cell:
    """How the last tick ended: `✓ 41s`, `✗ 12:00:00`, `– skipped`."""
    if not schedule.last_outcome:
        return Cell("-", "muted")
    sign, style = outcome_sign(schedule.last_outcome, moment.glyphs)
    if style == "ok" and schedule.last_duration_ms is not None:
        said = human_duration(schedule.last_duration_ms)
    elif schedule.last_outcome == "skipped" and schedule.last_cause:
        said = moment.text(schedule.last_cause, 60)
    else:
        said = moment.clock_time(schedule.last_ms)
    return Cell(f"{sign} {said}", "" if style == "ok" else style)


def strip_cell(schedule: ScheduleRow, moment: Moment, cells: int = 10) -> Cell:
    """The last runs, one sign each, the newest at the right."""
    signs = [outcome_sign(outcome, moment.glyphs) for outcome in schedule.strip[-cells:]]
    return Cell(runs=tuple((sign, "muted" if style == "ok" else style) for sign, style in signs))


def overview_row(schedule: ScheduleRow, moment: Moment) -> GridRow:
    """One schedule as cells in the order of `OVERVIEW_COLUMNS`."""
    cells: tuple[AnyCell, ...] = (
        moment.text(schedule.name, 80),
        next_cell(schedule, moment),
        Cell(moment.text(schedule.expression, 40), "muted"),
        Cell(moment.text(schedule.function, 60), "muted"),
        last_cell(schedule, moment),
        strip_cell(schedule, moment),
        _missed(schedule),
    )
    return GridRow(schedule.id, cells)


def schedule_row(schedule: ScheduleRow, moment: Moment) -> GridRow:
    """One schedule as cells in the order of `COLUMNS`."""
    words = schedule.broken or schedule.words
    cells: tuple[AnyCell, ...] = (
        moment.text(schedule.name, 80),
        next_cell(schedule, moment),
        Cell(moment.clock_time(schedule.next_ms), "muted"),
        moment.text(schedule.expression, 40),
        Cell(moment.text(words, 120), "bad" if schedule.broken else "muted"),
        last_cell(schedule, moment),
        strip_cell(schedule, moment, 8),
        _missed(schedule),
        moment.text(schedule.function, 60),
        moment.text(schedule.queue, 60),
        Cell(schedule.origin + ("*" if schedule.edited else ""), "muted"),
    )
    return GridRow(schedule.id, cells)


def run_row(run: RunRow, moment: Moment) -> GridRow:
    """One tick of the ledger as cells in the order of `RUN_COLUMNS`."""
    sign, style = outcome_sign(run.outcome, moment.glyphs)
    _, status_style = outcome_sign(run.status, moment.glyphs)
    said = run.error or run.cause or run.result
    cells: tuple[AnyCell, ...] = (
        moment.clock_time(run.tick_ms),
        Cell(f"{sign} {run.outcome}", "" if style == "ok" else style),
        Cell(run.status.lower() or "-", "muted" if status_style == "ok" else status_style),
        human_duration(run.duration_ms),
        human_duration(run.late_ms) if run.late_ms else Cell("-", "muted"),
        Cell(moment.text(said), "bad" if run.error else "muted"),
        Cell(moment.text(run.job_key, 80), "muted"),
    )
    return GridRow(run.id, cells)


def _missed(schedule: ScheduleRow) -> Cell:
    return Cell(str(schedule.missed), "warn") if schedule.missed else Cell("-", "muted")
