"""Jobs as rows."""

from __future__ import annotations

from typing import Final

from quarterdeck.model import JobRow, JobState
from quarterdeck.text import human_bytes, human_duration
from tui.look.glyphs import Glyphs
from tui.rendering.moment import Moment
from tui.widgets.cell import Age, AnyCell, Cell, Countdown, GridRow
from tui.widgets.columns import Column

COLUMNS: Final = (
    Column("state", "STATE", 11),
    Column("function", "function", 14, flex=2, sortable=True),
    Column("said", "arguments, error", 16, flex=5),
    Column("attempts", "tries", 5, align="right", priority=2),
    Column("when", "when", 9, align="right", sortable=True, descending=True),
    Column("took", "took", 6, align="right", priority=3),
    Column("queue", "queue", 9, priority=4),
    Column("key", "key", 12, flex=1, priority=1, middle=True),
    Column("worker", "worker", 10, priority=6),
    Column("size", "size", 7, align="right", priority=7),
)
"""What a job shows."""

GROUP_COLUMNS: Final = (
    Column("key", "JOB", 12, flex=1, middle=True),
    Column("said", "arguments, error", 24, flex=6),
    Column("attempts", "tries", 5, align="right", priority=1),
    Column("when", "when", 9, align="right", sortable=True, descending=True),
    Column("took", "took", 6, align="right", priority=2),
    Column("worker", "worker", 12, flex=1, priority=3),
)
"""What a job shows among its like, where state and function are the same for all."""

STATE_STYLES: Final = {
    JobState.QUEUED: "wait",
    JobState.ACTIVE: "busy",
    JobState.SCHEDULED: "wait",
    JobState.FAILED: "bad",
    JobState.ABORTED: "warn",
    JobState.COMPLETE: "ok",
}


def state_sign(state: JobState, glyphs: Glyphs) -> str:
    """The sign of a state, so that it can be told without colour."""
    return {
        JobState.QUEUED: glyphs.waiting,
        JobState.ACTIVE: glyphs.running,
        JobState.SCHEDULED: glyphs.late,
        JobState.FAILED: glyphs.bad,
        JobState.ABORTED: glyphs.skipped,
        JobState.COMPLETE: glyphs.ok,
    }[state]


def job_row(job: JobRow, moment: Moment) -> GridRow:
    """One job as cells in the order of `COLUMNS`."""
    style = STATE_STYLES[job.state]
    word = "broken" if job.broken else "poison" if job.poison else str(job.state)
    cells: tuple[AnyCell, ...] = (
        Cell(f"{state_sign(job.state, moment.glyphs)} {word}", "bad" if job.broken or job.poison else style),
        moment.text(job.function, 80) or "-",
        said_cell(job, moment),
        f"{job.attempts}/{job.retries}" if job.attempts else Cell("-", "muted"),
        when_cell(job),
        human_duration(job.duration_ms) if job.duration_ms else Cell("-", "muted"),
        moment.text(job.queue, 60),
        Cell(moment.text(job.key, 80), "muted"),
        moment.text(job.worker, 60),
        human_bytes(job.payload_bytes) if job.payload_bytes else Cell("-", "muted"),
    )
    return GridRow(job.id, cells)


def said_cell(job: JobRow, moment: Moment) -> Cell:
    """The error when there is one, then the arguments; of a job that can't be read why it can't."""
    if job.broken:
        return Cell(f"can't be read: {moment.text(job.broken)}", "bad")
    runs: list[tuple[str, str]] = []
    if job.error:
        runs.append((moment.text(short_error(job.error)) + "  ", ""))
    arguments = moment.text(job.arguments)
    runs.append((arguments if arguments not in {"", "{}", "null"} else "", "muted"))
    return Cell(runs=tuple(runs))


def group_job_row(job: JobRow, moment: Moment) -> GridRow:
    """One failed job as cells in the order of `GROUP_COLUMNS`."""
    arguments = moment.text(job.arguments)
    # What broke is the same for all of them, and stands above; what they were called with is not.
    said = Cell(runs=((f"{arguments}  " if arguments else "", ""), (moment.text(short_error(job.error)), "muted")))
    cells: tuple[AnyCell, ...] = (
        moment.text(job.key, 80),
        Cell(f"can't be read: {moment.text(job.broken)}", "bad") if job.broken else said,
        f"{job.attempts}/{job.retries}" if job.attempts else Cell("-", "muted"),
        when_cell(job),
        human_duration(job.duration_ms) if job.duration_ms else Cell("-", "muted"),
        moment.text(job.worker, 60),
    )
    return GridRow(job.id, cells)


def short_error(error: str) -> str:
    """`tasks.webhook.RefusedError: 422` without the module: in a list the name is what tells one from another."""
    kind, colon, said = error.partition(":")
    return f"{kind.rpartition('.')[2]}{colon}{said}" if " " not in kind else error


def when_cell(job: JobRow) -> AnyCell:
    """The time that matters in its state: running for, due in, failed ago, waiting since."""
    if job.state is JobState.SCHEDULED:
        return Countdown(job.scheduled_ms or None)
    if job.state is JobState.ACTIVE:
        late_ms = int(job.timeout_s * 1000) or None
        return Age(job.started_ms or None, alarm_ms=late_ms)
    if job.state is JobState.QUEUED:
        return Age(job.queued_ms or None)
    return Age(job.finished_ms or job.started_ms or job.queued_ms or None)
