"""Setting the bounds of what a queue keeps. Workers and recorders read them with their beats, and trim by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from quarterdeck.keys import keys_of
from quarterdeck.model import Tally
from quarterdeck.record.bounds import BOUNDS, Bound
from quarterdeck.script import Client, load

COUNTED: Final = 10_000
"""Entries of the history that are counted where they must be read for it."""
_KINDS: Final = {bound.kind: bound.of for bound in BOUNDS}


async def beyond(client: Client, queue: str, limits: Mapping[Bound, int | None]) -> tuple[Tally, ...]:
    """What `limits` (None: the usual one) would drop, and how many; empty when nothing goes."""
    keys = keys_of(queue)
    pairs = [part for bound, limit in limits.items() for part in (bound.name, bound.usual if limit is None else limit)]
    script = load("quarterdeck.operate", "beyond", "quarterdeck.record:names")
    found = await script(client, [keys.queued], [queue, keys.schedule_history(""), COUNTED, *pairs])
    tallies = zip(found[::2], found[1::2], strict=True)
    return tuple(Tally(name=_KINDS[kind.decode()], count=int(count)) for kind, count in tallies if int(count))


async def stored(client: Client, queue: str, bounds: tuple[Bound, ...]) -> dict[Bound, bytes | None]:
    """What stands in `qd:retention:Q` for these bounds; None where nothing does."""
    found = await client.hmget(keys_of(queue).retention, [bound.name for bound in bounds])
    return dict(zip(bounds, found, strict=True))


async def put(client: Client, queue: str, values: Mapping[str, str | int | None]) -> None:
    """Write fields of `qd:retention:Q`; None takes one away, so that the usual bound holds."""
    key = keys_of(queue).retention
    kept = {name: value for name, value in values.items() if value is not None}
    gone = [name for name, value in values.items() if value is None]
    pipe = client.pipeline(transaction=True)
    if kept:
        pipe.hset(key, mapping=kept)
    if gone:
        pipe.hdel(key, *gone)
    await pipe.execute()
