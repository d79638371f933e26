"""A worker, what it runs now, and the functions that it registers."""

from __future__ import annotations

import msgspec

from quarterdeck.model.row import Row


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


class ParameterSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter of a function; `type` is a word (int, str, bool, float, list, dict, any, ...)."""

    name: str
    type: str = "any"
    required: bool = True
    default: str = ""
    """The default as JSON text, or empty."""


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
