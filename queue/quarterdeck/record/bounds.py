"""The bounds in `qd:retention:Q` as people set and read them: their names, units, usual values and ranges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from quarterdeck.errors import UsageError
from quarterdeck.record import retention as usual
from quarterdeck.settings import nearest
from quarterdeck.text import amount, clean, read_amount

RANGES: Final = {"count": (1, 1_000_000_000), "ms": (60_000, 315_360_000_000), "bytes": (2**20, 2**40)}
"""Unit → the least and the most that a bound may be."""
BACK: Final = frozenset({"default", "usual"})
"""What sets a bound back to its usual value."""


class Bound(msgspec.Struct, frozen=True):
    """One bound: its field in `qd:retention:Q`, its unit (count, ms, bytes), its usual value, what it bounds."""

    name: str
    unit: str
    usual: int
    of: str

    @property
    def word(self) -> str:
        """Its name for people: a value carries its unit."""
        return self.name.removesuffix("_ms")

    @property
    def kind(self) -> str:
        """What it belongs to: history, failed, quarantine, log or ledger."""
        return self.name.partition("_")[0]


BOUNDS: Final = (
    Bound("history_count", "count", usual.HISTORY_COUNT, "attempts in the history"),
    Bound("history_age_ms", "ms", usual.HISTORY_AGE_MS, "attempts in the history"),
    Bound("history_bytes", "bytes", usual.HISTORY_BYTES, "attempts in the history"),
    Bound("failed_count", "count", usual.FAILED_COUNT, "failed jobs"),
    Bound("failed_age_ms", "ms", usual.FAILED_AGE_MS, "failed jobs"),
    Bound("failed_bytes", "bytes", usual.FAILED_BYTES, "failed jobs"),
    Bound("quarantine_count", "count", usual.QUARANTINE_COUNT, "garbage in the quarantine"),
    Bound("quarantine_age_ms", "ms", usual.QUARANTINE_AGE_MS, "garbage in the quarantine"),
    Bound("quarantine_bytes", "bytes", usual.QUARANTINE_BYTES, "garbage in the quarantine"),
    Bound("log_lines", "count", usual.LOG_LINES, "log lines"),
    Bound("ledger_count", "count", usual.LEDGER_COUNT, "runs in the ledger"),
    Bound("ledger_per_schedule", "count", usual.LEDGER_PER_SCHEDULE, "runs in the ledger"),
    Bound("ledger_age_ms", "ms", usual.LEDGER_AGE_MS, "runs in the ledger"),
)
_BY_WORD: Final = {bound.word: bound for bound in BOUNDS}


def bound_named(word: str) -> Bound:
    """The bound of a name as in the hash or as people write it (`failed_age`, `failed-age`). Raises UsageError."""
    found = _BY_WORD.get(word.strip().lower().replace("-", "_").removesuffix("_ms"))
    if found is None:
        raise UsageError(f"There is no bound '{clean(word, 60)}'.", nearest(word, _BY_WORD))
    return found


def limit_of(bound: Bound, stored: bytes | None) -> int:
    """The bound that holds, by what stands in the hash: what is no whole number above 0 counts for nothing."""
    return int(stored) if stored is not None and stored.isdigit() and int(stored) > 0 else bound.usual


def new_limit(bound: Bound, text: str) -> int | None:
    """The value in `30d`, `2GB`, `100000`; None for `default`. Raises UsageError that names the bound and its range."""
    if text.strip().lower() in BACK:
        return None
    least, most = (amount(limit, bound.unit) for limit in RANGES[bound.unit])
    value = read_amount(text, bound.unit)
    if value is None or not RANGES[bound.unit][0] <= value <= RANGES[bound.unit][1]:
        raise UsageError(
            f"'{clean(text, 40)}' is no value for {bound.word}.",
            f"Write {least} to {most}, or default for {amount(bound.usual, bound.unit)}.",
        )
    return value


def new_limits(values: Mapping[str, str]) -> dict[Bound, int | None]:
    """What is to be set, by the names and values that people write. Raises UsageError."""
    return {bound: new_limit(bound, text) for bound, text in ((bound_named(it), text) for it, text in values.items())}
