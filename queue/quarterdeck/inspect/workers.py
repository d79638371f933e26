"""Workers as rows: ours from their beats and leases, stock ones from SAQ's own registry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from quarterdeck.inspect.plan import Plan, moment_ms, text
from quarterdeck.keys import keys_of
from quarterdeck.model import CurrentJob, FunctionSpec, JobRow, WorkerDetail, WorkerRow
from quarterdeck.record.beat import WorkerBeat

MOST: Final = 500
"""Workers of a queue that are looked at."""
LEASE_GRACE_MS: Final = 1_000
_STOCK_BEAT_MS: Final = 11_000  # SAQ registers for its timer (10 s) and one more


_BEAT: Final = msgspec.json.Decoder(WorkerBeat, strict=False)
"""More tolerant than the workers among themselves: a screen shows what it can of a record that another wrote."""


class WorkersPart:
    """The reads for one queue's workers, and their rows."""

    def __init__(self, plan: Plan, queue: str) -> None:
        keys = keys_of(queue)
        self.queue = queue
        self._beats = plan.ask(keys.queued, "small", "HLEN", keys.workers, MOST, "HGETALL", keys.workers)
        self._leases = plan.call(keys.lease, "ZREVRANGE", 0, MOST - 1, "WITHSCORES")
        self._stock = plan.ask(keys.queued, "stock", keys.stats, MOST)

    def beats(self) -> dict[str, WorkerBeat]:
        """Worker id → what it wrote of itself; unreadable records are a beat without anything."""
        flat = self._beats.rows()[1] if self._beats.rows() else []
        return {text(worker): read_beat(raw) for worker, raw in zip(flat[::2], flat[1::2], strict=False)}

    def leases(self) -> dict[str, float]:
        """Worker id → when its lease ends, epoch ms."""
        flat = self._leases.rows()
        return {text(worker): float(end) for worker, end in zip(flat[::2], flat[1::2], strict=False)}

    def deck_rows(self, now_ms: int) -> list[WorkerRow]:
        """Our workers of this queue."""
        leases = self.leases()
        return [_deck_row(worker, beat, leases.get(worker), now_ms) for worker, beat in self.beats().items()]

    def stock_rows(self, now_ms: int, ours: Iterable[str], running: Iterable[JobRow]) -> list[WorkerRow]:
        """Stock workers of this queue; `ours` are deck workers' ids, which register with SAQ too."""
        known = set(ours)
        jobs: dict[str, list[CurrentJob]] = {}
        for job in running:
            current = CurrentJob(key=job.key, function=job.function, started_ms=job.started_ms, queue=self.queue)
            jobs.setdefault(job.worker, []).append(current)
        rows = []
        for key, until, record in self._stock.rows():
            worker = text(key).rpartition(":worker_info:")[2]
            if worker not in known and moment_ms(until) > now_ms:
                rows.append(_stock_row(worker, self.queue, moment_ms(until), record, now_ms, jobs.get(worker, [])))
        return rows


def read_beat(raw: bytes | None) -> WorkerBeat:
    """A beat from its record; one without anything when it can't be read."""
    try:
        return _BEAT.decode(raw) if raw else WorkerBeat(state="broken")
    except (ValueError, RecursionError):
        return WorkerBeat(state="broken", name="unreadable record")


def is_live(row: WorkerRow) -> bool:
    """Whether a worker can take jobs: it beats, and was told neither to be quiet nor to stop."""
    return row.state in {"running", "stock"}


def merged_rows(rows: Iterable[WorkerRow]) -> list[WorkerRow]:
    """One row a worker, by name, when it was seen in several queues; lost ones last."""
    found: dict[str, WorkerRow] = {}
    for row in rows:
        seen = found.get(row.id)
        if seen is None:
            found[row.id] = row
            continue
        newest = seen if seen.beat_ms >= row.beat_ms else row
        queues = tuple(dict.fromkeys((*seen.queues, *row.queues)))
        found[row.id] = msgspec.structs.replace(newest, queues=queues)
    return sorted(found.values(), key=lambda row: (row.state == "lost", row.name, row.id))


def specs_of(beats: Mapping[str, Mapping[str, WorkerBeat]], live: Iterable[WorkerRow]) -> list[FunctionSpec]:
    """What live workers register, by name, with the queues where it can run. `beats`: queue → worker id → beat."""
    alive = {row.id for row in live if is_live(row)}
    found: dict[str, FunctionSpec] = {}
    for queue, workers in beats.items():
        for worker, beat in workers.items():
            if worker not in alive:
                continue
            for spec in beat.functions:
                queues = (*found[spec.name].queues, queue) if spec.name in found else (*spec.queues, queue)
                found[spec.name] = msgspec.structs.replace(spec, queues=tuple(dict.fromkeys(queues)))
    return [found[name] for name in sorted(found)]


def worker_detail(row: WorkerRow, beat: WorkerBeat | None) -> WorkerDetail:
    """A worker whole."""
    if beat is None:
        return WorkerDetail(row=row)
    return WorkerDetail(row=row, functions=beat.functions, stack=beat.stack, stack_key=beat.stack_key)


def _deck_row(worker: str, beat: WorkerBeat, lease: float | None, now_ms: int) -> WorkerRow:
    state = beat.state
    if lease is None or lease < now_ms - LEASE_GRACE_MS:
        state = "lost" if state != "broken" else state
    return WorkerRow(
        id=worker,
        name=beat.name or (f"{beat.host}:{beat.pid}" if beat.host else worker),
        host=beat.host,
        pid=beat.pid,
        queues=beat.queues,
        slots=beat.slots,
        current=beat.current,
        running=beat.running,
        beat_ms=beat.beat_ms,
        started_ms=beat.started_ms,
        version=beat.version,
        functions=tuple(spec.name for spec in beat.functions),
        state=state,
        complete=beat.stats.complete,
        failed=beat.stats.failed,
        retried=beat.stats.retried,
        aborted=beat.stats.aborted,
        cpu_percent=beat.cpu_percent,
        memory_bytes=beat.memory_bytes,
        skew_ms=beat.skew_ms,
        held=beat.held,
    )


def _stock_row(
    worker: str, queue: str, until_ms: int, record: Any, now_ms: int, current: list[CurrentJob]
) -> WorkerRow:
    try:
        info = msgspec.json.decode(record) if record else {}
    except (ValueError, RecursionError):
        info = {}
    stats = info.get("stats") if isinstance(info, dict) else None
    numbers = {name: value for name, value in (stats or {}).items() if isinstance(value, int)} if stats else {}
    uptime = numbers.get("uptime", 0)
    return WorkerRow(
        id=worker,
        name=worker,
        queues=(queue,),
        current=tuple(current[:50]),
        running=len(current),
        beat_ms=min(now_ms, until_ms - _STOCK_BEAT_MS),
        started_ms=now_ms - uptime if uptime else 0,
        state="stock",
        complete=numbers.get("complete", 0),
        failed=numbers.get("failed", 0),
        retried=numbers.get("retried", 0),
        aborted=numbers.get("aborted", 0),
        deck=False,
    )
