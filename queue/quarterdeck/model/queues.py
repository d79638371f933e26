"""A queue, its pause, and the figures of its functions."""

from __future__ import annotations

import msgspec


class PauseStat(msgspec.Struct, frozen=True, kw_only=True):
    """Who paused a queue or schedule, why and until when (None: until someone resumes it)."""

    owner: str = ""
    reason: str = ""
    at_ms: int = 0
    until_ms: int | None = None


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
