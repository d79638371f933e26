"""SAQ's sweep on our queue: for fleets without a deck worker, and for stock workers that were given this queue."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, cast

from saq.job import Job, Status
from saq.queue.base import logger
from saq.utils import now

from quarterdeck.broker import ending
from quarterdeck.record import signature_of_text

if TYPE_CHECKING:
    from quarterdeck.broker.queue import Queue


async def sweep_queue(queue: Queue, lock_s: int) -> list[str]:
    """Retry or abort active jobs past their time-out or heartbeat that no deck worker holds; drop empty ones.

    At most once in `lock_s` s, whoever asks. Unlike SAQ's it waits for nobody, leaves alone what was just taken and
    is not yet marked active, and is not stopped by a payload that can't be read. Returns the ids.
    """
    keys = queue.keys
    if not await queue.redis.set(keys.sweep_lock, 1, nx=True, ex=max(1, lock_s)):
        return []
    raw_ids = cast("list[bytes]", await queue.redis.lrange(keys.active, 0, -1))
    ids = [job_id.decode("utf-8", "replace") for job_id in raw_ids]
    if not ids:
        return []
    owners = await queue.redis.hmget(keys.owner, ids)
    raws = await queue.redis.mget(ids)
    swept = []
    for job_id, owner, raw in zip(ids, owners, raws, strict=True):
        if owner is not None:
            continue
        if raw is None:
            await queue.redis.lrem(keys.active, 0, job_id)
            await queue.redis.zrem(keys.incomplete, job_id)
            swept.append(job_id)
            continue
        try:
            job = queue.deserialize(raw)
        except (ValueError, TypeError):
            continue
        if job is None or not job.stuck:
            continue
        if logger.isEnabledFor(logging.INFO):
            logger.info("Sweeping job %s", job.info(logger.isEnabledFor(logging.DEBUG)))
        swept.append(job_id)
        await queue.settle([_verdict(queue, job)])
    return swept


def _verdict(queue: Queue, job: Job) -> ending.Settlement:
    """A stuck job's retry or end; refused when somebody has taken it or dealt with it meanwhile."""
    job.error = text = queue.swept_error_message
    worker = job.worker_id or ""
    if job.retryable and job.status is not Status.ABORTING:
        job.status = Status.QUEUED
        job.completed = job.started = job.touched = 0
        job.progress = 0.0
        job.worker_id = None
        delay_s = job.next_retry_delay()
        due = time.time() + delay_s if delay_s else 0.0
        item = ending.back(job.id, ending.stored(queue, job), number=1, holder=ending.NOBODY, due=due)
        return (*item[:1], "r", *item[2:])
    job.status = Status.ABORTED
    job.completed = now()
    us = max(0, int(job.completed - job.started)) * 1000 if job.started else 0
    signature = signature_of_text(text, job.function)
    payload = ending.stored(queue, job)
    return ending.failed(job, payload, signature, number=1, holder=ending.NOBODY, us=us, worker=worker)
