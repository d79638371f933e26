"""What can't be read and was set aside: into the recycle bin and out again, back into the queue, mended."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from quarterdeck.broker import ending
from quarterdeck.cli import main
from quarterdeck.errors import RefusedError, UsageError
from quarterdeck.inspect import open_source
from quarterdeck.keys import keys_of
from quarterdeck.model import Screen, View
from quarterdeck.operate import RedisOperator, open_operator

SECRET = "hunter2-4711"


@pytest.fixture
async def operator(valkey: Any, queue_name: str) -> AsyncIterator[RedisOperator]:
    operator = await open_operator(valkey.url, who="ann", queues=[queue_name], address="--env prod", carry_bulks=False)
    yield operator
    await operator.close()


async def set_aside(client: Any, queue: str, key: str, raw: bytes, reason: str = "it is not JSON") -> str:
    """As a worker does it with what it can't read; returns the field."""
    field = keys_of(queue).job(key)
    settled = ending.quarantined(field, raw, number=1, holder="w", key=key, reason=reason, at_ms=1)
    await client.hset(keys_of(queue).quarantine, field, msgspec.msgpack.decode(settled[-1])["record"])
    return field


def job(queue: str, key: str, **more: Any) -> bytes:
    fields = {"function": "send", "kwargs": {"to": "a", "password": SECRET}, "queue": queue, "key": key}
    return json.dumps({**fields, "attempts": 3, "error": "old", "status": "active", **more}).encode()


async def test_one_is_deleted_into_the_bin_and_undone(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    names = keys_of(queue_name)
    kept = await set_aside(redis_client, queue_name, "k1", b"{broken")
    field = await set_aside(redis_client, queue_name, "k2", b"\xff\xfe")
    before = await redis_client.hget(names.quarantine, field)
    outcome = await operator.delete_unreadable(queue_name, [field])
    assert (outcome.done, outcome.skipped, outcome.message) == (1, 0, "Deleted 1 unreadable payload.")
    assert outcome.command == f"quarterdeck --env prod quarantine drop {field} --queue {queue_name}"
    assert await redis_client.hkeys(names.quarantine) == [kept.encode()]
    assert await redis_client.zcard(names.bin) == 1
    assert (await operator.undo()).done == 1
    assert await redis_client.hget(names.quarantine, field) == before
    assert not await redis_client.exists(names.bin, names.bin_jobs)
    again = await operator.delete_unreadable(queue_name, [field, "never"])
    assert (again.done, again.skipped) == (1, 1)


async def test_all_are_deleted_but_what_a_rule_holds_stays(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    names = keys_of(queue_name)
    for number in range(300):
        await set_aside(redis_client, queue_name, f"k{number}", b"{broken")
    await redis_client.hset(names.quarantine, b"junk\xff", b"{")  # neither its name nor its record can be read
    await redis_client.hset(names.quarantine, names.job("held"), json.dumps({"key": "held", "rule": "r1"}))
    outcome = await operator.delete_unreadable(queue_name)
    assert outcome.done == 301
    assert await redis_client.hkeys(names.quarantine) == [names.job("held").encode()]
    assert (await operator.undo(outcome.undo)).done == 301
    assert await redis_client.hlen(names.quarantine) == 302
    assert (await operator.delete_unreadable(queue_name, ["junk\ufffd"])).done == 1


async def test_what_a_worker_can_read_is_put_back_as_it_is(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    names = keys_of(queue_name)
    field = await set_aside(redis_client, queue_name, "k1", job(queue_name, "other"), "its key is another job's")
    outcome = await operator.put_back(queue_name, field)
    assert (outcome.key, outcome.message) == ("other", "Put other back into the queue.")
    assert await redis_client.lrange(names.queued, 0, -1) == [names.job("other").encode()]
    stored = json.loads(await redis_client.get(names.job("other")))
    assert (stored["status"], stored["kwargs"]["password"]) == ("queued", SECRET)
    assert "attempts" not in stored
    assert "error" not in stored
    assert not await redis_client.exists(names.quarantine)


async def test_what_no_worker_could_read_is_not_put_back(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    for raw, says in (
        (b"{broken", "it is not JSON"),
        (b"[1]", "it is not JSON"),
        (b'{"a": "' + b"x" * 5_000, "first 4 KB"),
        (b'{"queue": "q"}', "No worker could read it"),
        (job("elsewhere", "k"), "must name the queue"),
    ):
        field = await set_aside(redis_client, queue_name, "k1", raw)
        with pytest.raises(RefusedError, match=says):
            await operator.put_back(queue_name, field)
    with pytest.raises(RefusedError, match="nothing unreadable"):
        await operator.put_back(queue_name, "never")
    assert await redis_client.hlen(keys_of(queue_name).quarantine) == 1


async def test_it_is_put_back_mended_and_what_stays_masked_keeps_its_secret(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    names = keys_of(queue_name)
    field = await set_aside(redis_client, queue_name, "k1", job("elsewhere", "k1"))
    mended = {**json.loads(job(queue_name, "k1")), "kwargs": {"to": "b", "password": "***"}}
    outcome = await operator.put_back(queue_name, field, mended)
    assert SECRET not in outcome.command
    assert "***" in outcome.command
    assert json.loads(await redis_client.get(names.job("k1")))["kwargs"] == {"to": "b", "password": SECRET}
    broken = await set_aside(redis_client, queue_name, "k2", job(queue_name, "k2")[:-1])
    with pytest.raises(UsageError, match=r"'kwargs\.password' holds the mask"):
        await operator.put_back(queue_name, broken, mended)
    with pytest.raises(RefusedError, match="a job of that key is there already"):
        await operator.put_back(queue_name, broken, {**mended, "kwargs": {}})
    assert await redis_client.llen(names.queued) == 1


async def test_a_role_without_the_right_does_neither(valkey: Any, redis_client: Any, queue_name: str) -> None:
    field = await set_aside(redis_client, queue_name, "k1", job(queue_name, "k1"))
    looker = await open_operator(valkey.url, role="retry", queues=[queue_name], carry_bulks=False)
    with pytest.raises(RefusedError, match="may not 'delete'"):
        await looker.delete_unreadable(queue_name)
    with pytest.raises(RefusedError, match="may not 'release'"):
        await looker.put_back(queue_name, field)
    await looker.close()


async def test_secrets_are_masked_where_it_is_listed_and_the_bin_says_what_it_was(
    operator: RedisOperator, valkey: Any, redis_client: Any, queue_name: str
) -> None:
    await set_aside(redis_client, queue_name, "k1", job(queue_name, "k1")[:-1])
    source = await open_source(valkey.url, queues=[queue_name], record=False)
    page = (await source.snapshot(View(screen=Screen.QUARANTINE))).page
    assert page is not None
    assert SECRET not in page.rows[0].raw
    assert "***" in page.rows[0].raw
    await operator.delete_unreadable(queue_name)
    page = (await source.snapshot(View(screen=Screen.BIN))).page
    assert page is not None
    row = page.rows[0]
    assert (row.error, row.key, row.aside) == ("can't be read: it is not JSON", "k1", True)
    await source.close()


async def test_the_command_line_does_the_same(
    valkey: Any, redis_client: Any, queue_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    field = await set_aside(redis_client, queue_name, "k1", b"{broken")

    def quarterdeck(*words: str) -> int:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as pool:
            line = ["quarantine", *words, "--url", valkey.url, "--queue", queue_name]
            return pool.submit(main, line).result()

    assert quarterdeck("put-back", field) == 2
    assert quarterdeck("put-back", field, "--payload", "[]") == 2
    assert "no JSON object" in capsys.readouterr().err
    assert quarterdeck("drop", field) == 0
    assert quarterdeck("drop") == 1
    await set_aside(redis_client, queue_name, "k1", b"{broken")
    assert quarterdeck("put-back", field, "--payload", job(queue_name, "k1").decode()) == 0
    assert await redis_client.llen(keys_of(queue_name).queued) == 1
