"""A job in a list, and failed jobs grouped by what broke."""

from __future__ import annotations

from typing import Any

from quarterdeck.model.row import Row
from quarterdeck.model.view import JobState


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


Document = dict[str, Any]
"""A decoded payload: SAQ's job fields by name."""
