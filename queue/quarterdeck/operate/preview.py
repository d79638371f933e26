"""What an act on jobs would do, before it is done: the blast radius."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Final

import msgspec

from quarterdeck.keys import keys_of
from quarterdeck.model import BlastCard, JobRow, JobState, Selection, Tally, Verb
from quarterdeck.operate.matching import predicate_of
from quarterdeck.operate.selecting import Walk, rows_of
from quarterdeck.record.entry import decode_signature
from quarterdeck.script import Client

BUDGET: Final = 50_000
"""Jobs that a preview looks at one by one, at most."""
SAMPLE: Final = 3
RATE_MINUTES: Final = 5
SHORTEST_S: Final = 10
"""What ran within less than this is no rate yet: it is counted as if it had taken so long."""


class Radius(msgspec.Struct, kw_only=True):
    """What was counted so far."""

    count: int = 0
    exact: bool = True
    functions: Counter[str] = msgspec.field(default_factory=Counter)
    queues: Counter[str] = msgspec.field(default_factory=Counter)
    oldest_ms: int | None = None
    newest_ms: int | None = None
    sample: list[str] = msgspec.field(default_factory=list)

    def add(self, function: str, queue: str, count: int = 1) -> None:
        """Count jobs."""
        self.count += count
        self.functions[function or "?"] += count
        self.queues[queue] += count

    def span(self, at_ms: int) -> None:
        """Take a job's time into account."""
        if at_ms:
            self.oldest_ms = at_ms if self.oldest_ms is None else min(self.oldest_ms, at_ms)
            self.newest_ms = at_ms if self.newest_ms is None else max(self.newest_ms, at_ms)

    def show(self, row: JobRow) -> None:
        """Keep a row for the sample, while there is room."""
        if len(self.sample) < SAMPLE:
            self.sample.append(" ".join(part for part in (row.function, row.arguments, row.error) if part))


async def preview(
    client: Client, verb: Verb, selection: Selection, queues: Sequence[str], *, now_ms: int, command: str
) -> BlastCard:
    """Count what `selection` holds in `queues`. Exact unless a filter had to look at more than `BUDGET` jobs."""
    radius = Radius()
    if selection.refs:
        await _of_refs(client, radius, selection)
    else:
        for queue in queues:
            if _indexed(selection):
                await _of_signatures(client, radius, queue, selection.signature)
            else:
                await _of_walk(client, radius, queue, selection, now_ms)
    rate = await _rate(client, tuple(radius.queues))
    return BlastCard(
        verb=verb,
        count=radius.count,
        exact=radius.exact,
        functions=_tallies(radius.functions),
        queues=_tallies(radius.queues),
        oldest_ms=radius.oldest_ms,
        newest_ms=radius.newest_ms,
        sample=tuple(radius.sample),
        drain_s=radius.count / rate if rate and verb in (Verb.RETRY, Verb.RUN_NOW, Verb.RESTORE) else None,
        reversible=verb is not Verb.ABORT or selection.state is not JobState.ACTIVE,
        command=command,
    )


def _indexed(selection: Selection) -> bool:
    failed = selection.state in (None, JobState.FAILED)
    return failed and not selection.filter and not selection.function


async def _of_refs(client: Client, radius: Radius, selection: Selection) -> None:
    state = selection.state or JobState.FAILED
    for queue in sorted({ref.queue for ref in selection.refs}):
        refs = [ref for ref in selection.refs if ref.queue == queue]
        failed = [ref.key for ref in refs if ref.seen_ms] if state is JobState.FAILED else []
        other = [ref.key for ref in refs if ref.key not in set(failed)]
        rows = await rows_of(client, keys_of(queue), JobState.FAILED, failed) if failed else []
        rows += await rows_of(client, keys_of(queue), state if not failed else JobState.QUEUED, other) if other else []
        _count(radius, rows)


async def _of_signatures(client: Client, radius: Radius, queue: str, signature: str | None) -> None:
    """From the failed index alone: a set a signature, whatever it holds."""
    names = keys_of(queue)
    found = [signature.encode()] if signature else await client.zrange(names.signatures, 0, -1)
    if not found:
        return
    rows = await client.hmget(names.signature_rows, found)
    pipe = client.pipeline(transaction=False)
    for name in found:
        key = names.failed_of_signature(name.decode())
        pipe.zcard(key)
        pipe.zrange(key, 0, 0, withscores=True)
        pipe.zrange(key, -SAMPLE, -1, withscores=True)
    answers = await pipe.execute()
    newest: list[list[str]] = []
    for index, raw in enumerate(rows):
        card, first, last = answers[3 * index : 3 * index + 3]
        row = decode_signature(raw)
        if card:
            radius.add(row.function if row else "", queue, int(card))
            radius.span(int(first[0][1]))
            radius.span(int(last[-1][1]))
            newest.append([member.decode() for member, _ in reversed(last)])
    # The newest of each signature first, then their second ones.
    sample = [key for rank in zip_longest(*newest) for key in rank if key is not None][:SAMPLE]
    for shown in await rows_of(client, names, JobState.FAILED, sample) if sample else []:
        radius.show(shown)


async def _of_walk(client: Client, radius: Radius, queue: str, selection: Selection, now_ms: int) -> None:
    predicate = predicate_of(selection.filter, now_ms=now_ms)
    walk = Walk(client, queue, selection, until_ms=now_ms, predicate=predicate, rows=True)
    cursor, searched, exhausted = "", 0, False
    while not exhausted:
        if searched >= BUDGET:
            radius.exact = False
            return
        chunk = await walk.chunk(cursor)
        cursor, exhausted = chunk.cursor, chunk.exhausted
        searched += chunk.searched
        _count(radius, list(chunk.rows))


def _count(radius: Radius, rows: Sequence[JobRow]) -> None:
    for row in rows:
        radius.add(row.function, row.queue)
        radius.span(row.finished_ms or row.queued_ms)
        radius.show(row)


async def _rate(client: Client, queues: Sequence[str]) -> float:
    """Attempts a second that these queues finish: over the running minute and the last full one, else the last few."""
    if not queues:
        return 0.0
    seconds, _ = await client.time()
    minute, running_s = divmod(int(seconds), 60)
    pipe = client.pipeline(transaction=False)
    for back in range(RATE_MINUTES + 1):
        for queue in queues:
            pipe.hgetall(keys_of(queue).minute(minute - back))
    answers = await pipe.execute()
    size = len(queues)
    now, last, *before = (sum(map(_finished, answers[at : at + size])) for at in range(0, len(answers), size))
    if last:
        return (now + last) / (60 + running_s)
    return now / max(running_s, SHORTEST_S) if now else sum(before) / (60 * RATE_MINUTES)


def _finished(counts: Mapping[bytes, bytes]) -> int:
    """Attempts that ended in one minute."""
    return sum(int(value) for field, value in counts.items() if field.endswith((b"\tcomplete", b"\tfailed")))


def _tallies(counter: Counter[str]) -> tuple[Tally, ...]:
    return tuple(Tally(name=name, count=count) for name, count in counter.most_common(20))
