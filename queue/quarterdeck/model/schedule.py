"""A schedule, and a tick of it in the ledger."""

from __future__ import annotations

from quarterdeck.model.queues import PauseStat
from quarterdeck.model.row import Row


class ScheduleRow(Row, frozen=True, kw_only=True):
    """A schedule; `id` is `queue/name`."""

    name: str
    queue: str
    function: str
    expression: str
    tz: str = "UTC"
    words: str = ""
    next_ms: int | None = None
    last_ms: int | None = None
    last_outcome: str = ""
    """ran, late, skipped, running, failed or empty."""
    last_cause: str = ""
    last_duration_ms: float | None = None
    strip: tuple[str, ...] = ()
    """Outcomes of the last runs, oldest first: complete, failed, skipped, running, late."""
    missed: int = 0
    """Ticks that were skipped or late in the last day."""
    paused: PauseStat | None = None
    skip_next: bool = False
    overlap: str = "skip"
    catch_up: str = "latest"
    origin: str = "code"
    """code, saq (a deck worker's cron_jobs), runtime, stock (a stock worker's cron)."""
    edited: bool = False
    overdue_ms: int = 0
    broken: str = ""
    description: str = ""
    arguments: str = ""


class RunRow(Row, frozen=True, kw_only=True):
    """One tick of a schedule in the ledger; `id` is the ledger's stream id."""

    name: str
    tick_ms: int
    outcome: str
    """ran, late, skipped, manual."""
    cause: str = ""
    late_ms: int = 0
    status: str = ""
    """RUNNING, COMPLETED, FAILED, ABORTED or SKIPPED."""
    job_key: str = ""
    start_ms: int = 0
    end_ms: int = 0
    duration_ms: float | None = None
    result: str = ""
    error: str = ""
    queue: str = ""
