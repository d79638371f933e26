"""Job payloads read tolerantly: whole ones, ones of which only the head and the tail were fetched, and garbage."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from quarterdeck.keys import keys_of
from quarterdeck.model import JobRow, JobState
from quarterdeck.record import arguments_text, error_line
from quarterdeck.text import mask_text, plainjson

HEAD: Final = 2048
TAIL: Final = 512
"""Bytes fetched of a payload for a list. Fields that change stand at its end (docs/redis-keys.md)."""

_DECODER: Final = msgspec.json.Decoder()
_STRINGS: Final = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*:\s*')
_SCALAR: Final = re.compile(r'\s*("(?:[^"\\]|\\.)*"|-?\d{1,400}(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)\s*(?=[,}])')
# A run of simple fields right before the closing brace: anchored there, each can only be a field of the job itself.
_ENDING: Final = re.compile(
    r'(?:,\s?"[a-z_]{1,32}"\s?:\s?(?:"[^"\\]{0,256}"|-?\d{1,20}(?:\.\d{1,20})?|true|false|null)){1,24}\s?\}\s*$'
)
_FIELD: Final = re.compile(r'"([a-z_]{1,32})"\s?:\s?("[^"\\]{0,256}"|-?\d{1,20}(?:\.\d{1,20})?|true|false|null)')


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What could be read of a payload: its fields, why not (`broken`), and how many bytes were not looked at."""

    fields: dict[str, Any]
    broken: str = ""
    arguments: str = ""
    cut_bytes: int = 0


def read_payload(size: int, head: bytes, tail: bytes, *, queue: str = "") -> Reading:
    """The fields of a payload from its head and tail. `size` is that of the whole; -1: it could not be fetched."""
    if size < 0:
        return Reading(fields={}, broken=f"the key can't be read: {head.decode('utf-8', 'replace')[:100]}")
    if size == 0:
        return Reading(fields={}, broken="there is no payload: it expired or was deleted")
    reading = _read_cut(size, head, tail) if size > len(head) + len(tail) else _read_whole(head + tail)
    owner = reading.fields.get("queue")
    if not reading.broken and queue and isinstance(owner, str) and owner != queue:
        return msgspec.structs.replace(reading, broken=f"it is a job of queue '{owner[:80]}'")
    return reading


def job_row(queue: str, job_id: str, state: JobState, reading: Reading, *, size: int, due_s: float = 0) -> JobRow:
    """The row of a pending, active or kept job. `due_s` is its score in SAQ's incomplete set."""
    fields = reading.fields
    queued_ms, started_ms = _number(fields, "queued"), _number(fields, "started")
    finished_ms = _number(fields, "completed")
    return JobRow(
        id=f"{queue}/{keys_of(queue).job_key(job_id)}",
        queue=queue,
        key=keys_of(queue).job_key(job_id),
        function=_word(fields, "function"),
        state=state,
        attempts=_number(fields, "attempts"),
        retries=_number(fields, "retries", 1),
        queued_ms=queued_ms,
        scheduled_ms=int(due_s * 1000) or _number(fields, "scheduled") * 1000,
        started_ms=started_ms,
        finished_ms=finished_ms,
        timeout_s=float(_number(fields, "timeout", 10)),
        progress=_fraction(fields.get("progress")),
        worker=_word(fields, "worker_id"),
        arguments=reading.arguments,
        error=error_line(fields["error"]) if isinstance(fields.get("error"), str) else "",
        duration_ms=max(0, finished_ms - started_ms) if finished_ms and started_ms else 0,
        payload_bytes=max(size, 0),
        broken=reading.broken,
    )


def _read_whole(raw: bytes) -> Reading:
    try:
        fields = plainjson.decode(raw)
    except (ValueError, RecursionError) as error:  # msgspec's DecodeError is a ValueError
        return Reading(fields={}, broken=f"it is not JSON: {str(error)[:100]}")
    if not isinstance(fields, dict):
        return Reading(fields={}, broken="it is JSON, but not a job")
    if not isinstance(fields.get("function"), str):
        return Reading(fields=fields, broken="it names no function", arguments=_arguments(fields))
    return Reading(fields=fields, arguments=_arguments(fields))


def _read_cut(size: int, head: bytes, tail: bytes) -> Reading:
    """Fields of which the whole value is in the head or the tail; arguments as far as they go."""
    text = head.decode("utf-8", "ignore")
    fields, at = _leading_fields(text)
    ending = _ENDING.search(tail.decode("utf-8", "ignore"))
    if ending:
        fields |= {name: _DECODER.decode(value) for name, value in _FIELD.findall(ending[0])}
    named = _STRINGS.match(text, at)
    if "kwargs" in fields:
        arguments = _arguments(fields)
    else:
        arguments = mask_text(text[named.end() :])[:199] + "…" if named and named[1] == "kwargs" else ""
    broken = "" if isinstance(fields.get("function"), str) else "its head names no function"
    return Reading(fields=fields, broken=broken, arguments=arguments, cut_bytes=size - len(head) - len(tail))


def _leading_fields(text: str) -> tuple[dict[str, Any], int]:
    """The complete top-level fields from the start of a JSON object, and where the first incomplete one begins."""
    fields: dict[str, Any] = {}
    at = 1 if text.startswith("{") else len(text)
    while at < len(text):
        name = _STRINGS.match(text, at)
        if not name:
            break
        end = _value_end(text, name.end())
        if end < 0:
            break
        try:
            fields[name[1]] = _DECODER.decode(text[name.end() : end])
        except (ValueError, RecursionError):
            break
        at = end + 1
    return fields, at


def _value_end(text: str, start: int) -> int:
    """Where the JSON value at `start` ends, or -1 when the text ends before it does."""
    scalar = _SCALAR.match(text, start)
    if scalar:
        return scalar.end()
    if text[start : start + 1] not in {"{", "["}:
        return -1
    depth = 0
    quoted = escaped = False
    for at in range(start, len(text)):
        char = text[at]
        if quoted:
            escaped, quoted = char == "\\" and not escaped, char != '"' or escaped
        elif char == '"':
            quoted = True
        elif char in "{[":
            depth += 1
        elif char in "}]":
            depth -= 1
            if depth == 0:
                return at + 1
    return -1


def _arguments(fields: dict[str, Any]) -> str:
    return arguments_text(fields.get("kwargs"))


def _number(fields: dict[str, Any], name: str, default: int = 0) -> int:
    value = fields.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return default
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return default
    return number if abs(number) < 2**53 else default


def _fraction(value: Any) -> float:
    return min(1.0, max(0.0, float(value))) if isinstance(value, (int, float)) else 0.0


def _word(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value[:300] if isinstance(value, str) else ""
