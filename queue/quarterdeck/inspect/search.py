"""Filtered lists of jobs: bounded steps over the server's lists, with a budget that the screen shows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from quarterdeck.inspect.filter import Filter
from quarterdeck.inspect.jobs import SORTS, Segment, read_window
from quarterdeck.model import JobRow, JobState, Page, View

STEP: Final = 1000
"""Rows of a step."""
HEAD: Final = 1024
TAIL: Final = 512
KEPT: Final = 20_000
"""Matches that are kept; more are counted."""
_MOST_S: Final = 1.0
"""Time of one call; what is left of the budget is for the next."""
_TURN_S: Final = 0.005
"""CPU time after which others have their turn."""
_REST: Final = 20.0
"""A search is made anew after this many times what it cost, and not before two seconds."""

Clock = Callable[[], float]


class Search:
    """One search over segments: it goes on where it stopped when the budget grows."""

    def __init__(self, segments: Sequence[Segment], wanted: Filter, *, clock: Clock = time.monotonic) -> None:
        self.segments = segments
        self.filter = wanted
        self.matches: list[JobRow] = []
        self.found = 0
        self.searched = 0
        self.total = 0
        self.error = ""
        """What of the segments can't be read; empty when all of them can."""
        self._last: dict[str, str] = {}
        self._clock = clock
        self._cost_s = 0.0
        self._finished_at = clock()

    @property
    def through(self) -> bool:
        """Whether everything was looked at."""
        return self.searched >= self.total

    async def advance(self, client: Any, budget: int, now_ms: int) -> int:
        """Look at rows until `budget` of them were looked at, or all; returns the round trips that it took."""
        started = self._clock()
        steps = 0
        while self.searched < budget and self._clock() - started < _MOST_S:
            count = min(STEP, budget - self.searched)
            here = [self._going_on(segment) for segment in self.segments]
            window = await read_window(client, here, self.searched, count, head=HEAD, tail=TAIL)
            self.total, self.error = window.total, window.error
            steps += window.round_trips
            taken = await self._take(window.rows, now_ms)
            self.searched = min(self.searched + count, self.total)
            if self.searched >= self.total or not taken:
                self.searched = self.total
                break
        self._finished_at = self._clock()
        self._cost_s += self._finished_at - started
        return steps

    def stale(self) -> bool:
        """Whether it is time to search anew."""
        return self._clock() - self._finished_at > max(2.0, self._cost_s * _REST)

    def page(self, view: View) -> Page:
        """The window of the matches that `view` asks for."""
        return Page(
            offset=view.offset,
            total=self.found,
            rows=tuple(self.matches[view.offset : view.offset + view.limit]),
            searched=self.searched,
            total_unfiltered=self.total,
            sortable=SORTS,
            error=self.error,
        )

    def _going_on(self, segment: Segment) -> Segment:
        """A history goes on from its entry seen last: places in it are only estimates far from its ends."""
        last = self._last.get(segment.key, "") if segment.kind == "stream" else ""
        return msgspec.structs.replace(segment, extra=last) if last else segment

    async def _take(self, rows: Iterator[JobRow], now_ms: int) -> int:
        """Look at rows, and let keys and the screen have their turns between them; returns how many there were."""
        streams = {each.queue: each.key for each in self.segments if each.kind == "stream"}
        mixed = any(each.kind != "stream" for each in self.segments)
        count, turn = 0, time.thread_time()
        for row in rows:
            count += 1
            if time.thread_time() - turn > _TURN_S:
                await asyncio.sleep(0)
                turn = time.thread_time()
            if row.queue in streams and not row.id.endswith(f"/{row.key}"):
                self._last[streams[row.queue]] = row.id[len(row.queue) + 1 :]
                if mixed and row.state is not JobState.COMPLETE:
                    continue  # an attempt of a job that is listed itself, or was
            if self.filter.matches(row, now_ms=now_ms):
                self.found += 1
                if len(self.matches) < KEPT:
                    self.matches.append(row)
        return count


class Searches:
    """The search of the list on screen; another list or filter begins another one."""

    def __init__(self) -> None:
        self._key: tuple[Any, ...] = ()
        self._search: Search | None = None

    async def page(
        self, client: Any, view: View, segments: Sequence[Segment], wanted: Filter, *, now_ms: int
    ) -> tuple[Page, int]:
        """The page of matches that `view` asks for, and the round trips that it took."""
        key = (tuple(segments), wanted.text)
        search = self._search
        if search is None or key != self._key or search.stale():
            search = Search(segments, wanted)
            self._key, self._search = key, search
        fresh = search.searched == 0
        steps = 0
        if fresh or not search.through:
            steps = await search.advance(client, view.budget, now_ms)
        return search.page(view), steps
