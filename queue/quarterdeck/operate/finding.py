"""Where a job is when only its key is known, and whether there is a queue of a name that somebody typed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from quarterdeck.errors import UsageError
from quarterdeck.keys import QUEUES, keys_of
from quarterdeck.operate.arguments import nearest


async def queues_of(client: Any, queues: Iterable[str], key: str) -> list[str]:
    """Those of `queues` that know a job called `key`: stored by SAQ, or kept among the failed ones."""
    found = []
    for queue in queues:
        keys = keys_of(queue)
        if await client.exists(keys.job(key)) or await client.zscore(keys.failed, key) is not None:
            found.append(queue)
    return found


async def require_queue(client: Any, queue: str) -> None:
    """Raise UsageError, with the nearest name, unless anything is there of a queue called `queue`."""
    keys = keys_of(queue)
    traces = (keys.queued, keys.active, keys.incomplete, keys.stats, keys.workers, keys.paused)
    if await client.sismember(QUEUES, queue) or await client.exists(*traces):
        return
    known = sorted(name.decode() for name in await client.smembers(QUEUES))
    raise UsageError(
        f"There is no queue '{queue}'.", nearest(queue, known) or f"Known: {', '.join(known[:20]) or 'none'}."
    )
