"""SAQ's sweep on our queue: for fleets without a deck worker, and for stock workers that were given this queue."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from saq.job import Status
from saq.queue.base import logger

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
        if job.retryable and job.status is not Status.ABORTING:
            await queue.retry(job, error=queue.swept_error_message)
        else:
            await queue.finish(job, Status.ABORTED, error=queue.swept_error_message)
    return swept
