"""Bringing lost jobs back: what a script can put back by itself it has put back, the rest is judged here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import msgspec
from saq.job import TERMINAL_STATUSES, Job, Status

from quarterdeck.broker import ending
from quarterdeck.broker.ending import Settlement, Step
from quarterdeck.broker.queue import Queue
from quarterdeck.broker.scripts import script
from quarterdeck.broker.wire import Wire
from quarterdeck.record import signature_of_text
from quarterdeck.record.beat import LOST_KEPT_MS, decode_beat, encode_beat
from quarterdeck.record.retention import HISTORY_COUNT, usual_bounds
from quarterdeck.worker.aftermath import aftermath

logger = logging.getLogger("quarterdeck.worker")

PATIENCE_MS: Final = 3000
"""How long a job may be active with nobody."""
AT_MOST: Final = 500
"""Jobs a pass."""
STUCK_MARGIN_MS: Final = 10_000
"""A stock worker ends its jobs at their time-out by itself; only after that and this they are taken to be stuck."""


class Rescuer:
    """Rescues for one worker, in the thread of its beats. `own(number, [(ID, token)])` is told what it holds itself."""

    def __init__(
        self,
        queues: Sequence[Queue],
        worker: str,
        own: Callable[[int, list[tuple[str, str]]], None],
        *,
        crash_budget: int,
        no_rerun: Collection[str],
        version: str = "",
    ) -> None:
        self._queues = list(queues)
        self._worker = worker
        self._own = own
        self._budget = crash_budget
        self._no_rerun = sorted(no_rerun)
        self._version = version
        self._holder = f"{worker}/0/"

    async def rescue(self, wire: Wire) -> None:
        """One pass over all queues."""
        for number, queue in enumerate(self._queues, 1):
            args = [queue.name, self._worker, self._budget, PATIENCE_MS, HISTORY_COUNT, AT_MOST, *self._no_rerun]
            answer = await wire.call("EVALSHA", script("rescue").sha, 1, queue.keys.queued, *args)
            now_ms, back, special, nobodys, lost, own = answer
            if back:
                logger.warning("%d jobs of %s whose worker died are back in the queue", len(back), queue.name)
            items = [self._verdict(queue, *_four(special, at), now_ms) for at in range(0, len(special), 4)]
            for at in range(0, len(nobodys), 3):
                item = await self._nobodys(wire, queue, nobodys[at], nobodys[at + 1], int(nobodys[at + 2]), now_ms)
                items += [item] if item is not None else []
            await self._settle(wire, queue, items)
            await self._write_lost(wire, queue, lost)
            if own:
                pairs = [(own[at].decode("utf-8", "replace"), own[at + 1].decode()) for at in range(0, len(own), 2)]
                self._own(number, pairs)

    async def fold(self, wire: Wire) -> None:
        """Add minutes that are over to their hours, keep the bounds of the record, forget workers lost long ago."""
        for queue in self._queues:
            args = [queue.name, AT_MOST, *usual_bounds()]
            await wire.call("EVALSHA", script("fold").sha, 1, queue.keys.queued, *args)
            records = await wire.call("HGETALL", queue.keys.workers)
            seconds, _ = await wire.call("TIME")
            gone = []
            for at in range(0, len(records), 2):
                beat = decode_beat(records[at + 1])
                if beat is None or int(seconds) * 1000 - beat.beat_ms > LOST_KEPT_MS:
                    gone.append(records[at])
            if gone:
                for key in (queue.keys.workers, queue.keys.fence):
                    await wire.call("HDEL", key, *gone)

    # -- verdicts --

    def _verdict(self, queue: Queue, raw_id: bytes, crashes: int, payload: bytes, lost: str, now_ms: int) -> Settlement:
        """What becomes of a dead worker's job that needs judging; it is ours as `W/0`."""
        job = _readable(queue, payload)
        if job is None:
            return self._set_aside(queue, raw_id, payload, self._holder, now_ms)
        if job.status is Status.ABORTING:
            return self._ended(job, payload, Status.ABORTED, job.error or "aborted", self._holder, now_ms, lost)
        if crashes >= self._budget:
            text = f"Lost its worker {crashes} times, {lost} the last: it is taken to be the cause (poison)."
            return self._ended(job, payload, Status.FAILED, text, self._holder, now_ms, lost, poison=True)
        if job.status is Status.ACTIVE and (
            job.function in self._no_rerun or (job.meta or {}).get("on_lost") == "fail"
        ):
            text = f"Its worker {lost} died, and the function says on_lost=fail."
            return self._ended(job, payload, Status.FAILED, text, self._holder, now_ms, lost)
        return self._back(queue, job, self._holder)

    async def _nobodys(  # noqa: PLR0911 - one verdict a case
        self, wire: Wire, queue: Queue, raw_id: bytes, payload: bytes, since_ms: int, now_ms: int
    ) -> Settlement | None:
        """What becomes of an active job without an owner: a stock worker's, or one that was lost between two steps."""
        job = _readable(queue, payload)
        job_id = raw_id.decode("utf-8", "replace")
        if job is None or queue.job_id(job.key) != job_id:
            return self._set_aside(queue, raw_id, payload, ending.NOBODY, now_ms)
        if job.status in TERMINAL_STATUSES:
            return ending.dropped(job_id, number=1, holder=ending.NOBODY)
        running = job.status in {Status.ACTIVE, Status.ABORTING}
        if running and job.worker_id and await wire.call("EXISTS", queue.keys.worker_info(job.worker_id)):
            if not _stuck(job, since_ms, now_ms):
                return None
            text = queue.swept_error_message
            if job.status is Status.ABORTING or not job.retryable:
                return self._ended(job, payload, Status.ABORTED, text, ending.NOBODY, now_ms, job.worker_id)
            job.error = text
            return self._back(queue, job, ending.NOBODY, counted=True)
        if job.status is Status.ABORTING:
            return self._ended(job, payload, Status.ABORTED, job.error or "aborted", ending.NOBODY, now_ms, "")
        ran = job.status is Status.ACTIVE
        if ran:
            crashes = int(await wire.call("HGET", queue.keys.crashes, raw_id) or 0) + 1
            if crashes >= self._budget:
                text = f"Lost its worker {crashes} times: it is taken to be the cause (poison)."
                lost = job.worker_id or ""
                return self._ended(job, payload, Status.FAILED, text, ending.NOBODY, now_ms, lost, poison=True)
        return self._back(queue, job, ending.NOBODY, crashed=ran)

    def _back(self, queue: Queue, job: Job, holder: str, *, counted: bool = False, crashed: bool = False) -> Settlement:
        raw = ending.untaken(queue, job, began=job.status is Status.ACTIVE and not counted)
        return ending.back(job.id, raw, number=1, holder=holder, crashed=crashed)

    def _ended(
        self,
        job: Job,
        payload: bytes,
        status: Status,
        text: str,
        holder: str,
        now_ms: int,
        worker: str,
        *,
        poison: bool = False,
    ) -> Settlement:
        job.status = status
        job.error = text
        job.completed = now_ms
        stored: Any = job.queue.serialize(job) if job.queue is not None else payload
        us = max(0, now_ms - int(job.started)) * 1000 if job.started else 0
        return ending.failed(
            job,
            stored,
            signature_of_text(text.replace(worker, "…") if worker else text, job.function),
            number=1,
            holder=holder,
            us=us,
            worker=worker,
            version=self._version,
            poison=poison,
            steps=_steps(job, status, now_ms),
        )

    def _set_aside(self, queue: Queue, raw_id: bytes, payload: bytes, holder: str, now_ms: int) -> Settlement:
        prefix = queue.job_id("")
        job_id = raw_id.decode("utf-8", "replace")
        key = job_id.removeprefix(prefix)
        reason = "can't be read as a job" if payload else "no payload: it expired, was deleted, or is no string"
        item = ending.quarantined(job_id, payload, number=1, holder=holder, key=key, reason=reason, at_ms=now_ms)
        return (*item[:2], raw_id, *item[3:])  # type: ignore[return-value] # the very bytes of the id

    # -- writing --

    async def _settle(self, wire: Wire, queue: Queue, items: list[Settlement]) -> None:
        if not items:
            return
        finish = script("finish")
        flat = ending.arguments(items)
        _, refused, errors = await wire.call(
            "EVALSHA", finish.sha, 1, queue.keys.queued, HISTORY_COUNT, queue.name, *flat
        )
        for error in errors:
            logger.warning("rescue: %s", error.decode("utf-8", "replace"))
        logger.warning("%d jobs of %s without a worker were settled", len(items) - len(refused), queue.name)

    async def _write_lost(self, wire: Wire, queue: Queue, flat: list[Any]) -> None:
        """Leave the records of lost workers for an hour, with the keys of the jobs they held."""
        at = 0
        while at < len(flat):
            worker, record, count = flat[at], flat[at + 1], int(flat[at + 2])
            held = [key.decode("utf-8", "replace") for key in flat[at + 3 : at + 3 + count]]
            at += 3 + count
            logger.warning("worker %s is lost; it held %d jobs", worker.decode("utf-8", "replace"), count)
            beat = decode_beat(record)
            if beat is not None:
                lost = msgspec.structs.replace(beat, state="lost", running=0, current=(), held=tuple(held[:50]))
                await wire.call("HSET", queue.keys.workers, worker, encode_beat(lost))


def _steps(job: Job, status: Status, now_ms: int) -> Sequence[Step]:
    try:
        return aftermath(job, status, None, now_ms) if job.meta else ()
    except msgspec.MsgspecError:
        return ()


def _readable(queue: Queue, payload: bytes) -> Job | None:
    try:
        return queue.deserialize(payload)
    except (ValueError, TypeError):
        return None


def _stuck(job: Job, since_ms: int, now_ms: int) -> bool:
    """Whether a stock worker's job is past its own limits, by how long we have seen it on the server's clock."""
    seen_ms = now_ms - since_ms
    if job.timeout and seen_ms > job.timeout * 1000 + STUCK_MARGIN_MS:
        return True
    silent_ms = now_ms - int(job.touched)
    return bool(job.heartbeat and min(seen_ms, silent_ms) > job.heartbeat * 1000 + STUCK_MARGIN_MS)


def _four(flat: list[Any], at: int) -> tuple[bytes, int, bytes, str]:
    return flat[at], int(flat[at + 1]), flat[at + 2], flat[at + 3].decode("utf-8", "replace")
