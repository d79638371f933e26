"""The reads for the schedules that deck workers run: a window of each queue's timetable, and one schedule whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from quarterdeck.inspect.plan import Answer, Plan
from quarterdeck.keys import keys_of
from quarterdeck.model import AuditRow, Page, RunRow, ScheduleDetail, ScheduleRow, View
from quarterdeck.schedule.reading import STRIP, run_rows, schedule_detail, schedule_row

RUNS: Final = 50
"""Runs that a schedule that is opened brings along beside its page."""


class TimetablePart:
    """A window of one queue's schedules, the next to fire first; `broken` adds those that are set aside."""

    def __init__(self, plan: Plan, queue: str, first: int, count: int, *, broken: bool = False) -> None:
        self.queue = queue
        self._plan = plan
        due = keys_of(queue).schedule_due
        self._answer = plan.ask(due, "timetable", due, queue, first, count, STRIP, "1" if broken else "0")

    @property
    def total(self) -> int:
        """How many schedules the queue has."""
        found = self._answer.rows()
        return int(found[0][0]) if found else 0

    def rows(self) -> list[ScheduleRow]:
        """The rows that were read."""
        window, broken = self._answer.rows() or ((), ())
        raws = [*window[1:], *broken]
        rows = {bytes(raw[0]): schedule_row(self.queue, raw, self._plan.now_ms) for raw in raws}
        return list(rows.values())


class OpenedPart:
    """One schedule whole, and the page of its runs, in each of the queues that it may be in."""

    def __init__(self, plan: Plan, view: View, queues: Iterable[str]) -> None:
        self._plan = plan
        self._view = view
        subject = view.subject or ""
        named = [(queue, subject) for queue in queues]
        named += [(queue, name[len(queue) + 1 :]) for queue, name in named if name.startswith(f"{queue}/")]
        self._asked: list[tuple[str, Answer, Answer]] = []
        for queue, name in named:
            slot = keys_of(queue).schedule_due
            whole = plan.ask(slot, "schedule", queue, name, max(RUNS, STRIP))
            runs = plan.ask(slot, "schedule-runs", queue, name, "-inf", "+inf", view.offset, view.limit)
            self._asked.append((queue, whole, runs))

    def found(self, acts: Sequence[AuditRow]) -> tuple[ScheduleDetail, Page] | None:
        """The first that exists, or None."""
        for queue, whole, runs in self._asked:
            raw = whole.rows()
            if raw and raw[1]:
                detail = schedule_detail(queue, raw, self._plan.now_ms)
                own = tuple(act for act in acts if act.subject == detail.row.name and act.queue in ("", queue))
                return msgspec.structs.replace(detail, acts=own), self._page(queue, runs)
        return None

    def _page(self, queue: str, runs: Answer) -> Page:
        total, rows = run_rows(queue, runs.rows()) if runs.rows() else (0, list[RunRow]())
        return Page(offset=self._view.offset, total=total, rows=tuple(rows), searched=len(rows), total_unfiltered=total)
