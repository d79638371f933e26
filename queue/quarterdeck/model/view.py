"""What is on screen: the question that a `Snapshot` answers."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Screen(StrEnum):
    """The screens, by the names that the command line takes (`:failures`), and the things one can open."""

    OVERVIEW = "overview"
    QUEUES = "queues"
    JOBS = "jobs"
    FAILURES = "failures"
    SCHEDULES = "schedules"
    WORKERS = "workers"
    LOGS = "logs"
    METRICS = "metrics"
    AUDIT = "audit"
    BIN = "bin"
    BULKS = "bulks"
    QUARANTINE = "quarantine"
    JOB = "job"
    GROUP = "group"
    QUEUE = "queue"
    SCHEDULE = "schedule"
    WORKER = "worker"


class JobState(StrEnum):
    """Where a job is. SAQ's statuses, and `scheduled` for queued jobs that are not due yet."""

    QUEUED = "queued"
    ACTIVE = "active"
    SCHEDULED = "scheduled"
    FAILED = "failed"
    ABORTED = "aborted"
    COMPLETE = "complete"


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot shall hold; a read costs what this names, not what exists."""

    screen: Screen = Screen.OVERVIEW
    queue: str | None = None
    """Only this queue, or all when None."""
    state: JobState | None = None
    """Only jobs in this state (screen `jobs`); when None those that are there: active, queued, scheduled and failed
    (with a filter also those that the history knows as complete)."""
    subject: str | None = None
    """What is opened: a job key, signature, schedule name, worker id, function."""
    filter: str = ""
    """Filter text in the grammar of `inspect.filter`."""
    sort: str = ""
    """Column to sort by, one of the page's `sortable`; empty for the natural order."""
    descending: bool = True
    offset: int = 0
    """First row of the window, from 0."""
    limit: int = 100
    """Rows in the window."""
    after: str = ""
    """For logs, history and audit: continue after this stream id (exclusive); empty for the newest."""
    newest: bool = False
    """For logs: of what came `after`, the newest `limit` lines, the others counted as dropped; else the oldest, so that
    the next read goes on with the rest."""
    budget: int = 20_000
    """How many rows a filtered search may look at before it answers with what it has."""
    at_ms: int | None = None
    """Look at the past: the flight recorder's moment in epoch ms, or None for now."""
