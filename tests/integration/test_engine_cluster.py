"""A cluster: a queue whose name carries a hash tag lives on one node, and the engine finds it, again after it moved."""

from __future__ import annotations

import asyncio

import pytest
from free_ports import next_free_port
from redis.asyncio import Redis

from quarterdeck.broker.queue import Queue
from quarterdeck.keys import QUEUES
from quarterdeck.worker import Worker


async def agreed(client: Redis) -> bool:
    info = await client.execute_command("CLUSTER INFO")
    return (
        info.get("cluster_state") if isinstance(info, dict) else "ok" if b"cluster_state:ok" in info else ""
    ) == "ok"


@pytest.fixture
async def cluster(start_valkey):
    """Two nodes with half of the slots each."""
    ports = [next_free_port(), next_free_port()]
    servers = [
        start_valkey(port=port, bind="127.0.0.1", cluster_enabled="yes", cluster_node_timeout=2000) for port in ports
    ]
    clients = [Redis(port=port) for port in ports]
    await clients[0].execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 8191)
    await clients[1].execute_command("CLUSTER", "ADDSLOTSRANGE", 8192, 16383)
    await clients[0].execute_command("CLUSTER", "MEET", "127.0.0.1", ports[1])
    async with asyncio.timeout(60):
        for client in clients:
            while not await agreed(client):
                await asyncio.sleep(0.05)
    yield servers, clients, ports
    for client in clients:
        await client.aclose()


async def add(ctx, a=0, b=0):
    return a + b


async def test_queues_with_hash_tags_work_on_a_cluster(cluster):
    _, _, ports = cluster
    for name in ("{orders}", "emails-{a}", "{x}:y"):  # on both nodes
        queue = Queue.from_url(f"redis+cluster://127.0.0.1:{ports[0]}", name=name)
        worker = Worker(queue, [add], concurrency=5, lease_s=2, beat_s=0.3)
        task = asyncio.create_task(worker.start())
        assert await queue.apply("add", a=1, b=2, timeout=60) == 3
        assert await queue.map("add", [{"a": number} for number in range(50)], timeout=60) == list(range(50))
        async with asyncio.timeout(60):
            while await queue.redis.zcard(queue.keys.incomplete) or not await queue.redis.sismember(QUEUES, name):
                await asyncio.sleep(0.02)
        assert await queue.redis.xlen(queue.keys.history) == 51
        await worker.stop()
        await task
        await queue.disconnect()
