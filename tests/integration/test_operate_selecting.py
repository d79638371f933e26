"""What an act on all that match is for is what the screen lists for the same filter, and secrets stay masked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from saq.job import Job

from quarterdeck import keys
from quarterdeck.broker.queue import Queue
from quarterdeck.inspect import RedisSource
from quarterdeck.keys import keys_of
from quarterdeck.model import JobRow, JobState, Screen, Selection, Verb, View
from quarterdeck.operate import RedisOperator, open_operator
from quarterdeck.worker.rules import Rules

SECRET = "t0ps3cret"
JOBS: dict[str, Any] = {
    "small": {"kwargs": {"tenant": 7}},
    "large": {"kwargs": {"text": "x" * 5_000}},
    "secret": {"kwargs": {"password": SECRET, "tenant": 7}},
    "tried": {"kwargs": {"tenant": 8}, "attempts": 3, "retries": 5, "error": "Traceback\n  File\nOSError: refused"},
    "strange": {"kwargs": {"tenant": 9}, "attempts": "many", "queued": None},
}


@pytest.fixture
async def waiting(redis_client: Any, queue_name: str) -> str:
    """A queue in which JOBS wait."""
    names = keys_of(queue_name)
    for key, fields in JOBS.items():
        payload = {"function": "send", "queue": queue_name, "key": key, "status": "queued", "queued": 5} | fields
        await redis_client.set(names.job(key), json.dumps(payload))
        await redis_client.zadd(names.incomplete, {names.job(key): 0})
        await redis_client.rpush(names.queued, names.job(key))
    await redis_client.set(names.job("garbage"), "{half")
    await redis_client.rpush(names.queued, names.job("garbage"))
    await redis_client.sadd(keys.QUEUES, queue_name)
    return queue_name


@pytest.fixture
async def operator(valkey: Any, waiting: str) -> AsyncIterator[RedisOperator]:
    operator = await open_operator(valkey.url, who="ann", queues=[waiting], carry_bulks=False)
    yield operator
    await operator.close()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("bytes>4kb", {"large"}),
        ("arg:tenant=7", {"small", "secret"}),
        (f"arg:{SECRET}", set()),
        ("attempts>2", {"tried"}),
        ("retries>4", {"tried"}),
        ("err:refused", {"tried"}),
        ("err:Traceback", set()),
        ("fn:send", set(JOBS)),
        ("q:nowhere", set()),
        ("NOT fn:send", {"garbage"}),
    ],
)
async def test_an_act_finds_by_a_filter_what_the_screen_lists(
    text: str, found: set[str], operator: RedisOperator, redis_client: Any, waiting: str
) -> None:
    async with RedisSource(redis_client, [waiting], owner=object()) as source:
        view = View(screen=Screen.JOBS, queue=waiting, state=JobState.QUEUED, filter=text)
        page = (await source.snapshot(view)).page
    assert page is not None
    assert {row.key for row in page.rows if isinstance(row, JobRow)} == found
    selection = Selection(queue=waiting, state=JobState.QUEUED, filter=text)
    assert (await operator.preview(Verb.ABORT, selection)).count == len(found)
    await operator.act(Verb.DELETE, selection)
    for _ in range(5):
        await operator._runner.step_all()
    left = {keys_of(waiting).job_key(id_.decode()) for id_ in await redis_client.lrange(keys_of(waiting).queued, 0, -1)}
    assert set(JOBS) - left == found - {"garbage"}  # which can't be deleted as a job


async def test_the_card_shows_no_secret(operator: RedisOperator, waiting: str) -> None:
    selection = Selection(queue=waiting, state=JobState.QUEUED, filter="key:secret")
    card = await operator.preview(Verb.ABORT, selection)
    assert card.count == 1
    assert "tenant" in card.sample[0]
    assert SECRET not in card.sample[0]
    refs = (await operator.preview(Verb.ABORT, Selection(queue=waiting, state=JobState.QUEUED))).sample
    assert SECRET not in " ".join(refs)


@pytest.mark.parametrize(
    ("argument", "held"),
    [("tenant=7", {"small", "secret"}), ('"text":"xxx', {"large"}), (f"password={SECRET}", set()), ("", set(JOBS))],
    ids=["a pair", "a part of a long one", "a secret", "any"],
)
async def test_a_rule_sets_aside_of_what_waits_what_workers_would_of_what_comes(
    argument: str, held: set[str], operator: RedisOperator, redis_client: Any, waiting: str
) -> None:
    await operator.quarantine(waiting, function="send", argument=argument)
    left = {keys_of(waiting).job_key(id_.decode()) for id_ in await redis_client.lrange(keys_of(waiting).queued, 0, -1)}
    assert set(JOBS) - left == held
    rules = Rules()
    rules.learn([(waiting.encode(), b"r", msgspec.json.encode({"function": "send", "argument": argument}))])
    queue = Queue(redis_client, name=waiting)
    jobs = {key: Job(function="send", queue=queue, key=key, kwargs=fields["kwargs"]) for key, fields in JOBS.items()}
    assert {key for key, job in jobs.items() if rules.match(job)} == held
