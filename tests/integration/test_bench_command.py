"""`quarterdeck bench`: contenders in their own processes on a server of its own. Figures are not looked at here."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from quarterdeck.broker import ending
from quarterdeck.broker.queue import Queue
from quarterdeck.broker.scripts import script
from quarterdeck.cli.benching.contender import OURS, STOCK, Contender
from quarterdeck.cli.benching.measures import MEASURES, naps, noop
from quarterdeck.cli.benching.process import BenchError, Contestant, ask
from quarterdeck.cli.benching.server import BenchServer, bench_server
from quarterdeck.cli.benching.stage import Stage


@pytest.fixture(scope="module")
def bench() -> Iterator[BenchServer]:
    with bench_server() as server:
        yield server


@pytest.fixture
def stage(bench: BenchServer) -> Stage:
    bench.flush()
    return Stage(bench, rounds=1, scale=0.01, transport="unix", peers=[])


def test_the_server_is_a_private_one_that_says_what_it_has_done(bench: BenchServer) -> None:
    before = bench.sample()
    for _ in range(10):
        bench.client.ping()
    after = bench.sample()
    assert after.commands - before.commands >= 10
    assert after.reads - before.reads >= 10
    assert bench.version.startswith("valkey ")


def test_what_clients_send_is_heard_without_what_scripts_call(bench: BenchServer) -> None:
    import redis

    with redis.Redis(unix_socket_path=bench.urls["unix"].removeprefix("unix://")) as client:
        client.ping()
        with bench.listening() as heard:
            client.set("x", "1")
            client.eval("redis.call('INCR', 'counter') return redis.call('INCR', 'counter')", 0)
    assert [words.split()[0].upper() for words in heard] == ["SET", "EVAL"]


@pytest.mark.parametrize(("contender", "transport"), [(OURS, "tcp"), (STOCK, "unix")], ids=["ours", "stock"])
def test_a_run_counts_jobs_cpu_commands_and_round_trips(stage: Stage, contender: Contender, transport: str) -> None:
    stage.transport = transport
    found = noop.run(stage, contender, 10)
    assert found.jobs_s > 0
    assert found.commands > 0
    assert found.reads > 0
    assert stage.figures[-1]["who"] == contender.name


def test_a_contender_that_fails_is_named_with_what_it_said(stage: Stage) -> None:
    with pytest.raises(BenchError, match=r"no_such fill ended too early.*No module named"):
        ask("no_such", "fill", stage.load())


def test_a_role_that_is_not_known_is_an_error(stage: Stage) -> None:
    with pytest.raises(BenchError, match="ended too early"):
        ask(OURS.module, "sing", stage.load())


def test_two_processes_of_ours_report_under_their_own_ids(stage: Stage) -> None:
    load = stage.load(jobs=100, processes=2, function="burn", every=1)
    with Contestant(OURS.module, "work", load) as worker:
        ask(OURS.module, "fill", load)
        done: dict[int, int] = {}
        while sum(done.values()) < 100:
            mark = worker.mark(lambda _: True)
            done[mark.pid] = mark.done
    assert sum(done.values()) == 100
    assert worker.process.poll() is not None


@pytest.mark.parametrize("mode", ["one", "gather", "bulk"])
def test_enqueuing_is_timed_and_leaves_the_jobs_there(stage: Stage, mode: str) -> None:
    rate = ask(OURS.module, "enqueue", stage.load(jobs=300, mode=mode))
    assert rate > 0
    assert stage.server.client.llen("saq:bench:queued") == 500  # 200 to warm up


@pytest.mark.parametrize("mode", ["one", "apply"])
def test_round_trips_are_timed_one_by_one(stage: Stage, mode: str) -> None:
    with Contestant(OURS.module, "work", stage.load(jobs=1)):
        times = ask(OURS.module, "roundtrip", stage.load(jobs=20, mode=mode))
    assert len(times) == 20
    assert all(each > 0 for each in times)


@pytest.mark.slow
def test_a_thousand_sleeping_jobs_sleep_at_the_same_time(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naps, "STOCK", OURS)
    rows = naps.measure(stage)
    assert all(1.0 <= (row.value or 0) < 15 for row in rows)


def test_all_measures_have_a_name_that_the_command_takes() -> None:
    assert list(MEASURES) == ["noop", "processes", "enqueue", "roundtrip", "idle", "sleep", "memory"]


def test_the_command_prints_json_and_says_what_is_not_installed() -> None:
    words = ["bench", "--only", "memory", "--quick", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "quarterdeck", *words], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    report = json.loads(done.stdout)
    assert report["rows"][0]["measure"] == "memory"
    assert report["rows"][0]["met"] is True
    assert {"quarterdeck", "saq"} <= set(report["versions"])


async def _held(queue: Queue, count: int) -> list[bytes]:
    """Enqueue and take: the payloads as they run now."""
    await queue.enqueue_many(["noop"] * count)
    turn = script("turn")
    wire = await queue.caller.connected()
    await wire.call("ZADD", queue.keys.lease, 9e15, "w")
    await wire.call("SCRIPT", "LOAD", turn.source)
    head = ["w", '"w"', 1, count, 1000, queue.name, "1", 1, queue.name]
    answer = await wire.call("EVALSHA", turn.sha, 1, queue.keys.queued, *head, 0, 0)
    marked: list[bytes] = answer[4][0][1]
    return marked[1::2]


def _completed(queue: Queue, payload: bytes, holder: str, ttl: int) -> ending.Settlement:
    job = queue.deserialize(payload)
    assert job is not None
    job.ttl = ttl
    return ending.complete(job, payload, number=1, holder=holder, us=10, worker="w")


async def test_completed_jobs_travel_in_groups_by_ttl_and_the_refused_are_numbered_as_sent(bench: BenchServer) -> None:
    bench.flush()
    queue = Queue.from_url(bench.urls["unix"], name="groups")
    payloads = await _held(queue, 6)
    ttls, holders = [600, -1, 600, 0, -1, 600], ["w/1/", "w/1/", "v/9/", "w/1/", "v/9/", "w/1/"]
    items = [
        _completed(queue, payload, holder, ttl) for payload, ttl, holder in zip(payloads, ttls, holders, strict=True)
    ]
    _, others = ending.arranged(items)
    assert not others
    assert [item[5] for item in items] == [600, 600, 600, -1, -1, 0]
    refused = await queue.settle(items)
    assert [items[number - 1][3] for number in refused] == ["v/9/", "v/9/"]
    assert bench.client.hlen(queue.keys.owner) == bench.client.llen(queue.keys.active) == 2
    stored = {item[2]: bench.client.ttl(item[2]) for item in items if item[3] == "w/1/"}
    assert sorted(stored.values()) == [-2, -1, 600, 600]
    assert bench.client.xlen(queue.keys.history) == 6
    entries = [fields[b"r"].split(b"\t")[2] for _, fields in bench.client.xrange(queue.keys.history)]
    assert entries.count(b"late") == 2
    minutes = bench.client.scan_iter("qd:minute:groups:*")  # two when one ends just now
    assert sum(int(bench.client.hget(minute, "noop\tcomplete") or 0) for minute in minutes) == 4
    await queue.disconnect()


async def test_what_brings_something_about_is_sent_one_by_one_after_the_groups(bench: BenchServer) -> None:
    bench.flush()
    queue = Queue.from_url(bench.urls["unix"], name="mixed")
    first, second = await _held(queue, 2)
    plain = _completed(queue, second, "w/1/", 600)
    job = queue.deserialize(first)
    assert job is not None
    step = ("enqueue", "mixed", "next", b'{"function":"noop","queue":"mixed","key":"next","status":"queued"}', 0)
    more = ending.complete(job, first, number=1, holder="w/1/", us=10, worker="w", steps=[step])
    items = [more, plain]
    _, others = ending.arranged(items)
    assert others
    assert items == [plain, more]
    assert await queue.settle(items) == []
    assert bench.client.lrange(queue.keys.queued, 0, -1) == [b"saq:job:mixed:next"]
    await asyncio.gather(queue.disconnect())
