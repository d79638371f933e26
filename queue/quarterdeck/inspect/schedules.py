"""Schedules as rows: stock SAQ's crons, as far as their pending entries tell of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol

import msgspec

from quarterdeck.inspect.filter import Filter
from quarterdeck.inspect.jobs import Segment, WindowPart
from quarterdeck.inspect.plan import Answer, Plan
from quarterdeck.inspect.sets import page_of
from quarterdeck.inspect.timetable import OpenedPart, TimetablePart
from quarterdeck.keys import keys_of
from quarterdeck.model import (
    AuditRow,
    JobRow,
    JobState,
    Page,
    ScheduleDetail,
    ScheduleRow,
    Screen,
    Snapshot,
    View,
)
from quarterdeck.schedule.stock import HELD, is_deck_run, pause_of_marker

CRON: Final = "cron:"
"""SAQ's key of a unique cron's job begins so; the function's name follows."""
LOOKED_AT: Final = 100
"""Jobs due next that are looked at for crons."""
SHOWN: Final = 20
"""Schedules that every snapshot holds."""
SEARCHED: Final = 2_000
"""Schedules of a queue that a filtered list looks at, the next to fire first."""


class KnownCrons(Protocol):
    """Who remembers which crons were met."""

    def crons_of(self, queue: str) -> set[str]:
        """Functions of the queue's crons."""


class StockCronsPart:
    """The reads for one queue's stock crons. `known` are functions whose cron was met before."""

    def __init__(self, plan: Plan, queue: str, known: Iterable[str]) -> None:
        keys = keys_of(queue)
        self.queue = queue
        self.known = sorted(known)
        segment = Segment(queue=queue, state=JobState.SCHEDULED, kind="due", key=keys.incomplete)
        self._next = WindowPart(plan, [segment], 0, LOOKED_AT, head=256, tail=256)
        self._states: list[tuple[str, Answer, Answer]] = [
            (
                function,
                plan.call(keys.incomplete, "ZSCORE", keys.job(CRON + function)),
                plan.ask(keys.queued, "call", "GET", keys.abort(CRON + function)),
            )
            for function in self.known
        ]

    def rows(self) -> list[ScheduleRow]:
        """The crons, by what is pending for them and SAQ's abort marker."""
        pending_rows = [row for row in self._next.rows() if row.key.startswith(CRON) and not is_deck_run(row.key)]
        found = {row.key.removeprefix(CRON): row for row in pending_rows}
        rows = []
        for function, due, marker in self._states:
            pending = found.pop(function, None)
            if marker.value == HELD.encode():
                continue  # a deck worker runs it under its own name
            rows.append(_row(self.queue, function, pending, due.value, marker.value))
        rows += [_row(self.queue, function, job, None, None) for function, job in found.items()]
        return rows


def _row(queue: str, function: str, pending: JobRow | None, due: Any, marker: Any) -> ScheduleRow:
    next_ms = pending.scheduled_ms if pending else int(float(due) * 1000) if due and float(due) > 0 else None
    running = due is not None and float(due) == 0
    paused = None
    if marker is not None and next_ms is None and not running:
        # SAQ's marker of an abort is its error's text; that of a pause was written by whoever paused it.
        paused = pause_of_marker(marker)
    return ScheduleRow(
        id=f"{queue}/{CRON}{function}",
        name=f"{CRON}{function}",
        queue=queue,
        function=function,
        expression="",
        words="a stock worker's cron",
        next_ms=next_ms,
        last_outcome="running" if running else "",
        paused=paused,
        origin="stock",
        description="Its expression is known to the stock worker alone.",
    )


class SchedulesPart:
    """The reads for the schedules of some queues, and their rows: those of deck workers, then stock crons."""

    def __init__(self, plan: Plan, view: View, queues: Sequence[str], known: KnownCrons) -> None:
        listed = view.screen is Screen.SCHEDULES
        if listed and view.queue is not None:
            queues = [view.queue]
        self._view = view
        self._exact = listed and len(queues) == 1 and not view.filter.strip()
        """The one queue's window begins where the view's does."""
        first, count = (view.offset, view.limit) if self._exact else (0, SHOWN)
        if listed and not self._exact:
            count = SEARCHED if view.filter.strip() else view.offset + view.limit
        self._deck = [TimetablePart(plan, queue, first, count, broken=not listed) for queue in queues]
        self._stock = [StockCronsPart(plan, queue, known.crons_of(queue)) for queue in queues]
        asked = [view.queue] if view.queue is not None else queues
        self._opened = OpenedPart(plan, view, asked) if view.screen is Screen.SCHEDULE else None
        self._rows: list[ScheduleRow] | None = None

    @property
    def total(self) -> int:
        """How many schedules there are."""
        return sum(part.total for part in self._deck) + sum(len(part.rows()) for part in self._stock)

    def rows(self) -> list[ScheduleRow]:
        """The schedules that were read, the next to fire first."""
        if self._rows is None:
            deck = [row for part in self._deck for row in part.rows()]
            stock = [row for part in self._stock for row in part.rows()]
            self._rows = sorted(deck + stock, key=_place)
        return self._rows

    def page(self, view: View, wanted: Filter, now_ms: int) -> Page:
        """The window of the list that the view asks for."""
        if not self._exact:
            return page_of(view, self.rows(), self.total, wanted, now_ms)
        part, deck = self._deck[0], self._deck[0].total
        crons = sorted((row for stock in self._stock for row in stock.rows()), key=_place)
        rows = [*part.rows(), *crons[max(0, view.offset - deck) : max(0, view.offset + view.limit - deck)]]
        total = deck + len(crons)
        return Page(offset=view.offset, total=total, rows=tuple(rows), searched=len(rows), total_unfiltered=total)

    def shown(self, rows: Sequence[ScheduleRow], now_ms: int) -> tuple[ScheduleRow, ...]:
        """What every snapshot holds: the next to fire and those in trouble."""
        return tuple(sorted(rows, key=lambda row: _urgency(row, now_ms))[:SHOWN])

    def opened(self, view: View, acts: Callable[[], Sequence[AuditRow]]) -> Callable[[Snapshot], Snapshot]:
        """Completes a snapshot with the schedule that the view opens, and the page of its runs."""

        def complete(snapshot: Snapshot) -> Snapshot:
            found = self._opened.found(acts()) if self._opened else None
            if found is not None:
                return msgspec.structs.replace(snapshot, detail=found[0], page=found[1])
            name, queue = view.subject or "", view.queue
            for row in self.rows():
                if row.id == name or (row.name == name and queue in {None, row.queue}):
                    return msgspec.structs.replace(snapshot, detail=ScheduleDetail(row=row))
            return snapshot

        return complete


def _place(row: ScheduleRow) -> tuple[bool, bool, int, str]:
    return bool(row.broken), row.next_ms is None, row.next_ms or 0, row.id


def _urgency(row: ScheduleRow, now_ms: int) -> tuple[int, float, str]:
    """Trouble first, then what fires next; the paused and those without a time last."""
    if row.broken or (row.next_ms is not None and row.next_ms < now_ms - 30_000) or row.last_outcome == "failed":
        return 0, 0, row.id
    return (1, row.next_ms, row.id) if row.next_ms is not None and not row.paused else (2, 0, row.id)
