"""What a worker says of itself with each beat, to the deck and to stock dashboards."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import msgspec

from quarterdeck.model.rows import CurrentJob
from quarterdeck.record.beat import CURRENT_LIMIT, BeatStats, WorkerBeat, encode_beat
from quarterdeck.worker.attempt import Attempt
from quarterdeck.worker.usage import Usage

if TYPE_CHECKING:
    from quarterdeck.worker.worker import Worker


class Portrait:
    """Draws a worker; called in the thread of its beats, so that it only reads."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._usage = Usage()
        self._started_ms = 0

    def records(self) -> tuple[bytes, bytes]:
        """The records WorkerBeat (with -1 where the server's clock belongs) and SAQ's WorkerInfo, as JSON."""
        worker = self._worker
        now_ms = worker.clock.now_ms()
        self._started_ms = self._started_ms or now_ms
        tally = worker.runner.tally
        attempts = [*list(worker.runner.running.values()), *list(worker.runner.overdue.values())]
        cpu, memory = self._usage.sample()
        counts = {name: getattr(tally, name) for name in ("complete", "failed", "retried", "aborted")}
        beat = WorkerBeat(
            name=worker.name,
            saq_id="" if worker.id == worker.lease_id else worker.id,
            host=socket.gethostname(),
            pid=os.getpid(),
            queues=tuple(each.name for each in worker.queues),
            slots=worker.concurrency,
            running=len(worker.runner.running),
            current=tuple(_current(attempt) for attempt in attempts[:CURRENT_LIMIT]),
            started_ms=self._started_ms,
            beat_ms=-1,
            version=worker.version,
            functions=worker.specs,
            state="quiet" if worker.paused and worker.state == "running" else worker.state,
            stats=BeatStats(**counts),
            cpu_percent=cpu,
            memory_bytes=memory,
            skew_ms=round(worker.clock.skew_ms, 1) if worker.clock.known else None,
            stack=worker.stack[0],
            stack_key=worker.stack[1],
        )
        stats = {**counts, "uptime": max(0, now_ms - self._started_ms)}
        info = {"stats": stats, "queue_key": worker.queue.name, "metadata": worker.metadata}
        return encode_beat(beat), msgspec.json.encode(info)


def _current(attempt: Attempt) -> CurrentJob:
    return CurrentJob(
        key=attempt.job.key,
        function=attempt.job.function,
        started_ms=int(attempt.job.started),
        queue=attempt.queue.name,
        overdue_thread=attempt.overdue,
    )
