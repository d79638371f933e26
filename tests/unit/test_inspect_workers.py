"""Beats and registrations become rows; damage in one hides none of the others."""

from __future__ import annotations

import json
from typing import Any

from quarterdeck.inspect.plan import Plan
from quarterdeck.inspect.workers import WorkersPart, merged_rows, read_beat, specs_of, worker_detail
from quarterdeck.model import JobRow, JobState, WorkerRow

NOW_MS = 1_795_000_000_000
BEAT: dict[str, Any] = {
    "name": "web-1:7", "host": "web-1", "pid": 7, "queues": ["emails"], "slots": 10, "running": 1,
    "current": [{"key": "k", "function": "send", "started_ms": NOW_MS - 500}], "started_ms": 5, "beat_ms": NOW_MS - 100,
    "version": "1.2", "state": "running", "stats": {"complete": 9, "failed": 1},
    "functions": [{"name": "send", "parameters": [{"name": "to", "type": "str"}]}], "unknown": {"x": 1},
}  # fmt: skip


def _part(beats: dict[str, Any], leases: dict[str, int], stock: list[Any] | None = None) -> WorkersPart:
    part = WorkersPart(Plan(), "emails")
    raw = [
        each
        for name, beat in beats.items()
        for each in (name.encode(), beat if isinstance(beat, bytes) else json.dumps(beat).encode())
    ]
    part._beats.value = [len(beats), raw]
    part._leases.value = [each for name, end in leases.items() for each in (name.encode(), str(end).encode())]
    part._stock.value = stock or []
    return part


def test_a_deck_worker() -> None:
    (row,) = _part({"w1": BEAT}, {"w1": NOW_MS + 8_000}).deck_rows(NOW_MS)
    assert (row.id, row.name, row.state, row.slots, row.complete, row.failed) == ("w1", "web-1:7", "running", 10, 9, 1)
    assert row.functions == ("send",)
    assert row.current[0].function == "send"
    assert row.deck


def test_without_a_lease_it_is_lost() -> None:
    rows = _part({"w1": BEAT, "w2": BEAT}, {"w1": NOW_MS - 20_000}).deck_rows(NOW_MS)
    assert [row.state for row in rows] == ["lost", "lost"]


def test_damaged_beats_are_rows() -> None:
    beats = {"w1": b"{", "w2": {"slots": "many"}, "w3": BEAT, "w4": b"[" * 9_000, "w5": b""}
    rows = {row.id: row.state for row in _part(beats, {"w3": NOW_MS + 1}).deck_rows(NOW_MS)}
    assert rows == {"w1": "broken", "w2": "broken", "w3": "running", "w4": "broken", "w5": "broken"}


def test_stock_workers() -> None:
    info = json.dumps({"stats": {"complete": 5, "failed": 2, "uptime": 60_000}, "queue_key": "emails"}).encode()
    entries = [
        [b"saq:emails:worker_info:s1", str(NOW_MS + 9_000).encode(), info],
        [b"saq:emails:worker_info:w1", str(NOW_MS + 9_000).encode(), info],
        [b"saq:emails:worker_info:gone", str(NOW_MS - 9_000).encode(), None],
        [b"saq:emails:worker_info:torn", str(NOW_MS + 9_000).encode(), b"{"],
    ]
    job = JobRow(id="emails/k", queue="emails", key="k", function="send", state=JobState.ACTIVE, worker="s1")
    rows = {row.id: row for row in _part({}, {}, entries).stock_rows(NOW_MS, ["w1"], [job])}
    assert set(rows) == {"s1", "torn"}
    assert (rows["s1"].state, rows["s1"].deck, rows["s1"].complete) == ("stock", False, 5)
    assert (rows["s1"].started_ms, rows["s1"].running) == (NOW_MS - 60_000, 1)
    assert rows["s1"].beat_ms <= NOW_MS


def test_a_worker_of_two_queues_is_one_row() -> None:
    rows = [
        WorkerRow(id="w", name="b", queues=("x",), beat_ms=5),
        WorkerRow(id="w", name="b", queues=("y", "x"), beat_ms=9),
        WorkerRow(id="a", name="a"),
        WorkerRow(id="l", name="0", state="lost"),
    ]
    merged = merged_rows(rows)
    assert [row.id for row in merged] == ["a", "w", "l"]
    assert (merged[1].queues, merged[1].beat_ms) == (("x", "y"), 9)


def test_functions_of_live_workers_alone() -> None:
    beat = read_beat(json.dumps(BEAT).encode())
    beats = {"emails": {"w1": beat}, "reports": {"w1": beat, "w2": read_beat(b'{"functions":[{"name":"old"}]}')}}
    specs = specs_of(beats, [WorkerRow(id="w1"), WorkerRow(id="w2", state="lost")])
    assert [(spec.name, spec.queues) for spec in specs] == [("send", ("emails", "reports"))]
    assert specs[0].parameters[0].name == "to"


def test_detail() -> None:
    beat = read_beat(json.dumps(BEAT | {"stack": "File …", "stack_key": "k"}).encode())
    detail = worker_detail(WorkerRow(id="w1"), beat)
    assert (detail.stack, detail.stack_key, detail.functions[0].name) == ("File …", "k", "send")
    assert worker_detail(WorkerRow(id="s"), None).functions == ()
