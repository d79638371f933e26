"""Acting on schedules: ours by their book, a stock worker's cron by SAQ's own marker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from saq.queue.redis import RedisQueue

from quarterdeck.errors import QuarterdeckError, RefusedError
from quarterdeck.keys import keys_of
from quarterdeck.operate import RedisOperator, open_operator
from quarterdeck.schedule import ScheduleBook, ScheduleSpec


@pytest.fixture
async def operator(valkey: Any, queue_name: str) -> AsyncIterator[RedisOperator]:
    operator = await open_operator(valkey.url, who="ann", queues=[queue_name], carry_bulks=False)
    yield operator
    await operator.close()


@pytest.fixture
async def book(redis_client: Any, queue_name: str) -> ScheduleBook:
    book = ScheduleBook(redis_client, queue_name)
    await book.add(ScheduleSpec(name="nightly", function="backup", expression="0 2 * * *"), who="ann")
    return book


async def row(book: ScheduleBook) -> Any:
    return (await book.page())[1][0]


async def test_a_schedule_is_paused_with_owner_reason_and_end_and_undone(
    operator: RedisOperator, book: ScheduleBook, queue_name: str
) -> None:
    outcome = await operator.pause_schedule(queue_name, "nightly", for_s=600, reason="disk is full")
    paused = (await row(book)).paused
    assert (paused.owner, paused.reason, paused.until_ms - paused.at_ms) == ("ann", "disk is full", 600_000)
    assert outcome.command.endswith(f"schedules pause nightly --queue {queue_name} --for 600s --reason 'disk is full'")
    assert (await operator.undo()).done == 1
    assert (await row(book)).paused is None
    with pytest.raises(RefusedError, match="not paused"):
        await operator.resume_schedule(queue_name, "nightly")


async def test_the_next_run_is_skipped_and_that_is_taken_back(
    operator: RedisOperator, book: ScheduleBook, queue_name: str
) -> None:
    await operator.skip_next(queue_name, "nightly")
    assert (await row(book)).skip_next
    await operator.undo()
    assert not (await row(book)).skip_next


async def test_a_run_now_enqueues_and_leaves_the_timetable_alone(
    operator: RedisOperator, book: ScheduleBook, redis_client: Any, queue_name: str
) -> None:
    before = (await row(book)).next_ms
    outcome = await operator.run_schedule(queue_name, "nightly")
    assert await redis_client.lrange(keys_of(queue_name).queued, 0, -1) == [
        keys_of(queue_name).job(outcome.key).encode()
    ]
    assert (await row(book)).next_ms == before


async def test_a_schedule_that_does_not_exist_is_named_with_the_nearest(
    operator: RedisOperator, book: ScheduleBook, queue_name: str
) -> None:
    assert book.queue == queue_name
    with pytest.raises(QuarterdeckError, match=r"nightyl.*nightly"):
        await operator.pause_schedule(queue_name, "nightyl")


async def test_a_stock_cron_is_paused_by_its_marker_and_resumed(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    stock = RedisQueue(redis_client, name=queue_name)
    due = 4_000_000_000
    await stock.enqueue("tidy", key="cron:tidy", scheduled=due)
    await operator.pause_schedule(queue_name, "cron:tidy", for_s=None, reason="why not")
    assert await redis_client.zcard(keys_of(queue_name).incomplete) == 0
    assert await stock.enqueue("tidy", key="cron:tidy", scheduled=due) is None
    with pytest.raises(RefusedError, match="can't skip"):
        await operator.skip_next(queue_name, "cron:tidy")
    await operator.resume_schedule(queue_name, "cron:tidy")
    assert await stock.enqueue("tidy", key="cron:tidy", scheduled=due) is not None
    outcome = await operator.run_schedule(queue_name, "cron:tidy")
    assert outcome.key == "cron:tidy"
    assert await redis_client.llen(keys_of(queue_name).queued) == 1
