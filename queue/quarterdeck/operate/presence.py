"""Who else is attached: every dashboard says so every few seconds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from quarterdeck import keys
from quarterdeck.model import OperatorRow
from quarterdeck.script import Client

if TYPE_CHECKING:
    from quarterdeck.operate.identity import Identity

GONE_MS = 30_000
"""An operator who was not heard of for so long is gone."""


class Presence:
    """This operator's entry in `qd:operators`; entries of those long gone are swept by whoever comes by."""

    def __init__(self, client: Client, identity: Identity) -> None:
        self._client = client
        self._identity = identity
        self._since_ms = 0

    async def beat(self, screen: str) -> None:
        """Say that this operator is here, looking at `screen`."""
        seconds, micros = await self._client.time()
        now_ms = int(seconds * 1000 + micros // 1000)
        self._since_ms = self._since_ms or now_ms
        row = OperatorRow(
            id=self._identity.id,
            who=self._identity.who,
            origin=self._identity.origin,
            since_ms=self._since_ms,
            seen_ms=now_ms,
            screen=screen,
        )
        await self._client.hset(keys.OPERATORS, self._identity.id, msgspec.json.encode(row))
        if int(time.monotonic()) % 10 == 0:
            await self._sweep(now_ms)

    async def leave(self) -> None:
        """Take this operator's entry away."""
        await self._client.hdel(keys.OPERATORS, self._identity.id)

    async def _sweep(self, now_ms: int) -> None:
        entries = await self._client.hgetall(keys.OPERATORS)
        for field, raw in entries.items():
            if now_ms - msgspec.json.decode(raw, type=OperatorRow).seen_ms > 2 * GONE_MS:
                await self._client.hdel(keys.OPERATORS, field)
