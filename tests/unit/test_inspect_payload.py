"""Payloads are read as far as they go: whole, cut in the middle, or garbage. Nothing raises."""

from __future__ import annotations

import json
import random
import string
from typing import Any

import pytest

from quarterdeck.inspect.payload import HEAD, TAIL, Reading, job_row, read_payload
from quarterdeck.model import JobState

JOB: dict[str, Any] = {
    "function": "send",
    "kwargs": {"to": "ann", "password": "hunter2"},
    "queue": "emails",
    "key": "k1",
    "queued": 1_700_000_000_000,
    "status": "queued",
}


def _read(payload: str | bytes, *, queue: str = "", head: int = HEAD, tail: int = TAIL) -> Reading:
    raw = payload.encode() if isinstance(payload, str) else payload
    if len(raw) <= head + tail:
        return read_payload(len(raw), raw, b"", queue=queue)
    return read_payload(len(raw), raw[:head], raw[-tail:], queue=queue)


def test_a_whole_payload() -> None:
    reading = _read(json.dumps(JOB), queue="emails")
    assert reading.fields == JOB
    assert reading.arguments == '{"to":"ann","password":"***"}'
    assert (reading.broken, reading.cut_bytes) == ("", 0)


@pytest.mark.parametrize("separators", [(", ", ": "), (",", ":")])
def test_a_cut_payload_gives_what_is_at_its_ends(separators: tuple[str, str]) -> None:
    job = JOB | {"kwargs": {"password": "hunter2", "text": "x" * 50_000}, "attempts": 3, "worker_id": "w-1"}
    job["status"] = job.pop("status")
    reading = _read(json.dumps(job, separators=separators), queue="emails")
    assert reading.fields["function"] == "send"
    assert reading.fields["queue"] == "emails"
    assert (reading.fields["attempts"], reading.fields["worker_id"]) == (3, "w-1")
    assert reading.fields["queued"] == JOB["queued"]
    assert reading.cut_bytes > 40_000
    assert "hunter2" not in reading.arguments
    assert reading.arguments.endswith("…")
    assert reading.broken == ""


def test_small_arguments_before_a_large_result_are_whole() -> None:
    reading = _read(json.dumps(JOB | {"result": "x" * 50_000, "status": "complete"}))
    assert reading.arguments == '{"to":"ann","password":"***"}'
    assert reading.fields["status"] == "complete"


def test_what_looks_like_a_field_inside_a_text_is_none() -> None:
    trap = 'x" * 9, "status": "complete", "attempts": 9}'
    for text in (trap, trap[::-1], '\\"status\\":\\"complete\\"}', '{"status":"complete"}'):
        job = {"function": "send", "kwargs": {"text": "y" * 9_000 + text}}
        assert "status" not in _read(json.dumps(job)).fields
        assert "attempts" not in _read(json.dumps(job)).fields


def test_a_job_of_another_queue_is_broken() -> None:
    assert _read(json.dumps(JOB), queue="reports").broken == "it is a job of queue 'emails'"


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "no payload"),
        (b"{", "not JSON"),
        (b"\x80\x04pickle", "not JSON"),
        (b"[]", "not a job"),
        (b"null", "not a job"),
        (b"{}", "no function"),
        (b'{"function": 5}', "no function"),
        (b"[" * 200_000, "no function"),
        (b'{"function":"f","kwargs":' + b"[" * 200_000, ""),
        (b'{"function":"f","n":' + b"9" * 10_000 + b"}", ""),
        (b'{"function":"f","kwargs":{"a":"\xff\xfe"}}', "not JSON"),
        (b"x" * 100_000, "no function"),
    ],
)
def test_garbage_is_told_not_raised(raw: bytes, says: str) -> None:
    reading = _read(raw)
    assert says in reading.broken
    row = job_row("q", "saq:job:q:k", JobState.QUEUED, reading, size=len(raw))
    assert row.key == "k"


def test_a_key_that_can_not_be_read() -> None:
    assert "WRONGTYPE" in read_payload(-1, b"WRONGTYPE Operation against a key", b"").broken


def test_random_cuts_never_invent_anything() -> None:
    rng = random.Random(3)
    for _ in range(300):
        text = "".join(rng.choice(string.printable + '"\\{}[],:') for _ in range(rng.randint(0, 300)))
        job = JOB | {"kwargs": {text: [text, {"a": text}]}, "meta": {"m": text}, "error": text, "attempts": 2}
        raw = json.dumps(job).encode()
        head, tail = rng.randint(1, 200), rng.randint(1, 60)
        reading = _read(raw, head=head, tail=tail)
        for name, value in reading.fields.items():
            assert job[name] == value


def test_odd_values_make_a_row_all_the_same() -> None:
    odd = {
        "function": "f",
        "attempts": "two",
        "queued": 1e400,
        "started": True,
        "retries": None,
        "timeout": -1,
        "progress": "x",
        "worker_id": 7,
        "error": ["a"],
        "scheduled": 10**30,
    }
    row = job_row("q", "saq:job:q:k", JobState.ACTIVE, Reading(fields=odd), size=10)
    assert (row.attempts, row.queued_ms, row.started_ms, row.retries) == (0, 0, 0, 1)
    assert (row.worker, row.error, row.progress, row.scheduled_ms) == ("", "", 0.0, 0)


def test_times_and_durations() -> None:
    fields = {"function": "f", "queued": 1_000, "started": 2_000, "completed": 5_000, "scheduled": 60, "timeout": 0}
    row = job_row("q", "saq:job:q:k", JobState.COMPLETE, Reading(fields=fields), size=10)
    assert (row.duration_ms, row.scheduled_ms, row.timeout_s) == (3_000, 60_000, 0)
    assert (
        job_row("q", "saq:job:q:k", JobState.SCHEDULED, Reading(fields={}), size=1, due_s=90.5).scheduled_ms == 90_500
    )
