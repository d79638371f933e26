"""What every snapshot holds, whatever the screen: queues, workers, groups, schedules, who is here and what they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from quarterdeck.inspect.discovery import Discovery
from quarterdeck.inspect.failures import GroupsPart, in_order
from quarterdeck.inspect.grouping import MOST
from quarterdeck.inspect.memory import QueueMemory
from quarterdeck.inspect.plan import Plan
from quarterdeck.inspect.queues import QueuePart
from quarterdeck.inspect.schedules import SchedulesPart
from quarterdeck.inspect.sets import BulksPart, OperatorsPart
from quarterdeck.inspect.streams import AuditPart
from quarterdeck.inspect.trouble import by_queue, in_short
from quarterdeck.inspect.workers import WorkersPart, merged_rows, specs_of
from quarterdeck.model import (
    FailureGroup,
    FunctionSpec,
    FunctionStat,
    QueueStat,
    ScheduleRow,
    Screen,
    ServerStat,
    Snapshot,
    View,
    WorkerRow,
)
from quarterdeck.record.beat import WorkerBeat

ACTS: Final = 20
"""Acts of operators that every snapshot holds."""
GROUPS: Final = 24
"""Failure groups that every snapshot reads, shared out among the queues; screens of failures read more."""
_WHOLE_HOUR: Final = frozenset({Screen.METRICS, Screen.QUEUE, Screen.FAILURES, Screen.GROUP})
_FAILURES: Final = frozenset({Screen.FAILURES, Screen.GROUP})


class Overview:
    """The reads that every snapshot makes, and the snapshot that comes of them."""

    def __init__(
        self,
        plan: Plan,
        view: View,
        queues: Sequence[str],
        memory: Mapping[str, QueueMemory],
        *,
        minute: int,
        stock: set[str],
        discovery: Discovery,
    ) -> None:
        self.view, self.queue_names = view, queues
        self.stores = {queue: memory[queue].minutes for queue in queues}
        everything = view.screen in _WHOLE_HOUR
        running = view.screen in {Screen.WORKERS, Screen.WORKER, Screen.OVERVIEW}
        shared = GROUPS if view.screen is Screen.OVERVIEW else GROUPS // 2
        most = MOST if view.screen in _FAILURES else max(5, shared // max(1, len(queues)))
        self.queues = {
            queue: QueuePart(
                plan, queue, memory[queue], minute=minute, everything=everything, running=running and queue in stock
            )
            for queue in queues
        }
        self.workers = {queue: WorkersPart(plan, queue) for queue in queues}
        self.groups = {queue: GroupsPart(plan, queue, most, memory[queue].groups) for queue in queues}
        self.schedules = SchedulesPart(plan, view, queues, discovery)
        self.bulks = BulksPart(plan, queues)
        self.operators = OperatorsPart(plan)
        count = 200 if view.screen in {Screen.JOB, Screen.SCHEDULE} else ACTS
        self.audit = AuditPart(plan, None, count)
        self.beats: dict[str, dict[str, WorkerBeat]] = {}

    def snapshot(self, plan: Plan, server: ServerStat) -> Snapshot:
        """The snapshot without page and detail; the plan has been run."""
        now_ms = plan.now_ms
        minute = now_ms // 60_000
        for queue, part in self.queues.items():
            self.stores[queue].absorb(part.minutes.rows())
            self.stores[queue].sample(minute, part.depth.number())
        workers = self._workers(now_ms)
        troubles = by_queue(plan.troubles(), self.queue_names)
        stats = tuple(
            part.stat(now_ms, [row for row in workers if queue in row.queues], in_short(troubles.get(queue, ())))
            for queue, part in self.queues.items()
        )
        beyond = tuple(f"It can't be read: {trouble}." for trouble in troubles.get(None, ()))
        groups = self._groups(minute)
        schedules = self.schedules.rows()
        return Snapshot(
            view=self.view,
            taken_ms=now_ms,
            rtt_ms=plan.rtt_ms,
            server=msgspec.structs.replace(server, warnings=server.warnings + beyond) if beyond else server,
            queues=stats,
            workers=tuple(workers),
            schedules=self.schedules.shown(schedules, now_ms),
            schedule_count=self.schedules.total,
            groups=tuple(groups),
            functions=tuple(self._functions(workers, stats, groups, schedules)),
            function_stats=self._function_stats(minute),
            operators=self.operators.rows(now_ms),
            acts=tuple(self.audit.rows()[:ACTS]),
            bulks=self.bulks.current(now_ms),
            per_minute=sum(self.stores[queue].per_minute(now_ms) for queue in self.queues),
        )

    def _workers(self, now_ms: int) -> list[WorkerRow]:
        self.beats = {queue: part.beats() for queue, part in self.workers.items()}
        ours = {
            name for beats in self.beats.values() for worker, beat in beats.items() for name in (worker, beat.saq_id)
        }
        rows: list[WorkerRow] = []
        for queue, part in self.workers.items():
            rows += part.deck_rows(now_ms)
            rows += part.stock_rows(now_ms, ours, self.queues[queue].running_rows)
        return merged_rows(rows)

    def _groups(self, minute: int) -> list[FailureGroup]:
        found = [group for queue, part in self.groups.items() for group in part.rows(self.stores[queue].shares(minute))]
        view = self.view
        sort = view.sort if view.screen is Screen.FAILURES else ""
        return in_order(found, sort, descending=view.descending)[:MOST]

    def _functions(
        self,
        workers: Sequence[WorkerRow],
        stats: Sequence[QueueStat],
        groups: Sequence[FailureGroup],
        schedules: Sequence[ScheduleRow],
    ) -> list[FunctionSpec]:
        """What live workers register; of queues with stock workers alone, the functions that were met there."""
        specs = specs_of(self.beats, workers)
        known = {spec.name for spec in specs}
        met: dict[str, set[str]] = {}
        for queue in (stat.name for stat in stats if not stat.deck):
            jobs = [*self.queues[queue].front_rows, *self.queues[queue].running_rows]
            rows = [row for found in (groups, schedules) for row in found if row.queue == queue]
            for name in {row.function for row in (*jobs, *rows)} - known - {""}:
                met.setdefault(name, set()).add(queue)
        more = [FunctionSpec(name=name, queues=tuple(sorted(met[name])), accepts_any=True) for name in sorted(met)]
        return specs + more

    def _function_stats(self, minute: int) -> tuple[FunctionStat, ...]:
        if self.view.screen not in {Screen.METRICS, Screen.QUEUE}:
            return ()
        one = self.view.queue or self.view.subject or ""
        names = [one] if self.view.screen is Screen.QUEUE else list(self.queues)
        return tuple(stat for name in names if name in self.stores for stat in self.stores[name].stats(name, minute))
