"""One thing whole: what `Enter` and `d` open."""

from __future__ import annotations

import msgspec

from quarterdeck.model.rows import (
    AuditRow,
    Document,
    FailureGroup,
    FunctionSpec,
    JobRow,
    LogRow,
    QueueStat,
    RunRow,
    ScheduleRow,
    WorkerRow,
)


class AttemptStat(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of a job, from the run history. Times are epoch ms, 0 when unknown."""

    attempt: int
    status: str
    queued_ms: int = 0
    started_ms: int = 0
    finished_ms: int = 0
    duration_ms: float = 0
    worker: str = ""
    signature: str = ""
    error: str = ""


class JobDetail(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="of"):
    """A job, whole and bounded: payload above the bound is cut and said so."""

    row: JobRow
    document: Document
    """The payload decoded, secrets masked; empty when it can't be read."""
    raw: str = ""
    """The payload as stored, bounded, secrets masked."""
    traceback: str = ""
    attempts: tuple[AttemptStat, ...] = ()
    log: tuple[LogRow, ...] = ()
    result: str = ""
    why: str = ""
    why_cure: str = ""
    crashes: int = 0
    acts: tuple[AuditRow, ...] = ()
    """What operators did with this job."""
    cut_bytes: int = 0
    version: str = ""
    """Version of the code of the worker that ran it, or runs it; empty when unknown."""


class GroupDetail(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="of"):
    """A failure group: its row, whom it hit, and a sample; its jobs are the snapshot's page."""

    row: FailureGroup
    sample: JobDetail | None = None
    workers: tuple[tuple[str, int], ...] = ()
    versions: tuple[tuple[str, int], ...] = ()
    """Counts over the newest 200 of the group."""


class ScheduleDetail(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="of"):
    """A schedule: its row, its next fires, its ledger (the page), what was changed by whom."""

    row: ScheduleRow
    fires_ms: tuple[int, ...] = ()
    runs: tuple[RunRow, ...] = ()
    code: Document = msgspec.field(default_factory=dict)
    edits: Document = msgspec.field(default_factory=dict)
    acts: tuple[AuditRow, ...] = ()


class WorkerDetail(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="of"):
    """A worker, with the specification of its functions and the last stack that was asked for."""

    row: WorkerRow
    functions: tuple[FunctionSpec, ...] = ()
    stack: str = ""
    stack_key: str = ""


class QueueHour(msgspec.Struct, frozen=True, kw_only=True):
    """The last hour of a queue, a value a minute, oldest first; None where nothing was counted or read yet."""

    arrived: tuple[int | None, ...] = ()
    finished: tuple[int | None, ...] = ()
    failing: tuple[float | None, ...] = ()
    """Share of the attempts that failed, 0..1."""
    p50_ms: tuple[float | None, ...] = ()
    p95_ms: tuple[float | None, ...] = ()
    p99_ms: tuple[float | None, ...] = ()


class BoundStat(msgspec.Struct, frozen=True, kw_only=True):
    """A bound of what a queue keeps (a field of `qd:retention:Q`), and how much of it is in use."""

    name: str
    unit: str
    """count, ms or bytes."""
    limit: int
    usual: int
    """What holds when nothing else is set."""
    used: int | None = None
    """Of an age: that of the oldest. None where it is not known with one cheap read."""


class QueueDetail(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="of"):
    """A queue, with who may take what and its orphaned functions."""

    row: QueueStat
    functions: tuple[tuple[str, int], ...] = ()
    """Function and the number of live workers that register it."""
    orphans: tuple[tuple[str, int], ...] = ()
    why: str = ""
    why_cure: str = ""
    hour: QueueHour = QueueHour()
    bounds: tuple[BoundStat, ...] = ()


AnyDetail = JobDetail | GroupDetail | ScheduleDetail | WorkerDetail | QueueDetail
