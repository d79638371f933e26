"""The scheduler on a real server, with the time injected: what fires, what does not, and what the ledger says."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from quarterdeck.keys import keys_of
from quarterdeck.model import RunRow
from quarterdeck.schedule.book import ScheduleBook
from quarterdeck.schedule.ledger import Retention, settlement
from quarterdeck.schedule.scheduler import QueueScheduler, Turn
from quarterdeck.schedule.spec import CatchUp, Overlap, ScheduleSpec

if TYPE_CHECKING:
    from redis.asyncio import Redis

START = int(datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC).timestamp() * 1000)
MINUTE = 60_000
HOUR = 60 * MINUTE


class World:
    """A queue with an injected clock: `now` is the server's, schedulers have their own that may be wrong."""

    def __init__(self, client: Redis, queue: str) -> None:
        self.client = client
        self.queue = queue
        self.keys = keys_of(queue)
        self.now = START
        self.book = ScheduleBook(client, queue, test_now_ms=lambda: self.now)
        self.main = self.scheduler()

    def scheduler(self, skew_s: float = 0, **options: Any) -> QueueScheduler:
        return QueueScheduler(
            self.client,
            self.queue,
            monotonic=lambda: self.now / 1000 + skew_s,
            test_now_ms=lambda: self.now,
            **options,
        )

    async def define(self, *specs: ScheduleSpec, app: str = "app") -> list[str]:
        own = [msgspec.structs.replace(spec, app=app) for spec in specs]
        return await self.book.store.define(own, app=app)

    async def go(self, ms: int, scheduler: QueueScheduler | None = None) -> Turn:
        """Let `ms` pass at once, then look until there is nothing more to do."""
        self.now += ms
        return await self.settle(scheduler)

    async def settle(self, scheduler: QueueScheduler | None = None) -> Turn:
        for _ in range(50):
            turn = await (scheduler or self.main).look()
            if not turn.again:
                return turn
        pytest.fail("the scheduler does not come to rest")

    async def run(self, ms: int, step: int = 1000) -> None:
        """Let time pass as a scheduler lives it: a look each second."""
        end = self.now + ms
        while self.now < end:
            await self.go(min(step, end - self.now))

    async def jobs(self) -> list[dict[str, Any]]:
        """The payloads on the queue, in their order."""
        ids = await self.client.lrange(self.keys.queued, 0, -1)
        return [msgspec.json.decode(await self.client.get(each)) for each in ids]

    async def ticks(self) -> list[int]:
        """Minutes after the start that were enqueued."""
        return [(job["meta"]["tick"] - START) // MINUTE for job in await self.jobs()]

    async def finish(self, key: str, status: str = "complete", result: Any = None) -> None:
        """End a job as a stock worker does: out of SAQ's set, its payload told."""
        job = self.keys.job(key)
        payload = msgspec.json.decode(await self.client.get(job))
        payload |= {"status": status, "started": self.now, "completed": self.now + 250, "result": result}
        if status == "failed":
            payload["error"] = 'Traceback\n  File "x"\nValueError: no such thing'
        await self.client.set(job, msgspec.json.encode(payload))
        await self.client.zrem(self.keys.incomplete, job)
        await self.client.lrem(self.keys.queued, 0, job)

    async def ledger(self, name: str = "", **filters: Any) -> list[RunRow]:
        return await self.book.ledger(name, **filters)


@pytest.fixture
async def world(redis_client: Redis, queue_name: str) -> World:
    return World(redis_client, queue_name)


def every_minute(name: str = "tick", **values: Any) -> ScheduleSpec:
    return ScheduleSpec(
        **{"name": name, "expression": "* * * * *", "function": "work", "overlap": Overlap.ALLOW} | values
    )


async def test_a_due_tick_becomes_a_job_that_saq_can_read(world: World) -> None:
    await world.define(
        every_minute("a name", arguments={"n": 1}, options={"timeout": 30, "retries": 3}, description="d")
    )
    turn = await world.go(0)
    assert turn.fired == []
    assert turn.next_due_ms == START + MINUTE
    turn = await world.go(MINUTE)
    (job,) = await world.jobs()
    assert job == {
        "function": "work",
        "kwargs": {"n": 1},
        "queue": world.queue,
        "key": f"cron:a name:{START + MINUTE}",
        "timeout": 30,
        "retries": 3,
        "meta": {"schedule": "a name", "tick": START + MINUTE},
        "queued": START + MINUTE,
        "status": "queued",
    }
    raw = await world.client.get(world.keys.job(job["key"]))
    assert raw.endswith(b'"status":"queued"}')
    from saq.job import Job

    assert Job(**job).retries == 3
    assert await world.client.zscore(world.keys.incomplete, world.keys.job(job["key"])) == 0


async def test_the_ledger_tells_a_run_from_its_start_to_its_end(world: World) -> None:
    await world.define(every_minute())
    await world.go(0)
    await world.go(MINUTE)
    (run,) = await world.ledger()
    assert (run.name, run.outcome, run.status, run.late_ms) == ("tick", "ran", "RUNNING", 0)
    assert run.job_key == f"cron:tick:{START + MINUTE}"
    meta = (await world.jobs())[0]["meta"]
    step = settlement(meta, "complete", START + MINUTE + 10, START + MINUTE + 1210, result={"rows": 3})
    assert step is not None
    from quarterdeck.schedule.scripts import script

    assert await script("settle")(world.client, [world.keys.schedule_due], [world.queue, *step[1:]]) == 1
    (run,) = await world.ledger("tick")
    assert (run.status, run.duration_ms, run.result) == ("COMPLETED", 1200, '{"rows":3}')
    assert (run.start_ms, run.end_ms) == (START + MINUTE + 10, START + MINUTE + 1210)
    assert await world.client.zcard(world.keys.schedule_open) == 0


async def test_a_job_of_no_schedule_settles_nothing() -> None:
    assert settlement({}, "complete", 1, 2) is None
    assert settlement(None, "complete", 1, 2) is None
    assert settlement({"schedule": "x", "tick": "now"}, "complete", 1, 2) is None


async def test_ends_that_a_stock_worker_wrote_are_found(world: World) -> None:
    await world.define(every_minute())
    await world.go(0)
    for _ in range(4):
        await world.go(MINUTE)
    keys = [job["key"] for job in await world.jobs()]
    await world.finish(keys[0], result="fine")
    await world.finish(keys[1], "failed")
    await world.finish(keys[2])
    await world.client.delete(world.keys.job(keys[2]))
    await world.go(20_000)
    runs = list(reversed(await world.ledger("tick")))
    assert [run.status for run in runs] == ["COMPLETED", "FAILED", "FAILED", "RUNNING"]
    assert runs[0].result == '"fine"'
    assert runs[1].error == "ValueError: no such thing"
    assert "gone" in runs[2].error


@pytest.mark.slow
async def test_three_skewed_schedulers_killed_at_random_fire_200_ticks_once_each(world: World) -> None:
    """Clocks 0, +20 s and -20 s; killed (all that they knew is lost) and restarted at random; time goes on unevenly."""
    dice = random.Random(4)
    await world.define(every_minute(catch_up=CatchUp.ALL))
    skews = (0, 20, -20)
    alive: list[QueueScheduler | None] = [world.scheduler(skew) for skew in skews]
    end = START + 200 * MINUTE
    kills = 0
    while world.now <= end:
        world.now += dice.choice([500, 1000, 1000, 3000, 20_000, 90_000])
        for at in dice.sample(range(3), 3):
            scheduler = alive[at]
            if scheduler is None:
                if dice.random() < 0.5:
                    alive[at] = world.scheduler(skews[at])
                continue
            if dice.random() < 0.3:
                kills += 1
                alive[at] = None
                continue
            for _ in range(dice.randint(1, 3)):
                await scheduler.look()
    await world.settle(world.scheduler())
    fired = Counter(await world.ticks())
    assert [tick for tick, count in fired.items() if count > 1] == []
    assert sorted(fired)[:200] == list(range(1, 201))
    runs = await world.ledger("tick", count=1000)
    assert {run.outcome for run in runs} <= {"ran", "late"}
    assert len(runs) == len(fired)
    assert kills > 50


async def test_an_answer_that_was_lost_is_asked_again_without_a_second_firing(world: World) -> None:
    await world.define(every_minute())
    await world.go(0)
    world.now += MINUTE
    proposals = world.main._proposals
    await world.main.look()
    again = world.scheduler()
    again._ahead_ms, again._soon, again._known = world.main._ahead_ms, world.main._soon, world.main._known
    assert proposals() == again._proposals()
    await again.look()
    await world.settle()
    assert await world.ticks() == [1]


@pytest.mark.parametrize("skew_s", [-3600, -20, 20, 3600])
async def test_a_wrong_clock_fires_nothing_early_and_nothing_late(world: World, skew_s: float) -> None:
    await world.define(every_minute())
    scheduler = world.scheduler(skew_s)
    await world.settle(scheduler)
    await world.go(MINUTE - 1, scheduler)
    assert await world.ticks() == []
    await world.go(1, scheduler)
    assert await world.ticks() == [1]


async def outage(world: World, minutes: int = 10, **values: Any) -> list[RunRow]:
    """A schedule each minute whose schedulers are away for `minutes`; its ledger, oldest first."""
    await world.define(every_minute(**values))
    await world.go(0)
    await world.go(minutes * MINUTE + 30_000, world.scheduler())
    return list(reversed(await world.ledger("tick", count=1000)))


async def test_after_an_outage_latest_runs_the_newest_tick_for_all(world: World) -> None:
    runs = await outage(world)
    assert [run.outcome for run in runs] == ["skipped"] * 9 + ["late"]
    assert runs[-1].late_ms == 30_000
    assert runs[0].cause == "no scheduler ran; a later tick stands for it"
    assert await world.ticks() == [10]


async def test_after_an_outage_none_runs_nothing_that_was_missed(world: World) -> None:
    runs = await outage(world, catch_up=CatchUp.NONE)
    assert [run.outcome for run in runs] == ["skipped"] * 10
    await world.go(30_000)
    assert await world.ticks() == [11]


async def test_after_an_outage_all_runs_each_missed_tick_in_order(world: World) -> None:
    runs = await outage(world, catch_up=CatchUp.ALL)
    assert [run.outcome for run in runs] == ["late"] * 10
    assert await world.ticks() == list(range(1, 11))


async def test_all_is_bounded_by_number_and_window(world: World) -> None:
    runs = await outage(world, catch_up=CatchUp.ALL, catch_up_max=3)
    assert [run.outcome for run in runs] == ["skipped"] * 7 + ["late"] * 3
    assert "bound" in runs[0].cause


async def test_ticks_older_than_the_window_do_not_run(world: World) -> None:
    runs = await outage(world, catch_up=CatchUp.ALL, catch_up_window_s=200)
    assert [run.outcome for run in runs] == ["skipped"] * 7 + ["late"] * 3
    assert "window" in runs[0].cause


async def test_a_tick_a_moment_late_is_on_time(world: World) -> None:
    await world.define(every_minute(catch_up=CatchUp.NONE))
    await world.go(0)
    await world.go(MINUTE + 4_000, world.scheduler())
    assert await world.ticks() == [1]
    assert (await world.ledger())[0].outcome == "ran"


async def test_several_ticks_within_the_grace_time_all_run(world: World) -> None:
    await world.define(every_minute(expression="* * * * * *"))
    await world.go(0)
    await world.go(4_000)
    assert len(await world.jobs()) == 4


@pytest.mark.parametrize("expression", ["* * * * *", "* * * * * *"])
async def test_a_year_of_outage_is_told_and_done_in_no_time(world: World, expression: str) -> None:
    await world.define(every_minute(expression=expression))
    await world.go(0)
    turn = await world.go(365 * 24 * HOUR + 30_000, world.scheduler())
    assert 0 < turn.next_due_ms - world.now <= MINUTE
    runs = await world.ledger("tick", count=1000)
    assert len(runs) <= 220
    assert runs[-1].cause.startswith("no scheduler ran: this and ")
    assert runs[-1].tick_ms in (START + 1000, START + MINUTE)
    assert Counter(run.outcome for run in runs)["skipped"] > 150


async def test_the_clock_of_the_server_jumps_forward_by_an_hour(world: World) -> None:
    await world.define(every_minute(), every_minute("hourly", expression="0 * * * *"))
    await world.go(0)
    await world.go(HOUR + 1000)
    assert Counter(run.outcome for run in await world.ledger("tick")) == {"skipped": 59, "ran": 1}
    assert [run.outcome for run in await world.ledger("hourly")] == ["ran"]


async def test_the_clock_of_the_server_jumps_back_by_an_hour(world: World) -> None:
    await world.define(every_minute())
    await world.go(0)
    await world.run(2 * MINUTE, 10_000)
    world.now -= HOUR
    await world.run(HOUR, 10_000)
    assert await world.ticks() == [1, 2]
    await world.run(MINUTE, 10_000)
    assert await world.ticks() == [1, 2, 3]
    assert (await world.settle()).next_due_ms - world.now <= MINUTE


async def test_overlap_skip_leaves_the_tick_out_and_says_why(world: World) -> None:
    await world.define(every_minute(overlap=Overlap.SKIP))
    await world.go(0)
    await world.go(MINUTE)
    await world.go(MINUTE)
    first = (await world.jobs())[0]["key"]
    runs = await world.ledger("tick")
    assert [run.outcome for run in runs] == ["skipped", "ran"]
    assert runs[0].cause == f"the run before it is still going: {first}"
    await world.finish(first)
    await world.go(MINUTE)
    assert await world.ticks() == [3]


async def test_overlap_queue_lets_one_wait_and_starts_it_when_the_run_before_is_over(world: World) -> None:
    await world.define(every_minute(overlap=Overlap.QUEUE))
    await world.go(0)
    for _ in range(3):
        await world.go(MINUTE)
    assert await world.ticks() == [1]
    runs = await world.ledger("tick")
    assert [(run.outcome, run.status) for run in runs] == [
        ("skipped", "SKIPPED"), ("late", "WAITING"), ("ran", "RUNNING"),
    ]  # fmt: skip
    assert "one waits" in runs[0].cause
    await world.finish(runs[2].job_key)
    await world.go(1000)
    assert await world.ticks() == [2]
    waited = (await world.ledger("tick"))[1]
    assert (waited.outcome, waited.status, waited.late_ms) == ("late", "RUNNING", MINUTE + 1000)
    assert waited.cause == "waited for the run before it"


async def test_overlap_allow_runs_side_by_side(world: World) -> None:
    await world.define(every_minute(overlap=Overlap.ALLOW))
    await world.go(0)
    await world.go(MINUTE)
    await world.go(MINUTE)
    assert await world.ticks() == [1, 2]


async def test_overlap_cancel_stops_the_run_before_it(world: World) -> None:
    await world.define(every_minute(overlap=Overlap.CANCEL))
    await world.go(0)
    await world.go(MINUTE)
    first = (await world.jobs())[0]["key"]
    # Running: a worker owns it, and SAQ's marker tells it to stop.
    await world.client.hset(world.keys.owner, world.keys.job(first), "w/1/1")
    await world.client.lrem(world.keys.queued, 0, world.keys.job(first))
    await world.go(MINUTE)
    assert await world.client.exists(world.keys.abort(first))
    assert await world.ticks() == []
    await world.finish(first, "aborted")
    await world.go(1000)
    assert await world.ticks() == [2]
    runs = await world.ledger("tick")
    assert (runs[0].outcome, runs[0].status) == ("late", "RUNNING")
    assert await world.client.hlen(world.keys.schedule_cancels) == 0


async def test_overlap_cancel_takes_a_waiting_job_off_the_queue(world: World) -> None:
    await world.define(every_minute(overlap=Overlap.CANCEL))
    await world.go(0)
    await world.go(MINUTE)
    await world.go(MINUTE)
    await world.go(1000)
    assert await world.ticks() == [2]
    await world.run(30_000, 5_000)
    statuses = [(run.outcome, run.status) for run in await world.ledger("tick")]
    assert statuses == [("late", "RUNNING"), ("ran", "ABORTED")]


async def test_jitter_is_within_its_bound_and_the_same_for_all(world: World) -> None:
    await world.define(*(every_minute(f"j{at}", jitter_s=20) for at in range(20)))
    await world.go(0)
    one, two = world.scheduler(), world.scheduler()
    await world.settle(one)
    await world.settle(two)
    dues = dict(await world.client.zrange(world.keys.schedule_due, 0, -1, withscores=True))
    assert all(START + MINUTE <= due <= START + MINUTE + 20_000 for due in dues.values())
    assert len(set(dues.values())) > 10
    while world.now < START + 3 * MINUTE + 21_000:
        world.now += 1000
        await one.look()
        await two.look()
    assert set(Counter(await world.ticks()).items()) == {(1, 20), (2, 20), (3, 20)}
    assert {run.outcome for run in await world.ledger()} == {"ran"}


async def test_jitter_longer_than_the_time_between_ticks_changes_no_order(world: World) -> None:
    await world.define(every_minute(jitter_s=600))
    await world.go(0)
    await world.run(12 * MINUTE, 1000)
    ticks = await world.ticks()
    assert ticks == sorted(ticks)
    assert ticks[:10] == list(range(1, 11))


async def test_more_schedules_than_a_call_takes_all_fire_at_once(world: World) -> None:
    count = 2_000
    await world.define(*(every_minute(f"s{at}") for at in range(count)))
    await world.go(0)
    await world.go(MINUTE)
    assert await world.client.llen(world.keys.queued) == count


async def test_a_steady_queue_costs_one_call_a_look(world: World) -> None:
    await world.define(*(every_minute(f"s{at}", expression=f"{at % 60} * * * *") for at in range(300)))
    await world.go(0)
    await world.run(20_000)
    calls = 0
    call = world.client.evalsha

    async def counted(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        return await call(*args)

    world.client.evalsha = counted  # type: ignore[method-assign]
    world.now += 1000
    assert not (await world.main.look()).again
    assert calls == 1


async def test_the_ledger_keeps_to_its_bounds(world: World) -> None:
    world.main = world.scheduler(retention=Retention(count=25, per_schedule=10, age_ms=HOUR))
    await world.define(*(every_minute(f"s{at}") for at in range(5)))
    await world.go(0)
    for _ in range(20):
        await world.go(MINUTE)
    assert len(await world.ledger(count=1000)) <= 26
    assert len(await world.ledger("s1", count=1000)) <= 10
    assert await world.client.hlen(world.keys.schedule_runs) <= 26
    for key in [job["key"] for job in await world.jobs()]:
        await world.finish(key)
    await world.define()
    await world.define(every_minute("last", expression="0 0 * * *"))
    await world.go(13 * HOUR, world.main)
    names = {run.name for run in await world.ledger(count=1000)}
    assert names == {"last"}


async def test_an_empty_queue_says_so(world: World) -> None:
    assert (await world.settle()).empty
    await world.define(every_minute())
    assert not (await world.settle()).empty


def plain(rows: list[RunRow], pick: Callable[[RunRow], Any]) -> list[Any]:
    return [pick(row) for row in rows]


async def test_the_ledger_is_asked_by_name_status_and_time(world: World) -> None:
    await world.define(every_minute("a", overlap=Overlap.SKIP), every_minute("b"))
    await world.go(0)
    for _ in range(5):
        await world.go(MINUTE)
    assert len(await world.ledger()) == 10
    assert plain(await world.ledger("a", status="SKIPPED"), lambda run: run.name) == ["a"] * 4
    assert len(await world.ledger(status="ran")) == 6
    middle = await world.ledger("b", since_ms=START + 2 * MINUTE, until_ms=START + 4 * MINUTE)
    assert plain(middle, lambda run: (run.tick_ms - START) // MINUTE) == [4, 3, 2]
    assert len(await world.ledger("b", count=2)) == 2
    assert plain(await world.ledger("b", first=2, count=2), lambda run: (run.tick_ms - START) // MINUTE) == [3, 2]
    assert await world.ledger("nobody") == []
