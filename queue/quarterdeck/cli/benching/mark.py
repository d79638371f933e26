"""A worker's report, one line of JSON on stdout."""

from __future__ import annotations

import msgspec


class Mark(msgspec.Struct, frozen=True):
    """How far a worker's process has come."""

    at_s: float
    """The machine's monotonic clock, the same in all processes."""
    pid: int
    done: int
    """Jobs that this process has done."""
    cpu_s: float
    """CPU that it has used since its start."""
