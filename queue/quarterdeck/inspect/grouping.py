"""What is known of failure groups between two snapshots, so that a refresh counts only what has changed.

The steps of a group's trend are whole five minutes. Those that are over change only when jobs leave the group, and then
its number of jobs does not fit any more: the script sees that and reads the group anew (`lua/groups.lua`).
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from quarterdeck.inspect.plan import moment_ms, text
from quarterdeck.record import SignatureRow, decode_failed, decode_signature

STEPS: Final = 12
"""Steps of the trend: five minutes each, an hour in all."""
STEP_MS: Final = 300_000
MOST: Final = 500
"""Signatures of a queue that the failures screen looks at, last seen first."""

ANEW: Final = 10
"""In one of so many snapshots one group is read anew though nothing tells of a change: a job that left while another
was recorded late leaves the numbers as they were."""

_ENCODER: Final = msgspec.msgpack.Encoder()


class Seen(msgspec.Struct):
    """One group as it was read last. `last` is when a job of it failed last, as the server writes it (epoch ms)."""

    signature: str
    last: str
    count: int
    row: SignatureRow | None
    first_ms: int
    trend: list[int]
    """Jobs by step, oldest first; the last is step number `step` (epoch ms // STEP_MS)."""
    step: int
    aborted: bool = False
    """Whether somebody stopped these jobs: they did not fail by themselves."""
    exact: bool = True
    """Whether the trend was read; until then it is all zeros."""

    def words(self) -> str:
        """What the script compares: last, count, step, jobs in that step, jobs in those before it."""
        return f"{self.last} {self.count} {self.step} {self.trend[-1]} {sum(self.trend[:-1])}"

    def move_to(self, step: int) -> None:
        """Let time pass: the steps that begin are empty so far."""
        passed = min(STEPS, max(0, step - self.step))
        self.trend = self.trend[passed:] + [0] * passed
        self.step = step


class GroupStore:
    """The failure groups of one queue."""

    def __init__(self) -> None:
        self._seen: dict[str, Seen] = {}
        self._listed: list[Seen] = []
        self._rest: tuple[int, bytes] = (-1, b"")
        self._turn = 0

    def known(self, most: int) -> tuple[int, bytes, bytes]:
        """What the script need not read again: how many failed jobs there are and the list's words if nothing has
        changed, and what is known of the `most` groups seen last (msgpack)."""
        self._turn += 1
        newest = sorted(self._seen.values(), key=lambda seen: float(seen.last), reverse=True)[:most]
        rest = self._rest
        if newest and self._turn % ANEW == 0:
            del newest[self._turn // ANEW % len(newest)]
            rest = (-1, b"")
        return *rest, _ENCODER.encode({seen.signature: seen.words() for seen in newest if seen.exact})

    def absorb(self, reply: list[Any]) -> list[Seen]:
        """Take in the script's reply; returns the groups that it names, last seen first."""
        if len(reply) > 1:
            step, failed, words, rows = reply
            self._listed = [self._taken(step, *(row if isinstance(row, list) else (row,))) for row in rows]
            self._rest = (
                (failed, words) if all(seen.exact for seen in self._listed) and failed is not None else (-1, b"")
            )
            listed = {seen.signature: seen for seen in self._listed}
            others = (seen for name, seen in self._seen.items() if name not in listed)
            kept = sorted(others, key=lambda seen: float(seen.last), reverse=True)[: max(0, MOST - len(listed))]
            self._seen = listed | {seen.signature: seen for seen in kept}
        elif reply:
            for seen in self._listed:
                seen.move_to(reply[0])
        return self._listed if reply else []

    def _taken(self, step: int, signature: bytes, *news: Any) -> Seen:
        """A group from a row of the reply: what it says anew, the rest as it was."""
        name = text(signature)
        seen = self._seen.get(name)
        if not news and seen is not None:
            seen.move_to(step)
            return seen
        last, count, row, first, counts, sample = news
        anew = len(counts) == STEPS
        if seen is None or anew:
            trend = list(counts) if anew else [0] * STEPS
            found = decode_failed(sample)
            aborted = found is not None and found.status == "aborted"
            known = decode_signature(row)
            return Seen(name, text(last), count, known, moment_ms(first), trend, step, aborted=aborted, exact=anew)
        seen.move_to(step)
        if counts:
            seen.trend[-len(counts) :] = counts
        seen.last, seen.count, seen.exact = text(last), count, seen.exact and bool(counts)
        seen.first_ms = moment_ms(first) or seen.first_ms
        seen.row = decode_signature(row) if row else seen.row
        return seen
