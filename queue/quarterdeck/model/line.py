"""What is written down line by line: job logs and the acts of operators."""

from __future__ import annotations

from quarterdeck.model.row import Row


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
