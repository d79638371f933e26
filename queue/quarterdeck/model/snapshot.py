"""The one answer: everything that the dashboard, `status --json` and `/metrics` show of a moment."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec

from quarterdeck.model.detail import AnyDetail
from quarterdeck.model.rows import (
    AnyRow,
    AuditRow,
    BulkRow,
    FailureGroup,
    FunctionSpec,
    FunctionStat,
    OperatorRow,
    QueueStat,
    ScheduleRow,
    WorkerRow,
)
from quarterdeck.model.view import View


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTICE = "notice"
    WARNING = "warning"
    BAD = "bad"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong: what, since when, and where to look (`view` as on the command line)."""

    level: Level
    text: str
    since_ms: int | None = None
    view: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Is something wrong, since when, how much and what: the worst finding first."""

    level: Level = Level.OK
    headline: str = ""
    since_ms: int | None = None
    findings: tuple[Finding, ...] = ()


class ServerStat(msgspec.Struct, frozen=True, kw_only=True):
    """The server behind the queues."""

    version: str = ""
    memory_bytes: int = 0
    memory_limit_bytes: int = 0
    policy: str = ""
    clients: int = 0
    role: str = ""
    disk_error: str = ""
    """Which of its last writes to disk failed, in INFO's words (`aof_last_write_status`); empty: none did."""
    warnings: tuple[str, ...] = ()


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A window of a list. `total` is exact for unfiltered lists; with a filter it counts the matches found so far."""

    offset: int = 0
    total: int = 0
    rows: tuple[AnyRow, ...] = ()
    searched: int = 0
    """Rows that a filtered search has looked at; equals `total_unfiltered` when it is through."""
    total_unfiltered: int = 0
    sortable: tuple[str, ...] = ()
    cursor: str = ""
    """For streams: the id to continue after."""
    dropped: int = 0
    """For logs: lines that are gone because of the bounds, or that a view of the newest left out."""
    error: str = ""
    """For jobs: what of this list can't be read, and why; empty when all of it can."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What the server knew at one moment, for one `View`."""

    view: View
    taken_ms: int
    """The server's clock when it was read, epoch ms."""
    rtt_ms: float = 0.0
    server: ServerStat = ServerStat()
    verdict: Verdict = Verdict()
    queues: tuple[QueueStat, ...] = ()
    workers: tuple[WorkerRow, ...] = ()
    schedules: tuple[ScheduleRow, ...] = ()
    """On the overview the next few to fire and those in trouble; elsewhere only what the view needs."""
    schedule_count: int = 0
    groups: tuple[FailureGroup, ...] = ()
    functions: tuple[FunctionSpec, ...] = ()
    function_stats: tuple[FunctionStat, ...] = ()
    page: Page | None = None
    detail: AnyDetail | None = None
    operators: tuple[OperatorRow, ...] = ()
    acts: tuple[AuditRow, ...] = ()
    """The newest acts of operators, newest first, at most 20."""
    bulks: tuple[BulkRow, ...] = ()
    """Bulk operations that are not done, and those that ended in the last ten minutes."""
    per_minute: float = 0.0
    """Attempts finished over the last minute, all queues."""


class Source(Protocol):
    """The seam to read: the only way the dashboard learns anything."""

    async def snapshot(self, view: View) -> Snapshot:
        """Read what `view` names, in one round trip. Raises QuarterdeckError (UnreachableError and its kin)."""

    async def close(self) -> None:
        """Release the connection."""
