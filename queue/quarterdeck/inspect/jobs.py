"""Lists of jobs as windows over what is on the server, by index, whatever the length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from redis.asyncio.cluster import RedisCluster

from quarterdeck.inspect.pages import PageStore
from quarterdeck.inspect.payload import HEAD, TAIL, job_row, read_payload
from quarterdeck.inspect.plan import Answer, Plan, moment_ms, text
from quarterdeck.inspect.trouble import in_short
from quarterdeck.keys import keys_of
from quarterdeck.model import JobRow, JobState, Page, View
from quarterdeck.record import decode_failed, decode_history

SORTS: Final = ("when",)
"""The column that is indexed in every state: when a job was enqueued, taken, is due or ended."""

_HISTORY_STATES: Final = {"complete": JobState.COMPLETE, "aborted": JobState.ABORTED}


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One collection of jobs on the server. `kind` is the script's: list, due, index, members, stream."""

    queue: str
    state: JobState
    kind: str
    key: str
    extra: str = ""
    reverse: bool = False

    def arguments(self) -> tuple[str, str, str, str]:
        """The segment as the script's `window` takes it."""
        return self.kind, self.key, self.extra, "1" if self.reverse else "0"


def segments_of(view: View, queues: Sequence[str], *, filtered: bool = False) -> list[Segment]:
    """The collections that hold what `view` lists, in the order of the list.

    Without a state these are the jobs that are there: what waits, runs, is due or failed, each job once. The history
    lists attempts, those of failed and retried jobs among them, and so is not part of that list; but who searches
    (`filtered`) finds complete jobs too.
    """
    names = [view.queue] if view.queue is not None else sorted(queues)
    order = (JobState.ACTIVE, JobState.QUEUED, JobState.SCHEDULED, JobState.FAILED)
    states = (*order, *((JobState.COMPLETE,) if filtered else ())) if view.state is None else (view.state,)
    return [_segment(queue, state, view) for state in states for queue in names]


def group_segments(queue: str, signature: str, view: View) -> list[Segment]:
    """The failed jobs of one signature."""
    keys = keys_of(queue)
    turned = view.sort in SORTS and not view.descending
    key = keys.failed_of_signature(signature)
    return [Segment(queue=queue, state=JobState.FAILED, kind="index", key=key, extra=keys.failed_rows, reverse=turned)]


def function_segment(queue: str, function: str, view: View) -> Segment:
    """The failed jobs of one function."""
    segment = _segment(queue, JobState.FAILED, view)
    return msgspec.structs.replace(segment, key=keys_of(queue).failed_of_function(function))


class WindowPart:
    """The read of one window over segments, and its rows. `pages` remembers them for the next read."""

    def __init__(
        self,
        plan: Plan,
        segments: Sequence[Segment],
        offset: int,
        limit: int,
        *,
        head: int = HEAD,
        tail: int = TAIL,
        pages: PageStore | None = None,
    ) -> None:
        self.segments = segments
        slot = keys_of(segments[0].queue).queued if segments else ""
        arguments = [argument for segment in segments for argument in segment.arguments()]
        self._pages = pages
        self._asked = (head, tail, offset, limit, *arguments)
        self._kept = pages.find(self._asked) if pages else None
        words = self._kept.words if self._kept else b"-" if pages is None else b""
        self.answer: Answer = plan.ask(slot, "window", head, tail, offset, limit, words, *arguments)

    def lengths(self) -> list[int]:
        """Each segment's length, 0 for one that can't be read."""
        found = self.answer.rows()
        return [max(0, int(length)) for length in found[0]] if found else [0] * len(self.segments)

    def total(self) -> int:
        """How many jobs there are in all."""
        return sum(self.lengths())

    def rows(self) -> Iterator[JobRow]:
        """The window's rows, read as they are taken."""
        found = self.answer.rows()
        return (read_row(self.segments[row[0] - 1], row[1:]) for row in (found[1] if len(found) > 1 else ()))

    def kept_rows(self) -> tuple[JobRow, ...]:
        """The window's rows, those of the last read where nothing has changed."""
        found = self.answer.rows()
        if self._kept is not None and len(found) == 1:
            return self._kept.rows
        rows = tuple(self.rows())
        if self._pages is not None:
            self._pages.keep(self._asked, bytes(found[2]) if found else b"", rows)
        return rows

    def page(self, view: View) -> Page:
        """The window as a page."""
        total = self.total()
        return Page(
            offset=view.offset,
            total=total,
            rows=self.kept_rows(),
            searched=total,
            total_unfiltered=total,
            sortable=SORTS,
            error=in_short(self.answer.error.split("; ")) if self.answer.error else "",
        )


class Window(NamedTuple):
    """What `read_window` found: how long the segments are together, the window's rows, and the round trips it took."""

    total: int
    rows: Iterator[JobRow]
    round_trips: int
    error: str
    """What could not be read, in short; empty when all could."""


async def read_window(
    client: Any, segments: Sequence[Segment], offset: int, limit: int, *, head: int = HEAD, tail: int = TAIL
) -> Window:
    """A window over the segments, in one round trip, or in two where they lie in several slots.

    In a cluster no script sees two slots: there the lengths are read first, then each segment's share.
    """
    plan = Plan()
    if not isinstance(client, RedisCluster) or len({client.keyslot(segment.key) for segment in segments}) < 2:
        window = WindowPart(plan, segments, offset, limit, head=head, tail=tail)
        await plan.run(client, cluster=isinstance(client, RedisCluster))
        return Window(window.total(), window.rows(), 1, in_short(plan.troubles()))
    lengths = [WindowPart(plan, [segment], 0, 0) for segment in segments]
    await plan.run(client, cluster=True)
    shares = Plan()
    parts, skip, left = [], offset, limit
    for segment, length in zip(segments, (each.total() for each in lengths), strict=True):
        if skip < length and left > 0:
            parts.append(WindowPart(shares, [segment], skip, min(left, length - skip), head=head, tail=tail))
            left -= min(left, length - skip)
        skip = max(0, skip - length)
    if parts:
        await shares.run(client, cluster=True)
    troubles = tuple(dict.fromkeys((*plan.troubles(), *shares.troubles())))
    return Window(
        sum(each.total() for each in lengths), (row for part in parts for row in part.rows()), 2, in_short(troubles)
    )


def read_row(segment: Segment, row: list[Any]) -> JobRow:
    """The row of a job from the script's reply for its kind of segment."""
    if segment.kind == "stream":
        return _history_row(segment.queue, *row)
    if segment.kind == "index":
        return failed_row(segment.queue, text(row[1]), moment_ms(row[0]), row[2])
    score, job_id, size, head, tail = row
    reading = read_payload(size, head, tail, queue=segment.queue)
    due_s = moment_ms(score, unit_ms=1000) / 1000 if segment.kind == "due" else 0.0
    return job_row(segment.queue, text(job_id), segment.state, reading, size=size, due_s=due_s)


def failed_row(queue: str, key: str, at_ms: int | None, record: bytes | None) -> JobRow:
    """The row of a failed job from the failed index; without its score (None) `record` says when it failed."""
    found = decode_failed(record)
    if found is None:
        return JobRow(
            id=f"{queue}/{key}",
            queue=queue,
            key=key,
            function="",
            state=JobState.FAILED,
            finished_ms=at_ms or 0,
            broken="its row can't be read",
        )
    at_ms = found.at_ms if at_ms is None else at_ms
    return JobRow(
        id=f"{queue}/{key}",
        queue=queue,
        key=key,
        function=found.function,
        state=JobState.ABORTED if found.status == "aborted" else JobState.FAILED,
        attempts=found.attempts,
        retries=found.retries,
        queued_ms=found.queued_ms,
        started_ms=found.started_ms,
        finished_ms=at_ms,
        worker=found.worker,
        arguments=found.arguments,
        error=found.error,
        signature=found.signature,
        duration_ms=max(0, at_ms - found.started_ms) if found.started_ms else 0,
        payload_bytes=found.bytes,
        poison=found.poison,
    )


def _segment(queue: str, state: JobState, view: View) -> Segment:
    """The collection of one state. A sort column given, `descending` is the usual sense: latest first."""
    keys = keys_of(queue)
    latest_first = view.descending if view.sort in SORTS else None
    if state in {JobState.FAILED, JobState.ABORTED}:
        kind, key, extra = "index", keys.failed, keys.failed_rows
        return Segment(queue=queue, state=state, kind=kind, key=key, extra=extra, reverse=latest_first is False)
    if state is JobState.COMPLETE:
        return Segment(queue=queue, state=state, kind="stream", key=keys.history, reverse=latest_first is False)
    if state is JobState.SCHEDULED:
        return Segment(queue=queue, state=state, kind="due", key=keys.incomplete, reverse=latest_first is True)
    active = state is JobState.ACTIVE
    key, extra = (keys.active, "running") if active else (keys.queued, "")
    return Segment(queue=queue, state=state, kind="list", key=key, extra=extra, reverse=latest_first is True)


def _history_row(queue: str, entry_id: bytes, fields: list[Any]) -> JobRow:
    """An attempt of the run history. What was no completion, and no abort, is a failure; its word is in `error`."""
    entry = decode_history(fields[1]) if len(fields) > 1 else None
    if entry is None:
        return JobRow(
            id=f"{queue}/{text(entry_id)}",
            queue=queue,
            key="",
            function="",
            state=JobState.COMPLETE,
            broken="the entry can't be read",
        )
    state = _HISTORY_STATES.get(entry.status, JobState.FAILED)
    return JobRow(
        id=f"{queue}/{text(entry_id)}",
        queue=queue,
        key=entry.key,
        function=entry.function,
        state=state,
        attempts=entry.attempt,
        queued_ms=entry.queued_ms,
        started_ms=entry.started_ms,
        finished_ms=entry.finished_ms,
        worker=entry.worker,
        error="" if state is JobState.COMPLETE else entry.status,
        signature=entry.signature,
        duration_ms=entry.duration_us / 1000,
        poison=entry.status == "poison",
    )
