"""The counts of the last hour, minute by minute, and the figures that come of them.

Minutes that are over don't change: they are read once and kept, so that a refresh reads one hash a queue, sometimes
two. What is missing (the first screen, a pause of the dashboard) is read a few minutes at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from quarterdeck.inspect.plan import text
from quarterdeck.model import FunctionStat, QueueHour
from quarterdeck.model.alarm import FAILING
from quarterdeck.record import percentile

HOUR: Final = 60
"""Minutes kept."""
RECENT: Final = 2
"""Minutes read anew: the running one each time, the one before, which late finishes may still touch, now and then."""
LATE_S: Final = 5.0
"""How often the minute before is read anew."""
_FIRST_SCREEN: Final = 4
_AT_A_TIME: Final = 6
_RATE_MINUTES: Final = 5
_PERCENTILE_MINUTES: Final = 15


class FunctionCounts:
    """One function's attempts in a minute; `us` is the sum of their durations, `buckets` their histogram."""

    __slots__ = ("aborted", "buckets", "complete", "failed", "retried", "us")

    def __init__(self) -> None:
        self.complete = self.failed = self.retried = self.aborted = self.us = 0
        self.buckets: dict[int, int] = {}

    @property
    def finished(self) -> int:
        """Attempts that ended, however."""
        return self.complete + self.failed + self.retried + self.aborted

    def add(self, other: FunctionCounts) -> None:
        """Add another minute's counts to these."""
        self.complete += other.complete
        self.failed += other.failed
        self.retried += other.retried
        self.aborted += other.aborted
        self.us += other.us
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count


class Minute:
    """The counts of one minute of a queue. `complete` says whether all fields were read, or the depth alone."""

    __slots__ = ("depth", "enqueued", "functions", "whole")

    def __init__(self, depth: int | None = None, *, whole: bool = False) -> None:
        self.depth = depth
        self.enqueued = 0
        self.functions: dict[str, FunctionCounts] = {}
        self.whole = whole

    @property
    def finished(self) -> int:
        """Attempts of all functions that ended in this minute."""
        return sum(counts.finished for counts in self.functions.values())

    @property
    def percentiles(self) -> tuple[float | None, float | None, float | None]:
        """p50, p95 and p99 of the durations of all functions, ms."""
        total = FunctionCounts()
        for counts in self.functions.values():
            total.add(counts)
        return _percentiles(total.buckets)


def parse_minute(flat: list[Any]) -> Minute:
    """A minute from the reply of HGETALL on its hash; fields that are not known are passed over."""
    minute = Minute(whole=True)
    for field, value in zip(flat[::2], flat[1::2], strict=False):
        try:
            number = int(value)
        except ValueError:
            continue
        function, tab, what = text(field).rpartition("\t")
        if not tab:
            if what == "in":
                minute.enqueued = number
            elif what == "depth":
                minute.depth = number
            continue
        counts = minute.functions.get(function)
        if counts is None:
            counts = minute.functions[function] = FunctionCounts()
        if what in {"complete", "failed", "retried", "aborted", "us"}:
            setattr(counts, what, number)
        elif what[:1] == "b" and what[1:].isdecimal():
            counts.buckets[int(what[1:])] = number
    return minute


class MinuteStore:
    """The last hour of one queue."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._minutes: dict[int, Minute] = {}
        self._clock = clock
        self._both_at = float("-inf")
        self.recorded = False
        """Whether anybody has counted anything in this queue."""

    def recent(self) -> int:
        """How many minutes to read anew, the running one included."""
        now = self._clock()
        if now - self._both_at < LATE_S:
            return 1
        self._both_at = now
        return RECENT

    def wanted(self, now: int, *, everything: bool = False) -> list[tuple[int, str]]:
        """What to read beside the recent minutes: pairs of minute and `all` or `depth`."""
        past = range(now - RECENT, now - HOUR, -1)
        missing = [minute for minute in past if not (kept := self._minutes.get(minute)) or not kept.whole]
        whole = missing if everything else missing[: _AT_A_TIME if self._minutes else _FIRST_SCREEN]
        depths = [minute for minute in missing[len(whole) :] if minute not in self._minutes]
        return [(minute, "all") for minute in whole] + [(minute, "depth") for minute in depths]

    def absorb(self, rows: Iterable[list[Any]]) -> None:
        """Take in the reply of the script's `minutes`."""
        for number, value in rows:
            if isinstance(value, list):
                self._minutes[number] = parse_minute(value)
                self.recorded = self.recorded or bool(value)
            else:
                depth = int(value) if value is not None and bytes(value).isdigit() else None
                self._minutes[number] = Minute(depth)
                self.recorded = self.recorded or depth is not None

    def sample(self, now: int, depth: int) -> None:
        """Keep a depth that this client saw, where nobody on the server's side samples."""
        minute = self._minutes.setdefault(now, Minute())
        if minute.depth is None:
            minute.depth = depth
        for old in [number for number in self._minutes if number < now - HOUR or number > now + HOUR]:
            del self._minutes[old]

    def depths(self, now: int) -> tuple[int | None, ...]:
        """The depth a minute over the last hour, oldest first."""
        kept = self._minutes
        return tuple(kept[n].depth if n in kept else None for n in range(now - HOUR + 1, now + 1))

    def rates(self, now_ms: int) -> tuple[float, float]:
        """Enqueued and finished a second, over the last full minute and the running one."""
        now, seconds = now_ms // 60_000, 60 + now_ms % 60_000 / 1000
        minutes = list(self._span(now, RECENT))
        return sum(m.enqueued for m in minutes) / seconds, sum(m.finished for m in minutes) / seconds

    def per_minute(self, now_ms: int) -> float:
        """Attempts finished over the last sixty seconds, the older minute taken in part."""
        now, part = now_ms // 60_000, now_ms % 60_000 / 60_000
        current, last = self._minutes.get(now, Minute()), self._minutes.get(now - 1, Minute())
        return current.finished + last.finished * (1 - part)

    def failure_rate(self, now: int) -> float | None:
        """Share of attempts that failed over the last five minutes, None when none ended."""
        return _failed_share(self._span(now, _RATE_MINUTES))

    def failed_attempts(self, now: int) -> int:
        """Attempts that failed over the last five minutes."""
        minutes = self._span(now, _RATE_MINUTES)
        return sum(counts.failed + counts.retried for minute in minutes for counts in minute.functions.values())

    def failing_since(self, now: int) -> int | None:
        """When the present failing began, epoch ms at the minute; None when it is not failing now."""
        rate = self.failure_rate(now)
        if rate is None or rate < FAILING:
            return None
        since = None
        for number in range(now, now - HOUR, -1):
            share = _failed_share([self._minutes.get(number, Minute())])
            if share is not None and share < FAILING and since is not None:
                break
            if share is not None and share >= FAILING:
                since = number
        return None if since is None else since * 60_000

    def percentiles(self, now: int) -> tuple[float | None, float | None, float | None]:
        """p50, p95 and p99 of the durations over the last quarter of an hour, ms."""
        total = FunctionCounts()
        for minute in self._span(now, _PERCENTILE_MINUTES):
            for counts in minute.functions.values():
                total.add(counts)
        return _percentiles(total.buckets)

    def hour(self, now: int) -> QueueHour:
        """The last hour a minute at a time: what arrived and ended, what share failed, how long it took."""
        minutes = [self._minutes.get(number) for number in range(now - HOUR + 1, now + 1)]
        known = [minute if minute is not None and minute.whole else None for minute in minutes]
        took = [minute.percentiles if minute is not None else (None, None, None) for minute in known]
        p50, p95, p99 = zip(*took, strict=True)
        return QueueHour(
            arrived=tuple(None if minute is None else minute.enqueued for minute in known),
            finished=tuple(None if minute is None else minute.finished for minute in known),
            failing=tuple(None if minute is None else _failed_share([minute]) for minute in known),
            p50_ms=p50,
            p95_ms=p95,
            p99_ms=p99,
        )

    def functions(self, now: int) -> dict[str, FunctionCounts]:
        """Each function's counts over the last hour, as far as they have been read."""
        totals: dict[str, FunctionCounts] = {}
        for minute in self._span(now, HOUR):
            for name, counts in minute.functions.items():
                totals.setdefault(name, FunctionCounts()).add(counts)
        return totals

    def shares(self, now: int) -> dict[str, float]:
        """Function → share of its attempts over the last hour that failed (0..1); those without an end are not in."""
        failed: dict[str, int] = {}
        ended: dict[str, int] = {}
        for minute in self._span(now, HOUR):
            for name, counts in minute.functions.items():
                bad = counts.failed + counts.retried
                failed[name] = failed.get(name, 0) + bad
                ended[name] = ended.get(name, 0) + bad + counts.complete
        return {name: failed[name] / all_of_them for name, all_of_them in ended.items() if all_of_them}

    def stats(self, queue: str, now: int) -> list[FunctionStat]:
        """The functions' figures over the last hour, busiest first."""
        span = [self._minutes.get(number, Minute()) for number in range(now - HOUR + 1, now + 1)]
        none = FunctionCounts()
        found = sorted(self.functions(now).items(), key=lambda item: (-item[1].finished, item[0]))
        rows = []
        for name, counts in found:
            p50, p95, p99 = _percentiles(counts.buckets)
            timed = sum(counts.buckets.values())
            rows.append(
                FunctionStat(
                    queue=queue,
                    name=name,
                    complete=counts.complete,
                    failed=counts.failed,
                    retried=counts.retried,
                    aborted=counts.aborted,
                    p50_ms=p50,
                    p95_ms=p95,
                    p99_ms=p99,
                    mean_ms=counts.us / timed / 1000 if timed else None,
                    counts=tuple(minute.functions.get(name, none).finished for minute in span),
                )
            )
        return rows

    def _span(self, now: int, count: int) -> Iterable[Minute]:
        return [self._minutes[n] for n in range(now - count + 1, now + 1) if n in self._minutes]


def _failed_share(minutes: Iterable[Minute]) -> float | None:
    failed = ended = 0
    for minute in minutes:
        for counts in minute.functions.values():
            failed += counts.failed + counts.retried
            ended += counts.complete + counts.failed + counts.retried
    return failed / ended if ended else None


def _percentiles(buckets: Mapping[int, int]) -> tuple[float | None, float | None, float | None]:
    p50, p95, p99 = (percentile(buckets, q) for q in (0.5, 0.95, 0.99))
    return tuple(None if value is None else value / 1000 for value in (p50, p95, p99))  # type: ignore[return-value]
