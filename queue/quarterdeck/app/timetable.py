"""A schedule as the author wrote it: the timing of one task."""

from __future__ import annotations

from typing import Any

import msgspec

from quarterdeck.app.options import TaskOptions


class Timed(msgspec.Struct, kw_only=True):
    """One `@app.schedule`."""

    name: str
    expression: str
    tz: str
    task: Any
    arguments: dict[str, Any]
    overlap: str
    catch_up: str
    jitter_s: float
    expected_s: float | None
    description: str
    options: TaskOptions
