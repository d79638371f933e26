"""Acts on jobs of one queue, in chunks of one script call: retry, take back, bin, restore, abort, run now.

Each function takes what it acts on and answers, in the same order, with a word for each: what was done, or why not.
The scripts in `lua/` say which words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from quarterdeck.keys import keys_of
from quarterdeck.model import JobRef
from quarterdeck.operate import payload
from quarterdeck.operate.queues import server_ms
from quarterdeck.record.entry import decode_failed
from quarterdeck.script import Argument, Client, Script, load
from quarterdeck.text import plainjson

Item = TypeVar("Item")

CHUNK: Final = 125
"""Jobs a script call: a few ms of the server's time."""
TOGETHER: Final = 4
"""Chunks of one retry that are under way at a time."""
BIN_JOBS: Final = 50_000
"""Jobs that a queue's recycle bin holds at most."""
BIN_MS: Final = 7 * 24 * 3600 * 1000
"""How long the recycle bin holds a job."""
ABORT_S: Final = 60
"""How long an abort marker waits for its worker."""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A failed job as it stood before it was retried, to take the retry back."""

    key: str
    at_ms: int
    row: bytes
    raw: bytes
    signature_row: bytes = b""


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """What a retry did: a word for each job, and what can be taken back."""

    answers: tuple[str, ...]
    taken: tuple[Taken, ...]


def script(name: str) -> Script:
    """A script of this room, with the shared functions before it."""
    record = [f"quarterdeck.record:{each}" for each in ("names", "failed")]
    return load("quarterdeck.operate", name, *record, "quarterdeck.broker:tell", "index", "binning")


def chunks(items: Sequence[Item], size: int = CHUNK) -> Iterator[Sequence[Item]]:
    """`items` in slices of `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


async def _run(client: Client, name: str, queue: str, args: Sequence[Argument]) -> tuple[str, ...]:
    answers = await script(name)(client, [keys_of(queue).queued], [queue, *args])
    return tuple(answer.decode() for answer in answers)


async def retry(
    client: Client,
    queue: str,
    refs: Sequence[JobRef],
    *,
    arguments: Mapping[str, Any] | None = None,
    remember: bool = True,
) -> Retried:
    """Bring failed jobs back to the tail of the queue, with other `arguments` when given.

    With `remember` the answer holds what takes it back. Answers: ok, changed, running, queued, complete, unreadable.
    """
    answers: list[str] = []
    taken: list[Taken] = []
    # Side by side: while the server works on one chunk, the payloads of the next are made.
    for group in chunks(tuple(chunks(refs)), TOGETHER):
        done = await asyncio.gather(
            *(_retry_chunk(client, queue, part, arguments, remember=remember) for part in group)
        )
        for chunk_answers, chunk_taken in done:
            answers += chunk_answers
            taken += chunk_taken
    return Retried(answers=tuple(answers), taken=tuple(taken))


async def _retry_chunk(
    client: Client, queue: str, refs: Sequence[JobRef], arguments: Mapping[str, Any] | None, *, remember: bool
) -> tuple[list[str], list[Taken]]:
    names = keys_of(queue)
    keys = [ref.key for ref in refs]
    pipe = client.pipeline(transaction=False)
    pipe.time()
    pipe.hmget(names.failed_jobs, keys)
    if remember:
        pipe.hmget(names.failed_rows, keys)
        pipe.zmscore(names.failed, keys)
        pipe.hgetall(names.signature_rows)
    (seconds, micros), kept, *more = await pipe.execute()
    rows: Any
    rows, scores, signatures = more or ((), (), dict[bytes, bytes]())
    gone = [key for key, raw in zip(keys, kept, strict=True) if raw is None]
    own = dict(zip(gone, await client.mget([names.job(key) for key in gone]), strict=True)) if gone else {}
    now_ms = int(seconds) * 1000 + int(micros) // 1000
    answers = [""] * len(refs)
    args: list[Argument] = []
    asked: list[int] = []
    for index, ref in enumerate(refs):
        raw, was = (kept[index], b"") if kept[index] is not None else (own[ref.key], own[ref.key] or b"")
        document = payload.decode(raw) if raw else None
        if document is None:
            answers[index] = "unreadable" if raw else "changed"
        elif was and document.get("status") not in ("failed", "aborted"):
            answers[index] = str(document.get("status", "changed"))
        else:
            args += [ref.key, ref.seen_ms, payload.fresh(document, queued_ms=now_ms, arguments=arguments), was]
            asked.append(index)
    taken = []
    if asked:
        for index, answer in zip(asked, await _run(client, "retry", queue, args), strict=True):
            answers[index] = answer
            if remember and answer == "ok" and scores[index] is not None:
                at = int(scores[index])
                row = rows[index] or b""
                taken.append(
                    Taken(
                        key=keys[index],
                        at_ms=at,
                        row=row,
                        raw=kept[index] or b"",
                        signature_row=signatures.get(_signature(row), b""),
                    )
                )
    return answers, taken


def _signature(row: bytes) -> bytes:
    failed = decode_failed(row)
    return failed.signature.encode() if failed else b""


async def unretry(client: Client, queue: str, taken: Sequence[Taken]) -> tuple[str, ...]:
    """Take retried jobs back to the failed list as long as nobody has taken them. Answers: ok, started."""
    answers: tuple[str, ...] = ()
    for part in chunks(taken):
        args: list[Argument] = []
        for item in part:
            args += [item.key, item.at_ms, item.row, item.raw, item.signature_row]
        answers += await _run(client, "unretry", queue, args)
    return answers


async def delete(
    client: Client, queue: str, refs: Sequence[JobRef], *, who: str, act: str, waiting_only: bool = False
) -> tuple[str, ...]:
    """Move jobs into the recycle bin; with `waiting_only` no job that has run, failed ones included.

    Answers: failed, queued, scheduled, complete; changed, running, gone.
    """
    answers: tuple[str, ...] = ()
    for part in chunks(refs):
        args: list[Argument] = [who, act, BIN_JOBS, BIN_MS, "waiting" if waiting_only else "delete"]
        for ref in part:
            args += [ref.key, ref.seen_ms, b""]
        answers += await _run(client, "bin", queue, args)
    return answers


async def abort(
    client: Client, queue: str, refs: Sequence[JobRef], *, who: str, act: str, error: str
) -> tuple[str, ...]:
    """Abort jobs: waiting ones go into the recycle bin, running ones are asked to end.

    Answers: queued, scheduled (aborted and binned), ok (asked); changed, gone, failed, aborted, complete, unreadable.
    """
    answers: tuple[str, ...] = ()
    for part in chunks(refs):
        answers += tuple(await _abort_chunk(client, queue, part, who=who, act=act, error=error))
    return answers


async def _abort_chunk(
    client: Client, queue: str, refs: Sequence[JobRef], *, who: str, act: str, error: str
) -> list[str]:
    names = keys_of(queue)
    now_ms = await server_ms(client)
    raws = await client.mget([names.job(ref.key) for ref in refs])
    documents = [payload.decode(raw) if raw else None for raw in raws]
    args: list[Argument] = [who, act, BIN_JOBS, BIN_MS, "abort"]
    for ref, document in zip(refs, documents, strict=True):
        behind = payload.ended(document, status="aborted", error=error, now_ms=now_ms) if document else b""
        args += [ref.key, 0, behind]
    answers = list(await _run(client, "bin", queue, args))
    running = [index for index, answer in enumerate(answers) if answer == "running"]
    if running:
        args = [error, ABORT_S]
        for index in running:
            document = documents[index] or {}
            aborting = plainjson.encode({**document, "error": error, "status": "aborting"})
            args += [refs[index].key, raws[index] or b"", aborting]
        for index, answer in zip(running, await _run(client, "abort", queue, args), strict=True):
            answers[index] = answer
    return answers


async def restore(client: Client, queue: str, members: Sequence[str | bytes]) -> tuple[str, ...]:
    """Bring jobs (ACT/KEY) back out of the recycle bin. Answers: ok, gone, queued."""
    answers: tuple[str, ...] = ()
    for part in chunks(members):
        answers += await _run(client, "restore", queue, list(part))
    return answers


async def run_now(client: Client, queue: str, refs: Sequence[JobRef]) -> tuple[str, ...]:
    """Make scheduled jobs due at once. Answers: the epoch second each was due at, or gone."""
    answers: tuple[str, ...] = ()
    for part in chunks(refs):
        answers += await _run(client, "run_now", queue, [ref.key for ref in part])
    return answers


async def outcomes(client: Client, queue: str, released: Mapping[str, int]) -> dict[str, str]:
    """What became of released jobs (key → when, ms): waiting, failed (again) or done."""
    found: dict[str, str] = {}
    for part in chunks(list(released.items())):
        args: list[Argument] = [value for pair in part for value in pair]
        for (key, _), answer in zip(part, await _run(client, "outcomes", queue, args), strict=True):
            found[key] = answer
    return found


def refs_of(queue: str, keys: Sequence[str]) -> list[JobRef]:
    """References to jobs by their keys, whatever has become of them."""
    return [JobRef(queue=queue, key=key) for key in keys]
