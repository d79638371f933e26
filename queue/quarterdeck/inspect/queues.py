"""One queue's figures: the reads that they take, and the `QueueStat` that comes of them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Final

import msgspec

from quarterdeck.inspect.front import waiting_row
from quarterdeck.inspect.memory import QueueMemory
from quarterdeck.inspect.payload import HEAD, TAIL
from quarterdeck.inspect.plan import Answer, Plan, text
from quarterdeck.inspect.workers import is_live
from quarterdeck.keys import keys_of
from quarterdeck.model import JobRow, JobState, PauseStat, QueueStat, WorkerRow

FRONT: Final = 12
"""Jobs at the head that are looked at for the oldest age and for orphans."""
MOST_ORPHANS: Final = 500
"""Jobs put off for want of a function that are told by function; more are only counted."""
RUNNING: Final = 50
"""Active jobs that are looked at to say what stock workers do."""


class QueuePart:
    """The reads for one queue's figures."""

    def __init__(
        self, plan: Plan, queue: str, memory: QueueMemory, *, minute: int, everything: bool, running: bool
    ) -> None:
        keys = keys_of(queue)
        self.queue = queue
        self.store = store = memory.minutes
        self._front = memory.front
        self.depth = plan.call(keys.queued, "LLEN")
        self.active = plan.call(keys.active, "LLEN")
        self.scheduled = plan.call(keys.incomplete, "ZCOUNT", "(0", "+inf")
        self.failed = plan.call(keys.failed, "ZCARD")
        self.history = plan.call(keys.history, "XLEN")
        obstacles = (keys.paused, keys.quarantine, keys.held, keys.orphans)
        self.obstacles = plan.ask(keys.queued, "obstacles", *obstacles, MOST_ORPHANS)
        self.front = memory.front.ask(plan, keys.queued, FRONT)
        self.running = plan.ask(keys.queued, "front", keys.active, RUNNING, HEAD, TAIL, "") if running else Answer()
        wanted = [part for pair in store.wanted(minute, everything=everything) for part in pair]
        self.minutes = plan.ask(keys.queued, "minutes", keys.minute(0)[:-1], store.recent(), *wanted)

    @cached_property
    def front_rows(self) -> list[JobRow]:
        """The jobs that are next. Not before the plan has been run."""
        return self._front.absorb(self.front.rows())

    @cached_property
    def running_rows(self) -> list[JobRow]:
        """The jobs that were taken longest ago, when they were asked for. Not before the plan has been run."""
        return [waiting_row(self.queue, JobState.ACTIVE, *row) for row in self.running.rows()]

    def stat(self, now_ms: int, workers: Iterable[WorkerRow], trouble: str = "") -> QueueStat:
        """The queue's figures at `now_ms`; `workers` are those that serve it, `trouble` says what can't be read."""
        minute = now_ms // 60_000
        live = [row for row in workers if is_live(row)]
        deck = any(row.deck for row in workers)
        front = self.front_rows
        recorded = self.store.recorded or deck
        arriving, leaving = self.store.rates(now_ms)
        p50, p95, p99 = self.store.percentiles(minute)
        pause, quarantined, held, _, _ = self._obstacles
        return QueueStat(
            name=self.queue,
            depth=self.depth.number(),
            active=self.active.number(),
            scheduled=self.scheduled.number(),
            failed=self.failed.number(),
            oldest_ms=_oldest_ms(front, now_ms),
            in_per_s=arriving if recorded and deck else None,
            out_per_s=leaving if recorded else None,
            failure_rate=self.store.failure_rate(minute),
            failed_attempts=self.store.failed_attempts(minute),
            p50_ms=p50,
            p95_ms=p95,
            p99_ms=p99,
            depths=self.store.depths(minute),
            paused=read_pause(pause),
            slots=sum(row.slots for row in live),
            workers=len(live),
            orphans=sum(self.orphans(live).values()),
            quarantined=quarantined,
            held=held,
            deck=deck,
            failing_since_ms=self.store.failing_since(minute),
            history=self.history.number(),
            error=trouble,
        )

    @property
    def _obstacles(self) -> tuple[bytes | None, int, int, int, list[bytes]]:
        """The pause, jobs in quarantine, jobs that rules hold, orphans, and those as told when they are few."""
        found = self.obstacles.rows()
        return tuple(found) if found else (None, 0, 0, 0, [])

    def orphans(self, live: list[WorkerRow]) -> dict[str, int]:
        """Function → jobs for it that no live worker takes: those put off because of that, and those at the head.

        Of the head nothing is known while stock workers serve, which don't say what they register.
        """
        *_, size, values = self._obstacles
        found: dict[str, int] = {}
        for value in values:  # FIRST_MS/TIMES/FUNCTION
            name = text(value).split("/", 2)[-1]
            found[name] = found.get(name, 0) + 1
        if size > len(values):
            found["…"] = size
        if live and all(row.deck for row in live):
            known = {name for row in live for name in row.functions}
            for row in self.front_rows:
                if not row.broken and row.function not in known:
                    found[row.function] = found.get(row.function, 0) + 1
        return found


def read_pause(raw: bytes | None) -> PauseStat | None:
    """The pause in a record; a damaged one still pauses, by nobody."""
    if not raw:
        return None
    try:
        return msgspec.json.decode(raw, type=PauseStat)
    except (ValueError, RecursionError):
        return PauseStat(owner="?", reason="the record can't be read")


def _oldest_ms(front: list[JobRow], now_ms: int) -> int | None:
    """Age of the oldest job at the head, from when it could first have run."""
    since = [max(row.queued_ms, row.scheduled_ms) for row in front if row.queued_ms]
    return max(0, now_ms - min(since)) if since else None
