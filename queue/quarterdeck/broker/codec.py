"""Payloads: SAQ's job as JSON and back, compact, with the fields that change at the end and in a fixed order.

That order lets a script mark a job active, and give it back, by an exact edit of the payload's end (`lua/payload.lua`).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any, Final

import msgspec
from saq.job import Job, Status

from quarterdeck.broker.fields import amended
from quarterdeck.text import plainjson

Document = dict[str, Any]

_LAST: Final = ("status", "attempts", "started", "touched", "worker_id")


class PayloadError(ValueError):
    """A stored payload that is no job of this queue: says why."""


class ResultError(TypeError):
    """A job's result (or meta) can't be written as JSON: names the part and the cure."""


class Payload(msgspec.Struct):
    """SAQ's job fields, for decoding and checking in one pass; unknown fields are let go."""

    function: str
    queue: str
    key: str
    kwargs: dict[str, Any] | None = None
    timeout: int | float | None = 10
    heartbeat: int | float | None = 0
    retries: int | float | None = 1
    ttl: int | float | None = 600
    retry_delay: int | float = 0.0
    retry_backoff: bool | int | float = False
    scheduled: int | float = 0
    progress: int | float = 0.0
    attempts: int = 0
    completed: int | float = 0
    queued: int | float = 0
    started: int | float = 0
    touched: int | float = 0
    result: Any = None
    error: str | None = None
    status: str = "new"
    priority: int | float = 0
    group_key: str | None = None
    meta: dict[str, Any] | None = None
    worker_id: str | None = None


_decoder = msgspec.json.Decoder(Payload)
_STATUSES: Final = {status.value: status for status in Status}
_asdict = msgspec.structs.asdict


def _compile() -> Callable[[Job], Document]:
    """A function that makes the dict of a job, defaults left out, from SAQ's dataclass fields."""
    names = [field for field in dataclasses.fields(Job) if field.name not in _LAST]
    lines = ["def document(job):", "    out = {}"]
    for field in names:
        name = field.name
        if name == "queue":
            lines.append("    out['queue'] = job.queue.name")
        elif name in {"function", "key"}:
            lines.append(f"    out['{name}'] = job.{name}")
        elif name == "meta":
            lines.append("    if job.meta: out['meta'] = job.meta")
        elif name == "result" or field.default is None:
            lines.append(f"    if job.{name} is not None: out['{name}'] = job.{name}")
        else:
            lines.append(f"    value = job.{name}")
            lines.append(f"    if value != {field.default!r}: out['{name}'] = value")
    lines += [
        "    if job.status is queued:",
        "        if job.attempts: out['attempts'] = job.attempts",
        "        out['status'] = 'queued'",
        "        return out",
        "    out['status'] = job.status",
        "    out['attempts'] = job.attempts",
        "    out['started'] = job.started",
        "    out['touched'] = job.touched",
        "    if job.worker_id is not None: out['worker_id'] = job.worker_id",
        "    return out",
    ]
    space: dict[str, Any] = {"queued": Status.QUEUED}
    exec("\n".join(lines), space)  # noqa: S102 - compiled once, from SAQ's own field names
    made: Callable[[Job], Document] = space["document"]
    return made


document: Callable[[Job], Document] = _compile()
"""The dict of a job as it is stored."""


def dump(value: Any) -> bytes:
    """JSON of a document, as SAQ's: NaN and infinities are written as Python's json does (`NaN`, `Infinity`), which
    stock clients read. Raises ResultError for what JSON can't hold."""
    try:
        return plainjson.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.EncodeError) as refused:
        try:
            return json.dumps(value, separators=(",", ":")).encode()
        except (TypeError, ValueError, OverflowError, RecursionError):
            raise ResultError(f"This can't be written as JSON: {refused}. Return plain data.") from refused


def load(payload: bytes | str) -> Document:
    """The fields of a stored payload, checked, with defaults filled in. Raises PayloadError."""
    try:
        return _asdict(_decoder.decode(payload))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as refused:
        return _load_tolerantly(payload, refused)


def _load_tolerantly(payload: bytes | str, refused: Exception) -> Document:
    """What msgspec refuses and stock json takes (NaN, lone surrogates), or stock workers do (a number as its key)."""
    if len(payload) > _LARGEST:
        raise PayloadError(f"not a job: {refused}") from refused
    try:
        fields = json.loads(payload)
        return _asdict(msgspec.convert(amended(fields), Payload))
    except (ValueError, TypeError, AttributeError, RecursionError, msgspec.ValidationError) as error:
        raise PayloadError(f"not a job: {refused}") from error


def convert(fields: Document) -> Document:
    """As `load`, from fields that are decoded already. Raises PayloadError."""
    try:
        return _asdict(msgspec.convert(amended(_plain(fields)), Payload))
    except (msgspec.ValidationError, TypeError, AttributeError) as error:
        raise PayloadError(f"not a job: {error}") from error


def _plain(fields: Document) -> Document:
    """A job's dict with its status as SAQ writes it."""
    status = fields.get("status")
    return {**fields, "status": status.value} if isinstance(status, Status) else fields


_LARGEST: Final = 64 * 1024 * 1024


def job_of(fields: Document, queue: Any) -> Job:
    """A job of `queue` from checked fields. Raises PayloadError when they are another queue's or of no status."""
    if fields["queue"] != queue.name:
        raise PayloadError(f"a job of the queue {fields['queue'][:80]!r}")
    status = _STATUSES.get(fields["status"])
    if status is None:
        raise PayloadError(f"its status is {fields['status'][:80]!r}")
    fields["queue"] = queue
    fields["status"] = status
    if fields["meta"] is None:
        fields["meta"] = {}
    job = Job.__new__(Job)
    job.__dict__ = fields
    return job
