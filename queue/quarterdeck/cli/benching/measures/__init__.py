"""The measures, one file each: `measure(stage) -> rows`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from quarterdeck.cli.benching.bar import Row
from quarterdeck.cli.benching.measures import enqueuing, idle, memory, naps, noop, processes, roundtrip
from quarterdeck.cli.benching.stage import Stage

MEASURES: Final[dict[str, Callable[[Stage], list[Row]]]] = {
    "noop": noop.measure,
    "processes": processes.measure,
    "enqueue": enqueuing.measure,
    "roundtrip": roundtrip.measure,
    "idle": idle.measure,
    "sleep": naps.measure,
    "memory": memory.measure,
}
