"""Workers as rows."""

from __future__ import annotations

from collections import Counter
from typing import Final

from quarterdeck.model import CurrentJob, WorkerRow
from quarterdeck.text import count_of, human_bytes, human_count
from tui.rendering.moment import Moment
from tui.widgets.cell import Age, AnyCell, Cell, GridRow
from tui.widgets.columns import Column

COLUMNS: Final = (
    Column("name", "WORKER", 13, flex=2),
    Column("slots", "slots", 7, align="right"),
    Column("now", "now", 24, flex=4),
    Column("age", "age", 6, align="right", priority=1),
    Column("beat", "beat", 5, align="right"),
    Column("state", "state", 8, priority=5),
    Column("complete", "done", 7, align="right", priority=4),
    Column("failed", "failed", 6, align="right", priority=4),
    Column("version", "version", 7, priority=3),
    Column("queues", "queues", 10, flex=1, priority=6),
    Column("cpu", "cpu", 5, align="right", priority=7),
    Column("memory", "memory", 7, align="right", priority=8),
)
"""What a worker shows."""

BEAT_LATE_MS: Final = 10_000

_STYLES: Final = {"running": "ok", "quiet": "paused", "stopping": "paused", "lost": "bad", "stock": "muted"}


def worker_row(worker: WorkerRow, moment: Moment, *, newest_version: str = "") -> GridRow:
    """One worker as cells in the order of `COLUMNS`. A version other than `newest_version` draws the eye."""
    oldest = min((job.started_ms for job in worker.current if job.started_ms), default=None)
    overdue = any(is_overdue(job, moment.now_ms) for job in worker.current)
    skewed = bool(newest_version and worker.version and worker.version != newest_version)
    cells: tuple[AnyCell, ...] = (
        moment.text(worker.name or worker.id, 80),
        f"{worker.running}/{worker.slots}" if worker.slots else str(worker.running or "-"),
        now_cell(worker, moment),
        Age(oldest, style="warn" if overdue else ""),
        Age(worker.beat_ms or None, alarm_ms=BEAT_LATE_MS, alarm="bad"),
        Cell(worker.state, _STYLES.get(worker.state, "muted")),
        human_count(worker.complete, 7),
        Cell(human_count(worker.failed, 6), "" if worker.failed else "muted"),
        Cell(moment.text(worker.version, 40) or "-", "warn" if skewed else ""),
        moment.text(", ".join(worker.queues), 80),
        "-" if worker.cpu_percent is None else f"{worker.cpu_percent:.0f}%",
        human_bytes(worker.memory_bytes),
    )
    return GridRow(worker.id, cells)


def now_cell(worker: WorkerRow, moment: Moment) -> Cell:
    """What a worker is at, after its state where that is not the usual one: where it is narrow no column tells it."""
    said = now_text(worker, moment)
    if worker.state in {"running", "stock", ""}:
        return Cell(said, "" if worker.running else "muted")
    return Cell(runs=((worker.state, _STYLES.get(worker.state, "muted")), (f": {said}" if said != "-" else "", "")))


def now_text(worker: WorkerRow, moment: Moment) -> str:
    """What a worker is at: `send_email ×5, export_csv`; for a lost one what it held."""
    if worker.state == "lost":
        held = held_by(worker)
        return f"held {count_of(len(held), 'job')}" if held else "held nothing"
    counts = Counter(job.function for job in worker.current)
    times = "x" if moment.glyphs.ascii else "×"
    parts = [moment.text(name, 60) + (f" {times}{count}" if count > 1 else "") for name, count in counts.most_common()]
    return ", ".join(parts) or "-"


def held_by(worker: WorkerRow) -> tuple[str, ...]:
    """The keys of what a lost worker held: as its rescuers wrote down, else as its last beat told."""
    return worker.held or tuple(job.key for job in worker.current)


def is_overdue(job: CurrentJob, now_ms: int) -> bool:
    """Whether a job runs longer than is usual: three times its expected time, or a thread past its time-out."""
    if job.overdue_thread:
        return True
    return bool(job.expected_ms and now_ms - job.started_ms > 3 * job.expected_ms)


def newest_version(workers: tuple[WorkerRow, ...]) -> str:
    """The version of the worker that was started last: the one the others lag behind."""
    alive = [worker for worker in workers if worker.version and worker.state != "lost"]
    return max(alive, key=lambda worker: worker.started_ms).version if alive else ""
