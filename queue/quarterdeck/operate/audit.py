"""The audit: a capped stream of what operators did, and the records that undo it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from quarterdeck import keys
from quarterdeck.model import AuditRow
from quarterdeck.script import Client
from quarterdeck.text import mask_text

if TYPE_CHECKING:
    from quarterdeck.operate.identity import Identity

KEEP = 20_000
"""Acts kept in the stream."""
UNDO_S = 24 * 3600
"""How long an act can be undone."""


class UndoRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How to undo an act: the method of `undo.py` that does it, and what it needs."""

    kind: str
    queue: str = ""
    who: str = ""
    data: dict[str, Any] = msgspec.field(default_factory=dict)


class Audit:
    """Writes acts; `inspect` reads them."""

    def __init__(self, client: Client, identity: Identity) -> None:
        self._client = client
        self._identity = identity
        self._sequence = 0

    def new_act(self) -> str:
        """A new act's id: unique, in order of time for one operator."""
        self._sequence += 1
        return f"{int(time.time() * 1000):x}-{self._sequence:x}-{self._identity.id.rsplit(':', 1)[1]}"

    async def write(
        self,
        verb: str,
        subject: str,
        *,
        queue: str = "",
        reason: str = "",
        done: int = 0,
        skipped: int = 0,
        command: str = "",
        undo: str = "",
        undo_record: UndoRecord | None = None,
    ) -> None:
        """Add an act; with an `undo_record` it can be undone by the id `undo` for `UNDO_S` seconds."""
        row = AuditRow(
            id="",
            at_ms=0,
            who=self._identity.who,
            origin=self._identity.origin,
            verb=verb,
            subject=mask_text(subject)[:500],
            reason=mask_text(reason)[:500],
            done=done,
            skipped=skipped,
            command=command,
            queue=queue,
            undo=undo if undo_record is not None else "",
        )
        pipe = self._client.pipeline(transaction=False)
        pipe.xadd(keys.AUDIT, {"r": msgspec.json.encode(row)}, maxlen=KEEP, approximate=True)
        if undo_record is not None:
            pipe.set(keys.undo(undo), msgspec.json.encode(undo_record), ex=UNDO_S)
        await pipe.execute()

    async def newest_undo(self) -> str:
        """The id of this operator's newest act that can still be undone, or an empty string."""
        for _, fields in await self._client.xrevrange(keys.AUDIT, count=500):
            row = msgspec.json.decode(fields[b"r"], type=AuditRow)
            if row.who == self._identity.who and row.undo and await self._client.exists(keys.undo(row.undo)):
                return row.undo
        return ""

    async def undo_record(self, undo: str) -> UndoRecord | None:
        """The undo record of an act, left where it is; None when there is none any more."""
        raw = await self._client.get(keys.undo(undo))
        return msgspec.json.decode(raw, type=UndoRecord) if raw else None

    async def take_undo(self, undo: str) -> UndoRecord | None:
        """The undo record of an act, removed, so that it is undone once; None when there is none any more."""
        raw = await self._client.getdel(keys.undo(undo))
        return msgspec.json.decode(raw, type=UndoRecord) if raw else None
