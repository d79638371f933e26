"""How much is kept, unless `qd:retention:Q` says otherwise (docs/redis-keys.md)."""

from __future__ import annotations

from typing import Final

from quarterdeck.script import Argument

HISTORY_COUNT: Final = 100_000
HISTORY_AGE_MS: Final = 90 * 24 * 3600 * 1000
HISTORY_BYTES: Final = 64 * 1024 * 1024
"""A queue's history: how many entries, for how long, of how many bytes in the server's memory."""
FAILED_COUNT: Final = 20_000
FAILED_AGE_MS: Final = 14 * 24 * 3600 * 1000
FAILED_BYTES: Final = 512 * 1024 * 1024
"""Failed jobs that nobody has dealt with: how many, for how long, of how many bytes in the server's memory."""
QUARANTINE_COUNT: Final = 10_000
QUARANTINE_AGE_MS: Final = 30 * 24 * 3600 * 1000
QUARANTINE_BYTES: Final = 32 * 1024 * 1024
"""Garbage in the quarantine, likewise. Jobs that a rule has set aside have no bound: they wait for their release."""

LOG_LINES: Final = 50_000
"""Log lines of all jobs of a queue."""
LEDGER_COUNT: Final = 50_000
LEDGER_PER_SCHEDULE: Final = 1_000
LEDGER_AGE_MS: Final = 90 * 24 * 3600 * 1000
"""Runs in the schedules' ledger: of a queue, of one schedule, for how long."""


def usual_bounds() -> list[Argument]:
    """The bounds as `lua/keeping.lua` takes them."""
    return [
        *(HISTORY_COUNT, HISTORY_AGE_MS, HISTORY_BYTES),
        *(FAILED_COUNT, FAILED_AGE_MS, FAILED_BYTES),
        *(QUARANTINE_COUNT, QUARANTINE_AGE_MS, QUARANTINE_BYTES),
    ]


def history_count(set_to: bytes | None) -> int:
    """How many entries a queue's history holds, by what stands in `qd:retention:Q`."""
    return int(set_to) if set_to is not None and set_to.isdigit() and int(set_to) > 0 else HISTORY_COUNT
