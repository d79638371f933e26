"""Schedules as rows: stock SAQ's crons, as far as their pending entries tell of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol

import msgspec

from quarterdeck.inspect.jobs import Segment, WindowPart
from quarterdeck.inspect.plan import Answer, Plan, text
from quarterdeck.keys import keys_of
from quarterdeck.model import JobRow, JobState, PauseStat, ScheduleDetail, ScheduleRow, Screen, Snapshot, View

CRON: Final = "cron:"
"""SAQ's key of a unique cron's job begins so; the function's name follows."""
LOOKED_AT: Final = 100
"""Jobs due next that are looked at for crons."""
SHOWN: Final = 20
"""Schedules that every snapshot holds."""
MOST: Final = 10_000
"""Schedules that the schedules' screens hold."""


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
        found = {row.key.removeprefix(CRON): row for row in self._next.rows() if row.key.startswith(CRON)}
        rows = []
        for function, due, marker in self._states:
            pending = found.pop(function, None)
            rows.append(_row(self.queue, function, pending, due.value, marker.value))
        rows += [_row(self.queue, function, job, None, None) for function, job in found.items()]
        return rows


def _row(queue: str, function: str, pending: JobRow | None, due: Any, marker: Any) -> ScheduleRow:
    next_ms = pending.scheduled_ms if pending else int(float(due) * 1000) if due and float(due) > 0 else None
    running = due is not None and float(due) == 0
    paused = None
    if marker is not None and next_ms is None and not running:
        # SAQ's marker of an abort is its error's text; that of a pause was written by whoever paused it.
        paused = PauseStat(reason=text(marker)[:200])
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
    """The reads for the schedules of some queues, and their rows."""

    def __init__(self, plan: Plan, view: View, queues: Sequence[str], known: KnownCrons) -> None:
        self._stock = [StockCronsPart(plan, queue, known.crons_of(queue)) for queue in queues]
        self._view = view
        self._rows: list[ScheduleRow] | None = None

    def rows(self) -> list[ScheduleRow]:
        """All schedules, by queue and name."""
        if self._rows is None:
            rows = [row for part in self._stock for row in part.rows()]
            self._rows = sorted(rows, key=lambda row: (row.queue, row.name))
        return self._rows

    def shown(self, rows: Sequence[ScheduleRow], now_ms: int) -> tuple[ScheduleRow, ...]:
        """What the snapshot holds: on the schedules' screens all, elsewhere the next to fire and those in trouble."""
        if self._view.screen in {Screen.SCHEDULES, Screen.SCHEDULE}:
            return tuple(rows[:MOST])
        return tuple(sorted(rows, key=lambda row: _urgency(row, now_ms))[:SHOWN])

    def opened(self, view: View) -> Callable[[Snapshot], Snapshot]:
        """Completes a snapshot with the schedule that the view opens."""

        def complete(snapshot: Snapshot) -> Snapshot:
            name, queue = view.subject or "", view.queue
            for row in self.rows():
                if row.id == name or (row.name == name and queue in {None, row.queue}):
                    return msgspec.structs.replace(snapshot, detail=ScheduleDetail(row=row))
            return snapshot

        return complete


def _urgency(row: ScheduleRow, now_ms: int) -> tuple[int, float, str]:
    """Trouble first, then what fires next; the paused and those without a time last."""
    if row.broken or (row.next_ms is not None and row.next_ms < now_ms - 30_000) or row.last_outcome == "failed":
        return 0, 0, row.id
    return (1, row.next_ms, row.id) if row.next_ms is not None and not row.paused else (2, 0, row.id)
