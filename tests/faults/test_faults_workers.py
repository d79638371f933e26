"""Workers killed, stopped, frozen, blocked: no job is lost, none is stuck, none is wrongly ended."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest
from fleet import PATIENT_S, Fleet, kill

pytestmark = pytest.mark.slow

SLOTS = 10
LEASE_S = 2.0
BACK_S = 60
"""Much longer than it takes, much shorter than for ever."""


async def test_without_faults_every_job_runs_once(valkey, queue_name, tmp_path):
    async with Fleet(valkey.url, queue_name, tmp_path) as fleet:
        fleet.start(), fleet.start()
        keys = await fleet.feed(2000)
        await fleet.drained()
        await fleet.all_well(keys, reruns=0)


async def test_sigkill_five_times_with_one_attempt_each(valkey, queue_name, tmp_path):
    async with Fleet(valkey.url, queue_name, tmp_path) as fleet:
        keys = await fleet.feed(1000, pause_s=0.02)
        fleet.start()
        for _ in range(5):
            victim = fleet.start()
            await fleet.up(victim)
            before = fleet.ends()
            keys += await fleet.feed(200, pause_s=0.02)
            await fleet.until(lambda before=before: fleet.ends() > before + 60)
            kill(victim)
        await fleet.drained()
        await fleet.all_well(keys, reruns=5 * SLOTS)


async def test_a_dead_workers_jobs_are_back_soon_after_its_lease(valkey, queue_name, tmp_path):
    """Within 5 s by design. Nothing else could bring them back: the jobs' own time-out is an hour."""
    async with Fleet(valkey.url, queue_name, tmp_path) as fleet:
        gate = tmp_path / "gate"
        victim = fleet.start(concurrency=100)
        keys = await fleet.feed(100, "gated", gate=str(gate), timeout=3600)
        await fleet.until(lambda: len(fleet.lines()) >= 101)
        fleet.start()
        await fleet.leased(2)
        await asyncio.sleep(LEASE_S)  # the rescuer's own beats must have been good for a lease

        async def rescued() -> bool:
            owners = await fleet.redis_call("HVALS", fleet.queue.keys.owner)
            return len(owners) <= SLOTS

        kill(victim)
        assert await fleet.until(rescued) < LEASE_S + BACK_S
        gate.touch()
        await fleet.drained()
        await fleet.all_well(keys, reruns=100)


async def test_sigterm_five_times_hands_back_without_an_attempt(valkey, queue_name, tmp_path):
    async with Fleet(valkey.url, queue_name, tmp_path, grace_s=0) as fleet:
        keys = await fleet.feed(1000, pause_s=0.03)
        fleet.start()
        for _ in range(5):
            victim = fleet.start()
            await fleet.up(victim)
            before = fleet.ends()
            keys += await fleet.feed(200, pause_s=0.03)
            await fleet.until(lambda before=before: fleet.ends() > before + 60)
            victim.send_signal(signal.SIGTERM)
            assert victim.wait(PATIENT_S) == 0
        await fleet.drained()
        verdict = await fleet.all_well(keys, reruns=5 * SLOTS)
        attempts = {line[2] for line in fleet.lines() if line[0] == "S"}
        assert attempts == {"1"}, "a handed back job's attempt was counted"
        assert verdict.late == 0


async def test_sigterm_lets_jobs_end_within_the_grace_time(valkey, queue_name, tmp_path):
    async with Fleet(valkey.url, queue_name, tmp_path, grace_s=60) as fleet:
        worker = fleet.start()
        keys = await fleet.feed(10, pause_s=0.8)
        await fleet.until(lambda: len(fleet.lines()) >= 11)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENT_S) == 0
        await fleet.all_well(keys, reruns=0)


async def test_an_idle_worker_leaves_at_once(valkey, queue_name, tmp_path):
    async with Fleet(valkey.url, queue_name, tmp_path, grace_s=120) as fleet:
        worker = fleet.start()
        keys = await fleet.feed(5)
        await fleet.drained()
        begun = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENT_S) == 0
        assert time.monotonic() - begun < 30  # 0.3 s by design; the grace time is two minutes
        await fleet.all_well(keys)
        assert await fleet.redis_call("ZCARD", fleet.queue.keys.lease) == 0
        assert await fleet.redis_call("HLEN", fleet.queue.keys.workers) == 0


async def test_a_worker_frozen_past_its_lease_comes_back_late_and_is_refused(valkey, queue_name, tmp_path):
    async with Fleet(valkey.url, queue_name, tmp_path) as fleet:
        frozen = fleet.start()
        keys = await fleet.feed(200, pause_s=0.3)
        await fleet.until(lambda: len(fleet.lines()) >= 11)
        fleet.start()
        await fleet.leased(2)
        frozen.send_signal(signal.SIGSTOP)
        await fleet.drained()
        frozen.send_signal(signal.SIGCONT)
        more = await fleet.feed(50)
        await fleet.drained()
        verdict = await fleet.all_well(keys + more, reruns=SLOTS)
        assert verdict.late <= SLOTS


async def test_a_blocked_loop_is_not_a_death(valkey, queue_name, tmp_path):
    async with Fleet(valkey.url, queue_name, tmp_path) as fleet:
        fleet.start()
        keys = await fleet.feed(1, "block", pause_s=2.5 * LEASE_S)
        await fleet.until(lambda: any(line[0] == "S" for line in fleet.lines()))
        fleet.start()
        keys += await fleet.feed(100, pause_s=0.01)
        await fleet.drained()
        verdict = await fleet.all_well(keys, reruns=0)
        assert verdict.late == 0


@pytest.mark.parametrize("skew_s", [3600, -3600])
async def test_an_hour_of_skew_harms_nobody(valkey, queue_name, tmp_path, skew_s):
    async with Fleet(valkey.url, queue_name, tmp_path) as fleet:
        fleet.start(skew_s=skew_s), fleet.start()
        await fleet.leased(2)
        keys = await fleet.feed(300, pause_s=0.05)
        victim = fleet.start(skew_s=skew_s)
        await fleet.up(victim)
        kill(victim)
        await fleet.drained()
        await fleet.all_well(keys, reruns=SLOTS)


async def test_a_job_that_kills_its_process_takes_no_neighbour_with_it(valkey, queue_name, tmp_path):
    async with Fleet(valkey.url, queue_name, tmp_path) as fleet:
        poison = await fleet.feed(1, "die")
        innocent = await fleet.feed(9, pause_s=0.5)
        deadline = time.monotonic() + 2 * PATIENT_S
        failed = fleet.queue.keys.failed
        while time.monotonic() < deadline and not await fleet.redis_call("ZCARD", failed):
            alive = [process for process in fleet.processes if process.poll() is None]
            for _ in range(2 - len(alive)):
                fleet.start()
            await asyncio.sleep(0.1)
        await fleet.drained()
        await fleet.all_well(innocent, reruns=2 * 9)
        assert [key.decode() for key in await fleet.queue.redis.zrange(failed, 0, -1)] == poison
        job = await fleet.queue.job(poison[0])
        assert "poison" in job.error
        row = await fleet.queue.redis.hget(fleet.queue.keys.failed_rows, poison[0])
        assert b'"poison":true' in row


async def test_on_lost_fail_does_not_run_again(valkey, queue_name, tmp_path):
    async with Fleet(valkey.url, queue_name, tmp_path, on_lost={"step": "fail"}) as fleet:
        victim = fleet.start()
        keys = await fleet.feed(3, pause_s=30)
        await fleet.until(lambda: len(fleet.lines()) >= 4)
        kill(victim)
        fleet.start()
        await fleet.drained()
        assert sum(line[0] == "S" for line in fleet.lines()) == 3
        for key in keys:
            job = await fleet.queue.job(key)
            assert job.status == "failed"
            assert "on_lost" in job.error
