"""Pausing and resuming queues. Deck workers find `qd:paused:Q` with each take; stock workers don't look."""

from __future__ import annotations

import msgspec

from quarterdeck.errors import RefusedError
from quarterdeck.keys import keys_of
from quarterdeck.model import PauseStat
from quarterdeck.script import Client


async def server_ms(client: Client) -> int:
    """The server's clock, epoch ms (TIME)."""
    seconds, micros = await client.time()
    return int(seconds) * 1000 + int(micros) // 1000


async def pause(client: Client, queue: str, *, owner: str, reason: str, for_s: float | None) -> PauseStat:
    """Pause `queue` for `for_s` seconds, or until resumed (None). RefusedError when only stock workers run it."""
    now_ms = await server_ms(client)
    names = keys_of(queue)
    pipe = client.pipeline(transaction=False)
    pipe.zcount(names.lease, now_ms, "+inf")
    pipe.zcount(names.stats, now_ms, "+inf")
    deck, registered = await pipe.execute()
    if registered and not deck:
        raise RefusedError(
            f"The queue '{queue}' is run by stock SAQ workers, which can't be paused.",
            "Run it with `quarterdeck worker` to pause it.",
        )
    until_ms = None if for_s is None else now_ms + int(for_s * 1000)
    stat = PauseStat(owner=owner, reason=reason, at_ms=now_ms, until_ms=until_ms)
    await client.set(names.paused, msgspec.json.encode(stat), pxat=until_ms)
    return stat


async def resume(client: Client, queue: str) -> bool:
    """Resume `queue`; False when it was not paused."""
    return bool(await client.delete(keys_of(queue).paused))
