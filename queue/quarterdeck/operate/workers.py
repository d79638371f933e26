"""Telling workers what to do: commands are left for them and read with their next beat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from quarterdeck import keys
from quarterdeck.errors import RefusedError, UsageError
from quarterdeck.keys import keys_of
from quarterdeck.model import FunctionSpec
from quarterdeck.script import Client

if TYPE_CHECKING:
    from collections.abc import Sequence


COMMANDS: Final = ("quiet", "resume", "stop", "concurrency", "stack")
EXPIRY_S: Final = 120
"""A command that no worker fetched for so long is void."""


async def known_queues(client: Client, queues: Sequence[str] = ()) -> tuple[str, ...]:
    """The queues named, or all that deck workers, recorders or operators have met."""
    if queues:
        return tuple(queues)
    return tuple(sorted(name.decode() for name in await client.smembers(keys.QUEUES)))


async def find(client: Client, worker: str, queues: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """The queue under which `worker` (its id or its name, host:pid) beats, and its beat. Raises RefusedError."""
    for queue in queues:
        for field, raw in (await client.hgetall(keys_of(queue).workers)).items():
            beat = msgspec.json.decode(raw)
            if worker in (field.decode(), beat.get("name")):
                return queue, {**beat, "id": field.decode()}
    raise RefusedError(
        f"No deck worker is known as '{worker}'.",
        "Stock workers can't be told anything; `quarterdeck workers list` names those that can.",
    )


async def tell(client: Client, worker: str, command: str, value: str, *, who: str, queues: Sequence[str]) -> str:
    """Leave a command for `worker`; returns the worker's name. Raises RefusedError or UsageError."""
    if command not in COMMANDS:
        raise UsageError(f"Workers don't know '{command}'.", f"Use one of {', '.join(COMMANDS)}.")
    if command == "concurrency" and not (value.isdecimal() and 0 < int(value) <= 10_000):
        raise UsageError(f"'{value}' is no number of slots.", "Give a whole number from 1 to 10000.")
    queue, beat = await find(client, worker, queues)
    if beat.get("state") == "lost":
        raise RefusedError(f"The worker {beat.get('name')} is lost: it can't be told anything.")
    names = keys_of(queue)
    pipe = client.pipeline(transaction=False)
    pipe.rpush(names.control(beat["id"]), msgspec.json.encode({"command": command, "value": value, "who": who}))
    pipe.expire(names.control(beat["id"]), EXPIRY_S)
    await pipe.execute()
    return str(beat.get("name") or beat["id"])


async def specs(client: Client, queue: str) -> tuple[dict[str, FunctionSpec], bool]:
    """The functions that live deck workers of `queue` register, by name, and whether stock workers run it too."""
    names = keys_of(queue)
    seconds, micros = await client.time()
    now_ms = int(seconds) * 1000 + int(micros) // 1000
    pipe = client.pipeline(transaction=False)
    pipe.hgetall(names.workers)
    pipe.zrangebyscore(names.lease, now_ms, "+inf")
    pipe.zcount(names.stats, now_ms, "+inf")
    beats, live, registered = await pipe.execute()
    found: dict[str, FunctionSpec] = {}
    for worker in live:
        if worker not in beats:
            continue
        for item in msgspec.json.decode(beats[worker]).get("functions") or ():
            spec = msgspec.convert(item, FunctionSpec)
            found[spec.name] = spec
    return found, int(registered) > len(live)
