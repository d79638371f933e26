"""Random nights: whatever schedulers, operators and deploys do, every tick is accounted for exactly once."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from quarterdeck.keys import keys_of
from quarterdeck.model import RunRow
from quarterdeck.schedule import CatchUp, Overlap, ScheduleBook, Scheduler, ScheduleSpec
from quarterdeck.schedule.expression import epoch_ms, parse, utc
from quarterdeck.schedule.scheduler import QueueScheduler
from quarterdeck.schedule.zones import zone

if TYPE_CHECKING:
    from redis.asyncio import Redis

START = epoch_ms(datetime(2026, 3, 28, 22, 0, tzinfo=UTC))
"""Some hours before Berlin's clock skips an hour."""
MINUTE = 60_000


class Night:
    """A random walk over everything that happens to schedules, on an injected clock, with a model beside it."""

    EXPRESSIONS = ("*/7 * * * *", "0,30 * * * *", "*/20 1-4 * * *", "15 2 * * *", "*/30 2 * * *", "59 23 * * *")

    def __init__(self, client: Redis, queue: str, seed: int) -> None:
        self.client, self.queue = client, queue
        self.keys = keys_of(queue)
        self.dice = random.Random(seed)
        self.now = START
        self.book = ScheduleBook(client, queue, test_now_ms=lambda: self.now)
        self.schedulers = [self.fresh() for _ in range(3)]
        self.specs = [
            ScheduleSpec(
                name=f"s{at}",
                expression=expression,
                function="work",
                tz=self.dice.choice(["UTC", "Europe/Berlin"]),
                overlap=self.dice.choice(list(Overlap)),
                catch_up=self.dice.choice(list(CatchUp)),
                jitter_s=self.dice.choice([0, 0, 40]),
                app="night",
            )
            for at, expression in enumerate(self.EXPRESSIONS)
        ]

    def fresh(self) -> QueueScheduler:
        skew = self.dice.choice([0, 20, -20, 3600])
        return QueueScheduler(
            self.client, self.queue, monotonic=lambda: self.now / 1000 + skew, test_now_ms=lambda: self.now
        )

    async def step(self) -> None:
        """One thing that happens."""
        name = self.dice.choice(self.specs).name
        happens = self.dice.random()
        if happens < 0.45:
            self.now += self.dice.choice([200, 1000, 5000, 30_000, 4 * MINUTE, 45 * MINUTE])
        elif happens < 0.7:
            await self.dice.choice(self.schedulers).look()
        elif happens < 0.76:
            self.schedulers[self.dice.randrange(3)] = self.fresh()
        elif happens < 0.86:
            await self.finish()
        elif happens < 0.89:
            await self.book.pause([name], who="ann", for_s=self.dice.choice([60, 1800, None]))
        elif happens < 0.93:
            await self.book.resume([name])
        elif happens < 0.95:
            await self.book.skip_next(name, who="ann")
        elif happens < 0.97:
            await self.book.run_now(name, who="ann")
        elif happens < 0.98:
            await self.book.edit(name, {"arguments": {"n": self.dice.randrange(9)}}, who="ann")
        elif happens < 0.99:
            await self.book.store.define(self.specs, app="night")
        else:
            await self.client.script_flush()

    async def finish(self) -> None:
        """A worker ends the job that has waited longest."""
        job = await self.client.lpop(self.keys.queued)
        if job is None:
            return
        payload = msgspec.json.decode(await self.client.get(job))
        status = self.dice.choice(["complete", "complete", "failed"])
        payload |= {"status": status, "started": self.now, "completed": self.now + 10, "error": None}
        await self.client.set(job, msgspec.json.encode(payload))
        await self.client.zrem(self.keys.incomplete, job)

    async def rest(self) -> None:
        """Let a scheduler catch up with now, and the last runs end."""
        for _ in range(2):
            scheduler = self.fresh()
            for _ in range(60):
                if not (await scheduler.look()).again:
                    break
            while await self.client.llen(self.keys.queued):
                await self.finish()
            for paused in self.specs:
                await self.book.resume([paused.name])
            await asyncio.sleep(0)
            self.now += 16_000


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
async def test_every_tick_of_a_random_night_is_in_the_ledger_once(
    redis_client: Redis, queue_name: str, seed: int
) -> None:
    night = Night(redis_client, queue_name, seed)
    await night.book.store.define(night.specs, app="night")
    for _ in range(250):
        await night.step()
    await night.rest()
    enqueued = Counter[str]()
    for spec in night.specs:
        runs = [run for run in await night.book.ledger(spec.name, count=5000) if run.outcome != "manual"]
        told = [run.tick_ms for run in runs]
        assert len(told) == len(set(told)), f"{spec.name} tells a tick twice"
        ended = night.now - 16_000 - int(spec.jitter_s * 1000)
        fires = parse(spec.expression).between(utc(START), utc(ended), zone(spec.tz), limit=5000)
        missing = {epoch_ms(fire) for fire in fires} - set(told)
        assert not missing, f"{spec.name} ({spec.catch_up}) lost {sorted(missing)[:3]}"
        for run in runs:
            assert_sound(run, spec)
            enqueued[run.job_key] += bool(run.job_key)
    assert all(count == 1 for key, count in enqueued.items() if key)


def assert_sound(run: RunRow, spec: ScheduleSpec) -> None:
    """A run says what came of it, and why when it did not run."""
    assert run.outcome in ("ran", "late", "skipped")
    assert (run.status == "SKIPPED") == (run.outcome == "skipped")
    assert bool(run.cause) == (run.outcome != "ran")
    assert bool(run.job_key) == (run.status not in ("SKIPPED", "WAITING"))
    if run.outcome == "late" and run.cause == "no scheduler ran":
        assert spec.catch_up is not CatchUp.NONE
        assert run.late_ms > 5_000
    if run.duration_ms is not None:
        assert run.status in ("COMPLETED", "FAILED", "ABORTED")


async def test_a_scheduler_waits_for_a_server_that_is_away_and_goes_on(
    start_valkey: Any, queue_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    import redis.asyncio

    caplog.set_level("INFO", logger="quarterdeck.schedule")
    server = start_valkey(appendonly="yes", appendfsync="always")
    client = redis.asyncio.Redis.from_url(server.url)
    book = ScheduleBook(client, queue_name)
    spec = ScheduleSpec(name="s", expression="* * * * * *", function="f", overlap=Overlap.ALLOW, app="a")
    await book.store.define([spec], app="a")
    running = [asyncio.create_task(Scheduler(client, [queue_name]).run()) for _ in range(2)]
    try:
        await _told(book, 1)
        server.kill()
        await _logged(caplog, "wait")
        server.start()
        before = len(await book.ledger("s"))
        await _told(book, before + 2)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    runs = await book.ledger("s", count=1000)
    await client.aclose()
    ticks = [run.tick_ms for run in runs]
    assert len(ticks) == len(set(ticks))
    assert sorted(ticks) == list(range(min(ticks), max(ticks) + 1, 1000))
    changes = [
        record.message for record in caplog.records if record.name == "quarterdeck.schedule" and record.levelno >= 20
    ]
    assert len([message for message in changes if "wait" in message or "refused" in message]) <= 4
    assert any("go on" in message for message in changes)


async def _told(book: ScheduleBook, count: int) -> None:
    ends = time.monotonic() + 60
    while len(await book.ledger("s", count=1000)) < count:
        assert time.monotonic() < ends, "no tick was told"
        await asyncio.sleep(0.05)


async def _logged(caplog: pytest.LogCaptureFixture, word: str) -> None:
    ends = time.monotonic() + 60
    while not any(word in record.message for record in caplog.records):
        assert time.monotonic() < ends, "nothing was logged"
        await asyncio.sleep(0.05)
