"""The server killed, stopped, full, forgetful, absent: no job is lost, none is stuck, none is wrongly ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from pathlib import Path

import pytest
from blackhole import BlackHole
from fleet import Fleet
from redis.exceptions import RedisError, ResponseError

pytestmark = pytest.mark.slow

SLOTS = 10
BACK_S = 60
"""At work again within 5 s by design; a busy machine with a lease of 2 s may need some more."""


async def halfway(fleet: Fleet, count: int) -> None:
    await fleet.until(lambda: fleet.ends() > count // 3)


@contextlib.asynccontextmanager
async def in_full_work(server, queue: str, place: Path, count: int, **options: float):
    """Two workers that have done a third of `count` short jobs; the fleet, and the keys of the jobs."""
    async with Fleet(server.url, queue, place, **options) as fleet:
        fleet.start(), fleet.start()
        await fleet.leased(2)
        keys = await fleet.feed(count, pause_s=0.02)
        await halfway(fleet, count)
        yield fleet, keys


@pytest.mark.parametrize("fsync", ["everysec", "always"])
async def test_server_killed_and_started_again(start_valkey, queue_name, tmp_path, fsync):
    server = start_valkey(appendonly="yes", appendfsync=fsync)
    async with Fleet(server.url, queue_name, tmp_path) as fleet:
        fleet.start(), fleet.start()
        await fleet.leased(2)
        keys = await fleet.feed(2000, pause_s=0.02)
        if fsync == "everysec":
            await asyncio.sleep(1.2)  # what was accepted less than a second ago may be lost with the server
        await halfway(fleet, 2000)
        server.kill()
        server.start()
        await fleet.drained()
        # With everysec up to a second of ends is forgotten, and those jobs run again: about 2 × 10 / 0.02 s of them.
        await fleet.all_well(keys, reruns=2 * SLOTS if fsync == "always" else 1500)
        assert fleet.log.stat().st_size < 20_000, "log storm"


async def test_server_stopped_for_five_seconds(start_valkey, queue_name, tmp_path):
    server = start_valkey()
    async with in_full_work(server, queue_name, tmp_path, 2000) as (fleet, keys):
        server.freeze()
        await asyncio.sleep(5.5)  # longer than leases and time-outs
        server.thaw()
        took_s = await fleet.drained()
        await fleet.all_well(keys, reruns=2 * SLOTS)
        assert took_s < BACK_S


async def test_server_stopped_for_thirty_seconds(start_valkey, queue_name, tmp_path):
    """Three leases and six time-outs long, with the settings that workers have unless told otherwise."""
    server = start_valkey()
    async with in_full_work(server, queue_name, tmp_path, 2000, lease_s=10.0, beat_s=2.0) as (fleet, keys):
        workers = fleet.processes
        server.freeze()
        await asyncio.sleep(6)  # by now all answers are given up
        used, begun, told = sum(cpu_s(each.pid) for each in workers), time.monotonic(), len(log_lines(fleet))
        await asyncio.sleep(24)  # thirty seconds in all, as it says
        share = (sum(cpu_s(each.pid) for each in workers) - used) / (time.monotonic() - begun)
        assert share < 0.2, f"{share:.0%} of a CPU while two workers wait"  # 5 % each by design
        assert len(log_lines(fleet)) - told <= 4, fleet.tail()
        before = fleet.ends()
        server.thaw()
        assert await fleet.until(lambda: fleet.ends() > before) < BACK_S
        await fleet.drained()
        # Nobody was dead: what ran went on, and its ends were written when the server was there again.
        verdict = await fleet.all_well(keys, reruns=0)
        assert verdict.late == 0


def log_lines(fleet: Fleet) -> list[str]:
    return fleet.log.read_text("utf-8", "replace").splitlines()


async def test_all_clients_killed_again_and_again(start_valkey, queue_name, tmp_path):
    server = start_valkey()
    async with Fleet(server.url, queue_name, tmp_path) as fleet:
        fleet.start(), fleet.start()
        await fleet.leased(2)
        keys = await fleet.feed(1500, pause_s=0.02)
        for _ in range(200):
            try:
                await fleet.queue.redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            except (RedisError, OSError):
                continue
            await asyncio.sleep(0.01)  # long enough to connect again
        await fleet.drained()
        await fleet.all_well(keys, reruns=0)


async def test_half_open_connections(start_valkey, queue_name, tmp_path):
    server = start_valkey()
    async with BlackHole(server.socket) as hole, Fleet(server.url, queue_name, tmp_path) as fleet:
        fleet.options["url"] = f"redis://127.0.0.1:{hole.port}"
        fleet.start(), fleet.start()
        await fleet.leased(2)
        keys = await fleet.feed(1000, pause_s=0.02)
        await halfway(fleet, 1000)
        hole.swallow()
        await fleet.drained()
        # Both workers' beats were swallowed too: whoever reconnects first may find the other's lease ended.
        await fleet.all_well(keys, reruns=2 * SLOTS)


async def test_scripts_forgotten(start_valkey, queue_name, tmp_path):
    server = start_valkey()
    async with Fleet(server.url, queue_name, tmp_path) as fleet:
        fleet.start(), fleet.start()
        keys = await fleet.feed(1000, pause_s=0.01)
        for _ in range(20):
            await fleet.queue.redis.script_flush()
            await asyncio.sleep(0.05)
        keys += await fleet.feed(500)
        await fleet.drained()
        await fleet.all_well(keys, reruns=0)


async def test_a_full_memory_is_drained(start_valkey, queue_name, tmp_path):
    server = start_valkey(maxmemory="24mb")
    async with Fleet(server.url, queue_name, tmp_path) as fleet:
        keys = []
        with pytest.raises(ResponseError, match="OOM"):
            while len(keys) < 20_000:
                keys += await fleet.feed(50, pad="x" * 20_000)
        await fleet.queue.redis.config_set("maxmemory", 2_000_000)  # full, however much a worker frees
        waiting = await fleet.queue.redis.lrange(fleet.queue.keys.queued, 0, -1)
        keys = [fleet.queue.keys.job_key(job_id.decode()) for job_id in waiting]
        victim = fleet.start()
        await fleet.leased(1)
        await fleet.until(lambda: fleet.ends() > 5)
        victim.kill()
        fleet.start()
        await fleet.drained()
        await fleet.queue.redis.config_set("maxmemory", 0)
        await fleet.all_well(keys, reruns=SLOTS)


async def test_a_disk_that_can_not_be_written(start_valkey, queue_name, tmp_path):
    server = start_valkey(save="1 1")
    async with in_full_work(server, queue_name, tmp_path, 1500) as (fleet, keys):
        shutil.rmtree(server.directory / "dump.rdb", ignore_errors=True)
        (server.directory / "dump.rdb").unlink(missing_ok=True)
        (server.directory / "dump.rdb" / "full").mkdir(parents=True)  # a snapshot can't be put in its place
        await fleet.until(lambda: refused(fleet))
        await asyncio.sleep(1.0)  # work goes against the wall for a while
        shutil.rmtree(server.directory / "dump.rdb")
        await fleet.queue.redis.execute_command("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
        await fleet.drained()
        await fleet.all_well(keys, reruns=2 * SLOTS)


async def refused(fleet: Fleet) -> bool:
    with contextlib.suppress(RedisError):
        await fleet.queue.redis.execute_command("BGSAVE")
    try:
        await fleet.queue.redis.set("probe", 1)
    except RedisError as error:
        return "MISCONF" in str(error)
    return False


async def test_an_append_only_file_that_can_not_grow(start_valkey, queue_name, tmp_path):
    server = start_valkey(appendonly="yes", appendfsync="everysec")
    async with in_full_work(server, queue_name, tmp_path, 1500) as (fleet, keys):
        server.limit_files(appended(server) + 20_000)
        keys.extend(await fed_until(fleet, lambda error: "MISCONF" in str(error)))
        assert (await fleet.queue.redis.info("persistence"))["aof_last_write_status"] == "err"
        told, walled = len(log_lines(fleet)), time.monotonic()
        while time.monotonic() - walled < 5:  # longer than leases; clients and work go against the wall
            keys.extend(await fed_until(fleet, lambda error: "MISCONF" in str(error)))
            await asyncio.sleep(0.1)
        assert len(log_lines(fleet)) - told < 30, "log storm"
        before = fleet.ends()
        server.limit_files(None)
        keys.extend(await fed_until(fleet, None, 100))
        assert await fleet.until(lambda: fleet.ends() > before) < BACK_S
        await fleet.drained()
        # Nobody was dead: what ran went on, and its ends were written when they could be.
        verdict = await fleet.all_well(keys, reruns=2 * SLOTS)
        server.restart()  # and all of it is in the file
        assert await fleet.verdict(keys) == verdict


async def test_an_append_only_file_that_ends_its_server(start_valkey, queue_name, tmp_path):
    """With `always` a server that can't write ends itself before it answers."""
    server = start_valkey(appendonly="yes", appendfsync="always")
    async with in_full_work(server, queue_name, tmp_path, 1500) as (fleet, keys):
        server.limit_files(appended(server) + 20_000)
        keys.extend(await fed_until(fleet, lambda _: server.process.poll() is not None))
        assert any("Exiting" in line for line in server.log), server.log[-5:]
        before = fleet.ends()
        server.kill()
        server.start()
        keys.extend(await fed_until(fleet, None, 100))
        assert await fleet.until(lambda: fleet.ends() > before + 2 * SLOTS) < BACK_S
        await fleet.drained()
        await fleet.all_well(keys, reruns=2 * SLOTS)


def appended(server) -> int:
    """The size of the append-only file that is written to, in bytes."""
    return max(path.stat().st_size for path in (server.directory / "appendonlydir").glob("*.incr.aof"))


async def fed_until(fleet: Fleet, hindered, most: int = 1_000_000) -> list[str]:
    """Enqueue jobs one after the other until an error that `hindered` knows; the keys of those that were accepted."""
    keys: list[str] = []
    while len(keys) < most:
        try:
            keys += await fleet.feed(1, pause_s=0.02)
        except (RedisError, OSError) as error:
            if hindered is None:
                await asyncio.sleep(0.05)
            elif hindered(error):
                return keys
    return keys


async def test_absent_at_start(start_valkey, queue_name, tmp_path):
    server = start_valkey()
    server.kill()
    async with Fleet(server.url, queue_name, tmp_path) as fleet:
        worker = fleet.start()
        await fleet.up(worker)
        await fleet.until(lambda: log_lines(fleet))  # what its start costs is not meant
        used = cpu_s(worker.pid)
        begun = time.monotonic()
        await asyncio.sleep(3)  # what it uses in that time
        share = (cpu_s(worker.pid) - used) / (time.monotonic() - begun)
        assert share < 0.2, f"{share:.0%} of a CPU while waiting"  # 5 % by design
        assert len(fleet.log.read_text().splitlines()) <= 3
        server.start()
        keys = await fleet.feed(200)
        assert await fleet.drained() < BACK_S
        await fleet.all_well(keys, reruns=0)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def test_results_are_written_when_the_server_comes_back(start_valkey, queue_name, tmp_path):
    server = start_valkey(appendonly="yes", appendfsync="always")
    async with Fleet(server.url, queue_name, tmp_path) as fleet:
        fleet.start()
        keys = await fleet.feed(SLOTS, pause_s=1.0)
        await fleet.until(lambda: len(fleet.lines()) >= SLOTS + 1)
        server.kill()
        await fleet.until(lambda: fleet.ends() == SLOTS)
        server.start()
        await fleet.drained()
        verdict = await fleet.all_well(keys, reruns=0)
        assert verdict.late == 0


async def test_a_master_that_becomes_a_read_only_replica_for_a_while(start_valkey, queue_name, tmp_path):
    server = start_valkey()
    async with in_full_work(server, queue_name, tmp_path, 1000) as (fleet, keys):
        await fleet.queue.redis.execute_command("REPLICAOF", "127.0.0.1", "1")
        await asyncio.sleep(1.5)  # less than a lease
        await fleet.queue.redis.execute_command("REPLICAOF", "NO", "ONE")
        assert await fleet.drained() < BACK_S
        await fleet.all_well(keys, reruns=2 * SLOTS)
        assert len(fleet.log.read_text().splitlines()) < 30, "log storm"
