"""Undoing acts: each kind of undo record and what takes it back."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from quarterdeck.keys import keys_of
from quarterdeck.operate import jobs, queues
from quarterdeck.operate.jobs import Taken
from quarterdeck.script import Client

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quarterdeck.operate.audit import UndoRecord

MOST = 1_000
"""Retried jobs that one act remembers how to take back."""


def retry_data(taken: Sequence[Taken]) -> dict[str, Any]:
    """What an undo record of a retry holds."""
    return {"taken": msgspec.to_builtins(taken)}


async def take_back(client: Client, record: UndoRecord) -> Counter[str]:
    """Undo what `record` says; counts by word, `ok` for what was taken back."""
    if record.kind == "retry":
        taken = msgspec.convert(record.data["taken"], list[Taken])
        return Counter(await jobs.unretry(client, record.queue, taken))
    if record.kind == "bin":
        return Counter(await jobs.restore(client, record.queue, await binned(client, record.queue, record.data["act"])))
    if record.kind == "pause-queue":
        return Counter({"ok": int(await queues.resume(client, record.queue))})
    if record.kind == "enqueue":
        refs = jobs.refs_of(record.queue, [record.data["key"]])
        words = await jobs.delete(client, record.queue, refs, who=record.who, act="undo")
        return Counter("ok" if word in ("queued", "scheduled") else "started" for word in words)
    if record.kind == "resume-queue":
        await client.set(keys_of(record.queue).paused, record.data["stat"], pxat=record.data["until_ms"])
        return Counter({"ok": 1})
    return Counter({"unknown": 1})


async def binned(client: Client, queue: str, act: str) -> list[str]:
    """The members of the recycle bin that `act` put there, oldest first."""
    prefix = f"{act}/".encode()
    found: list[str] = []
    async for member, _ in client.zscan_iter(keys_of(queue).bin, match=prefix + b"*", count=1_000):
        if member.startswith(prefix):
            found.append(member.decode())
    return sorted(found)
