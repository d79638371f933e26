"""The records that outlive a job: one line of history an attempt, one row a failed job, one row a signature.

Shapes and keys are in docs/redis-keys.md. Writers encode here and hand the bytes to a script; readers decode
tolerantly, since what lies in Redis may be older than this code or damaged.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from quarterdeck.record.signature import Signature
from quarterdeck.text import mask, mask_text

ERROR_LIMIT: Final = 200
"""Characters kept of an error's last line."""
ARGUMENTS_LIMIT: Final = 200
"""Characters kept of a job's arguments in its row."""
TEXT_LIMIT: Final = 300
"""Characters of a key, function or worker's name in the history."""

_FIELDS: Final = 10
_SEPARATORS: Final = str.maketrans({"\t": " ", "\n": " ", "\r": " ", "\x0b": " ", "\x0c": " "})


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of a job. Times are epoch ms, 0 when unknown; `duration_us` is in µs."""

    key: str
    function: str
    status: str
    attempt: int = 0
    queued_ms: int = 0
    started_ms: int = 0
    finished_ms: int = 0
    duration_us: int = 0
    worker: str = ""
    signature: str = ""


class FailedJob(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The row of a failed or aborted job in `qd:failed-rows:Q`: what lists, groups and filters need, and no more."""

    function: str = ""
    signature: str = ""
    status: str = "failed"
    """failed or aborted."""
    at_ms: int = 0
    started_ms: int = 0
    queued_ms: int = 0
    attempts: int = 0
    retries: int = 1
    worker: str = ""
    version: str = ""
    """Version of the code that the worker ran."""
    error: str = ""
    """The error's last line, at most `ERROR_LIMIT` characters, secrets masked."""
    arguments: str = ""
    """JSON text of the arguments, at most `ARGUMENTS_LIMIT` characters, secrets masked."""
    bytes: int = 0
    """Size of the payload."""
    poison: bool = False


class SignatureRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The row of a signature in `qd:signature-rows:Q`."""

    function: str = ""
    exception: str = ""
    message: str = ""
    frame: str = ""
    first_ms: int = 0


_encoder = msgspec.json.Encoder()
_decode_failed = msgspec.json.Decoder(FailedJob)
_decode_signature = msgspec.json.Decoder(SignatureRow)


def encode_history(entry: HistoryEntry) -> str:
    """The value of field `r` of a history entry: tab-separated, text without tabs and line ends."""
    return "\t".join(
        (
            _word(entry.key),
            _word(entry.function),
            entry.status,
            str(entry.attempt),
            str(entry.queued_ms),
            str(entry.started_ms),
            str(entry.finished_ms),
            str(entry.duration_us),
            _word(entry.worker),
            entry.signature,
        )
    )


def decode_history(value: bytes | str) -> HistoryEntry | None:
    """The entry in a field `r`, or None when it is not one."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    parts = text.split("\t")
    if len(parts) < _FIELDS:
        return None
    try:
        attempt, queued_ms, started_ms, finished_ms, duration_us = (int(float(part or 0)) for part in parts[3:8])
    except (ValueError, OverflowError):
        return None
    return HistoryEntry(
        key=parts[0],
        function=parts[1],
        status=parts[2],
        attempt=attempt,
        queued_ms=queued_ms,
        started_ms=started_ms,
        finished_ms=finished_ms,
        duration_us=duration_us,
        worker=parts[8],
        signature=parts[9],
    )


def encode_failed(row: FailedJob) -> bytes:
    """A failed job's row as JSON; half a surrogate pair, which an undecodable file name brings along, becomes `?`."""
    try:
        return _encoder.encode(row)
    except UnicodeEncodeError:
        return _encoder.encode(_sound(row))


def decode_failed(value: bytes | str | None) -> FailedJob | None:
    """The row in `value`, or None when it is missing or damaged."""
    try:
        return _decode_failed.decode(value) if value else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def signature_row(signature: Signature, function: str, first_ms: int) -> bytes:
    """The row of a signature as JSON, as it is first seen at `first_ms`."""
    row = SignatureRow(
        function=function,
        exception=signature.exception,
        message=signature.message,
        frame=signature.frame,
        first_ms=first_ms,
    )
    try:
        return _encoder.encode(row)
    except UnicodeEncodeError:
        return _encoder.encode(_sound(row))


def decode_signature(value: bytes | str | None) -> SignatureRow | None:
    """The row in `value`, or None when it is missing or damaged."""
    try:
        return _decode_signature.decode(value) if value else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def error_line(error: str | None) -> str:
    """The last line of an error or traceback that says something, secrets masked, bounded."""
    tail = (error or "")[-8192:].rstrip()
    lines = [line for line in tail.splitlines() if line.strip()]
    return _cut(mask_text(_exception_start(lines).strip()), ERROR_LIMIT) if lines else ""


def arguments_text(arguments: Any) -> str:
    """The arguments as bounded JSON text, secrets masked; empty when there are none."""
    if not arguments:
        return ""
    try:
        text = _encoder.encode(mask(arguments)).decode("utf-8", "replace")
    except (TypeError, ValueError, RecursionError, msgspec.EncodeError):
        text = mask_text(repr(arguments)[: 4 * ARGUMENTS_LIMIT])
    return _cut(text, ARGUMENTS_LIMIT)


def _exception_start(lines: list[str]) -> str:
    """The line that names the exception: the first unindented one after the last frame, else the last line."""
    last_frame = max((number for number, line in enumerate(lines) if line.startswith('  File "')), default=-1)
    after = (line for line in lines[last_frame + 1 :] if not line[0].isspace())
    return next(after, lines[-1]) if last_frame >= 0 else lines[-1]


def _word(text: str) -> str:
    """Text for a tab-separated field."""
    return text[:TEXT_LIMIT].translate(_SEPARATORS)


def _sound(row: msgspec.Struct) -> dict[str, Any]:
    """A row's fields with `?` for what UTF-8 can't hold."""
    fields = msgspec.structs.asdict(row)
    return {
        name: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for name, value in fields.items()
    }


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
