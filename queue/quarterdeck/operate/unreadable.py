"""What can't be read and was set aside: into the recycle bin, or back into the queue as a job that can be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from quarterdeck.broker.codec import PayloadError, convert
from quarterdeck.errors import RefusedError
from quarterdeck.keys import keys_of
from quarterdeck.operate import jobs, payload
from quarterdeck.operate.unmasking import unmasked
from quarterdeck.script import Argument, Client

KEPT: Final = 4_096
"""Bytes that are kept of a payload that can't be read (`broker.ending`)."""


class Unreadable(msgspec.Struct, frozen=True):
    """A record of `qd:quarantine:Q` that no rule made, as far as acts need it; `raw` is at most 4 KB."""

    key: str = ""
    reason: str = ""
    raw: str = ""
    rule: str = ""
    function: str = ""


_UNREADABLE: Final = msgspec.json.Decoder(Unreadable, strict=False)


def _record(raw: bytes) -> Unreadable:
    """A record; one that can't be read itself is garbage all the same."""
    try:
        return _UNREADABLE.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Unreadable(reason="its record can't be read")


async def found_in(client: Client, queue: str, entries: Sequence[str] = ()) -> dict[bytes, bytes]:
    """Field → record of what was set aside because it can't be read: those that `entries` name, or all.

    Entries are fields as text; a field that is not UTF-8 is found by how it is shown.
    """
    names = keys_of(queue)
    wanted = set(entries)
    return {
        field: raw
        async for field, raw in client.hscan_iter(names.quarantine, count=1_000)
        if (not wanted or field.decode("utf-8", "replace") in wanted) and not _record(raw).rule
    }


async def put_into_bin(client: Client, queue: str, found: Mapping[bytes, bytes], *, who: str, act: str) -> Counter[str]:
    """Put records that `found_in` gave into the recycle bin; counts by word: ok, held, gone."""
    counts: Counter[str] = Counter()
    for part in jobs.chunks(list(found.items())):
        args: list[Argument] = [queue, who, act, jobs.BIN_JOBS, jobs.BIN_MS]
        for field, raw in part:
            record = _record(raw)
            row = {"function": record.function, "error": f"can't be read: {record.reason}"}
            args += [field, msgspec.json.encode(row)]
        answers = await jobs.script("bin_aside")(client, [keys_of(queue).queued], args)
        counts.update(answer.decode() for answer in answers)
    return counts


async def put_back(
    client: Client, queue: str, field: bytes, raw: bytes, edited: Mapping[str, Any] | None, *, now_ms: int
) -> tuple[str, str]:
    """Put something unreadable back into the queue, as it is or as it was `edited` (SAQ's job fields; what is masked
    stands for what is stored). Returns its key and a word: ok, changed, queued.

    Raises RefusedError while it is no job that a worker could read, and UsageError for a mask that stands for nothing.
    """
    record = _record(raw)
    stored = payload.decode(record.raw.encode("utf-8", "replace"))
    if edited is None and stored is None:
        why = "only its first 4 KB were kept" if len(record.raw.encode("utf-8", "replace")) >= KEPT else record.reason
        raise RefusedError(f"It can't be put back as it is: {why or 'it is no JSON'}.", "Edit it first.")
    document = unmasked(edited, stored) if edited is not None else stored or {}
    key = document.get("key")
    try:
        fields = convert({**document, "status": "queued"})
    except PayloadError as error:
        raise RefusedError(f"No worker could read it: {error}.", "Edit it first.") from None
    if fields["queue"] != queue or not isinstance(key, str) or not key:
        raise RefusedError(f"It must name the queue '{queue}' and a key.", "Edit it first.")
    args: list[Argument] = [queue, field, raw, key, payload.fresh(document, queued_ms=now_ms)]
    answer = await jobs.script("put_back")(client, [keys_of(queue).queued], args)
    return key, answer.decode()
