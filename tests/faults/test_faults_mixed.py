"""Mixed fleets: stock workers and clients beside ours on one queue, and none is harmed."""

from __future__ import annotations

import asyncio

import pytest
from fleet import Fleet, kill
from saq.job import Status
from saq.queue.redis import RedisQueue

pytestmark = pytest.mark.slow


async def test_ten_thousand_jobs_on_ours_and_stock_workers_run_once_each(valkey, queue_name, tmp_path):
    async with Fleet(valkey.url, queue_name, tmp_path) as fleet:
        fleet.start(), fleet.start(), fleet.start(stock=True), fleet.start(stock=True)
        await fleet.until(lambda: fleet.ledger.read_text().count("U - 0") == 4)
        keys = await fleet.feed(6_000, pause_s=0.005)
        stock = RedisQueue.from_url(valkey.url, name=queue_name)
        for _ in range(40):
            made = await asyncio.gather(*(stock.enqueue("step", pause_s=0.005) for _ in range(100)))
            keys += [job.key for job in made]
        await fleet.drained()
        starts = [line[1] for line in fleet.lines() if line[0] == "S"]
        assert sorted(starts) == sorted(keys), "a job ran twice or never"
        by_worker = {line[3] for line in fleet.lines() if line[0] == "E"}
        assert len(by_worker) == 4, "one of the workers did nothing"
        jobs = await stock.jobs(keys)
        assert {job.status for job in jobs} == {Status.COMPLETE}
        verdict = await fleet.verdict([])
        assert (verdict.stuck, verdict.wrong) == ([], [])
        await stock.disconnect()


async def test_a_stock_workers_jobs_are_left_alone_while_it_lives_and_rescued_when_it_died(
    valkey, queue_name, tmp_path
):
    async with Fleet(valkey.url, queue_name, tmp_path) as fleet:
        stock = fleet.start(stock=True, concurrency=2)
        await fleet.up(stock)
        # SAQ's registration of a worker lives 11 s; its first one is written at its start.
        keys = await fleet.feed(2, pause_s=7)
        await fleet.until(lambda: len(fleet.lines()) >= 3)
        fleet.start()
        await fleet.drained()
        await_starts = [line[1] for line in fleet.lines() if line[0] == "S"]
        assert sorted(await_starts) == sorted(keys), "a living stock worker's job was taken away"
        more = await fleet.feed(30, pause_s=2)
        await fleet.until(lambda: sum(line[3] == str(stock.pid) for line in fleet.lines()) >= 6)
        kill(stock)
        await fleet.drained()
        done = {line[1] for line in fleet.lines() if line[0] == "E"}
        assert set(more) <= done
        verdict = await fleet.verdict([])
        assert not verdict.stuck


@pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")  # stock's own call
async def test_stock_clients_wait_for_and_abort_what_our_workers_run(valkey, queue_name, tmp_path):
    async with Fleet(valkey.url, queue_name, tmp_path) as fleet:
        fleet.start()
        await fleet.leased(1)
        stock = RedisQueue.from_url(valkey.url, name=queue_name)
        await stock.connect()
        assert await stock.apply("step", timeout=60) == "done"
        job = await stock.enqueue("step", pause_s=0.3)
        await job.refresh(until_complete=60)
        assert (job.status, job.result) == (Status.COMPLETE, "done")
        job = await stock.enqueue("step", pause_s=60, timeout=0)
        await fleet.until(lambda: any(line[1] == job.key for line in fleet.lines()))
        await job.refresh()
        await job.abort("by stock", ttl=5)
        async with asyncio.timeout(60):
            while (await stock.job(job.key)).status is not Status.ABORTED:
                await asyncio.sleep(0.05)
        await fleet.drained()
        assert len((await stock.info())["workers"]) == 1
        await stock.disconnect()
