"""What operators look after together: who is attached, the recycle bin, bulk operations, the quarantine."""

from __future__ import annotations

from quarterdeck.model.row import Row
from quarterdeck.model.view import JobState


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
    aside: bool = False
    """It was no job that could be read, and had been set aside: `was` says nothing then."""


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
