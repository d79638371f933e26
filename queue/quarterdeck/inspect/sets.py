"""Small collections that operators look after: the recycle bin, the quarantine, bulk operations, who is attached."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from quarterdeck import keys as names
from quarterdeck.inspect.filter import Filter
from quarterdeck.inspect.plan import Answer, Plan, moment_ms, text
from quarterdeck.keys import keys_of
from quarterdeck.model import AnyRow, BinRow, BulkRow, JobState, OperatorRow, Page, QuarantineRow, View
from quarterdeck.text import mask_text

MOST: Final = 1_000
"""Entries of a hash that are read whole."""
GONE_MS: Final = 30_000
"""An operator who was not heard of for so long is gone."""
ENDED_MS: Final = 600_000
"""How long an ended bulk operation stays on every screen."""
LIVE: Final = frozenset({"waiting", "running", "paused"})

_BULK: Final = msgspec.json.Decoder(BulkRow, strict=False)
_OPERATOR: Final = msgspec.json.Decoder(OperatorRow, strict=False)
_BIN_STATES: Final = {"queued": JobState.QUEUED, "scheduled": JobState.SCHEDULED, "complete": JobState.COMPLETE}


class Held(msgspec.Struct, frozen=True):
    """A record of `qd:quarantine:Q`."""

    key: str = ""
    reason: str = ""
    at_ms: int = 0
    raw: str = ""
    rule: str = ""
    function: str = ""


class Binned(msgspec.Struct, frozen=True):
    """A record of `qd:bin-jobs:Q`."""

    key: str = ""
    was: str = ""
    who: str = ""
    act: str = ""
    deleted_ms: int = 0
    expires_ms: int = 0


class FailedWords(msgspec.Struct, frozen=True):
    """What the bin shows of a failed job's row."""

    function: str = ""
    error: str = ""
    status: str = ""


_HELD: Final = msgspec.json.Decoder(Held, strict=False)
_BINNED: Final = msgspec.json.Decoder(Binned, strict=False)
_WORDS: Final = msgspec.json.Decoder(FailedWords, strict=False)


class OperatorsPart:
    """Who is attached."""

    def __init__(self, plan: Plan) -> None:
        self.answer = plan.ask(names.OPERATORS, "small", "HLEN", names.OPERATORS, MOST, "HGETALL", names.OPERATORS)

    def rows(self, now_ms: int) -> tuple[OperatorRow, ...]:
        """Those who were heard of lately, the longest attached first."""
        found = [row for raw in _values(self.answer) if (row := decoded(_OPERATOR, raw)) is not None]
        here = [row for row in found if now_ms - row.seen_ms <= GONE_MS]
        return tuple(sorted(here, key=lambda row: (row.since_ms, row.id)))


class BulksPart:
    """Bulk operations of some queues."""

    def __init__(self, plan: Plan, queues: Iterable[str]) -> None:
        keys = [keys_of(queue).bulks for queue in queues]
        self.answers = [plan.ask(key, "small", "HLEN", key, MOST, "HGETALL", key) for key in keys]

    def rows(self) -> list[BulkRow]:
        """All of them, newest first."""
        raws = [raw for answer in self.answers for raw in _values(answer)]
        found = [row for raw in raws if (row := decoded(_BULK, raw)) is not None]
        return sorted(found, key=lambda row: (row.started_ms, row.id), reverse=True)

    def current(self, now_ms: int) -> tuple[BulkRow, ...]:
        """Those that go on, and those that began in the last minutes."""
        return tuple(row for row in self.rows() if row.state in LIVE or now_ms - row.started_ms < ENDED_MS)


class QuarantinePart:
    """What was set aside in some queues; of very many only the jobs that rules hold."""

    def __init__(self, plan: Plan, view: View, queues: Sequence[str]) -> None:
        self.queues = queues
        self._small = []
        self._held = []
        last = min(view.offset + view.limit, MOST) - 1
        for queue in queues:
            keys = keys_of(queue)
            reads = ("small", "HLEN", keys.quarantine, MOST, "HGETALL", keys.quarantine)
            self._small.append(plan.ask(keys.queued, *reads))
            self._held.append(plan.ask(keys.queued, "rows", keys.held, keys.quarantine, 0, last, "1"))

    def rows(self) -> tuple[list[QuarantineRow], int]:
        """The rows, newest first, and how many there are in all."""
        rows, total = [], 0
        for queue, small, held in zip(self.queues, self._small, self._held, strict=True):
            size, flat = small.rows() or (0, [])
            total += size
            pairs = list(zip(flat[::2], flat[1::2], strict=False)) or [(row[0], row[2]) for row in held.rows()]
            rows += [_quarantine_row(queue, text(entry), raw) for entry, raw in pairs]
        return sorted(rows, key=lambda row: (row.at_ms, row.id), reverse=True), total


class BinPart:
    """The recycle bin of some queues, newest first."""

    def __init__(self, plan: Plan, view: View, queues: Sequence[str]) -> None:
        self.queues = queues
        count = MOST if view.filter else min(view.offset + view.limit, MOST)
        self._answers = []
        self._lengths = []
        for queue in queues:
            keys = keys_of(queue)
            self._answers.append(plan.ask(keys.queued, "bin", keys.bin, keys.bin_jobs, count))
            self._lengths.append(plan.call(keys.bin, "ZCARD"))

    def rows(self) -> tuple[list[BinRow], int]:
        """The rows, newest first, and how many there are in all."""
        rows = [
            _bin_row(queue, *row)
            for queue, answer in zip(self.queues, self._answers, strict=True)
            for row in answer.rows()
        ]
        rows.sort(key=lambda row: (row.deleted_ms, row.id), reverse=True)
        return rows, sum(answer.number() for answer in self._lengths)


def page_of(view: View, rows: Sequence[AnyRow], total: int, wanted: Filter, now_ms: int) -> Page:
    """The window of rows that are at hand, filtered when asked for."""
    searched = len(rows)
    if wanted:
        rows = [row for row in rows if wanted.matches(row, now_ms=now_ms)]
    return Page(
        offset=view.offset,
        total=len(rows) if wanted else total,
        rows=tuple(rows[view.offset : view.offset + view.limit]),
        searched=searched,
        total_unfiltered=total,
    )


def decoded(decoder: msgspec.json.Decoder[Any], raw: bytes | None) -> Any:
    """The record in `raw`, or None when it is missing or damaged."""
    try:
        return decoder.decode(raw) if raw else None
    except (ValueError, RecursionError):
        return None


def _values(answer: Answer) -> list[bytes]:
    found = answer.rows()
    return list(found[1][1::2]) if found else []


def _quarantine_row(queue: str, entry: str, raw: bytes | None) -> QuarantineRow:
    found = decoded(_HELD, raw) or Held(key=entry, reason="its record can't be read")
    return QuarantineRow(
        id=f"{queue}/{entry}",
        queue=queue,
        key=found.key or entry,
        reason=found.reason,
        at_ms=found.at_ms,
        raw=mask_text(found.raw),
        rule=found.rule,
        function=found.function,
    )


def _bin_row(queue: str, member: bytes, deleted: bytes, record: bytes | None, failed: bytes | None) -> BinRow:
    found = decoded(_BINNED, record) or Binned(key=text(member).partition("/")[2])
    words = decoded(_WORDS, failed) or FailedWords()
    was = JobState.ABORTED if words.status == "aborted" else _BIN_STATES.get(found.was, JobState.FAILED)
    aside = found.was == "aside"
    return BinRow(
        id=f"{queue}/{text(member)}",
        queue=queue,
        key=found.key.removeprefix(keys_of(queue).job("")) if aside else found.key,
        function=words.function,
        deleted_ms=moment_ms(deleted),
        expires_ms=found.expires_ms,
        who=found.who,
        was=was,
        act=found.act,
        error=words.error,
        aside=aside,
    )
