"""The flight recorder: what the overview showed, kept on the client in a bounded ring, so that one can look back.

Snapshots are kept as JSON, compressed in blocks against one another (successive snapshots are much alike): two a second
for the last minutes, then one in fifteen seconds, then one a minute.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from typing import Final

import msgspec

from quarterdeck.model import Snapshot, View

BUDGET: Final = 16 * 1024 * 1024
"""Bytes kept, at most."""
BLOCK: Final = 30
"""Snapshots compressed together."""
APART_MS: Final = 500
"""Between two snapshots at least: acts have some read in quick succession."""
COARSER: Final = ((10 * 60_000, 15_000), (2 * 3_600_000, 60_000))
"""From this age on (ms) one snapshot in so many ms is kept."""

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Snapshot)
_LIST: Final = msgspec.msgpack.Decoder(list[bytes])


class _Block:
    """Snapshots of some moments in their order, compressed together."""

    __slots__ = ("data", "moments")

    def __init__(self, moments: list[int], records: list[bytes]) -> None:
        self.moments = moments
        self.data = zlib.compress(_ENCODER.encode(records), 6)

    def records(self) -> list[bytes]:
        return _LIST.decode(zlib.decompress(self.data))


class FlightRecorder:
    """Keeps the snapshots of the overview that it is given, in at most `budget` bytes, and gives back those of a
    moment. A snapshot of another screen is kept without its page and detail."""

    def __init__(self, *, budget: int = BUDGET) -> None:
        self._budget = budget
        self._blocks: deque[_Block] = deque()
        self._moments: list[int] = []
        self._records: list[bytes] = []
        self._bytes = 0

    def __len__(self) -> int:
        return sum(len(block.moments) for block in self._blocks) + len(self._moments)

    @property
    def size_bytes(self) -> int:
        """Bytes that are kept."""
        return self._bytes + sum(map(len, self._records))

    @property
    def span_ms(self) -> tuple[int, int] | None:
        """The first and the last moment that are kept (epoch ms), None when nothing is."""
        moments = list(self._all_moments())
        return (moments[0], moments[-1]) if moments else None

    def keep(self, snapshot: Snapshot) -> None:
        """Keep a snapshot, unless it comes close after the last one kept, or before it (a clock that went back)."""
        last = self._moments[-1] if self._moments else self._blocks[-1].moments[-1] if self._blocks else 0
        if snapshot.taken_ms < last + APART_MS:
            return
        bare = msgspec.structs.replace(snapshot, view=View(), page=None, detail=None, functions=(), function_stats=())
        self._moments.append(snapshot.taken_ms)
        self._records.append(_ENCODER.encode(bare))
        if len(self._moments) >= BLOCK:
            self._close_block()
            self._thin(snapshot.taken_ms)

    def at(self, moment_ms: int) -> Snapshot | None:
        """What was seen at a moment: the last snapshot not after it, or the first one; None when nothing is kept."""
        if self._moments and (moment_ms >= self._moments[0] or not self._blocks):
            place = max(0, bisect_right(self._moments, moment_ms) - 1)
            return self._decoded(self._records[place], self._moments[place])
        for block in reversed(self._blocks):
            if block.moments[0] <= moment_ms:
                place = bisect_right(block.moments, moment_ms) - 1
                return self._decoded(block.records()[place], block.moments[place])
        if self._blocks:
            first = self._blocks[0]
            return self._decoded(first.records()[0], first.moments[0])
        return None

    def step(self, moment_ms: int, by: int) -> int | None:
        """The moment `by` snapshots after (or, negative, before) `moment_ms`; the first or last one at the ends."""
        moments = list(self._all_moments())
        if not moments:
            return None
        place = bisect_right(moments, moment_ms) - 1
        return moments[min(max(place + by, 0), len(moments) - 1)]

    def _all_moments(self) -> Iterator[int]:
        for block in self._blocks:
            yield from block.moments
        yield from self._moments

    @staticmethod
    def _decoded(record: bytes, moment_ms: int) -> Snapshot:
        return msgspec.structs.replace(_DECODER.decode(record), view=View(at_ms=moment_ms))

    def _close_block(self) -> None:
        block = _Block(self._moments, self._records)
        self._blocks.append(block)
        self._bytes += len(block.data)
        self._moments, self._records = [], []

    def _thin(self, now_ms: int) -> None:
        """Make what has grown old coarser, then drop the oldest until the budget is kept."""
        for age_ms, apart_ms in COARSER:
            self._thin_beyond(now_ms - age_ms, apart_ms)
        while self._bytes > self._budget and len(self._blocks) > 1:
            self._bytes -= len(self._blocks.popleft().data)

    def _thin_beyond(self, before_ms: int, apart_ms: int) -> None:
        """Rewrite the dense blocks that end before a moment, so that snapshots are `apart_ms` apart."""
        dense = [
            block
            for block in self._blocks
            if block.moments[-1] < before_ms
            and len(block.moments) > 1
            and (block.moments[-1] - block.moments[0]) / (len(block.moments) - 1) < apart_ms * 0.9
        ]
        if len(dense) * BLOCK < BLOCK * 4:  # not worth it yet: some blocks are rewritten at a time
            return
        moments: list[int] = []
        records: list[bytes] = []
        for block in dense:
            for moment, record in zip(block.moments, block.records(), strict=True):
                if not moments or moment - moments[-1] >= apart_ms:
                    moments.append(moment)
                    records.append(record)
        gone = set(map(id, dense))
        kept = [block for block in self._blocks if id(block) not in gone]
        kept += [_Block(moments[at : at + BLOCK], records[at : at + BLOCK]) for at in range(0, len(moments), BLOCK)]
        self._blocks = deque(sorted(kept, key=lambda block: block.moments[0]))
        self._bytes = sum(len(block.data) for block in self._blocks)
