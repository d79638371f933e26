"""Untrusted text on the real dashboard: it goes through every screen and reaches the terminal as text alone."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from operator_seat import Seat, deck_worker, until
from redis import Redis

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import StartValkey

pytestmark = pytest.mark.slow

HOSTILE = (
    "[red]x[/red]",
    "[/]",
    "[@click=app.quit]boo[/]",
    "\x1b[2J\x1b[31mred",
    "\x1b]52;c;AAAA\x07",
    "\x1b]0;title\x07",
    "\x1bP1$r\x1b\\",
    "\x9b31m",
    "\x00\x07\x0e\x7f",
    "\u202ertl\u2066",
    "e\u0301\u0301\u0301 wide 日本語",
    "a" * 20_000,
    "{}%s $(rm -rf)",
    "\ud800 surrogate",
    "line1\nline2\r\tx",
    "👩\u200d👩\u200d👧 family",
)
CORRUPT = (
    b"{not json",
    b"\xff\xfe\x00",
    b"[1,2,3]",
    b"null",
    b"[" * 50_000,
    b'{"function":5,"key":[1],"queue":{}}',
    b'{"function":"charge","kwargs":"str","queue":"default","key":"c6","status":"queued"}',
    b'{"function":"charge","kwargs":{"order":' + b"9" * 10_000 + b'},"queue":"default","key":"c7","status":"queued"}',
    b"",
)
ALLOWED = re.compile(
    rb"\x1b\[\??[0-9;]*[A-Za-ln-z]|\x1b\[[0-9;]*m|\x1b\[[<>=]?[0-9;]*u|\x1b\[\?[0-9;]*\$p|\x1b[=>]|\x1b\[[0-9;]* q"
)
"""What our driver sends: cursor moves, erasing, colours, modes, questions. No strings (OSC, DCS), no C1, no BEL."""


def put(redis: Redis, key: str, payload: bytes) -> None:
    """A job as a client would leave it on the queue."""
    job = f"saq:job:default:{key}".encode("utf-8", "surrogatepass")
    redis.set(job, payload)
    redis.zadd("saq:default:incomplete", {job: 0})
    redis.rpush("saq:default:queued", job)


def test_what_jobs_are_called_and_hold_is_text(tmp_path: Path, start_valkey: StartValkey) -> None:
    url = start_valkey().url
    redis = Redis.from_url(url)
    with deck_worker(url, tmp_path), Seat(tmp_path, "--url", url, size=(120, 40)) as seat:
        seat.see("0/10")
        for at, text in enumerate(HOSTILE):
            arguments = {text[:200]: text, "password": "hunter2"}
            unknown = {"function": text, "kwargs": arguments, "queue": "default", "key": f"u{at}{text[:40]}"}
            failing = {"function": "shout", "kwargs": {"text": text}, "queue": "default", "key": f"f{at}{text[:40]}"}
            for job in (unknown, failing):
                put(redis, str(job["key"]), json.dumps({**job, "queued": 1, "status": "queued"}).encode())
        for at, raw in enumerate(CORRUPT):
            put(redis, f"c{at}", raw)
        redis.rpush("saq:default:queued", "garbage", b"\xff\xfe", "saq:job:other:zzz")
        until(lambda: redis.zcard("qd:failed:default") >= len(HOSTILE) - 1)  # a surrogate is no job
        until(lambda: redis.hlen("qd:quarantine:default") >= len(CORRUPT))

        for view in ("4", "3", "2", "6", "8", "9", "5", ":quarantine\r", ":bulks\r", ":bin\r", ":jobs failed\r", "7"):
            seat.keys(view)
            seat.settle(0.3, 3.0)
        seat.see("heard")
        seat.keys(":", "jobs failed", "enter")
        seat.at("jobs failed")
        for _ in range(3):  # some whole, raw and its log
            seat.keys("enter")
            seat.at("job shout")
            seat.keys("y")
            seat.at("raw")
            seat.keys("esc")
            seat.at("job shout")
            seat.keys("esc")
            seat.at("jobs failed")
            seat.keys("j")
        seat.keys(":", f"incident {tmp_path}/hostile.md", "enter")
        seat.see("Wrote hostile.md")
        assert "hunter2" not in seat.text
        assert seat.quit() == 0

        sent = ALLOWED.sub(b"", seat.received)
        left = re.search(rb"[\x00-\x07\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]", sent)
        assert left is None, sent[max(0, left.start() - 60) : left.end() + 60]
        assert b"hunter2" not in seat.received
    note = (tmp_path / "hostile.md").read_text()
    assert note.isprintable() or not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", note)
    redis.close()
