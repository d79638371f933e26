"""Undoing acts: each kind of undo record and what takes it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec

from quarterdeck.keys import keys_of
from quarterdeck.operate import jobs, queues, retention
from quarterdeck.operate.audit import UndoRecord
from quarterdeck.operate.jobs import Taken
from quarterdeck.operate.timetable_acts import put_back
from quarterdeck.schedule import ScheduleBook, resume_stock
from quarterdeck.script import Client

MOST = 1_000
"""Retried jobs that one act remembers how to take back."""


def retry_data(taken: Sequence[Taken]) -> dict[str, Any]:
    """The `data` of an undo record of kind `retry`: under `taken` what the retry took out of the failed index."""
    return {"taken": msgspec.to_builtins(taken)}


async def take_back(client: Client, record: UndoRecord) -> Counter[str]:
    """Undo what `record` says; counts by word, `ok` for what was taken back."""
    undo = _UNDO.get(record.kind)
    return Counter({"unknown": 1}) if undo is None else await undo[1](client, record.queue, record)


def act_of(record: UndoRecord) -> str:
    """What undoing it amounts to, as `guard.NEEDED` names acts: taking a pause back is resuming."""
    undo = _UNDO.get(record.kind)
    return "undo" if undo is None else undo[0]


async def _retried(client: Client, queue: str, record: UndoRecord) -> Counter[str]:
    taken = msgspec.convert(record.data["taken"], list[Taken])
    return Counter(await jobs.unretry(client, queue, taken))


async def _binned(client: Client, queue: str, record: UndoRecord) -> Counter[str]:
    return Counter(await jobs.restore(client, queue, await binned(client, queue, record.data["act"])))


async def _enqueued(client: Client, queue: str, record: UndoRecord) -> Counter[str]:
    refs = jobs.refs_of(queue, [record.data["key"]])
    words = await jobs.delete(client, queue, refs, who=record.who, act="undo", waiting_only=True)
    return Counter("ok" if word in ("queued", "scheduled") else "started" for word in words)


async def _queue_paused(client: Client, queue: str, _: UndoRecord) -> Counter[str]:
    return Counter({"ok": int(await queues.resume(client, queue))})


async def _queue_resumed(client: Client, queue: str, record: UndoRecord) -> Counter[str]:
    await client.set(keys_of(queue).paused, record.data["stat"], pxat=record.data["until_ms"])
    return Counter({"ok": 1})


async def _schedule_paused(client: Client, queue: str, record: UndoRecord) -> Counter[str]:
    if record.data["stock"]:
        return Counter({"ok": int(await resume_stock(client, queue, record.data["stock"]))})
    return Counter({"ok": len(await ScheduleBook(client, queue).resume([record.data["name"]]))})


async def _next_skipped(client: Client, queue: str, record: UndoRecord) -> Counter[str]:
    done = await ScheduleBook(client, queue).skip_next(record.data["name"], who=record.who, skip=False)
    return Counter({"ok": int(done)})


async def _schedules_paused(client: Client, queue: str, record: UndoRecord) -> Counter[str]:
    return Counter({"ok": len(await ScheduleBook(client, queue).resume(record.data["names"]))})


async def _schedule_added(client: Client, queue: str, record: UndoRecord) -> Counter[str]:
    await ScheduleBook(client, queue).delete(record.data["name"], who=record.who, reason="undo")
    return Counter({"ok": 1})


async def _schedule_defined(client: Client, queue: str, record: UndoRecord) -> Counter[str]:
    return Counter({"ok" if await put_back(client, queue, record.data) else "changed": 1})


async def _retention_set(client: Client, queue: str, record: UndoRecord) -> Counter[str]:
    await retention.put(client, queue, record.data)
    return Counter({"ok": 1})


_UNDO: Final[dict[str, tuple[str, Callable[[Client, str, UndoRecord], Awaitable[Counter[str]]]]]] = {
    "retry": ("retry", _retried),
    "bin": ("restore", _binned),
    "enqueue": ("enqueue", _enqueued),
    "pause-queue": ("resume", _queue_paused),
    "resume-queue": ("pause", _queue_resumed),
    "pause-schedule": ("resume", _schedule_paused),
    "pause-schedules": ("resume", _schedules_paused),
    "add-schedule": ("define-schedule", _schedule_added),
    "define-schedule": ("define-schedule", _schedule_defined),
    "skip-next": ("skip", _next_skipped),
    "retention": ("retention", _retention_set),
}
"""Kind of the record → the act that undoing amounts to, and what does it."""


async def binned(client: Client, queue: str, act: str) -> list[str | bytes]:
    """The members of the recycle bin that `act` put there, in their order; garbage may have any bytes in its name."""
    prefix = f"{act}/".encode()
    found: list[str | bytes] = []
    async for member, _ in client.zscan_iter(keys_of(queue).bin, match=prefix + b"*", count=1_000):
        if member.startswith(prefix):
            found.append(member)
    return sorted(found)
