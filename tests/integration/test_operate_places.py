"""Acting on queues, workers, rules; enqueuing; notes and presence."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from quarterdeck import keys
from quarterdeck.errors import RefusedError, UsageError
from quarterdeck.keys import keys_of
from quarterdeck.model import FunctionSpec, OperatorRow, ParameterSpec, PauseStat
from quarterdeck.operate import RedisOperator, open_operator
from quarterdeck.operate import quarantine as quarantines

SEND = FunctionSpec(
    name="send",
    parameters=(ParameterSpec(name="to", type="str"), ParameterSpec(name="count", type="int", required=False)),
)


@pytest.fixture
async def operator(valkey: Any, queue_name: str) -> AsyncIterator[RedisOperator]:
    operator = await open_operator(valkey.url, who="ann", queues=[queue_name], address="--env prod", carry_bulks=False)
    yield operator
    await operator.close()


async def register(client: Any, queue: str, worker: str = "w1", *, state: str = "running") -> None:
    """A deck worker's beat, as the engine writes it."""
    names = keys_of(queue)
    beat = {"name": "web-1:42", "state": state, "functions": [msgspec.to_builtins(SEND)]}
    await client.hset(names.workers, worker, json.dumps(beat))
    await client.zadd(names.lease, {worker: int(time.time() * 1000) + 60_000})
    await client.sadd(keys.QUEUES, queue)


async def stock_worker(client: Any, queue: str) -> None:
    """A stock worker's registration, as SAQ writes it."""
    key = keys_of(queue).worker_info("stock")
    await client.zadd(keys_of(queue).stats, {key: int(time.time() * 1000) + 60_000})


async def test_what_is_enqueued_was_checked_against_the_signature(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    await register(redis_client, queue_name)
    for arguments, says in (
        ({}, "'to' .* is missing"),
        ({"to": 3}, "takes str, not int"),
        ({"to": "a", "cuont": 3}, "Did you mean 'count'"),
    ):
        with pytest.raises(UsageError, match=says):
            await operator.enqueue(queue_name, "send", arguments)
    with pytest.raises(RefusedError, match="Did you mean 'send'"):
        await operator.enqueue(queue_name, "sned", {})
    assert await redis_client.llen(keys_of(queue_name).queued) == 0
    outcome = await operator.enqueue(queue_name, "send", {"to": "a", "count": 2}, key="k1")
    assert outcome.key == "k1"
    payload = json.loads(await redis_client.get(keys_of(queue_name).job("k1")))
    assert (payload["function"], payload["kwargs"]) == ("send", {"to": "a", "count": 2})
    assert outcome.command == f"quarterdeck --env prod enqueue send 'to=\"a\"' count=2 --queue {queue_name} --key k1"
    with pytest.raises(RefusedError, match="queued or running already"):
        await operator.enqueue(queue_name, "send", {"to": "a"}, key="k1")


async def test_an_enqueued_job_is_taken_back_by_undo(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    await register(redis_client, queue_name)
    await operator.enqueue(queue_name, "send", {"to": "a"}, delay_s=600)
    assert await redis_client.zcard(keys_of(queue_name).incomplete) == 1
    assert (await operator.undo()).done == 1
    assert await redis_client.zcard(keys_of(queue_name).incomplete) == 0


async def test_where_stock_workers_run_an_unknown_function_is_let_through_and_said(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    await stock_worker(redis_client, queue_name)
    outcome = await operator.enqueue(queue_name, "anything", {"a": 1})
    assert outcome.done == 1


async def test_a_queue_is_paused_with_owner_reason_and_end_and_resumed(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    await register(redis_client, queue_name)
    paused = keys_of(queue_name).paused
    outcome = await operator.pause_queue(queue_name, for_s=600, reason="smtp is down")
    stat = msgspec.json.decode(await redis_client.get(paused), type=PauseStat)
    assert (stat.owner, stat.reason) == ("ann", "smtp is down")
    assert 590_000 < await redis_client.pttl(paused) <= 600_000
    assert outcome.command.endswith(f"queues pause {queue_name} --for 600s --reason 'smtp is down'")
    await operator.resume_queue(queue_name)
    assert not await redis_client.exists(paused)
    await operator.undo()
    assert (await redis_client.get(paused)) is not None
    await operator.undo()
    with pytest.raises(RefusedError, match="not paused"):
        await operator.resume_queue(queue_name)


async def test_a_queue_of_stock_workers_only_cannot_be_paused_and_the_error_says_why(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    await stock_worker(redis_client, queue_name)
    with pytest.raises(RefusedError, match=r"stock SAQ workers.*quarterdeck worker"):
        await operator.pause_queue(queue_name)


async def test_workers_are_told_by_id_or_name(operator: RedisOperator, redis_client: Any, queue_name: str) -> None:
    await register(redis_client, queue_name)
    await operator.control_worker("web-1:42", "quiet")
    await operator.control_worker("w1", "concurrency", "20")
    told = [json.loads(raw) for raw in await redis_client.lrange(keys_of(queue_name).control("w1"), 0, -1)]
    assert [(t["command"], t["value"], t["who"]) for t in told] == [("quiet", "", "ann"), ("concurrency", "20", "ann")]
    assert await redis_client.ttl(keys_of(queue_name).control("w1")) > 0
    with pytest.raises(UsageError, match="no number of slots"):
        await operator.control_worker("w1", "concurrency", "lots")
    with pytest.raises(RefusedError, match="No deck worker is known as 'w9'"):
        await operator.control_worker("w9", "quiet")
    await register(redis_client, queue_name, state="lost")
    with pytest.raises(RefusedError, match="is lost"):
        await operator.control_worker("w1", "quiet")


async def test_a_rule_sets_aside_what_matches_and_lifting_it_releases_or_bins(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    names = keys_of(queue_name)
    await register(redis_client, queue_name)
    for number in range(6):
        await operator.enqueue(queue_name, "send", {"to": "bad" if number % 2 else "good"}, key=f"k{number}")
    outcome = await operator.quarantine(queue_name, function="send", argument='"to":"bad"', reason="poison")
    assert await redis_client.lrange(names.queued, 0, -1) == [names.job(f"k{n}").encode() for n in (0, 2, 4)]
    assert (await quarantines.rules(redis_client, queue_name))[outcome.key].held == 3
    later = msgspec.json.encode({"key": "k9", "rule": outcome.key, "function": "send"})
    await redis_client.hset(names.quarantine, names.job("k9"), later)  # as a worker does when one comes by
    assert (await quarantines.rules(redis_client, queue_name))[outcome.key].held == 4
    await redis_client.hdel(names.quarantine, names.job("k9"))
    lifted = await operator.lift_quarantine(queue_name, outcome.key)
    assert lifted.done == 3
    assert await redis_client.llen(names.queued) == 6
    assert not await redis_client.exists(names.rules, names.held, names.quarantine)
    again = await operator.quarantine(queue_name, function="send", argument='"to":"bad"')
    await operator.lift_quarantine(queue_name, again.key, release=False)
    assert (await redis_client.llen(names.queued), await redis_client.zcard(names.bin)) == (3, 3)
    with pytest.raises(RefusedError, match="no rule"):
        await operator.lift_quarantine(queue_name, again.key)


async def test_presence_comes_and_goes_and_is_not_audited(
    operator: RedisOperator, redis_client: Any, valkey: Any
) -> None:
    other = await open_operator(valkey.url, who="bob", carry_bulks=False)
    await other.present("failures")
    rows = [msgspec.json.decode(raw, type=OperatorRow) for raw in (await redis_client.hgetall(keys.OPERATORS)).values()]
    assert [(row.who, row.screen) for row in rows if row.who == "bob"] == [("bob", "failures")]
    await other.close()
    rows = [msgspec.json.decode(raw, type=OperatorRow) for raw in (await redis_client.hgetall(keys.OPERATORS)).values()]
    assert "bob" not in {row.who for row in rows}


async def test_the_demo_traffic_goes_up_and_off(operator: RedisOperator, redis_client: Any) -> None:
    await redis_client.delete("qd:demo:traffic")
    assert "high" in (await operator.traffic("up")).message
    assert "off" in (await operator.traffic("off")).message
    assert await redis_client.get("qd:demo:traffic") == b"off"
    with pytest.raises(RefusedError, match="no traffic level"):
        await operator.traffic("warp")


async def test_undoing_needs_the_role_for_what_it_amounts_to(
    operator: RedisOperator, valkey: Any, redis_client: Any, queue_name: str
) -> None:
    await register(redis_client, queue_name)
    paused = await operator.pause_queue(queue_name)
    bounded = await operator.set_retention(queue_name, {"failed_count": "10"})
    for role, undo, needed in (("retry", paused.undo, "operate"), ("operate", bounded.undo, "admin")):
        junior = await open_operator(valkey.url, role=role, queues=[queue_name], carry_bulks=False)
        with pytest.raises(RefusedError, match=f"needs the role '{needed}'"):
            await junior.undo(undo)
        await junior.close()
    assert await redis_client.exists(keys_of(queue_name).paused)
    assert (await operator.undo(paused.undo)).done == 1  # what was refused is still there to be undone
    assert (await operator.undo(bounded.undo)).done == 1
