"""The HTTP API over a real server: it reads for anyone on the loopback address and acts for those with a token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from quarterdeck import keys
from quarterdeck.inspect import open_source
from quarterdeck.keys import keys_of
from quarterdeck.operate import open_operator
from quarterdeck.serve.application import application

TOKEN = {"Authorization": "Bearer s3cret"}


@pytest.fixture
async def api(valkey: Any, queue_name: str, redis_client: Any) -> AsyncIterator[TestClient[Any, Any]]:
    await redis_client.sadd(keys.QUEUES, queue_name)
    source = await open_source(valkey.url, queues=[queue_name])
    operator = await open_operator(valkey.url, who="api", queues=[queue_name], carry_bulks=False)
    client = TestClient(TestServer(application(source, operator, token="s3cret")))
    await client.start_server()
    yield client
    await client.close()
    await operator.close()
    await source.close()


async def test_the_snapshot_is_the_one_the_screen_shows(api: TestClient[Any, Any], queue_name: str) -> None:
    answer = await api.get("/api/v1/snapshot", params={"screen": "queues", "limit": "10"})
    assert answer.status == 200
    body = await answer.json()
    assert body["view"]["screen"] == "queues"
    assert [queue["name"] for queue in body["queues"]] == [queue_name]


async def test_metrics_and_health_answer(api: TestClient[Any, Any], queue_name: str) -> None:
    text = await (await api.get("/metrics")).text()
    assert f'quarterdeck_queue_jobs{{queue="{queue_name}",state="queued"}} 0.0' in text
    assert (await (await api.get("/healthz")).json())["verdict"] in ("ok", "notice", "warning", "bad")


async def test_acts_need_the_token(api: TestClient[Any, Any], queue_name: str, redis_client: Any) -> None:
    body = {"queue": queue_name, "function": "send", "arguments": {"to": "a"}, "key": "k1"}
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "s3cret"}):
        assert (await api.post("/api/v1/enqueue", json=body, headers=headers)).status == 401
    assert await redis_client.llen(keys_of(queue_name).queued) == 0
    answer = await api.post("/api/v1/enqueue", json=body, headers=TOKEN)
    assert (answer.status, (await answer.json())["key"]) == (200, "k1")
    assert await redis_client.llen(keys_of(queue_name).queued) == 1


async def test_an_act_is_previewed_and_done_and_undone(
    api: TestClient[Any, Any], queue_name: str, redis_client: Any
) -> None:
    job = {"queue": queue_name, "function": "send", "key": "k1"}
    await api.post("/api/v1/enqueue", json=job, headers=TOKEN)
    act = {"verb": "delete", "selection": {"refs": [{"queue": queue_name, "key": "k1"}], "state": "queued"}}
    card = await (await api.post("/api/v1/act", json={**act, "dry_run": True}, headers=TOKEN)).json()
    assert card["count"] == 1
    done = await (await api.post("/api/v1/act", json=act, headers=TOKEN)).json()
    assert done["done"] == 1
    undone = await (await api.post("/api/v1/undo", json={"act": done["undo"]}, headers=TOKEN)).json()
    assert undone["done"] == 1
    assert await redis_client.llen(keys_of(queue_name).queued) == 1


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("/api/v1/enqueue", b"{", 400, "not JSON"),
        ("/api/v1/enqueue", b'{"queue": "q"}', 400, "function"),
        ("/api/v1/enqueue", b'{"queue": "q", "function": "f", "args": {}}', 400, "args"),
        ("/api/v1/act", b'{"verb": "explode", "selection": {}}', 400, "explode"),
        ("/api/v1/undo", b'{"act": "none"}', 400, "nothing to undo"),
        ("/api/v1/queues/q/resume", b"", 400, "not paused"),
    ],
)
async def test_bad_requests_get_a_sentence(
    api: TestClient[Any, Any], path: str, body: bytes, status: int, says: str
) -> None:
    answer = await api.post(path, data=body, headers=TOKEN)
    assert answer.status == status
    assert says in (await answer.json())["error"]


async def test_without_a_token_nothing_can_be_done_at_all(valkey: Any, queue_name: str) -> None:
    source = await open_source(valkey.url, queues=[queue_name])
    async with TestClient(TestServer(application(source, None, open_reads=False))) as client:
        assert (await client.get("/api/v1/snapshot")).status == 401
        assert (await client.post("/api/v1/undo")).status == 401
        assert (await client.get("/healthz")).status == 200
    await source.close()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("GET", "/api/v1/snapshot?scren=jobs", None, 400, "The query can't hold 'scren'"),
        ("GET", "/api/v1/snapshot?screen=nosuch", None, 400, "The query can't be read: Invalid enum value 'nosuch'"),
        ("GET", "/api/v1/snapshot?limit=x", None, 400, "The query can't be read"),
        ("GET", "/nowhere", None, 404, "Not Found: GET /nowhere."),
        ("DELETE", "/metrics", None, 405, "Method Not Allowed"),
        ("POST", "/api/v1/queues/nosuch/pause", {}, 400, "There is no queue 'nosuch'."),
        ("POST", "/api/v1/queues/q/explode", {}, 404, "Not Found"),
        ("POST", "/api/v1/queues/q/pause", {"for_s": 0}, 400, "The body can't be read"),
        ("POST", "/api/v1/enqueue", {"queue": "q", "function": "f", "delay_s": -5}, 400, "The body can't be read"),
        # "Request Entity" before Python 3.13, "Content" since
        pytest.param("POST", "/api/v1/act", "x" * 1_100_000, 413, " Too Large", id="1.1 MB"),
    ],
)
async def test_every_refusal_is_json_with_a_sentence(
    api: TestClient[Any, Any], method: str, path: str, body: Any, status: int, says: str
) -> None:
    answer = await api.request(method, path, json=body, headers=TOKEN)
    assert answer.status == status
    assert says in (await answer.json())["error"]
