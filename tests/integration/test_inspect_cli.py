"""The reading commands: data on stdout, narration on stderr, and an exit status that a script can ask."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from quarterdeck.cli import main
from quarterdeck.cli.queues import length_of
from quarterdeck.errors import UsageError
from quarterdeck.keys import QueueKeys, keys_of
from quarterdeck.model import Page, Snapshot
from quarterdeck.record import FailedJob, HistoryEntry, encode_failed, encode_history, signature_of_text, signature_row


class Told:
    """What a command printed, and its exit status."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def told(valkey: Any, queue_name: str, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str, queue: str | None = queue_name) -> Told:
        flags = ["--url", valkey.url, *(["--queue", queue] if queue else [])]
        status = main([*words, *flags])
        printed = capsys.readouterr()
        return Told(status, printed.out, printed.err)

    return run


@pytest.fixture
def client(valkey: Any) -> Iterator[Redis]:
    with Redis.from_url(valkey.url) as found:
        yield found


@pytest.fixture
def keys(client: Redis, queue_name: str) -> QueueKeys:
    """A queue with a waiting, a failed and an ended job, served by one worker."""
    names = keys_of(queue_name)
    now = time.time_ns() // 1_000_000
    job = names.job("k1")
    payload = {"function": "send", "queue": queue_name, "key": "k1", "queued": now, "status": "queued"}
    client.set(job, json.dumps(payload | {"kwargs": {"to": "ann", "token": "t0ps3cret"}}))
    client.rpush(names.queued, job)
    client.zadd(names.incomplete, {job: 0})
    signature = signature_of_text("ValueError: user 5", "send")
    row = FailedJob(function="send", signature=signature.id, at_ms=now, attempts=1, error="ValueError: user 5")
    client.zadd(names.failed, {"f1": now})
    client.hset(names.failed_rows, "f1", encode_failed(row))
    failed = payload | {"key": "f1", "status": "failed", "error": "ValueError: user 5\x1b[2J"}
    client.hset(names.failed_jobs, "f1", json.dumps(failed))
    client.zadd(names.failed_of_signature(signature.id), {"f1": now})
    client.zadd(names.signatures, {signature.id: now})
    client.hset(names.signature_rows, signature.id, signature_row(signature, "send", now))
    client.xadd(names.history, {"r": encode_history(HistoryEntry(key="f1", function="send", status="failed"))})
    beat = {"name": "web-1:7", "queues": [queue_name], "slots": 4, "beat_ms": now, "functions": [{"name": "send"}]}
    client.hset(names.workers, "w1", json.dumps(beat))
    client.zadd(names.lease, {"w1": now + 600_000})
    return names


def test_status(told: Any, keys: QueueKeys) -> None:
    seen = told("status")
    assert seen.status == 0
    for word in (keys.queue, "web-1:7", "0/4", "ValueError: user <number>", "QUEUE", "WORKER", "FAILURES"):
        assert word in seen.out
    assert max(map(len, seen.out.splitlines())) <= 120


def test_status_as_json_is_the_snapshot(told: Any, keys: QueueKeys) -> None:
    import msgspec

    snapshot = msgspec.json.decode(told("status", "--json").out, type=Snapshot)
    assert (snapshot.queues[0].depth, snapshot.queues[0].failed) == (1, 1)


def test_status_is_1_when_it_is_bad(told: Any, keys: QueueKeys, client: Redis) -> None:
    client.delete(keys.workers, keys.lease)
    seen = told("status")
    assert seen.status == 1
    assert "BAD" in seen.out
    assert "no live worker" in seen.out


def test_jobs(told: Any, keys: QueueKeys) -> None:
    seen = told("jobs")
    assert [line.split()[:4:3] for line in seen.out.splitlines()[1:]] == [
        ["queued", "k1"],
        ["failed", "f1"],
    ]
    assert "t0ps3cret" not in seen.out
    assert "1-2 of 2" in seen.err
    assert told("jobs", "--filter", "arg:to=ann").out.count("k1") == 1
    page = json.loads(told("jobs", "--state", "failed", "--json").out)
    assert [row["key"] for row in page["rows"]] == ["f1"]
    assert set(page) == set(Page.__struct_fields__)


def test_one_job(told: Any, keys: QueueKeys) -> None:
    seen = told("jobs", "f1")
    assert "It failed and its attempt is used up" in seen.out
    assert "ValueError: user 5" in seen.out
    assert "\x1b" not in seen.out
    assert json.loads(told("jobs", "k1", "--json").out)["document"]["kwargs"] == {"to": "ann", "token": "***"}
    gone = told("jobs", "nope")
    assert (gone.status, gone.out) == (1, "")
    assert "no job 'nope'" in gone.err


def test_failures(told: Any, keys: QueueKeys) -> None:
    seen = told("failures")
    assert "user <number>" in seen.out
    signature = seen.out.splitlines()[1].split()[0]
    group = told("failures", signature)
    assert group.status == 0
    assert "f1" in group.out
    assert told("failures", "0123456789ab").status == 1
    assert json.loads(told("failures", signature, "--json").out)["group"]["row"]["count"] == 1


def test_queues_and_their_pause(told: Any, keys: QueueKeys) -> None:
    assert keys.queue in told("queues").out
    assert told("queues", "pause", keys.queue, "--for", "5m", "--reason", "deploy", queue=None).status == 0
    assert "paused" in told("queues", "list").out
    (stat,) = json.loads(told("queues", "--json").out)
    assert stat["paused"]["reason"] == "deploy"
    assert told("queues", "resume", keys.queue, queue=None).status == 0
    assert "paused" not in told("queues").out


@pytest.mark.parametrize(
    ("word", "seconds"), [("30m", 1800), ("1h", 3600), ("2d", 172800), ("45", 45), ("forever", None)]
)
def test_a_length_of_time(word: str, seconds: float | None) -> None:
    assert length_of(word) == seconds


@pytest.mark.parametrize("word", ["", "h", "-5m", "0", "x", "nan", "1e99", "5 m 3"])
def test_no_length_of_time(word: str) -> None:
    with pytest.raises(UsageError, match="no length of time"):
        length_of(word)


def test_workers(told: Any, keys: QueueKeys) -> None:
    seen = told("workers")
    assert "web-1:7" in seen.out
    assert "running" in seen.out
    assert json.loads(told("workers", "--json").out)[0]["id"] == "w1"


def test_logs(told: Any, keys: QueueKeys, client: Redis) -> None:
    for number in range(3):
        client.xadd(keys.logs, {"k": "k1", "f": "send", "l": "INFO", "t": f"line {number}\x1b[31m", "w": "w1"})
    client.rpush(keys.log("k1"), json.dumps({"at_ms": 5, "level": "ERROR", "text": "of the job"}))
    seen = told("logs", "--function", "send", "--limit", "2")
    assert [line.rsplit(" ", 2)[1:] for line in seen.out.splitlines()] == [["line", "1␛[31m"], ["line", "2␛[31m"]]
    assert "of the job" in told("logs", "k1").out
    lines = told("logs", "--json", "--filter", "line").out.splitlines()
    assert [json.loads(line)["key"] for line in lines] == ["k1"] * 3


def test_why(told: Any, keys: QueueKeys) -> None:
    assert told("why", "k1").out == "It is next in line.\n"
    assert told("why", f"@{keys.queue}").out.startswith("It flows: 1 job")
    answer = json.loads(told("why", "f1", "--json").out)
    assert (answer["kind"], answer["cure"]) == ("job", f"quarterdeck retry f1 --queue {keys.queue}.")
    assert f"quarterdeck retry f1 --queue {keys.queue}." in told("jobs", "f1").out, "no keys of a screen in a shell"
    gone = told("why", "nope")
    assert (gone.status, gone.out) == (1, "")


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("jobs", "--filter", "(a"), 2, "not closed"),
        (("jobs", "--queue", "other"), 2, "Several queues"),
        (("logs", "--filter", "~["), 2, "no regular expression"),
        (("queues", "pause", "x", "--for", "soon"), 2, "no length of time"),
        (("queues", "pause", "nowhere"), 2, "There is no queue 'nowhere'. Known: "),
        (("note", " "), 2, "The note is empty"),
        (("record", "--once"), 2, "--archive FILE"),
        (("record", "--read-only"), 2, "read-only"),
    ],
)
def test_wrong_usage(told: Any, words: tuple[str, ...], status: int, says: str) -> None:
    seen = told(*words)
    assert (seen.status, seen.out) == (status, "")
    assert says in seen.err
    assert "Traceback" not in seen.err


@pytest.mark.parametrize("words", [("status",), ("jobs",), ("logs",), ("why", "k"), ("record",), ("status", "--watch")])
def test_a_server_that_is_not_there(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    status = main([*words, "--url", "unix:///nowhere/at/all.sock"])
    printed = capsys.readouterr()
    assert (status, printed.out) == (3, "")
    assert len(printed.err.splitlines()) == 1


def test_the_archive_in_one_go(told: Any, keys: QueueKeys, tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    assert told("record", "--once", "--archive", str(path)).out == "Copied 1 run and 1 failure.\n"
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT key, function FROM failures").fetchall() == [("f1", "send")]


def test_the_archive_says_which_queue_it_left_out(told: Any, keys: QueueKeys, client: Redis, tmp_path: Path) -> None:
    client.delete(keys.history)
    client.set(keys.history, "no stream")
    seen = told("record", "--once", "--archive", str(tmp_path / "archive.db"))
    assert (seen.status, seen.out) == (1, "Copied 0 runs and 0 failures.\n")
    assert seen.err.startswith("Left out of the archive, for a key of another type in their record: q")


async def _spawn(*words: str) -> asyncio.subprocess.Process:
    code = "import sys; from quarterdeck.cli import main; sys.exit(main())"
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        code,
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ,
    )


async def test_record_ends_in_order_and_says_what_it_saw(valkey: Any, client: Redis, queue_name: str) -> None:
    process = await _spawn("record", "--url", valkey.url, "--queue", queue_name)
    assert process.stderr is not None
    async with asyncio.timeout(60):
        while b"still kept" not in await process.stderr.readline():
            pass
        job = keys_of(queue_name).job("k")
        client.set(
            job, json.dumps({"function": "f", "queue": queue_name, "key": "k", "completed": 5, "status": "complete"})
        )
        while not client.xlen(keys_of(queue_name).history):
            client.publish(job, "complete")
            await asyncio.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, err = await process.communicate()
    assert process.returncode == 0
    assert b"Recorded 1 attempt " in err


async def test_watching_goes_on_until_it_is_stopped(valkey: Any, queue_name: str) -> None:
    process = await _spawn("status", "--watch", "--every", "0.2", "--url", valkey.url, "--queue", queue_name)
    assert process.stdout is not None
    async with asyncio.timeout(60):
        seen = 0
        while seen < 2:
            seen += (await process.stdout.readline()).startswith(b"QUEUE")
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 130


async def test_following_logs(valkey: Any, client: Redis, queue_name: str) -> None:
    keys = keys_of(queue_name)
    client.xadd(keys.logs, {"k": "k1", "f": "f", "l": "INFO", "t": "first"})
    process = await _spawn("logs", "--follow", "--url", valkey.url, "--queue", queue_name)
    assert process.stdout is not None
    async with asyncio.timeout(60):
        assert b"first" in await process.stdout.readline()
        client.xadd(keys.logs, {"k": "k1", "f": "f", "l": "INFO", "t": "second"})
        assert b"second" in await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 130
