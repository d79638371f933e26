"""What a view asks for beyond the overview: the page of its list, and the one thing that is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from quarterdeck.inspect.attempts import AttemptStore
from quarterdeck.inspect.bounds import BoundsPart
from quarterdeck.inspect.details import GroupPart, JobPart
from quarterdeck.inspect.filter import Filter, parse_filter
from quarterdeck.inspect.jobs import Segment, WindowPart, function_segment, group_segments, segments_of
from quarterdeck.inspect.overview import Overview
from quarterdeck.inspect.pages import PageStore
from quarterdeck.inspect.plan import Plan
from quarterdeck.inspect.sets import BinPart, QuarantinePart, page_of
from quarterdeck.inspect.streams import AuditPart, LogPart
from quarterdeck.inspect.why import why_queue
from quarterdeck.inspect.workers import is_live, worker_detail
from quarterdeck.model import (
    AnyDetail,
    JobDetail,
    JobState,
    Page,
    QueueDetail,
    QueueStat,
    Screen,
    Snapshot,
    View,
    WorkerDetail,
)

LINES: Final = 5_000
"""Acts that a filtered audit looks at."""

Complete = Callable[[Snapshot], Snapshot]


class SubjectPart:
    """The reads that the view's own screen needs. `search` holds the list's segments when they must be
    read step by step."""

    def __init__(
        self,
        plan: Plan,
        view: View,
        queues: Sequence[str],
        wanted: Filter,
        overview: Overview,
        attempts: AttemptStore,
        pages: PageStore,
        *,
        cluster: bool = False,
    ) -> None:
        self.view, self.queues, self.filter, self.overview = view, queues, wanted, overview
        self._plan, self._cluster, self._attempts, self._pages = plan, cluster, attempts, pages
        self.search: Sequence[Segment] | None = None
        asks: dict[Screen, Callable[[], Complete]] = {
            Screen.JOBS: self._jobs,
            Screen.FAILURES: self._failures,
            Screen.WORKERS: self._workers,
            Screen.SCHEDULES: self._schedules,
            Screen.LOGS: self._logs,
            Screen.AUDIT: self._audit,
            Screen.BIN: self._bin,
            Screen.BULKS: self._bulks,
            Screen.QUARANTINE: self._quarantine,
            Screen.JOB: self._job,
            Screen.GROUP: self._group,
            Screen.QUEUE: self._queue,
            Screen.WORKER: self._worker,
            Screen.SCHEDULE: self._schedule,
        }
        ask = asks.get(view.screen)
        self._complete: Complete = ask() if ask else lambda snapshot: snapshot

    def complete(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the view's page and detail; the plan has been run."""
        return self._complete(snapshot)

    @property
    def _named(self) -> list[str]:
        return [self.view.queue] if self.view.queue is not None else list(self.queues)

    # Lists of jobs.

    def _jobs(self) -> Complete:
        view = self.view
        segments = segments_of(view, self.queues, filtered=bool(self.filter))
        function = view.subject or (self.filter.required("fn") if view.state is JobState.FAILED else None)
        if function and view.state is JobState.FAILED:
            segments = [function_segment(queue, function, view) for queue in self._named]
        if view.state is JobState.ABORTED:  # they are kept among the failed ones
            self.filter = parse_filter(f"state:=aborted ({view.filter})" if self.filter else "state:=aborted")
        return self._window(segments)

    def _window(self, segments: Sequence[Segment]) -> Complete:
        """The window of a list of jobs; one that is filtered, or lies in several slots, is left to `search`."""
        view = self.view
        if self.filter or self._several_slots(segments):
            self.search = segments
            return lambda snapshot: snapshot
        window = WindowPart(self._plan, segments, view.offset, view.limit, pages=self._pages)
        return lambda snapshot: msgspec.structs.replace(snapshot, page=window.page(view))

    def _several_slots(self, segments: Sequence[Segment]) -> bool:
        return self._cluster and len({segment.queue for segment in segments}) > 1

    # Small lists, read whole.

    def _failures(self) -> Complete:
        return self._page(lambda snapshot: self._of_queue(snapshot.groups))

    def _workers(self) -> Complete:
        queue = self.view.queue
        return self._page(lambda snapshot: [row for row in snapshot.workers if not queue or queue in row.queues])

    def _schedules(self) -> Complete:
        part = self.overview.schedules
        return self._paged(lambda now_ms: part.page(self.view, self.filter, now_ms))

    def _bulks(self) -> Complete:
        return self._page(lambda _: self._of_queue(self.overview.bulks.rows()))

    def _page(self, rows: Callable[[Snapshot], Sequence[object]]) -> Complete:
        def complete(snapshot: Snapshot) -> Snapshot:
            found = rows(snapshot)
            page = page_of(self.view, found, len(found), self.filter, snapshot.taken_ms)  # type: ignore[arg-type]
            return msgspec.structs.replace(snapshot, page=page)

        return complete

    def _of_queue(self, rows: Sequence[object]) -> Sequence[object]:
        queue = self.view.queue
        return [row for row in rows if queue is None or getattr(row, "queue", None) == queue]

    def _bin(self) -> Complete:
        return self._counted(BinPart(self._plan, self.view, self._named))

    def _quarantine(self) -> Complete:
        return self._counted(QuarantinePart(self._plan, self.view, self._named))

    def _counted(self, part: BinPart | QuarantinePart) -> Complete:
        def complete(snapshot: Snapshot) -> Snapshot:
            rows, total = part.rows()
            return msgspec.structs.replace(
                snapshot, page=page_of(self.view, rows, total, self.filter, snapshot.taken_ms)
            )

        return complete

    # Lines.

    def _logs(self) -> Complete:
        part = LogPart(self._plan, self.view, self.queues, self.filter)
        return self._paged(part.page)

    def _audit(self) -> Complete:
        view = self.view
        count = min(LINES, view.budget) if self.filter else min(LINES, view.offset + view.limit)
        return self._paged(AuditPart(self._plan, view, count, self.filter).page)

    def _paged(self, page: Callable[[int], Page]) -> Complete:
        return lambda snapshot: msgspec.structs.replace(snapshot, page=page(snapshot.taken_ms))

    # One thing.

    def _job(self) -> Complete:
        parts = self._job_parts(self.view.subject or "")
        return lambda snapshot: msgspec.structs.replace(snapshot, detail=self._job_detail(parts, snapshot))

    def _job_parts(self, subject: str) -> list[JobPart]:
        """The job in each queue that it may be in; `queue/key` names one."""
        named = [(queue, subject) for queue in self._named]
        named += [(queue, subject[len(queue) + 1 :]) for queue in self._named if subject.startswith(f"{queue}/")]
        return [JobPart(self._plan, queue, key, self._attempts) for queue, key in named]

    def _job_detail(self, parts: Sequence[JobPart], snapshot: Snapshot) -> JobDetail | None:
        part = next((part for part in parts if part.found), None)
        if part is None:
            return None
        stat = _stat(snapshot, part.queue)
        usual = self._usual(part)
        return part.detail(snapshot.taken_ms, stat, snapshot.workers, self.overview.audit.rows(), usual)

    def _usual(self, part: JobPart) -> float | None:
        """p95 of the job's function over the last hour, ms."""
        found = self.overview.stores[part.queue].stats(part.queue, self._plan.now_ms // 60_000)
        payload = part.reply[3][2] or part.reply[0][2]
        return next((stat.p95_ms for stat in found if f'"{stat.name}"'.encode() in payload[:300]), None)

    def _group(self) -> Complete:
        view = self.view
        subject = view.subject or ""
        queue, _, signature = subject.rpartition("/")
        queue = queue or view.queue or (self.queues[0] if self.queues else "")
        if queue not in self.overview.groups:
            return lambda snapshot: snapshot
        part = GroupPart(self._plan, queue, signature, self._attempts)
        segments = group_segments(queue, signature, view)
        page = self._window(segments)

        def complete(snapshot: Snapshot) -> Snapshot:
            sample = self._job_detail([part.sample], snapshot)
            detail: AnyDetail = part.detail(snapshot.groups, sample)
            return msgspec.structs.replace(page(snapshot), detail=detail)

        return complete

    def _queue(self) -> Complete:
        name = self.view.queue or self.view.subject or ""
        bounds = BoundsPart(self._plan, name)

        def complete(snapshot: Snapshot) -> Snapshot:
            if name not in self.overview.queues:
                return snapshot
            return msgspec.structs.replace(snapshot, detail=self._queue_detail(snapshot, name, bounds))

        return complete

    def _queue_detail(self, snapshot: Snapshot, name: str, bounds: BoundsPart) -> QueueDetail:
        stat = _stat(snapshot, name)
        serving = [row for row in snapshot.workers if name in row.queues]
        counts: dict[str, int] = {}
        for row in serving:
            for function in row.functions if is_live(row) else ():
                counts[function] = counts.get(function, 0) + 1
        orphans = self.overview.queues[name].orphans([row for row in serving if is_live(row)])
        why, cure = why_queue(stat, snapshot.workers, snapshot.taken_ms)
        return QueueDetail(
            row=stat,
            functions=tuple(sorted(counts.items())),
            orphans=tuple(sorted(orphans.items())),
            why=why,
            why_cure=cure,
            hour=self.overview.stores[name].hour(snapshot.taken_ms // 60_000),
            bounds=bounds.stats(snapshot.taken_ms),
        )

    def _worker(self) -> Complete:
        def complete(snapshot: Snapshot) -> Snapshot:
            row = next((row for row in snapshot.workers if row.id == self.view.subject), None)
            if row is None:
                return snapshot
            beats = (beats[row.id] for beats in self.overview.beats.values() if row.id in beats)
            detail: WorkerDetail = worker_detail(row, next(beats, None))
            return msgspec.structs.replace(snapshot, detail=detail)

        return complete

    def _schedule(self) -> Complete:
        return self.overview.schedules.opened(self.view, self.overview.audit.rows)


def _stat(snapshot: Snapshot, queue: str) -> QueueStat:
    return next((stat for stat in snapshot.queues if stat.name == queue), QueueStat(name=queue))
