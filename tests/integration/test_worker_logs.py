"""Log lines of jobs reach the server in batches, bounded, without ever holding up the job."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from at_work import until
from redis.asyncio import Redis
from saq.job import Job

from quarterdeck.app.context import JobContext, current_job, enter
from quarterdeck.broker.address import parse_address
from quarterdeck.broker.client import client_of
from quarterdeck.keys import keys_of
from quarterdeck.record.retention import LOG_LINES
from quarterdeck.worker import logs
from quarterdeck.worker.capture import CaptureHandler, capturing
from quarterdeck.worker.logs import LogSink


@pytest.fixture
async def sink(redis_client, queue_name):
    sink = LogSink({queue_name: redis_client}, worker="w1")
    await sink.start()
    yield sink
    await sink.stop()


@pytest.fixture
def job(queue_name):
    return a_job(queue_name, "k1")


def a_job(queue_name: str, key: str, attempt: int = 1) -> JobContext:
    made = Job("work", key=key, attempts=attempt)
    made.queue = SimpleNamespace(name=queue_name)
    return JobContext(made)


@asynccontextmanager
async def inside(job: JobContext):
    enter(job)
    try:
        yield
    finally:
        enter(None)


async def lines_of(client: Redis, queue: str, key: str) -> list[dict]:
    return [json.loads(raw) for raw in await client.lrange(keys_of(queue).log(key), 0, -1)]


async def stream_of(client: Redis, queue: str) -> list[dict[str, str]]:
    entries = await client.xrange(keys_of(queue).logs)
    return [{k.decode(): v.decode() for k, v in fields.items()} for _, fields in entries]


async def test_a_record_reaches_the_jobs_log_and_the_stream(sink, redis_client, queue_name, job):
    log = logging.getLogger("someone.elses")
    with capturing(sink):
        log.warning("outside of a job")
        async with inside(job):
            log.info("moved %d of %d", 3, 4)
            log.debug("below the level")
    await sink.stop()
    (line,) = await lines_of(redis_client, queue_name, "k1")
    assert (line["level"], line["text"], line["attempt"]) == ("info", "moved 3 of 4", 1)
    assert line["at_ms"] > 1_600_000_000_000
    assert await stream_of(redis_client, queue_name) == [
        {"k": "k1", "f": "work", "l": "info", "t": "moved 3 of 4", "w": "w1", "n": "1"}
    ]
    assert 0 < await redis_client.ttl(keys_of(queue_name).log("k1")) <= logs.JOB_TTL_S


async def test_a_plain_functions_thread_logs_to_its_own_job(sink, redis_client, queue_name):
    def work(number: int) -> None:
        current_job().log.info("from thread %d", number)

    async def one(number: int) -> None:
        enter(a_job(queue_name, f"k{number}"))
        await asyncio.to_thread(work, number)

    with capturing(sink):
        await asyncio.gather(*(one(number) for number in range(5)))
    await sink.stop()
    for number in range(5):
        (line,) = await lines_of(redis_client, queue_name, f"k{number}")
        assert line["text"] == f"from thread {number}"


async def test_a_traceback_is_a_line_each_and_a_wrong_record_harms_nobody(sink, redis_client, queue_name, job):
    with capturing(sink):
        async with inside(job):
            try:
                raise KeyError("tenant_id")
            except KeyError:
                logging.getLogger("a").exception("it broke")
            wrong = logging.LogRecord("a", logging.WARNING, __file__, 1, "two %d %d", (1,), None)
            CaptureHandler(sink).handle(wrong)
    await sink.stop()
    texts = [line["text"] for line in await lines_of(redis_client, queue_name, "k1")]
    assert texts[0] == "it broke"
    assert "KeyError: 'tenant_id'" in texts
    assert texts[-1] == "'two %d %d' (with arguments that do not fit it: (1,))"


async def test_prints_are_caught_only_when_asked_for(sink, redis_client, queue_name, job, capsys):
    with capturing(sink, prints=True):
        async with inside(job):
            print("one\ntwo")
            sys.stdout.write("half ")
            print("a line")
        print("outside")
    assert capsys.readouterr().out == "one\ntwo\nhalf a line\noutside\n"
    await sink.stop()
    found = await lines_of(redis_client, queue_name, "k1")
    assert [(line["level"], line["text"]) for line in found] == [
        ("print", "one"),
        ("print", "two"),
        ("print", "half a line"),
    ]


async def test_lines_bytes_and_length_are_bounded(sink, redis_client, queue_name, job, monkeypatch):
    for number in range(logs.JOB_LINES + 500):
        sink.put(job, "info", f"line {number}")
    await sink.stop()
    found = await lines_of(redis_client, queue_name, "k1")
    assert len(found) == logs.JOB_LINES
    assert found[-1]["text"] == f"line {logs.JOB_LINES + 499}"
    big = a_job(queue_name, "k2")
    await sink.start()
    for _ in range(200):
        sink.put(big, "info", "é" * 10_000)
    await sink.stop()
    raw = await redis_client.lrange(keys_of(queue_name).log("k2"), 0, -1)
    assert logs.JOB_BYTES / 2 < sum(map(len, raw)) <= logs.JOB_BYTES
    assert json.loads(raw[0])["text"].endswith(f"… ({20_000 - logs.LINE_BYTES} bytes more)")


async def test_the_stream_is_bounded_by_the_settable_retention(redis_client, queue_name, job):
    await redis_client.hset(keys_of(queue_name).retention, "log_lines", 100)
    sink = LogSink({queue_name: redis_client})
    await sink.start()
    for number in range(3_000):
        sink.put(job, "info", f"line {number}")
    await sink.stop()
    assert 100 <= await redis_client.xlen(keys_of(queue_name).logs) < 1_000, "Redis trims whole nodes of the stream"


async def test_a_bound_that_is_taken_back_holds_no_longer(redis_client, queue_name, job, monkeypatch):
    monkeypatch.setattr(logs, "_RETENTION_EVERY_S", 0.0)
    await redis_client.hset(keys_of(queue_name).retention, "log_lines", 100)
    sink = LogSink({queue_name: redis_client})
    await sink.start()
    sink.put(job, "info", "one")
    await until(lambda: sink._stream_lines[queue_name] == 100)
    await redis_client.delete(keys_of(queue_name).retention)
    sink.put(job, "info", "two")
    await until(lambda: sink._stream_lines[queue_name] == LOG_LINES)
    await sink.stop()


async def test_what_is_too_much_is_dropped_oldest_first_and_counted(redis_client, queue_name, job, monkeypatch):
    monkeypatch.setattr(logs, "PENDING_LINES", 50)
    sink = LogSink({queue_name: redis_client})
    for number in range(80):
        sink.put(job, "info", f"line {number}")
    assert sink.dropped == 30
    await sink.start()
    await sink.stop()
    entries = await stream_of(redis_client, queue_name)
    assert len(entries) == 50
    assert (entries[0]["t"], entries[0]["d"]) == ("line 30", "30")
    assert "d" not in entries[1]


async def test_the_lines_of_an_outage_come_after_it(start_valkey, queue_name, job):
    server = start_valkey()
    client = client_of(parse_address(server.url), client_name="test")
    sink = LogSink({queue_name: client})
    await sink.start()
    sink.put(job, "info", "before")
    async with asyncio.timeout(60):
        while not await client.llen(keys_of(queue_name).log("k1")):
            await asyncio.sleep(0.01)
    server.kill()
    sink.put(job, "info", "during")
    await asyncio.sleep(0)
    server.start()
    async with asyncio.timeout(60):
        while not await client.llen(keys_of(queue_name).log("k1")):
            await asyncio.sleep(0.01)
    assert [line["text"] for line in await lines_of(client, queue_name, "k1")] == ["during"], "nothing was on disk"
    await sink.stop()
    await client.aclose()


async def test_a_server_that_stays_away_holds_up_neither_job_nor_end(start_valkey, queue_name, job):
    server = start_valkey()
    client = client_of(parse_address(server.url), client_name="test")
    server.kill()
    sink = LogSink({queue_name: client})
    await sink.start()
    for number in range(100):
        sink.put(job, "info", f"line {number}")
    await sink.stop(timeout_s=0.3)
    assert sink.dropped == 100
    await client.aclose()


async def test_many_threads_at_once_lose_nothing(sink, redis_client, queue_name):
    jobs = [a_job(queue_name, f"t{number}") for number in range(8)]
    threads = [
        threading.Thread(target=lambda job=job: [sink.put(job, "info", str(n)) for n in range(200)]) for job in jobs
    ]
    for thread in threads:
        thread.start()
    await asyncio.to_thread(lambda: [thread.join() for thread in threads])
    await sink.stop()
    for job in jobs:
        assert [line["text"] for line in await lines_of(redis_client, queue_name, job.key)] == [
            str(n) for n in range(200)
        ]


async def test_stop_before_start_and_twice_is_legal(redis_client, queue_name):
    sink = LogSink({queue_name: redis_client})
    await sink.stop()
    await sink.start()
    await sink.stop()
    await sink.stop()


async def test_the_levels_of_the_program_stay_as_they_were(sink):
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    with capturing(sink, level=logging.DEBUG):
        assert root.level <= logging.DEBUG
    assert (root.level, root.handlers) == before
