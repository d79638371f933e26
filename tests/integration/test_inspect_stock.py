"""A stock SAQ deployment, untouched: found, shown, and kept from forgetting."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from at_work import stock_working
from free_ports import next_free_port
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from saq import CronJob
from saq.queue.redis import RedisQueue

from quarterdeck.inspect import RedisSource, open_source
from quarterdeck.inspect.discovery import Discovery
from quarterdeck.keys import keys_of
from quarterdeck.model import JobState, Screen, Snapshot, Verb, View
from quarterdeck.model.act import JobRef, Selection
from quarterdeck.operate import open_operator
from quarterdeck.schedule.stock import pause_stock, resume_stock

WAIT_S = 60.0
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated")  # stock SAQ's own calls of redis-py


async def echo(ctx: Any, *, n: int = 0) -> int:
    return n


async def explode(ctx: Any) -> None:
    raise KeyError("tenant_id")


async def nightly(ctx: Any) -> None:
    return None


_gate: dict[str, asyncio.Event] = {}


async def wait(ctx: Any, *, gate: str) -> None:
    await _gate[gate].wait()


FUNCTIONS = [echo, explode, wait]


async def _until(source: RedisSource, condition: Any, view: View | None = None) -> Snapshot:
    async with asyncio.timeout(WAIT_S):
        while not condition(snapshot := await source.snapshot(view or View())):
            await asyncio.sleep(0.02)
    return snapshot


async def test_a_deployment_nobody_told_of_is_found_and_shown(start_valkey: Any) -> None:
    server = start_valkey()
    _gate["a"] = asyncio.Event()
    async with (
        stock_working(server.url, "orders:eu", FUNCTIONS, cron_jobs=[CronJob(nightly, cron="0 3 * * *")]) as queue,
        await open_source(server.url) as source,
    ):
        await queue.enqueue("wait", gate="a", key="held")
        await queue.enqueue("echo", n=1, scheduled=4_000_000_000)
        await source.discover()
        snapshot = await _until(
            source, lambda seen: seen.queues and seen.queues[0].active and seen.workers and seen.schedules
        )
        (stat,) = snapshot.queues
        assert (stat.name, stat.active, stat.scheduled, stat.deck) == ("orders:eu", 1, 2, False)
        assert (stat.paused, stat.in_per_s) == (None, None)
        (row,) = snapshot.schedules
        assert (row.name, row.function, row.origin) == ("cron:nightly", "nightly", "stock")
        assert row.next_ms is not None
        assert row.next_ms > snapshot.taken_ms
        snapshot = await _until(source, lambda seen: seen.workers[0].current)
        (worker,) = snapshot.workers
        assert (worker.state, worker.deck, worker.running) == ("stock", False, 1)
        assert (worker.current[0].key, worker.current[0].function) == ("held", "wait")
        assert {spec.name for spec in snapshot.functions} >= {"wait", "nightly"}
        assert all(spec.accepts_any for spec in snapshot.functions)
        _gate["a"].set()
        await _until(source, lambda seen: not seen.queues[0].active)


async def test_a_paused_cron_stays_in_sight(valkey: Any, redis_client: Redis, queue_name: str) -> None:
    async with (
        stock_working(valkey.url, queue_name, FUNCTIONS, cron_jobs=[CronJob(nightly, cron="0 3 * * *")]),
        RedisSource(redis_client, [queue_name], owner=object()) as source,
    ):
        await _until(source, lambda seen: seen.schedules)
        await pause_stock(redis_client, queue_name, "nightly", owner="ann", reason="deploy")
        snapshot = await source.snapshot(View(screen=Screen.SCHEDULES))
        (row,) = snapshot.schedules
        assert row.paused is not None
        assert (row.paused.owner, row.paused.reason, row.next_ms) == ("ann", "deploy", None)
        await resume_stock(redis_client, queue_name, "nightly")
        snapshot = await _until(source, lambda seen: seen.schedules and seen.schedules[0].next_ms)
        assert snapshot.schedules[0].paused is None


async def test_an_attached_dashboard_keeps_what_saq_would_drop(start_valkey: Any, queue_name: str) -> None:
    server = start_valkey()
    async with (
        stock_working(server.url, queue_name, FUNCTIONS) as queue,
        await open_source(server.url, queues=[queue_name], record=True) as source,
    ):
        await queue.enqueue("explode", key="early")
        await _until(source, lambda seen: seen.workers)
        snapshot = await _until(source, lambda seen: seen.queues[0].failed)
        await queue.enqueue("explode", key="late")
        await queue.enqueue("echo", n=1)
        snapshot = await _until(source, lambda seen: seen.queues[0].failed == 2 and seen.queues[0].history >= 2)
        (group,) = snapshot.groups
        assert (group.exception, group.message, group.count) == ("KeyError", "'tenant_id'", 2)
        assert group.frame.startswith("test_inspect_stock.py:")
        page = (await source.snapshot(View(screen=Screen.JOBS, state=JobState.FAILED))).page
        assert page is not None
        assert {row.id for row in page.rows} == {f"{queue_name}/early", f"{queue_name}/late"}


async def test_reading_alone_writes_nothing(start_valkey: Any, queue_name: str) -> None:
    server = start_valkey()
    client = Redis.from_url(server.url)
    async with (
        stock_working(server.url, queue_name, FUNCTIONS) as queue,
        await open_source(server.url, queues=[queue_name]) as source,
    ):
        await queue.enqueue("explode", key="k")
        await _until(source, lambda seen: seen.workers)
        async with asyncio.timeout(WAIT_S):
            while not (job := await queue.job("k")) or job.status != "failed":
                await asyncio.sleep(0.02)
        await source.snapshot(View())
        assert list(await client.keys("qd:*")) == []
    await client.aclose()


# Discovery.


async def test_discovery_looks_at_the_names_of_queues_only(start_valkey: Any) -> None:
    client = Redis.from_url(start_valkey().url)
    for name in ("plain", "a:b", "{tag}:x", "abort", "job", "w[i]ld"):
        await client.zadd(keys_of(name).incomplete, {keys_of(name).job("cron:f"): 5})
    await client.zadd(keys_of("idle").stats, {"saq:idle:worker_info:w": 5})
    await client.set("saq:fake:incomplete", "a string")
    await client.set("saq:job:trap:saq:x:incomplete", "a job")
    await client.set("saq:abort:cron:paused_one", "x")
    await client.sadd("qd:queues", "told")
    discovery = Discovery(client)
    await discovery.sweep()
    assert discovery.queues >= {"plain", "a:b", "{tag}:x", "job", "w[i]ld", "idle", "told"}
    assert "fake" not in discovery.queues
    assert discovery.crons_of("w[i]ld") == {"f"}
    assert discovery.complete
    await client.aclose()


async def test_a_queue_that_can_not_be_read_hides_no_other_from_discovery(start_valkey: Any) -> None:
    client = Redis.from_url(start_valkey().url)
    for name in ("a", "z"):
        await client.zadd(keys_of(name).incomplete, {keys_of(name).job("cron:f"): 5})
    await client.set(keys_of("broken").incomplete, "a string")
    await client.sadd("qd:queues", "broken")
    discovery = Discovery(client)
    await discovery.sweep()
    assert discovery.queues == {"a", "broken", "z"}
    assert discovery.crons_of("z") == {"f"}
    assert discovery.complete
    await client.aclose()


async def test_a_cron_is_met_at_a_glance_between_two_looks(redis_client: Redis, queue_name: str) -> None:
    keys = keys_of(queue_name)
    discovery = Discovery(redis_client)
    await redis_client.zadd(keys.incomplete, {keys.job("cron:running"): 0, keys.job("other"): 4})
    await discovery.glance(queue_name)
    assert discovery.crons_of(queue_name) == set()
    pending = {"cron:f": 5, "cron:of_ours:M1700000000000": 6}
    await redis_client.zadd(keys.incomplete, {keys.job(name): due for name, due in pending.items()})
    await discovery.glance(queue_name)
    assert discovery.crons_of(queue_name) == {"f"}
    assert discovery.met_lately(queue_name, "f")


async def test_discovery_waits_for_a_server_that_is_away(start_valkey: Any) -> None:
    server = start_valkey()
    async with await open_source(server.url):
        server.kill()
        await asyncio.sleep(0)
    # It ends in order though its server is gone.


# What operators leave behind.


async def test_bin_audit_and_operators_are_shown(valkey: Any, redis_client: Redis, queue_name: str) -> None:
    queue = RedisQueue(redis_client, name=queue_name)
    await queue.enqueue("echo", key="k1", n=1)
    operator = await open_operator(valkey.url, queues=[queue_name], carry_bulks=False)
    try:
        await operator.present("jobs")
        selection = Selection(refs=(JobRef(queue=queue_name, key="k1"),), queue=queue_name, state=JobState.QUEUED)
        await operator.act(Verb.DELETE, selection, reason="wrong tenant")
        async with RedisSource(redis_client, [queue_name], owner=object()) as source:
            snapshot = await source.snapshot(View(screen=Screen.BIN))
            assert snapshot.page is not None
            (row,) = snapshot.page.rows
            assert (getattr(row, "key", ""), getattr(row, "function", "")) == ("k1", "echo")
            assert snapshot.operators
            act = next(act for act in snapshot.acts if act.queue == queue_name)
            assert (act.verb, act.reason, act.done) == ("delete", "wrong tenant", 1)
            audit = (await source.snapshot(View(screen=Screen.AUDIT, filter="verb:delete wrong"))).page
            assert audit is not None
            assert act.id in {found.id for found in audit.rows}
            outcome = await operator.undo(act.undo)
            assert outcome.done == 1
            assert (await source.snapshot(View())).queues[0].depth == 1
    finally:
        await operator.close()


async def test_quarantine_is_listed(redis_client: Redis, queue_name: str) -> None:
    keys = keys_of(queue_name)
    held = {"key": "k1", "reason": "rule r1: poison", "at_ms": 9, "rule": "r1", "function": "echo"}
    await redis_client.hset(keys.quarantine, keys.job("k1"), json.dumps(held))
    await redis_client.hset(keys.quarantine, "junk", "{")
    await redis_client.zadd(keys.held, {keys.job("k1"): 9})
    await redis_client.set(keys.job("k1"), json.dumps({"function": "echo", "queue": queue_name, "key": "k1"}))
    async with RedisSource(redis_client, [queue_name], owner=object()) as source:
        snapshot = await source.snapshot(View(screen=Screen.QUARANTINE))
        assert snapshot.page is not None
        assert [(getattr(row, "key", ""), getattr(row, "rule", "")) for row in snapshot.page.rows] == [
            ("k1", "r1"),
            ("junk", ""),
        ]
        assert (snapshot.queues[0].quarantined, snapshot.queues[0].held) == (2, 1)
        detail: Any = (await source.snapshot(View(screen=Screen.JOB, subject="k1"))).detail
        assert "set aside: a quarantine rule holds it (rule r1: poison)" in detail.why


# A cluster.


async def _cluster(start_valkey: Any) -> int:
    """Two nodes that share the slots; returns a port."""
    ports = [next_free_port(), next_free_port()]
    nodes = [Redis.from_url(start_valkey(port=port, cluster_enabled="yes", bind="127.0.0.1").url) for port in ports]
    for node, (first, last) in zip(nodes, ((0, 8191), (8192, 16383)), strict=True):
        await node.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
    await nodes[0].execute_command("CLUSTER", "MEET", "127.0.0.1", ports[1])
    async with asyncio.timeout(WAIT_S):
        for node in nodes:
            while b"cluster_state:ok" not in await node.execute_command("CLUSTER", "INFO"):
                await asyncio.sleep(0.02)
            await node.aclose()
    return ports[0]


async def test_a_cluster(start_valkey: Any) -> None:
    client = RedisCluster(host="127.0.0.1", port=await _cluster(start_valkey))
    names = [f"{{queue{number}}}" for number in range(6)]  # on both nodes
    for name in names:
        keys = keys_of(name)
        for number in range(3):
            job = keys.job(f"{name}{number}")
            payload = {"function": "echo", "queue": name, "key": f"{name}{number}", "queued": 5, "status": "queued"}
            await client.set(job, json.dumps(payload | {"kwargs": {"n": number}}))
            await client.rpush(keys.queued, job)
            await client.zadd(keys.incomplete, {job: 0})
        await client.sadd("qd:queues", name)
    async with RedisSource(client, owner=client) as source:
        snapshot = await source.snapshot(View())
        assert [(stat.name, stat.depth, stat.error) for stat in snapshot.queues] == [(name, 3, "") for name in names]
        for screen in Screen:
            await source.snapshot(View(screen=screen, queue=names[0], subject=f"{names[0]}1"))
            await source.snapshot(View(screen=screen, subject=f"{names[0]}1"))
        everything = View(screen=Screen.JOBS, state=JobState.QUEUED, offset=4, limit=10)
        page = (await source.snapshot(everything)).page
        assert page is not None
        order = [f"{name}{number}" for name in names for number in range(3)]
        assert ([row.id.rpartition("/")[2] for row in page.rows], page.total) == (order[4:14], 18)
        found = (await source.snapshot(View(screen=Screen.JOBS, state=JobState.QUEUED, filter="arg:n=2"))).page
        assert found is not None
        assert (found.total, found.searched) == (6, 18)
        await source.discover()
