"""Schedules as rows: stock SAQ's crons, as far as their pending entries tell of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

import msgspec

from quarterdeck.inspect.filter import Filter
from quarterdeck.inspect.plan import Answer, Plan, moment_ms, text
from quarterdeck.inspect.sets import page_of
from quarterdeck.inspect.timetable import OpenedPart, TimetablePart
from quarterdeck.keys import keys_of
from quarterdeck.model import (
    AuditRow,
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
LOOKED_AT: Final = 40
"""Jobs due next that are looked at for crons. Who looks through the keys finds those behind them."""
SHOWN: Final = 20
"""Schedules that every snapshot holds."""
SEARCHED: Final = 2_000
"""Schedules of a queue that a filtered or sorted list looks at, the next to fire first."""
SORTS: Final = ("next", "name", "missed")


class KnownCrons(Protocol):
    """Who remembers which crons were met."""

    def crons_of(self, queue: str) -> set[str]:
        """Functions of the queue's crons."""

    def remember(self, queue: str, functions: Iterable[str]) -> None:
        """Keep functions whose cron was met."""

    def time_to_look(self, queue: str) -> bool:
        """Whether to look again at what is due in a queue for crons that were not met before."""

    def met_lately(self, queue: str, function: str) -> bool:
        """Whether something was pending for a cron seconds ago."""


class StockCronsPart:
    """The reads for one queue's stock crons. `known` says whose cron was met before."""

    def __init__(self, plan: Plan, queue: str, known: KnownCrons) -> None:
        keys = keys_of(queue)
        self.queue = queue
        self._known = known
        self._prefix = keys.job(CRON)
        looking = known.time_to_look(queue)
        due = ("due", keys.incomplete, self._prefix, LOOKED_AT)
        self._next = plan.ask(keys.queued, *due) if looking else Answer()
        self._states: list[tuple[str, Answer, Answer]] = [
            (
                function,
                plan.call(keys.incomplete, "ZSCORE", keys.job(CRON + function)),
                plan.ask(keys.queued, "call", "GET", keys.abort(CRON + function)),
            )
            for function in sorted(known.crons_of(queue))
        ]

    def rows(self) -> list[ScheduleRow]:
        """The crons, by what is pending for them and SAQ's abort marker."""
        met = [
            (text(job_id)[len(self._prefix) :], moment_ms(due, unit_ms=1000) / 1000)
            for job_id, due in self._next.rows()
        ]
        found = {function: due for function, due in met if not is_deck_run(CRON + function)}
        self._known.remember(self.queue, found)
        pending = [function for function, due, _ in self._states if due.value is not None]
        self._known.remember(self.queue, pending)
        rows = []
        for function, due, marker in self._states:
            due_s = found.pop(function, None) or (
                None if due.value is None else moment_ms(due.value, unit_ms=1000) / 1000
            )
            if marker.value == HELD.encode():
                continue  # a deck worker runs it under its own name
            if due_s is None and marker.value is None and not self._known.met_lately(self.queue, function):
                continue  # nothing is left of it: its worker was taken away
            rows.append(_row(self.queue, function, due_s, marker.value))
        rows += [_row(self.queue, function, due_s, None) for function, due_s in found.items()]
        return rows


def _row(queue: str, function: str, due_s: float | None, marker: bytes | None) -> ScheduleRow:
    next_ms = int(due_s * 1000) if due_s else None
    running = due_s == 0
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
        self._exact = listed and len(queues) == 1 and not (view.filter.strip() or view.sort)
        """The one queue's window begins where the view's does."""
        first, count = (view.offset, view.limit) if self._exact else (0, SHOWN)
        if listed and not self._exact:
            count = SEARCHED if view.filter.strip() or view.sort else min(SEARCHED, view.offset + view.limit)
        self._deck = [TimetablePart(plan, queue, first, count, broken=not listed) for queue in queues]
        self._stock = [StockCronsPart(plan, queue, known) for queue in queues]
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
            rows = in_order(self.rows(), view.sort, descending=view.descending)
            return msgspec.structs.replace(page_of(view, rows, self.total, wanted, now_ms), sortable=SORTS)
        part, deck = self._deck[0], self._deck[0].total
        crons = sorted((row for stock in self._stock for row in stock.rows()), key=_place)
        rows = [*part.rows(), *crons[max(0, view.offset - deck) : max(0, view.offset + view.limit - deck)]]
        total = deck + len(crons)
        return Page(
            offset=view.offset, total=total, rows=tuple(rows), searched=total, total_unfiltered=total, sortable=SORTS
        )

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


def in_order(rows: list[ScheduleRow], sort: str, *, descending: bool) -> list[ScheduleRow]:
    """Rows by a column of `SORTS`; the next to fire first when none is given."""
    if sort == "name":
        return sorted(rows, key=lambda row: (row.name, row.queue), reverse=descending)
    if sort == "missed":
        return sorted(rows, key=lambda row: (row.missed, row.id), reverse=descending)
    return rows[::-1] if sort == "next" and descending else rows


def _place(row: ScheduleRow) -> tuple[bool, bool, int, str]:
    return bool(row.broken), row.next_ms is None, row.next_ms or 0, row.id


def _urgency(row: ScheduleRow, now_ms: int) -> tuple[int, float, str]:
    """Trouble first, then what fires next; the paused and those without a time last."""
    if row.broken or (row.next_ms is not None and row.next_ms < now_ms - 30_000) or row.last_outcome == "failed":
        return 0, 0, row.id
    return (1, row.next_ms, row.id) if row.next_ms is not None and not row.paused else (2, 0, row.id)
