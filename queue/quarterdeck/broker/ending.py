"""How a job's attempt ends, and the arguments by which `lua/settle.lua` is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from saq.job import Job, Status
from saq.queue.base import Queue as BaseQueue

from quarterdeck.broker.fields import lifetime_s
from quarterdeck.record import FailedJob, Signature, arguments_text, bucket_of, encode_failed, error_line, signature_row
from quarterdeck.script import Argument

Settlement = tuple[int, str, str, str, bytes | str, Argument, str, str, int, int, str, bytes]
"""Queue number, what, ID, holder (W/TOKEN/), payload, ttl or due, status, function, µs, bucket, history entry, more."""
Step = Sequence[Any]
"""Something that is done in the same step: ("enqueue", queue, key, payload, due) or ("settle", run, ...)."""

ANYONE: Final = "*"
"""As holder: whoever holds the job now; not a job that was enqueued anew under the same key."""
NOBODY: Final = "-"
"""As holder: nobody holds the job, and it is among the active; who settles it first has done so alone."""

_PUBLISHED = {"retried": "queued"}
_RETURNED = {Status.COMPLETE: "complete", Status.FAILED: "failed", Status.ABORTED: "aborted"}
_encode = msgspec.msgpack.Encoder().encode
_json = msgspec.json.Encoder().encode
_SEPARATORS: Final = str.maketrans("\t\n\r\x0b\x0c", "     ")
_CLEAN_LIMIT: Final = 300


def _pack(more: Any) -> bytes:
    """What a script's cmsgpack reads: it knows no binary type, so bytes travel as text."""
    return _encode(_as_text(more))


def _as_text(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (list, tuple)):
        return [_as_text(each) for each in value]
    if isinstance(value, dict):
        return {name: _as_text(each) for name, each in value.items()}
    return value


def _word(text: str) -> str:
    """Text for the tab-separated history."""
    return text if text.isprintable() and len(text) <= _CLEAN_LIMIT else text[:_CLEAN_LIMIT].translate(_SEPARATORS)


def _entry(job: Job, status: str, at_ms: int, us: int, worker: str, signature: str = "") -> str:
    return (
        f"{_word(job.key)}\t{_word(job.function)}\t{status}\t{job.attempts}\t{job.queued}\t{job.started}\t{at_ms}\t{us}"
        f"\t{_word(worker)}\t{signature}"
    )


def arguments(items: list[Settlement]) -> list[Argument]:
    """Settlements as `lua/settle.lua` takes them. As `arranged`, of which it is the first part."""
    return arranged(items)[0]


def arranged(items: list[Settlement]) -> tuple[list[Argument], bool]:
    """What the minute is to count, those that completed in groups, the others; and whether there are others.

    `items` is put into the order in which they are sent, by which the script numbers those it refuses.
    """
    counts: dict[tuple[int, str], int] = {}
    groups: dict[tuple[int, Argument], list[Argument]] = {}
    others: list[Settlement] = []
    order: dict[tuple[int, Argument], list[Settlement]] = {}
    rest: list[Argument] = []
    for item in items:
        number, what, job_id, holder, payload, due, status, function, us, bucket, entry, more = item
        if status:
            for field, by in ((status, 1), (f"b{bucket}", 1), ("us", us)):
                name = (number, f"{function}\t{field}")
                counts[name] = counts.get(name, 0) + by
        if status == "complete" and not more and len(holder) > 1:
            group = (number, due)
            if group not in groups:
                groups[group], order[group] = [], []
            groups[group] += (job_id, holder, payload, entry)
            order[group].append(item)
        else:
            others.append(item)
            rest += (number, what, job_id, holder, payload, due, _PUBLISHED.get(status, status), entry, more)
    flat: list[Argument] = [len(counts)]
    for (number, column), by in counts.items():
        flat += (number, column, by)
    flat.append(len(groups))
    for (number, due), members in groups.items():
        flat += (number, due, len(members) // 4)
        flat += members
    items[:] = [item for members in order.values() for item in members] + others
    return flat + rest, bool(others)


def complete(
    job: Job, payload: bytes, *, number: int, holder: str, us: int, worker: str, steps: Sequence[Step] = ()
) -> Settlement:
    """The end of an attempt that worked; `payload` is the job as it is stored from now on."""
    more = _pack({"steps": steps}) if steps else b""
    entry = _entry(job, "complete", int(job.completed), us, worker)
    bucket = bucket_of(us)
    ttl_s = lifetime_s(job.ttl)
    return number, "e", job.id, holder, payload, ttl_s, "complete", job.function, us, bucket, entry, more


def failed(
    job: Job,
    payload: bytes,
    signature: Signature,
    *,
    number: int,
    holder: str,
    us: int,
    worker: str,
    version: str = "",
    poison: bool = False,
    steps: Sequence[Step] = (),
) -> Settlement:
    """The end of a job that failed or was aborted (`job.status` says which): kept whole and indexed."""
    status = _RETURNED[job.status]
    at_ms = int(job.completed)
    row = FailedJob(
        function=job.function,
        signature=signature.id,
        status=status,
        at_ms=at_ms,
        started_ms=int(job.started),
        queued_ms=int(job.queued),
        attempts=job.attempts,
        retries=int(job.retries or 0),
        worker=worker,
        version=version,
        error=error_line(job.error),
        arguments=arguments_text(job.kwargs),
        bytes=len(payload),
        poison=poison,
    )
    index = (at_ms, signature.id, signature_row(signature, job.function, at_ms), encode_failed(row), job.function)
    more = _pack({"failed": index, "steps": steps})
    entry = _entry(job, "poison" if poison else status, at_ms, us, worker, signature.id)
    bucket = bucket_of(us)
    ttl_s = lifetime_s(job.ttl)
    return number, "e", job.id, holder, payload, ttl_s, status, job.function, us, bucket, entry, more


def retried(
    job: Job,
    payload: bytes,
    *,
    number: int,
    holder: str,
    due: float,
    us: int,
    worker: str,
    at_ms: int,
    started: int,
    signature: str,
) -> Settlement:
    """The end of an attempt that will be followed by another, at once or at `due` (epoch s)."""
    entry = (
        f"{_word(job.key)}\t{_word(job.function)}\tretried\t{job.attempts}\t{job.queued}\t{started}\t{at_ms}\t{us}"
        f"\t{_word(worker)}\t{signature}"
    )
    when = f"{due:.3f}" if due else "0"
    return number, "r", job.id, holder, payload, when, "retried", job.function, us, bucket_of(us), entry, b""


def stored(queue: BaseQueue, job: Job) -> bytes:
    """A job as its queue stores it."""
    payload = queue.serialize(job)
    return payload.encode() if isinstance(payload, str) else payload


def untaken(queue: BaseQueue, job: Job, *, began: bool) -> bytes:
    """A taken job as it waits again, as if nobody had taken it; `began` says that its attempt was counted.

    Changes `job`, and returns it as its queue stores it: the payload for `back`.
    """
    if began:
        job.attempts = max(0, job.attempts - 1)
    job.status = Status.QUEUED
    job.started = job.touched = 0
    job.worker_id = None
    return stored(queue, job)


def back(
    job_id: str,
    payload: bytes,
    *,
    number: int,
    holder: str,
    due: float = 0,
    orphan: str = "",
    crashed: bool = False,
) -> Settlement:
    """Back to the front of the queue (or to a delay until `due`), without an attempt counted; `crashed` counts the
    loss of a worker."""
    what: dict[str, Any] = {"orphan": orphan} if orphan else {}
    if crashed:
        what["crashed"] = 1
    more = _pack(what) if what else b""
    return number, "b", job_id, holder, payload, f"{due:.3f}" if due else "0", "", "", 0, 0, "", more


def dropped(job_id: str, *, number: int, holder: str) -> Settlement:
    """Out of the active list, and nothing else: a second copy of a job that has ended."""
    return number, "d", job_id, holder, b"", 0, "", "", 0, 0, "", b""


def quarantined(job_id: str, raw: bytes, *, number: int, holder: str, key: str, reason: str, at_ms: int) -> Settlement:
    """Aside: what can't be read as a job. The first 4 KB of it are kept."""
    record = _record(key, reason, at_ms, raw)
    return number, "q", job_id, holder, b"", 0, "", "", 0, 0, "", _pack({"record": record})


def held(job: Job, payload: bytes, *, number: int, holder: str, rule: str, reason: str, at_ms: int) -> Settlement:
    """Aside: a job that a rule matched; it keeps its payload."""
    record = _record(job.key, reason, at_ms, b"", rule, job.function)
    return number, "h", job.id, holder, payload, 0, "", "", 0, 0, "", _pack({"record": record})


def _record(key: str, reason: str, at_ms: int, raw: bytes, rule: str = "", function: str = "") -> bytes:
    """A record of `qd:quarantine:Q`."""
    head = raw[:4096]
    try:
        shown: str | bytes = head.decode()
    except UnicodeDecodeError:
        shown = head  # msgspec writes bytes as base64
    return _json({"key": key, "reason": reason, "at_ms": at_ms, "raw": shown, "rule": rule, "function": function})
