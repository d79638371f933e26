"""Rows of lists. Texts in them come from elsewhere and are not cleaned yet: clean them where they are painted."""

from __future__ import annotations

from typing import Any

import msgspec

from quarterdeck.model.view import JobState


class Row(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="row"):
    """The base of rows: `id` is stable and unique within its list; the cursor is pinned to it."""

    id: str


class JobRow(Row, frozen=True, kw_only=True):
    """A job in a list. Times are epoch ms on the server's clock, 0 when unknown."""

    queue: str
    key: str
    function: str
    state: JobState
    attempts: int = 0
    retries: int = 1
    queued_ms: int = 0
    scheduled_ms: int = 0
    started_ms: int = 0
    finished_ms: int = 0
    timeout_s: float = 0
    progress: float = 0.0
    worker: str = ""
    arguments: str = ""
    """Bounded JSON text of the arguments, secrets masked."""
    error: str = ""
    """The error's last line."""
    signature: str = ""
    duration_ms: float = 0
    payload_bytes: int = 0
    poison: bool = False
    broken: str = ""
    """Why this payload can't be read, or empty."""


class QueueStat(msgspec.Struct, frozen=True, kw_only=True):
    """One queue. Rates are per second over the last full minute and the running one."""

    name: str
    depth: int = 0
    active: int = 0
    scheduled: int = 0
    failed: int = 0
    """Failed jobs kept and not dealt with."""
    oldest_ms: int | None = None
    """Age of the oldest pending job in ms, or None when nothing waits."""
    in_per_s: float | None = None
    out_per_s: float | None = None
    failure_rate: float | None = None
    """Share of finished attempts that failed, 0..1, over the last five minutes."""
    failed_attempts: int | None = None
    """Attempts that failed over the last five minutes, or None when not known: a share of few means little."""
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    depths: tuple[int | None, ...] = ()
    """Depth a minute over the last hour, oldest first; None where nobody sampled."""
    paused: PauseStat | None = None
    slots: int = 0
    workers: int = 0
    orphans: int = 0
    """Queued jobs at the head whose function no live worker registers."""
    quarantined: int = 0
    held: int = 0
    deck: bool = False
    """Whether workers of ours serve it (pausing, logs and remote control need them)."""
    failing_since_ms: int | None = None
    history: int = 0
    """Entries in the run history."""
    error: str = ""
    """Why this queue can't be read (a key of the wrong type, say), or empty."""


class PauseStat(msgspec.Struct, frozen=True, kw_only=True):
    """Who paused a queue or schedule, why and until when (None: until someone resumes it)."""

    owner: str = ""
    reason: str = ""
    at_ms: int = 0
    until_ms: int | None = None


class CurrentJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that a worker is running now."""

    key: str
    function: str
    started_ms: int
    queue: str = ""
    expected_ms: float | None = None
    """What is usual for this function (its p95), when known."""
    overdue_thread: bool = False
    """A plain function past its time-out that could not be stopped."""


class WorkerRow(Row, frozen=True, kw_only=True):
    """A worker process; `id` is the worker's id."""

    name: str = ""
    """host:pid."""
    host: str = ""
    pid: int = 0
    queues: tuple[str, ...] = ()
    slots: int = 0
    current: tuple[CurrentJob, ...] = ()
    """Running jobs, bounded to 50."""
    running: int = 0
    beat_ms: int = 0
    """When it last gave sign of life, epoch ms."""
    started_ms: int = 0
    version: str = ""
    """Version of the code it runs."""
    functions: tuple[str, ...] = ()
    state: str = "running"
    """running, quiet, stopping, lost, stock."""
    complete: int = 0
    failed: int = 0
    retried: int = 0
    aborted: int = 0
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    skew_ms: float | None = None
    deck: bool = True
    held: tuple[str, ...] = ()
    """For a lost worker: keys of the jobs it held."""


class FunctionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A function that live workers register, for completing and checking what is enqueued."""

    name: str
    queues: tuple[str, ...] = ()
    parameters: tuple[ParameterSpec, ...] = ()
    doc: str = ""
    accepts_any: bool = False
    """The function takes **kwargs, or a stock worker did not say what it takes."""
    timeout_s: float | None = None
    """0 for no limit; None when the worker does not say."""
    retries: int | None = None
    expected_s: float | None = None


class ParameterSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter of a function; `type` is a word (int, str, bool, float, list, dict, any, ...)."""

    name: str
    type: str = "any"
    required: bool = True
    default: str = ""
    """The default as JSON text, or empty."""


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


class FailureGroup(Row, frozen=True, kw_only=True):
    """Failed jobs with one signature; `id` is `queue/signature`."""

    signature: str
    queue: str
    function: str
    exception: str
    """Name of the exception's type."""
    message: str
    """The normalised message, with placeholders for what varies."""
    frame: str = ""
    """Innermost frame of the app's own code, `file.py:88 in function`."""
    count: int = 0
    first_ms: int = 0
    last_ms: int = 0
    trend: tuple[int, ...] = ()
    """Failures per five minutes over the last hour, oldest first."""
    poison: bool = False
    aborted: bool = False
    """Somebody stopped these jobs; they did not fail by themselves."""
    share: float | None = None
    """Share of this function's finished attempts in the last hour that failed, 0..1."""


class LogRow(Row, frozen=True, kw_only=True):
    """A line of a job's log; `id` is the stream id or the line's number."""

    at_ms: int
    level: str
    text: str
    key: str = ""
    function: str = ""
    worker: str = ""
    attempt: int = 0


class AuditRow(Row, frozen=True, kw_only=True):
    """An act of an operator; `id` is the stream id."""

    at_ms: int
    who: str
    origin: str
    """Where from: user@host."""
    verb: str
    subject: str
    reason: str = ""
    done: int = 0
    skipped: int = 0
    command: str = ""
    """The same act as a command line."""
    queue: str = ""
    undo: str = ""
    """Id to undo it with, or empty."""


class OperatorRow(Row, frozen=True, kw_only=True):
    """Somebody attached now."""

    who: str
    origin: str
    since_ms: int
    seen_ms: int
    screen: str = ""


class BinRow(Row, frozen=True, kw_only=True):
    """A job in the recycle bin."""

    queue: str
    key: str
    function: str
    deleted_ms: int
    expires_ms: int
    who: str
    was: JobState
    act: str = ""
    """The act that put it there; `u` undoes it."""
    error: str = ""


class BulkRow(Row, frozen=True, kw_only=True):
    """A bulk operation: an object on the server that anyone can look at, pause and stop."""

    queue: str
    verb: str
    query: str
    reason: str
    owner: str
    mode: str
    """all, paced, canary."""
    state: str
    """waiting, running, paused, stopped, tripped (it stopped by itself), done."""
    started_ms: int
    total: int
    done: int = 0
    failed: int = 0
    skipped: int = 0
    per_s: float = 0
    phase: str = ""
    """What it is at, in words: `canary: waiting for job …`."""
    tripped: str = ""


class QuarantineRow(Row, frozen=True, kw_only=True):
    """Something set aside: garbage that can't be read, or a job that a rule matched."""

    queue: str
    key: str
    reason: str
    at_ms: int
    raw: str = ""
    """The bounded raw payload as text."""
    rule: str = ""
    function: str = ""


class FunctionStat(msgspec.Struct, frozen=True, kw_only=True):
    """A function's figures over the asked time, for the metrics screen and `/metrics`."""

    queue: str
    name: str
    complete: int = 0
    failed: int = 0
    retried: int = 0
    aborted: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    mean_ms: float | None = None
    counts: tuple[int, ...] = ()
    """Finished attempts a minute over the last hour, oldest first."""


AnyRow = (
    JobRow
    | WorkerRow
    | ScheduleRow
    | RunRow
    | FailureGroup
    | LogRow
    | AuditRow
    | OperatorRow
    | BinRow
    | BulkRow
    | QuarantineRow
)

Document = dict[str, Any]
"""A decoded payload: SAQ's job fields by name."""
