"""From a selection to job references, chunk by chunk: nothing is copied, however many match.

A cursor is a text that says where to go on. For sorted sets it is `score:member` of the last one seen (members with
equal scores come in the order of their names), for lists an offset, for named jobs an index.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from quarterdeck.errors import UsageError
from quarterdeck.inspect.jobs import failed_row
from quarterdeck.inspect.payload import job_row, read_payload
from quarterdeck.keys import QueueKeys, keys_of
from quarterdeck.model import JobRef, JobRow, JobState, Selection
from quarterdeck.script import Client

Predicate = Callable[[JobRow], bool]

SIZE: Final = 500
"""Members looked at a step."""


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """Matching jobs of one step, where to go on, and whether that was all. `searched` counts the members looked at."""

    refs: tuple[JobRef, ...]
    rows: tuple[JobRow, ...] = ()
    """The rows of `refs`, when the filter or the caller needed them."""
    cursor: str
    exhausted: bool
    searched: int = 0


def source_of(names: QueueKeys, selection: Selection) -> str:
    """The key whose members the selection walks."""
    state = selection.state or JobState.FAILED
    if state in (JobState.FAILED, JobState.ABORTED):
        if selection.signature:
            return names.failed_of_signature(selection.signature)
        return names.failed_of_function(selection.function) if selection.function else names.failed
    if state is JobState.SCHEDULED:
        return names.incomplete
    if state is JobState.QUEUED:
        return names.queued
    if state is JobState.ACTIVE:
        return names.active
    raise UsageError(
        f"Jobs that are {state} can't be selected in bulk.", "Select failed, queued, scheduled or active jobs."
    )


async def count(client: Client, queue: str, selection: Selection, *, until_ms: int) -> int | None:
    """How many the selection holds, from the index alone; None when only a search can tell."""
    if selection.refs:
        return len(selection.refs)
    if selection.filter or (
        selection.function and (selection.signature or selection.state not in (None, JobState.FAILED))
    ):
        return None
    key = source_of(keys_of(queue), selection)
    if selection.state in (JobState.QUEUED, JobState.ACTIVE):
        return int(await client.llen(key))
    if selection.state is JobState.SCHEDULED:
        return int(await client.zcount(key, "(0", "+inf"))
    return int(await client.zcount(key, "-inf", until_ms))


class Walk:
    """The jobs of one queue that a selection holds, a chunk a call.

    Failed jobs count only when they failed before `until_ms`, the operation's start. With `rows` the chunks carry rows;
    `leaving` says that the caller's act takes what it was given off the queue before it asks for more.
    """

    def __init__(
        self,
        client: Client,
        queue: str,
        selection: Selection,
        *,
        until_ms: int,
        predicate: Predicate | None = None,
        rows: bool = False,
        leaving: bool = False,
    ) -> None:
        self._client = client
        self._names = keys_of(queue)
        self._selection = selection
        self._key = source_of(self._names, selection)
        self._until_ms = until_ms
        self._predicate = predicate
        self._scheduled = selection.state is JobState.SCHEDULED
        self._leaving = leaving and selection.state is JobState.QUEUED
        self._want_rows = rows or predicate is not None or bool(selection.function)

    async def chunk(self, cursor: str) -> Chunk:
        """The matching jobs of the next step after `cursor` (empty: from the start)."""
        if self._selection.state in (JobState.QUEUED, JobState.ACTIVE):
            return await self._from_list(cursor)
        return await self._from_sorted_set(cursor)

    async def _from_sorted_set(self, cursor: str) -> Chunk:
        score, _, last = cursor.partition(":")
        low = score or ("(0" if self._scheduled else "-inf")
        high = "+inf" if self._scheduled else self._until_ms
        found = await self._client.zrangebyscore(self._key, low, high, start=0, num=SIZE, withscores=True)
        # Members that share the last score and were seen already come again: they are passed over by name.
        fresh = [(member, at) for member, at in found if not score or (at, member.decode()) > (float(score), last)]
        if found and not fresh and len(found) == SIZE:
            return await self._among_equals(score, last)
        return await self._of_members(fresh, cursor, exhausted=len(found) < SIZE)

    async def _among_equals(self, score: str, last: str) -> Chunk:
        """More than a step's worth of members share one score (a mass failure within a millisecond): go on by rank."""
        rank = await self._client.zrank(self._key, last)
        start = int(rank) + 1 if rank is not None else int(await self._client.zcount(self._key, "-inf", f"({score}"))
        found = await self._client.zrange(self._key, start, start + SIZE - 1, withscores=True)
        return await self._of_members(found, f"{score}:{last}", exhausted=len(found) < SIZE)

    async def _of_members(self, found: list[tuple[bytes, float]], cursor: str, *, exhausted: bool) -> Chunk:
        if not found:
            return Chunk(refs=(), cursor=cursor, exhausted=True)
        members = [member.decode() for member, _ in found]
        keys = [self._names.job_key(member) for member in members] if self._scheduled else members
        refs, rows = await self._matching(keys, [0 if self._scheduled else int(at) for _, at in found])
        after = f"{found[-1][1]!r}:{members[-1]}"
        return Chunk(refs=refs, rows=rows, cursor=after, exhausted=exhausted, searched=len(found))

    async def _from_list(self, cursor: str) -> Chunk:
        """Lists have no stable positions: the walk goes from the tail, where only new jobs come, to the head."""
        length = int(await self._client.llen(self._key))
        done = int(cursor or 0)
        if done >= length:
            return Chunk(refs=(), cursor=cursor, exhausted=True)
        ids = await self._client.lrange(self._key, max(-length, -done - SIZE), -done - 1)
        keys = [self._names.job_key(job_id.decode()) for job_id in reversed(ids)]
        refs, rows = await self._matching(keys, [0] * len(keys))
        # What is acted on leaves the list: only what stays counts as walked over.
        walked = done + len(keys) - (len(refs) if self._leaving else 0)
        return Chunk(refs=refs, rows=rows, cursor=str(walked), exhausted=len(ids) < SIZE, searched=len(ids))

    async def _matching(self, keys: list[str], seen: list[int]) -> tuple[tuple[JobRef, ...], tuple[JobRow, ...]]:
        refs = [JobRef(queue=self._names.queue, key=key, seen_ms=at) for key, at in zip(keys, seen, strict=True)]
        if not self._want_rows:
            return tuple(refs), ()
        rows = await rows_of(self._client, self._names, self._selection.state or JobState.FAILED, keys)
        matching = [pair for pair in zip(refs, rows, strict=True) if self._matches(pair[1])]
        return tuple(ref for ref, _ in matching), tuple(row for _, row in matching)

    def _matches(self, row: JobRow) -> bool:
        if self._selection.function and row.function != self._selection.function:
            return False
        return self._predicate is None or self._predicate(row)


async def rows_of(client: Client, names: QueueKeys, state: JobState, members: list[str]) -> list[JobRow]:
    """The rows of the jobs with the keys `members`, which are in `state`: those that the screen lists and filters."""
    if state in (JobState.FAILED, JobState.ABORTED):
        records = await client.hmget(names.failed_rows, members)
        return [failed_row(names.queue, key, None, raw) for key, raw in zip(members, records, strict=True)]
    raws = await client.mget([names.job(key) for key in members])
    return [_row(names, key, raw or b"", state) for key, raw in zip(members, raws, strict=True)]


def _row(names: QueueKeys, key: str, raw: bytes, state: JobState) -> JobRow:
    reading = read_payload(len(raw), raw, b"", queue=names.queue)
    return job_row(names.queue, names.job(key), state, reading, size=len(raw))
