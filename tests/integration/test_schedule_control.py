"""Defining schedules and acting on them: what code says, what operators change, and what survives a redeploy."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from quarterdeck.inspect.source import RedisSource
from quarterdeck.keys import keys_of
from quarterdeck.model import RunRow, ScheduleDetail, ScheduleRow, Screen, View
from quarterdeck.schedule import (
    Origin,
    Overlap,
    ScheduleBook,
    ScheduleError,
    ScheduleSpec,
    UnknownZoneError,
)
from quarterdeck.schedule.fields import ExpressionError
from quarterdeck.schedule.scheduler import QueueScheduler, Scheduler

if TYPE_CHECKING:
    from redis.asyncio import Redis

START = int(datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC).timestamp() * 1000)
MINUTE = 60_000
HOUR = 60 * MINUTE


class Bench:
    """A queue with an injected clock, one scheduler and a book."""

    def __init__(self, client: Redis, queue: str) -> None:
        self.client, self.queue, self.now = client, queue, START
        self.keys = keys_of(queue)
        self.book = ScheduleBook(client, queue, test_now_ms=lambda: self.now)
        self.store = self.book.store
        self.scheduler = self.fresh()

    def fresh(self) -> QueueScheduler:
        return QueueScheduler(self.client, self.queue, monotonic=lambda: self.now / 1000, test_now_ms=lambda: self.now)

    async def go(self, ms: int = 0) -> None:
        self.now += ms
        for _ in range(30):
            if not (await self.scheduler.look()).again:
                return
        pytest.fail("the scheduler does not come to rest")

    async def deploy(self, *specs: ScheduleSpec, app: str = "app") -> list[str]:
        return await self.store.define([msgspec.structs.replace(spec, app=app) for spec in specs], app=app)

    async def jobs(self) -> list[dict[str, Any]]:
        ids = await self.client.lrange(self.keys.queued, 0, -1)
        return [msgspec.json.decode(await self.client.get(each)) for each in ids]

    async def fired(self) -> list[int]:
        return [(job["meta"]["tick"] - START) // MINUTE for job in await self.jobs()]

    async def runs(self, name: str = "", **filters: Any) -> list[RunRow]:
        return await self.book.ledger(name, **filters)

    async def row(self, name: str) -> ScheduleRow:
        return (await self.book.detail(name)).row


@pytest.fixture
async def bench(redis_client: Redis, queue_name: str) -> Bench:
    return Bench(redis_client, queue_name)


def spec(name: str = "s", expression: str = "* * * * *", **values: Any) -> ScheduleSpec:
    return ScheduleSpec(
        **{"name": name, "expression": expression, "function": "work", "overlap": Overlap.ALLOW} | values
    )


# Definition


async def test_several_schedules_share_a_function(bench: Bench) -> None:
    await bench.deploy(spec("a", arguments={"n": 1}), spec("b", arguments={"n": 2}))
    await bench.go()
    await bench.go(MINUTE)
    assert sorted(job["kwargs"]["n"] for job in await bench.jobs()) == [1, 2]
    assert {job["function"] for job in await bench.jobs()} == {"work"}


async def test_a_row_tells_what_a_schedule_is(bench: Bench) -> None:
    await bench.deploy(
        spec("nightly", "30 2 * * 1-5", tz="Europe/Berlin", description="of the books", arguments={"deep": True})
    )
    row = await bench.row("nightly")
    assert row.words == "every weekday at 02:30 Berlin"
    assert (row.id, row.function, row.tz, row.origin) == (f"{bench.queue}/nightly", "work", "Europe/Berlin", "code")
    assert row.next_ms == int(datetime(2026, 6, 2, 0, 30, tzinfo=UTC).timestamp() * 1000)
    assert row.arguments == '{"deep":true}'
    detail = await bench.book.detail("nightly")
    assert len(detail.fires_ms) == 10
    assert detail.code["expression"] == "30 2 * * 1-5"
    assert detail.edits == {}


async def test_a_redeploy_applies_new_code_at_once(bench: Bench) -> None:
    await bench.deploy(spec(expression="*/30 * * * *", arguments={"v": 1}))
    await bench.go()
    await bench.deploy(spec(expression="*/5 * * * *", arguments={"v": 2}))
    await bench.go(5 * MINUTE)
    (job,) = await bench.jobs()
    assert job["kwargs"] == {"v": 2}
    assert await bench.fired() == [5]


async def test_a_name_that_another_app_has_is_taken_over_and_that_is_told(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await bench.deploy(spec(arguments={"v": 1}), app="shop")
    await bench.deploy(spec(arguments={"v": 1}), app="shop")
    assert not caplog.records
    await bench.deploy(spec(arguments={"v": 2}), app="billing")
    (record,) = caplog.records
    assert "defined by the app shop; from now on it is what billing says" in record.getMessage()
    await bench.deploy(app="shop")
    await bench.go()
    await bench.go(MINUTE)
    assert [job["kwargs"] for job in await bench.jobs()] == [{"v": 2}]


async def test_a_redeploy_fires_no_stale_time(bench: Bench) -> None:
    await bench.deploy(spec(expression="5 * * * *"))
    await bench.go()
    bench.now += 10 * MINUTE
    await bench.deploy(spec(expression="30 * * * *"))
    await bench.go()
    assert await bench.fired() == []
    # Nor does it vanish: every due tick ends in the ledger.
    (run,) = await bench.runs("s")
    assert (run.tick_ms, run.outcome, run.status) == (START + 5 * MINUTE, "skipped", "SKIPPED")
    assert run.cause.startswith("its times were changed before a scheduler took it")
    assert (await bench.row("s")).missed == 1
    await bench.go(20 * MINUTE)
    assert await bench.fired() == [30]


async def test_a_change_of_times_before_a_tick_is_due_leaves_no_word_in_the_ledger(bench: Bench) -> None:
    await bench.deploy(spec(expression="5 * * * *"))
    await bench.go()
    await bench.deploy(spec(expression="30 * * * *"))
    await bench.book.edit("s", {"expression": "40 * * * *"}, who="ann")
    await bench.book.reset("s", who="ann")
    assert await bench.runs("s") == []


async def test_a_redeploy_of_the_same_code_changes_nothing(bench: Bench) -> None:
    await bench.deploy(spec(expression="5 * * * *"))
    await bench.go()
    bench.now += 10 * MINUTE
    await bench.deploy(spec(expression="5 * * * *"))
    await bench.go()
    assert await bench.fired() == [5]
    assert (await bench.runs())[0].outcome == "late"


async def test_new_arguments_alone_keep_the_timetable(bench: Bench) -> None:
    await bench.deploy(spec(expression="5 * * * *", arguments={"v": 1}))
    await bench.go()
    bench.now += 10 * MINUTE
    await bench.deploy(spec(expression="5 * * * *", arguments={"v": 2}))
    await bench.go()
    assert [job["kwargs"]["v"] for job in await bench.jobs()] == [2]


async def test_a_redeploy_keeps_a_pause_and_the_operators_changes(bench: Bench) -> None:
    await bench.deploy(spec(arguments={"v": 1}))
    await bench.book.pause(["s"], who="ann", reason="mails pile up")
    await bench.book.edit("s", {"arguments": {"v": 9}}, who="ann", reason="try")
    await bench.deploy(spec(arguments={"v": 2}, description="new"))
    row = await bench.row("s")
    assert row.paused is not None
    assert (row.paused.owner, row.paused.reason) == ("ann", "mails pile up")
    assert (row.arguments, row.edited, row.description) == ('{"v":9}', True, "new")
    detail = await bench.book.detail("s")
    assert detail.code["arguments"] == {"v": 2}
    assert detail.edits["fields"] == {"arguments": {"v": 9}}
    assert detail.edits["changes"][0] | {"at_ms": 0} == {
        "who": "ann", "at_ms": 0, "reason": "try", "fields": {"arguments": {"v": 9}},
    }  # fmt: skip


async def test_what_code_drops_is_gone_and_comes_back_as_it_was(bench: Bench) -> None:
    await bench.deploy(spec("a"), spec("b"))
    await bench.book.pause(["a"], who="ann", for_s=None)
    await bench.deploy(spec("b"))
    assert await bench.store.names() == ["b"]
    await bench.go(MINUTE)
    assert {job["meta"]["schedule"] for job in await bench.jobs()} == {"b"}
    await bench.deploy(spec("a"), spec("b"))
    row = await bench.row("a")
    assert row.paused is not None
    assert row.paused.until_ms is None


async def test_apps_on_one_queue_keep_out_of_each_others_way(bench: Bench) -> None:
    await bench.deploy(spec("a"), app="one")
    await bench.deploy(spec("b"), app="two")
    assert await bench.store.names() == ["a", "b"]
    await bench.deploy(app="one")
    assert await bench.store.names() == ["b"]


async def test_many_workers_may_define_at_once(bench: Bench) -> None:
    import asyncio

    specs = [spec(f"s{at}") for at in range(30)]
    await asyncio.gather(*(bench.deploy(*specs) for _ in range(8)))
    assert len(await bench.store.names()) == 30
    await bench.go()
    await bench.go(MINUTE)
    assert len(await bench.jobs()) == 30


async def test_an_operator_adds_edits_and_deletes(bench: Bench) -> None:
    await bench.book.add(spec("mine", "0 * * * *"), who="ann")
    row = await bench.row("mine")
    assert row.origin == "runtime"
    await bench.book.edit("mine", {"expression": "*/5 * * * *", "tz": "Asia/Tehran"}, who="bob")
    row = await bench.row("mine")
    assert (row.expression, row.tz, row.next_ms) == ("*/5 * * * *", "Asia/Tehran", START + 5 * MINUTE)
    await bench.go()
    await bench.go(5 * MINUTE)
    assert await bench.fired() == [5]
    await bench.book.delete("mine", who="ann")
    await bench.go(HOUR)
    assert await bench.fired() == [5]
    assert await bench.store.names() == []
    assert len(await bench.runs("mine")) == 1


async def test_a_redeploy_leaves_an_operators_own_schedule_alone(bench: Bench) -> None:
    await bench.book.add(spec("mine", "0 * * * *"), who="ann")
    assert await bench.deploy(spec("mine", "5 * * * *"), spec("other")) == ["mine"]
    assert (await bench.row("mine")).expression == "0 * * * *"
    assert (await bench.row("mine")).origin == "runtime"
    await bench.deploy()
    assert await bench.store.names() == ["mine"]


async def test_a_deleted_schedule_of_the_code_stays_away_until_reset(bench: Bench) -> None:
    await bench.deploy(spec("s"), spec("t"))
    await bench.book.delete("s", who="ann", reason="noise")
    await bench.deploy(spec("s", arguments={"v": 2}), spec("t"))
    await bench.go()
    await bench.go(MINUTE)
    assert {job["meta"]["schedule"] for job in await bench.jobs()} == {"t"}
    total, rows = await bench.book.page()
    assert [row.name for row in rows] == ["t"]
    assert total == 1
    await bench.book.reset("s", who="ann")
    await bench.go(MINUTE)
    assert {job["meta"]["schedule"] for job in await bench.jobs()} == {"s", "t"}


@pytest.mark.parametrize(
    ("values", "error", "word"),
    [
        ({"expression": "0 0 30 2 *"}, ExpressionError, "never fire"),
        ({"expression": "nonsense"}, ExpressionError, "fields"),
        ({"tz": "Mars/Olympus"}, UnknownZoneError, "Mars"),
        ({"name": "a\tb"}, ScheduleError, "no name"),
        ({"name": ""}, ScheduleError, "no name"),
        ({"name": "x" * 300}, ScheduleError, "no name"),
        ({"function": ""}, ScheduleError, "no function"),
        ({"jitter_s": -1}, ScheduleError, "jitter_s"),
        ({"jitter_s": float("nan")}, ScheduleError, "jitter_s"),
        ({"catch_up_max": 0}, ScheduleError, "catch_up_max"),
        ({"options": {"speed": 3}}, ScheduleError, "speed"),
    ],
)
async def test_a_wrong_definition_is_refused_with_the_reason(
    bench: Bench, values: dict[str, Any], error: type[Exception], word: str
) -> None:
    with pytest.raises(error, match=word):
        await bench.book.add(spec(**values), who="ann")
    assert await bench.store.names() == []


async def test_a_name_taken_is_refused(bench: Bench) -> None:
    await bench.deploy(spec("s"))
    with pytest.raises(ScheduleError, match="already"):
        await bench.book.add(spec("s"), who="ann")


@pytest.mark.parametrize(
    "fields", [{"expression": "x"}, {"tz": "Mars"}, {"overlap": "later"}, {"name": "t"}, {"origin": "code"}]
)
async def test_a_wrong_edit_changes_nothing(bench: Bench, fields: dict[str, Any]) -> None:
    await bench.deploy(spec("s"))
    before = await bench.book.detail("s")
    with pytest.raises(Exception, match=r"can't|time zone|Invalid|fields"):
        await bench.book.edit("s", fields, who="ann")
    assert await bench.book.detail("s") == before


async def test_new_code_that_old_edits_do_not_fit_counts_without_them(bench: Bench) -> None:
    await bench.deploy(spec("s"))
    await bench.book.edit("s", {"expression": "*/5 * * * *"}, who="ann")
    raw = await bench.client.hget(bench.keys.schedule_edits, "s")
    await bench.client.hset(bench.keys.schedule_edits, "s", raw.replace(b"*/5", b"*/0"))
    await bench.deploy(spec("s", "0 * * * *"))
    row = await bench.row("s")
    assert (row.expression, row.broken, row.edited) == ("0 * * * *", "", False)


async def test_an_unknown_name_names_the_nearest(bench: Bench) -> None:
    await bench.deploy(spec("backup"))
    with pytest.raises(ScheduleError, match="Did you mean backup"):
        await bench.book.detail("bakup")


# Control


async def test_a_pause_holds_and_ends_by_itself(bench: Bench) -> None:
    await bench.deploy(spec("s"))
    await bench.go()
    assert await bench.book.pause(["s"], who="ann", reason="storm", for_s=150) == ["s"]
    for _ in range(4):
        await bench.go(MINUTE)
    assert await bench.fired() == [3, 4]
    skipped = await bench.runs("s", status="SKIPPED")
    assert [(run.tick_ms - START) // MINUTE for run in skipped] == [2, 1]
    assert skipped[0].cause == "paused by ann: storm"
    row = await bench.row("s")
    assert row.paused is None
    assert row.missed == 0


async def test_a_pause_that_ends_while_no_scheduler_runs_is_over(bench: Bench) -> None:
    await bench.deploy(spec("s", catch_up="all"))
    await bench.go()
    await bench.book.pause(["s"], who="ann", for_s=150)
    await bench.go(5 * MINUTE)
    assert await bench.fired() == [3, 4, 5]


async def test_a_pause_without_end_lasts_until_resumed(bench: Bench) -> None:
    await bench.deploy(spec("s"))
    await bench.go()
    await bench.book.pause(["s"], who="ann", for_s=None)
    for _ in range(3):
        await bench.go(48 * HOUR)
    assert await bench.fired() == []
    row = await bench.row("s")
    assert row.paused is not None
    assert row.paused.until_ms is None
    assert await bench.book.resume(["s", "nobody"]) == ["s"]
    assert await bench.book.resume(["s"]) == []
    await bench.go(MINUTE)
    assert len(await bench.jobs()) == 1


async def test_a_pause_lasts_an_hour_unless_told(bench: Bench) -> None:
    await bench.deploy(spec("s"))
    await bench.book.pause(["s"], who="ann")
    row = await bench.row("s")
    assert row.paused is not None
    assert row.paused.until_ms == START + HOUR
    with pytest.raises(ScheduleError, match="pause"):
        await bench.book.pause(["s"], who="ann", for_s=0)


async def test_pause_all_and_resume_all_by_filter(bench: Bench) -> None:
    await bench.deploy(spec("mail-a"), spec("mail-b"), spec("report"))
    names = [row.name async for row in bench.book.rows("mail-*")]
    assert sorted(await bench.book.pause(names, who="ann")) == ["mail-a", "mail-b"]
    await bench.go()
    await bench.go(MINUTE)
    assert {job["meta"]["schedule"] for job in await bench.jobs()} == {"report"}
    assert sorted(await bench.book.resume(names)) == ["mail-a", "mail-b"]
    assert [row.name async for row in bench.book.rows("port")] == ["report"]


async def test_skip_next_skips_one_run(bench: Bench) -> None:
    await bench.deploy(spec("s"))
    await bench.go()
    assert await bench.book.skip_next("s", who="ann")
    assert (await bench.row("s")).skip_next
    for _ in range(3):
        await bench.go(MINUTE)
    assert await bench.fired() == [2, 3]
    assert (await bench.runs("s", status="SKIPPED"))[0].cause == "skipped by ann"
    assert not (await bench.row("s")).skip_next


async def test_skip_next_can_be_taken_back(bench: Bench) -> None:
    await bench.deploy(spec("s"))
    await bench.go()
    await bench.book.skip_next("s", who="ann")
    assert await bench.book.skip_next("s", who="ann", skip=False)
    assert not await bench.book.skip_next("s", who="ann", skip=False)
    await bench.go(MINUTE)
    assert await bench.fired() == [1]


async def test_run_now_disturbs_nothing(bench: Bench) -> None:
    await bench.deploy(spec("s", arguments={"v": 1}))
    await bench.go()
    await bench.book.pause(["s"], who="ann", for_s=30)
    before = (await bench.row("s")).next_ms
    key = await bench.book.run_now("s", who="ann", arguments={"v": 7})
    other = await bench.book.run_now("s", who="ann")
    assert key != other
    jobs = await bench.jobs()
    assert [job["kwargs"]["v"] for job in jobs] == [7, 1]
    assert jobs[0]["key"] == key
    assert jobs[0]["meta"] == {"schedule": "s", "manual": True, "tick": START}
    assert (await bench.row("s")).next_ms == before
    run = (await bench.runs("s"))[-1]
    assert (run.outcome, run.status, run.cause) == ("manual", "RUNNING", "run now by ann")
    await bench.go(MINUTE)
    assert len(await bench.jobs()) == 3


# Bad days


async def only_the_bad_one_is_broken(bench: Bench) -> None:
    for _ in range(3):
        await bench.go(MINUTE)
    assert [job["meta"]["schedule"] for job in await bench.jobs()] == ["good"] * 3
    _, rows = await bench.book.page()
    assert [bool(row.broken) for row in rows] == [False, True]


@pytest.mark.parametrize(
    "record",
    [b"", b"not json", b"[]", b'{"name":"other","expression":"* * * * *","function":"f"}', b"\xff\xfe", b"[" * 100_000],
)
async def test_a_hash_edited_by_hand_is_a_broken_row_and_all_others_go_on(bench: Bench, record: bytes) -> None:
    await bench.deploy(spec("bad"), spec("good"))
    await bench.go()
    await bench.client.hset(bench.keys.schedules, "bad", record)
    await only_the_bad_one_is_broken(bench)
    if record:
        await bench.deploy(spec("bad"), spec("good"))
        await bench.go(MINUTE)
        await bench.go(MINUTE)
        assert [job["meta"]["schedule"] for job in await bench.jobs()].count("bad") >= 1


@pytest.mark.parametrize(
    "fields",
    [
        b'"options":{"meta":5}',
        b'"options":{"timeout":"soon"}',
        b'"options":{"retries":-1}',
        b'"catch_up_window_s":1e300',
        b'"jitter_s":1e15',
        b'"expected_s":-1',
        b'"notation":"quartz"',
        b'"tz":"localtime"',
    ],
)
async def test_values_that_no_schedule_can_have_make_it_a_broken_row_and_all_others_go_on(
    bench: Bench, fields: bytes
) -> None:
    await bench.deploy(spec("bad"), spec("good"))
    await bench.go()
    record = b'{"name":"bad","expression":"* * * * *","function":"f",%s}' % fields
    await bench.client.hset(bench.keys.schedules, "bad", record)
    await only_the_bad_one_is_broken(bench)


@pytest.mark.parametrize("edits", [b"{bad", b'{"fields":{"options":{"meta":[1]}}}', b"\xff"])
async def test_edits_that_can_not_be_read_are_taken_back_by_a_reset(bench: Bench, edits: bytes) -> None:
    await bench.deploy(spec("s"))
    await bench.go()
    await bench.client.hset(bench.keys.schedule_edits, "s", edits)
    await bench.go(MINUTE)
    assert (await bench.row("s")).broken
    await bench.book.reset("s", who="ann")
    await bench.go(MINUTE)
    await bench.go(MINUTE)
    assert (await bench.row("s")).broken == ""
    assert len(await bench.jobs()) >= 1


async def test_what_an_operator_deleted_is_not_acted_on_until_it_is_reset(bench: Bench) -> None:
    await bench.deploy(spec("s"))
    await bench.book.delete("s", who="ann")
    for act in (
        bench.book.delete("s", who="bob"),
        bench.book.edit("s", {"tz": "Asia/Tokyo"}, who="bob"),
        bench.book.run_now("s", who="bob"),
    ):
        with pytest.raises(ScheduleError, match="is deleted by ann"):
            await act
    await bench.book.reset("s", who="bob")
    await bench.book.run_now("s", who="bob")
    assert len(await bench.jobs()) == 1


async def test_edits_by_hand_that_no_schedule_can_have_make_it_a_broken_row(bench: Bench) -> None:
    await bench.deploy(spec("bad"), spec("good"))
    await bench.go()
    await bench.client.hset(bench.keys.schedule_edits, "bad", b'{"fields":{"options":{"meta":[1]}}}')
    await bench.go(MINUTE)
    assert [job["meta"]["schedule"] for job in await bench.jobs()] == ["good"]
    assert (await bench.row("bad")).broken


async def test_a_broken_schedule_that_is_mended_by_hand_goes_on(bench: Bench) -> None:
    await bench.deploy(spec("s"))
    await bench.go()
    whole = await bench.client.hget(bench.keys.schedules, "s")
    await bench.client.hset(bench.keys.schedules, "s", whole.replace(b"* * * * *", b"* * * * * * *"))
    await bench.go(MINUTE)
    assert (await bench.row("s")).broken.startswith("'* * * * * * *' has not five or six fields")
    await bench.client.hset(bench.keys.schedules, "s", whole)
    await bench.go(1000)
    await bench.go(MINUTE)
    assert await bench.fired() == [2]


@pytest.mark.parametrize("wrong", ["", "soon", "-1", "1e99", "99999999999999999999", "1895312800000"])
async def test_a_state_edited_by_hand_is_mended(bench: Bench, wrong: str) -> None:
    await bench.deploy(spec("s"), spec("t"))
    await bench.go()
    await bench.client.hset(bench.keys.schedule_states, "s\ttick", wrong)
    await bench.go(MINUTE)
    await bench.go(MINUTE)
    await bench.go(MINUTE)
    fired = [job["meta"]["schedule"] for job in await bench.jobs()]
    assert fired.count("t") == 3
    assert fired.count("s") >= 2


async def test_names_that_are_no_text_and_leftovers_do_not_keep_the_server_busy(bench: Bench) -> None:
    await bench.deploy(spec("s", overlap=Overlap.QUEUE), spec("t"))
    await bench.go()
    await bench.client.zadd(bench.keys.schedule_due, {b"\xff\xfe": 0, "nobody": 0})
    await bench.client.hset(bench.keys.schedule_waiting, "gone", str(START))
    scheduler = Scheduler(
        bench.client, [bench.queue], monotonic=lambda: bench.now / 1000, test_now_ms=lambda: bench.now
    )
    (queue,) = scheduler.queues.values()
    pauses = [await scheduler.step(queue) for _ in range(10)]
    assert pauses[-1] > 0
    assert await bench.client.zcard(bench.keys.schedule_due) == 2
    assert await bench.client.hlen(bench.keys.schedule_waiting) == 0
    await bench.go(MINUTE)
    assert len(await bench.jobs()) == 2


async def test_the_bounds_of_the_ledger_are_settable(bench: Bench) -> None:
    await bench.client.hset(bench.keys.retention, mapping={"ledger_per_schedule": "3", "ledger_count": "nonsense"})
    await bench.deploy(spec("s"))
    for _ in range(10):
        await bench.go(MINUTE)
    assert len(await bench.runs("s")) == 3


async def test_a_timetable_that_was_deleted_is_made_anew(bench: Bench) -> None:
    await bench.deploy(spec("s"), spec("t"))
    await bench.go()
    await bench.client.delete(bench.keys.schedule_due, bench.keys.schedule_states)
    await bench.go(16_000)
    await bench.go(MINUTE)
    await bench.go(MINUTE)
    assert sorted(job["meta"]["schedule"] for job in await bench.jobs()) == ["s", "s", "t", "t"]


async def test_a_bug_in_one_queue_is_told_once_and_the_other_queues_fire(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.deploy(spec("good"))
    other = f"{bench.queue}-other"
    scheduler = Scheduler(
        bench.client, [bench.queue, other], monotonic=lambda: bench.now / 1000, test_now_ms=lambda: bench.now
    )

    async def fails() -> None:
        raise TypeError("a bug")

    monkeypatch.setattr(scheduler.queues[other], "look", fails)
    running = asyncio.create_task(scheduler.run())
    async with asyncio.timeout(30):
        while not (bench.now > START + 2 * MINUTE and await bench.jobs()):
            bench.now += 20_000
            await asyncio.sleep(0.01)
    assert not running.done()
    running.cancel()
    assert [each.getMessage() for each in caplog.records if each.exc_info] == [
        f"A look at the schedules of {other} failed"
    ]


async def test_a_key_of_a_wrong_type_is_told_once_and_waited_for(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await bench.deploy(spec("s"))
    await bench.client.delete(bench.keys.schedule_due)
    await bench.client.set(bench.keys.schedule_due, "nonsense")
    scheduler = Scheduler(
        bench.client, [bench.queue], monotonic=lambda: bench.now / 1000, test_now_ms=lambda: bench.now
    )
    (queue,) = scheduler.queues.values()
    pauses = [await scheduler.step(queue) for _ in range(5)]
    assert all(0 < pause <= 2 for pause in pauses)
    assert len([record for record in caplog.records if "refused" in record.message]) == 1
    await bench.client.delete(bench.keys.schedule_due)
    await scheduler.step(queue)
    bench.now += 20_000
    await scheduler.step(queue)
    assert any("go on" in record.message for record in caplog.records) or caplog.records
    assert await bench.client.zcard(bench.keys.schedule_due) == 1


async def test_a_hostile_name_and_arguments_stay_text(bench: Bench) -> None:
    name, nasty = 'a "b" [red]\\ $1 %s', {'"key"': 'x","status":"queued"}', "u": "é\u2028\x1b[2J"}
    await bench.deploy(spec(name, arguments=nasty))
    await bench.go()
    await bench.go(MINUTE)
    (job,) = await bench.jobs()
    assert job["kwargs"] == nasty
    assert job["key"] == f"cron:{name}:{START + MINUTE}"
    assert job["meta"]["schedule"] == name
    assert (await bench.runs(name))[0].name == name


async def test_a_queue_with_a_hash_tag_keeps_its_jobs_in_one_slot(redis_client: Redis, queue_name: str) -> None:
    bench = Bench(redis_client, f"{{{queue_name}}}")
    await bench.deploy(spec("s"))
    await bench.go()
    await bench.go(MINUTE)
    (job,) = await bench.jobs()
    assert job["key"].startswith(f"{{{queue_name}}}cron:s:")
    assert (await bench.book.run_now("s", who="ann")).startswith(f"{{{queue_name}}}cron:s:M")


# What the dashboard reads


async def test_a_snapshot_shows_schedules_the_next_to_fire_first(bench: Bench) -> None:
    now = int((await bench.client.time())[0]) * 1000
    bench.now = now
    await bench.deploy(spec("later", "0 0 1 1 *"), spec("soon", "* * * * *"), spec("bad", "0 0 * * *"))
    await bench.client.hset(bench.keys.schedules, "bad", "nonsense")
    await bench.store.retime(["bad"])
    async with RedisSource(bench.client, [bench.queue], owner=object()) as source:
        seen = await source.snapshot(View(screen=Screen.SCHEDULES, limit=2))
        assert seen.page is not None
        assert [row.name for row in seen.page.rows] == ["soon", "later"]
        assert (seen.page.total, seen.schedule_count, source.round_trips) == (3, 3, 1)
        seen = await source.snapshot(View(screen=Screen.SCHEDULES, offset=2, limit=2))
        assert seen.page is not None
        assert [(row.name, bool(row.broken)) for row in seen.page.rows if isinstance(row, ScheduleRow)] == [
            ("bad", True)
        ]
        seen = await source.snapshot(View(screen=Screen.SCHEDULES, filter="late"))
        assert seen.page is not None
        assert [row.name for row in seen.page.rows] == ["later"]
        seen = await source.snapshot(View())
        assert {row.name for row in seen.schedules} == {"soon", "later", "bad"}


async def test_a_snapshot_opens_a_schedule_with_its_ledger(bench: Bench) -> None:
    await bench.deploy(spec("s"))
    await bench.go()
    for _ in range(5):
        await bench.go(MINUTE)
    async with RedisSource(bench.client, [bench.queue], owner=object()) as source:
        for subject in ("s", f"{bench.queue}/s"):
            seen = await source.snapshot(View(screen=Screen.SCHEDULE, subject=subject, limit=3))
            assert isinstance(seen.detail, ScheduleDetail)
            assert seen.detail.row.name == "s"
            assert seen.page is not None
            assert seen.page.total == 5
            assert [(row.tick_ms - START) // MINUTE for row in seen.page.rows if isinstance(row, RunRow)] == [5, 4, 3]
        seen = await source.snapshot(View(screen=Screen.SCHEDULE, subject="nobody"))
        assert seen.detail is None


async def test_a_row_tells_how_the_last_runs_went(bench: Bench) -> None:
    await bench.deploy(spec("s", overlap=Overlap.SKIP, origin=Origin.CODE))
    await bench.go()
    await bench.go(MINUTE)
    row = await bench.row("s")
    assert (row.last_outcome, row.strip, row.last_ms) == ("running", ("running",), START + MINUTE)
    await bench.go(MINUTE)
    row = await bench.row("s")
    assert (row.last_outcome, row.strip, row.missed) == ("skipped", ("running", "skipped"), 1)
    assert row.last_cause.startswith("the run before it")
    bench.now += MINUTE + 40_000
    assert (await bench.row("s")).overdue_ms == 40_000
