"""A canary over several queues is one job first, and a pace is that of all of them together."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from quarterdeck import keys
from quarterdeck.keys import keys_of
from quarterdeck.model import Pace, Selection, Verb
from quarterdeck.operate import RedisOperator, open_operator
from quarterdeck.operate import bulk as bulks
from quarterdeck.operate.bulk import Bulk
from quarterdeck.record.entry import FailedJob, encode_failed

CANARY = Pace(mode="canary", per_s=30)


@pytest.fixture
def queues(queue_name: str) -> list[str]:
    return [f"{queue_name}-{letter}" for letter in "abc"]


@pytest.fixture
async def operator(valkey: Any, queues: list[str]) -> AsyncIterator[RedisOperator]:
    operator = await open_operator(valkey.url, who="ann", queues=queues, carry_bulks=False)
    yield operator
    await operator.close()


async def fail(client: Any, queue: str, count: int, *, start_ms: int = 1_700_000_000_000) -> None:
    """Put failed jobs, as the engine keeps them, into a queue."""
    names = keys_of(queue)
    for number in range(count):
        key, at_ms = f"job-{number}", start_ms + number
        payload = {"function": "send", "queue": queue, "key": key, "status": "failed", "completed": at_ms}
        row = FailedJob(function="send", signature="cafe00cafe00", at_ms=at_ms, error="OSError: refused")
        await client.zadd(names.failed, {key: at_ms})
        await client.hset(names.failed_rows, key, encode_failed(row))
        await client.hset(names.failed_jobs, key, json.dumps(payload))
    await client.sadd(keys.QUEUES, queue)


async def states(client: Any, queues: list[str]) -> dict[str, Bulk]:
    """The last letter of each queue → its operation."""
    found = {}
    for queue in queues:
        for row in await bulks.rows(client, queue):
            state = await bulks.read(client, queue, row.id.rpartition("/")[2])
            assert state is not None
            found[queue[-1]] = state
    return found


async def steps(operator: RedisOperator, count: int = 3) -> None:
    for _ in range(count):
        await operator._runner.step_all()


async def released(client: Any, queues: list[str]) -> dict[str, int]:
    return {queue[-1]: await client.llen(keys_of(queue).queued) for queue in queues}


async def run_well(client: Any, queue: str) -> None:
    """Let what waits in a queue run and complete."""
    names = keys_of(queue)
    while job_id := await client.lpop(names.queued):
        await client.zrem(names.incomplete, job_id)


async def run_badly(client: Any, queue: str) -> None:
    """Let the first job that waits in a queue run and fail again."""
    names = keys_of(queue)
    job_id = await client.lpop(names.queued)
    await client.zrem(names.incomplete, job_id)
    await fail(client, queue, 1, start_ms=9_000_000_000_000)


async def act(operator: RedisOperator, client: Any, queues: list[str], pace: Pace = CANARY, count: int = 5) -> None:
    for queue in queues:
        await fail(client, queue, count)
    await operator.act(Verb.RETRY, Selection(), pace=pace)


async def test_one_job_of_all_queues_goes_first(operator: RedisOperator, redis_client: Any, queues: list[str]) -> None:
    await act(operator, redis_client, queues)
    await steps(operator)
    assert await released(redis_client, queues) == {"a": 1, "b": 0, "c": 0}
    found = await states(redis_client, queues)
    assert found["b"].phase == f"canary: waiting for the first job of {queues[0]}"
    assert found["c"].phase == f"canary: waiting for the first job of {queues[1]}"


async def test_each_queue_sends_its_first_when_that_of_the_one_before_went_well(
    operator: RedisOperator, redis_client: Any, queues: list[str]
) -> None:
    await act(operator, redis_client, queues)
    await steps(operator)
    await run_well(redis_client, queues[0])
    await steps(operator)
    seen = await released(redis_client, queues)
    assert (seen["b"], seen["c"]) == (1, 0)
    await run_well(redis_client, queues[1])
    await steps(operator)
    assert (await released(redis_client, queues))["c"] == 1
    assert {state.behind for state in (await states(redis_client, queues)).values()} == {""}


async def test_a_canary_that_fails_again_stops_all_queues(
    operator: RedisOperator, redis_client: Any, queues: list[str]
) -> None:
    await act(operator, redis_client, queues)
    await steps(operator)
    await run_badly(redis_client, queues[0])
    await steps(operator)
    found = await states(redis_client, queues)
    assert {name: state.state for name, state in found.items()} == dict.fromkeys("abc", "tripped")
    assert found["a"].tripped == "the canary failed again"
    assert found["b"].tripped == found["c"].tripped == f"the canary of {queues[0]} failed again"
    assert [state.released for state in found.values()] == [1, 0, 0]


async def test_a_canary_that_an_operator_stops_is_stopped_everywhere(
    operator: RedisOperator, redis_client: Any, queues: list[str]
) -> None:
    await act(operator, redis_client, queues)
    await steps(operator)
    first = (await states(redis_client, queues))["a"]
    await operator.control_bulk(queues[0], first.id, "stop")
    await steps(operator)
    found = await states(redis_client, queues)
    assert {state.state for state in found.values()} == {"stopped"}
    assert found["b"].phase == f"the canary of {queues[0]} was stopped"


async def test_where_nothing_is_left_to_retry_the_next_queue_has_the_canary(
    operator: RedisOperator, redis_client: Any, queues: list[str]
) -> None:
    await act(operator, redis_client, queues, count=1)
    await redis_client.hdel(keys_of(queues[0]).failed_jobs, "job-0")
    await redis_client.zrem(keys_of(queues[0]).failed, "job-0")
    await steps(operator)
    assert await released(redis_client, queues) == {"a": 0, "b": 1, "c": 0}


async def test_an_operation_that_was_forgotten_holds_nobody(
    operator: RedisOperator, redis_client: Any, queues: list[str]
) -> None:
    await act(operator, redis_client, queues)
    first = (await states(redis_client, queues))["a"]
    await bulks.forget(redis_client, queues[0], first.id)
    await steps(operator)
    assert await released(redis_client, queues) == {"a": 0, "b": 1, "c": 0}


@pytest.mark.parametrize("mode", ["paced", "canary"])
async def test_the_pace_is_that_of_all_queues_together(
    mode: str, operator: RedisOperator, redis_client: Any, queues: list[str]
) -> None:
    for queue, count in zip(queues, (6, 3, 1), strict=True):
        await fail(redis_client, queue, count)
    await operator.act(Verb.RETRY, Selection(), pace=Pace(mode=mode, per_s=10))
    found = await states(redis_client, queues)
    assert [state.pace.per_s for state in found.values()] == [6.0, 3.0, 1.0]


async def test_a_pace_over_queues_that_only_a_search_can_count_is_shared_evenly(
    operator: RedisOperator, redis_client: Any, queues: list[str]
) -> None:
    for queue in queues:
        await fail(redis_client, queue, 2)
    await operator.act(Verb.RETRY, Selection(filter="fn:send"), pace=Pace(mode="paced", per_s=9))
    assert [state.pace.per_s for state in (await states(redis_client, queues)).values()] == [3.0, 3.0, 3.0]


async def test_at_once_and_without_a_rate_nothing_is_shared(
    operator: RedisOperator, redis_client: Any, queues: list[str]
) -> None:
    await act(operator, redis_client, queues, pace=Pace())
    found = await states(redis_client, queues)
    assert {(state.pace, state.behind) for state in found.values()} == {(Pace(), "")}


def test_an_operation_of_an_older_version_is_behind_nobody() -> None:
    old = {
        "id": "1", "queue": "q", "verb": "retry", "selection": {}, "pace": {}, "reason": "", "owner": "a",
        "command": "", "act": "1", "started_ms": 1, "total": 1,
    }  # fmt: skip
    assert msgspec.json.decode(json.dumps(old), type=Bulk).behind == ""
