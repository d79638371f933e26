"""Stopping the run that a newer tick takes the place of (overlap `cancel`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from quarterdeck.broker.scripts import script as engine_script
from quarterdeck.keys import keys_of
from quarterdeck.schedule.scripts import script

REASON: Final = "A newer tick of its schedule takes its place."
MARKER_MS: Final = 30_000
"""How long SAQ's abort marker stays: longer than a worker takes to notice it."""


async def cancel_runs(client: Any, queue: str, keys: Sequence[str]) -> None:
    """Abort these jobs as SAQ does: a waiting one leaves the queue, a running one is stopped by its worker.

    A crash between the tick and this call loses nothing: the scripts name the jobs until they are told off the list.
    """
    names = keys_of(queue)
    for key in keys:
        payload = await client.get(names.job(key))
        if payload is not None and await client.zscore(names.incomplete, names.job(key)) is not None:
            aborting = _with_status(payload, "aborting")
            where = await engine_script("abort")(client, [names.queued], [queue, key, aborting, MARKER_MS, REASON])
            if where == b"waiting":
                await client.set(names.job(key), _with_status(payload, "aborted"), ex=600)
                await client.delete(names.abort(key))
        await script("control")(client, [names.schedule_due], [queue, 0, "cancelled", key])


def _with_status(payload: bytes, status: str) -> bytes:
    try:
        fields: dict[str, Any] = msgspec.json.decode(payload, type=dict[str, Any])
    except msgspec.MsgspecError:
        return payload
    return msgspec.json.encode(fields | {"status": status, "error": REASON})
