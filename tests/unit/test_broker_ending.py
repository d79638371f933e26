"""Settlements: what a job's end says to the finishing script."""

from __future__ import annotations

import msgspec
from saq.job import Job, Status

from quarterdeck.broker import ending
from quarterdeck.record import decode_failed, decode_history, signature_of_text


class FakeQueue:
    name = "emails"

    def job_id(self, key):
        return f"saq:job:emails:{key}"


def job(**fields):
    made = Job("send", key="k", queued=1, started=2, attempts=1, **fields)
    made.queue = FakeQueue()
    made.completed = 9
    return made


HOLD = {"number": 1, "holder": "w/3/"}


def test_a_complete_one():
    made = ending.complete(job(), b"{}", us=1500, worker="w", **HOLD)
    number, what, job_id, holder, payload, ttl, status, function, us, _bucket, entry, more = made
    assert (number, what, job_id, holder, payload, ttl) == (1, "e", "saq:job:emails:k", "w/3/", b"{}", 600)
    assert (status, function, us, more) == ("complete", "send", 1500, b"")
    history = decode_history(entry)
    assert (history.key, history.status, history.attempt, history.finished_ms) == ("k", "complete", 1, 9)
    assert (history.duration_us, history.worker) == (1500, "w")


def test_a_failed_one_brings_its_index_rows():
    failed = job(retries=3, status=Status.FAILED, error="Traceback\nValueError: no 17", kwargs={"password": "x"})
    signature = signature_of_text(failed.error, "send")
    made = ending.failed(failed, b"payload", signature, us=5, worker="w", version="1.2", **HOLD)
    at_ms, found, row_of_signature, row, function = msgspec.msgpack.decode(made[11])["failed"]
    assert (at_ms, found, function) == (9, signature.id, "send")
    kept = decode_failed(row)
    assert (kept.function, kept.status, kept.version, kept.bytes, kept.retries) == ("send", "failed", "1.2", 7, 3)
    assert "password" in kept.arguments
    assert '"x"' not in kept.arguments
    assert b"first_ms" in row_of_signature.encode()


def test_what_follows_travels_as_text():
    steps = [("enqueue", "other", "key", b'{"a":1}', "0")]
    made = ending.complete(job(), b"{}", us=1, worker="w", steps=steps, **HOLD)
    assert msgspec.msgpack.decode(made[11])["steps"] == [["enqueue", "other", "key", '{"a":1}', "0"]]


def test_tabs_and_line_ends_do_not_break_the_history():
    odd = job()
    odd.function = "a\tb\nc"
    made = ending.complete(odd, b"", us=1, worker="w\tx", **HOLD)
    assert made[10].count("\t") == 9
    assert decode_history(made[10]).function == "a b c"


def test_a_retry_says_when_it_is_due():
    made = ending.retried(job(), b"", due=12.5, us=1, worker="w", at_ms=9, started=2, signature="s", **HOLD)
    assert (made[1], made[5], made[6]) == ("r", "12.500", "retried")
    assert decode_history(made[10]).signature == "s"


def test_quarantine_keeps_a_bounded_head():
    made = ending.quarantined("id", b"x" * 10_000, key="k", reason="why", at_ms=3, **HOLD)
    record = msgspec.json.decode(msgspec.msgpack.decode(made[11])["record"])
    assert (record["reason"], record["at_ms"], len(record["raw"])) == ("why", 3, 4096)
    binary = ending.quarantined("id", b"\xff\xfe", key="k", reason="why", at_ms=3, **HOLD)
    assert msgspec.json.decode(msgspec.msgpack.decode(binary[11])["record"])["raw"] == "//4="


def test_counts_are_gathered_by_queue_and_field():
    items = [ending.complete(job(), b"", us=us, worker="w", **HOLD) for us in (1, 1, 900)]
    items.append(ending.dropped("id", **HOLD))
    flat = ending.arguments(items)
    counts = {flat[at + 1]: flat[at + 2] for at in range(1, 1 + 3 * flat[0], 3)}
    assert counts["send\tcomplete"] == 3
    assert counts["send\tus"] == 902
    assert counts["send\tb0"] == 2
