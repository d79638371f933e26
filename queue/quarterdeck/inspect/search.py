"""Filtered lists of jobs: bounded steps over the server's lists, with a budget that the screen shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from quarterdeck.inspect.filter import Filter
from quarterdeck.inspect.jobs import SORTS, Segment, WindowPart
from quarterdeck.inspect.plan import Plan
from quarterdeck.model import JobRow, Page, View

STEP: Final = 1000
"""Rows of a step."""
HEAD: Final = 1024
TAIL: Final = 512
KEPT: Final = 20_000
"""Matches that are kept; more are counted."""
_MOST_S: Final = 3.0
"""Time of one call; what is left of the budget is for the next."""
_REST: Final = 20.0
"""A search is made anew after this many times what it cost, and not before a second."""

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
            plan = Plan()
            count = min(STEP, budget - self.searched)
            window = WindowPart(plan, self.segments, self.searched, count, head=HEAD, tail=TAIL)
            await plan.run(client)
            steps += 1
            self.total = window.total()
            rows = window.rows()
            self._take(rows, now_ms)
            self.searched = min(self.searched + count, self.total)
            if self.searched >= self.total or not rows:
                self.searched = self.total
                break
        self._finished_at = self._clock()
        self._cost_s += self._finished_at - started
        return steps

    def stale(self, total: int) -> bool:
        """Whether it is time to search anew, given how many rows there are now."""
        age_s = self._clock() - self._finished_at
        return age_s > max(1.0, self._cost_s * _REST) and (total != self.total or age_s > 10.0)

    def page(self, view: View) -> Page:
        """The window of the matches that `view` asks for."""
        return Page(
            offset=view.offset,
            total=self.found,
            rows=tuple(self.matches[view.offset : view.offset + view.limit]),
            searched=self.searched,
            total_unfiltered=self.total,
            sortable=SORTS,
        )

    def _take(self, rows: list[JobRow], now_ms: int) -> None:
        for row in rows:
            if self.filter.matches(row, now_ms=now_ms):
                self.found += 1
                if len(self.matches) < KEPT:
                    self.matches.append(row)


class Searches:
    """The search of the list on screen; another list or filter begins another one."""

    def __init__(self) -> None:
        self._key: tuple[Any, ...] = ()
        self._search: Search | None = None

    async def page(
        self, client: Any, view: View, segments: Sequence[Segment], wanted: Filter, *, total: int, now_ms: int
    ) -> tuple[Page, int]:
        """The page of matches that `view` asks for, and the round trips that it took."""
        key = (tuple(segments), wanted.text)
        search = self._search
        if search is None or key != self._key or search.stale(total):
            search = Search(segments, wanted)
            self._key, self._search = key, search
        fresh = search.searched == 0
        steps = 0
        if fresh or not search.through:
            steps = await search.advance(client, view.budget, now_ms)
        return search.page(view), steps
