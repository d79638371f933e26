"""The seam to read: one round trip, one atomic read, one `Snapshot`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final, Self

import msgspec
from redis.asyncio.cluster import RedisCluster

from quarterdeck.broker.door import through_the_door
from quarterdeck.inspect.attempts import AttemptStore
from quarterdeck.inspect.background import Background
from quarterdeck.inspect.filter import Filter, parse_filter
from quarterdeck.inspect.jobs import SORTS, Segment, read_window
from quarterdeck.inspect.memory import QueueMemory
from quarterdeck.inspect.overview import Overview
from quarterdeck.inspect.pages import PageStore
from quarterdeck.inspect.past import PastPart
from quarterdeck.inspect.plan import Plan, text
from quarterdeck.inspect.recorder import FlightRecorder
from quarterdeck.inspect.search import Searches
from quarterdeck.inspect.server import ServerPart
from quarterdeck.inspect.subjects import SubjectPart
from quarterdeck.inspect.verdict import verdict_of
from quarterdeck.keys import QUEUES
from quarterdeck.model import Page, Snapshot, View

NEAR_MS: Final = 90_000
"""A snapshot this much older than a past moment still stands for it."""


@through_the_door
class RedisSource:
    """Reads snapshots from Redis or Valkey; satisfies `model.Source`.

    `client` is a redis-py asyncio client that answers in bytes. With `queues` only these are shown; else those that
    deck workers and operators have met, and those that looking through the keys in the background finds.
    """

    def __init__(self, client: Any, queues: Sequence[str] | None = None, *, owner: Any = None) -> None:
        self._client = client
        self._owner = owner if owner is not None else client
        self._cluster = isinstance(client, RedisCluster)
        self._only = tuple(dict.fromkeys(queues or ()))
        self._known: set[str] = set(self._only)
        self._memory: dict[str, QueueMemory] = {}
        self._attempts = AttemptStore()
        self._pages = PageStore()
        self._searches = Searches()
        self._server = ServerPart()
        self._stock: set[str] = set()
        self._background = Background(client, self._only)
        self.flight = FlightRecorder()
        """What was seen so far, for looking back."""
        self._offset_ms = 0
        self.round_trips = 0
        """Round trips of the last snapshot: one, and the steps of a filtered search."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def warn(self, warnings: Sequence[str]) -> None:
        """Tell what connecting had to say; snapshots carry it on."""
        self._server.warnings = tuple(warnings)

    def look_around(self) -> None:
        """Begin to look for queues and crons in the background. Not needed where all are named."""
        self._background.look_around()

    def record_stock(self) -> None:
        """From now on keep what stock workers would let go, as soon as such workers are met. Writes to the server."""
        self._background.may_record = True

    async def discover(self) -> None:
        """Look once for queues and crons, through to the end: for commands that print and go."""
        await self._background.discovery.sweep()

    async def close(self) -> None:
        """Stop looking and release the connection; safe to call twice."""
        await self._background.close()
        closing = getattr(self._owner, "close" if self._owner is not self._client else "aclose", None)
        if closing is not None:
            await closing()

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues that the next snapshot reads, sorted."""
        names = self._known if self._only else self._known | self._background.discovery.queues
        return tuple(sorted(names))

    async def snapshot(self, view: View) -> Snapshot:
        """Read what `view` names. Raises UnreachableError, and FilterError for a filter that can't be read."""
        wanted = parse_filter(view.filter)
        if view.at_ms is not None:
            return await self._past(view, view.at_ms)
        first = not self.queues
        snapshot, names = await self._read(view, wanted)
        new = set() if self._only else names - self._known
        self._known |= new
        if first and new:  # only before anything is known: who else would name the queues
            snapshot, _ = await self._read(view, wanted)
        if self._stock:
            self._background.met_stock_workers()
        snapshot = msgspec.structs.replace(snapshot, verdict=verdict_of(snapshot))
        self.flight.keep(snapshot)
        return snapshot

    async def _past(self, view: View, at_ms: int) -> Snapshot:
        """A past moment: as it was seen, or as far as the server's counts remember it."""
        seen = self.flight.at(at_ms)
        if seen is not None and 0 <= at_ms - seen.taken_ms <= NEAR_MS:
            return msgspec.structs.replace(seen, view=view)
        plan = Plan()
        part = PastPart(plan, view, self.queues, at_ms)
        await plan.run(self._client, cluster=self._cluster)
        self.round_trips = plan.round_trips
        return part.snapshot()

    async def _read(self, view: View, wanted: Filter) -> tuple[Snapshot, set[str]]:
        plan = Plan()
        queues = self.queues
        if view.queue is not None and view.queue not in queues:
            queues = (*queues, view.queue)
        minute = (time.time_ns() // 1_000_000 + self._offset_ms) // 60_000
        names = plan.call(QUEUES, "SMEMBERS")
        self._server.ask(plan, QUEUES)
        for queue in queues:
            self._memory.setdefault(queue, QueueMemory(queue))
        looking = self._background.discovery
        overview = Overview(plan, view, queues, self._memory, minute=minute, stock=self._stock, discovery=looking)
        subject = SubjectPart(plan, view, queues, wanted, overview, self._attempts, self._pages, cluster=self._cluster)
        await plan.run(self._client, cluster=self._cluster)
        self.round_trips = plan.round_trips
        self._offset_ms = plan.now_ms - time.time_ns() // 1_000_000
        snapshot = overview.snapshot(plan, self._server.stat())
        self._stock = {queue for row in snapshot.workers if not row.deck for queue in row.queues}
        snapshot = subject.complete(snapshot)
        if subject.search is not None:
            page = await self._stepwise(view, subject.filter, subject.search, snapshot.taken_ms)
            snapshot = msgspec.structs.replace(snapshot, page=page)
        return snapshot, {text(name) for name in names.rows()}

    async def _stepwise(self, view: View, wanted: Filter, segments: Sequence[Segment], now_ms: int) -> Page:
        """The page of a list of jobs that can't be read in one step: it is filtered, or lies in several slots."""
        if wanted:
            page, steps = await self._searches.page(self._client, view, segments, wanted, now_ms=now_ms)
        else:
            window = await read_window(self._client, segments, view.offset, view.limit)
            steps = window.round_trips
            page = Page(
                offset=view.offset,
                total=window.total,
                rows=tuple(window.rows),
                searched=window.total,
                total_unfiltered=window.total,
                sortable=SORTS,
                error=window.error,
            )
        self.round_trips += steps
        return page
