"""The demo as a person sees it: jobs complete, fail, are retried, schedules fire, traffic can be turned."""

from __future__ import annotations

import asyncio
import json
import random

import pytest

import tasks
from quarterdeck.errors import JobFailedError
from quarterdeck.keys import keys_of
from quarterdeck.record.entry import decode_history
from quarterdeck.worker.service import Service, ServiceOptions
from tasks import export, health, metrics, report, traffic
from tasks.application import app, folder


@pytest.fixture
async def deck(start_valkey, tmp_path, monkeypatch):
    """The demo's worker on a server of its own: its queues have fixed names."""
    monkeypatch.setenv("QUARTERDECK_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(report.time, "sleep", lambda _: None)
    server = start_valkey()
    service = Service(tasks.app, ServiceOptions(url=server.url, grace_s=0.5, concurrency=20, schedules=False))
    running = asyncio.create_task(service.run())
    yield service
    service.worker.event.set()
    assert await asyncio.wait_for(running, 60) == 0


async def runs(client, queue):
    entries = await client.xrange(keys_of(queue).history)
    return [decode_history(fields[b"r"]) for _, fields in entries]


async def redis_of(deck):
    async with asyncio.timeout(60):
        while deck.worker is None or deck.worker._engine is None:
            await asyncio.sleep(0.01)
    return app.queue().redis


async def test_traffic_makes_jobs_of_every_kind_and_failures_of_several(deck, monkeypatch):
    client = await redis_of(deck)
    monkeypatch.setattr(traffic, "_chance", random.Random(3))
    monkeypatch.setitem(traffic.JOBS, "high", 400)
    monkeypatch.setattr(traffic, "KINDS", [kind for kind in traffic.KINDS if kind[0] is not traffic.forecast])
    await client.set(traffic.LEVEL_KEY, "high")
    handle = await traffic.make_traffic.options(timeout_s=120).enqueue()  # ten times as many as it is made for
    assert await handle.result(120) == 400
    async with asyncio.timeout(60):
        while len(found := [run for queue in app.queues for run in await runs(client, queue)]) < 390:
            await asyncio.sleep(0.05)
    assert {"complete", "retried"} <= {run.status for run in found}
    signatures = {run.signature for run in found if run.signature}
    assert len(signatures) >= 4, "several causes"
    completed = sum(run.status == "complete" for run in found) / len(found)
    assert 0.7 < completed < 0.99, "alive, and mostly well"


async def test_traffic_can_be_turned_off(deck):
    client = await redis_of(deck)
    for level, count in (("off", 0), ("low", 1), ("nonsense", traffic.JOBS["normal"])):
        await client.set(traffic.LEVEL_KEY, level)
        assert await (await traffic.make_traffic.enqueue()).result(60) == count


async def test_a_report_goes_through_its_steps_to_a_mail(deck, monkeypatch):
    await redis_of(deck)
    monkeypatch.setattr("tasks.mail.GREYLISTED_SHARE", 0)
    last = await (await report.start_report.enqueue(1)).result(60)
    handle = app.handle(last, queue="reports", function="announce_report")
    async with asyncio.timeout(60):
        while await app.queue("reports").job(last) is None:
            await asyncio.sleep(0.01)
    mail = app.handle(await handle.result(60), queue="emails", function="send_mail")
    await mail.result(60)
    (page,) = folder("reports").iterdir()
    (letter,) = folder("outbox").iterdir()
    assert page.name in letter.read_text()


async def test_the_history_is_exported_and_the_counts_are_added_up(deck, monkeypatch):
    client = await redis_of(deck)
    for _ in range(3):
        await (await health.check_health.enqueue()).result(60)
    told = await (await export.export_history.enqueue(100)).result(60)
    csv_file, json_file = (folder("exports") / name for name in told["files"])
    assert told["rows"] == 3 == len(json.loads(json_file.read_text()))
    assert len(csv_file.read_text().splitlines()) == 4
    seconds, _ = await client.time()
    monkeypatch.setattr(metrics.time, "time", lambda: seconds + 60)
    line = await (await metrics.aggregate_metrics.enqueue(2)).result(60)
    assert line["queues"]["default"]["functions"]["check_health"]["complete"] == 3
    assert len((folder() / "metrics.jsonl").read_text().splitlines()) == 1


async def test_health_says_what_is_not_well(deck):
    await redis_of(deck)
    found = await (await health.check_health.enqueue()).result(60)
    assert found["receiver"]
    assert found["mail_sink"]
    await health.receiver.close()
    (folder("run") / "webhook-receiver.port").write_text("1")
    with pytest.raises(JobFailedError, match="not well: receiver"):
        await (await health.check_health.enqueue()).result(60)
    assert json.loads((folder() / "health.json").read_text())["receiver"] is False
