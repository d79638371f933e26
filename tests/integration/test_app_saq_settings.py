"""An untouched SAQ settings dict runs as it is."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging

import pytest
from redis.asyncio import Redis
from saq.job import CronJob
from saq.queue.http import HttpQueue
from saq.queue.redis import RedisQueue

from quarterdeck.broker.queue import Queue
from quarterdeck.cli import worker as worker_command
from quarterdeck.errors import TargetError
from quarterdeck.keys import keys_of
from quarterdeck.worker.plan import our_queue, plan_of_settings
from quarterdeck.worker.service import Service, ServiceOptions
from quarterdeck.worker.supervisor import GRACE_S


@pytest.fixture
async def stock(valkey, queue_name):
    queue = RedisQueue.from_url(valkey.url, name=queue_name)
    yield queue
    await queue.disconnect()


async def run_until(service: Service, reached: asyncio.Event) -> None:
    task = asyncio.create_task(service.run())
    await asyncio.wait_for(reached.wait(), 60)
    assert service.worker is not None
    service.worker.event.set()
    assert await asyncio.wait_for(task, 60) == 0


async def test_functions_hooks_and_context_are_saqs(stock, valkey, queue_name):
    seen, done = [], asyncio.Event()

    async def startup(ctx):
        ctx["db"] = "open"

    async def shutdown(ctx):
        seen.append(("shutdown", ctx["db"]))

    async def before(ctx):
        seen.append(("before", ctx["job"].function))

    async def after(ctx):
        seen.append(("after", ctx["job"].function))
        done.set()

    async def add(ctx, *, a, b=2):
        seen.append(("add", ctx["db"], ctx["worker"].concurrency, a + b))
        return a + b

    settings = {
        "queue": stock,
        "functions": [add, ("short", add)],
        "concurrency": 3,
        "startup": startup,
        "shutdown": [shutdown],
        "before_process": before,
        "after_process": [after],
    }
    untouched = dict(settings)
    client = RedisQueue(Redis.from_url(valkey.url), name=queue_name)
    job = await client.enqueue("short", a=1)
    await run_until(Service(settings, ServiceOptions()), done)
    assert settings == untouched
    await job.refresh()
    assert (job.status.value, job.result) == ("complete", 3)
    assert seen == [("before", "short"), ("add", "open", 3, 3), ("after", "short"), ("shutdown", "open")]
    await client.disconnect()


async def test_a_plain_function_logs_to_its_job(stock, valkey, queue_name, redis_client):
    done = asyncio.Event()
    loop = asyncio.get_running_loop()

    def work(ctx):
        logging.getLogger("mine").warning("in a thread")
        loop.call_soon_threadsafe(done.set)

    client = RedisQueue(Redis.from_url(valkey.url), name=queue_name)
    job = await client.enqueue("test_a_plain_function_logs_to_its_job.<locals>.work")
    await run_until(Service({"queue": stock, "functions": [work]}, ServiceOptions()), done)
    (line,) = await redis_client.lrange(keys_of(queue_name).log(job.key), 0, -1)
    assert json.loads(line)["text"] == "in a thread"
    await client.disconnect()


async def test_cron_jobs_become_schedules_by_themselves(stock, redis_client, queue_name):
    fired = asyncio.Event()

    async def tick(ctx, word="none"):
        fired.set()

    settings = {"queue": stock, "functions": [], "cron_jobs": [CronJob(tick, "* * * * * */1", kwargs={"word": "hi"})]}
    await run_until(Service(settings, ServiceOptions()), fired)
    (raw,) = (await redis_client.hgetall(keys_of(queue_name).schedules)).values()
    spec = json.loads(raw)
    assert (spec["origin"], spec["notation"], spec["arguments"]) == ("saq", "saq", {"word": "hi"})


def test_specs_come_from_signatures(stock):
    async def add(ctx, a: int, *, b: str = "x"):
        """Add."""

    async def anything(ctx, **kwargs): ...

    plan = plan_of_settings({"queue": stock, "functions": [("add", add), ("anything", anything)]}, "settings")
    add_spec, any_spec = plan.specs
    assert (add_spec.name, add_spec.doc, add_spec.queues) == ("add", "Add.", (stock.name,))
    assert [(each.name, each.type, each.required) for each in add_spec.parameters] == [
        ("a", "int", True),
        ("b", "str", False),
    ]
    assert any_spec.accepts_any


class TestQueue:
    def test_a_plain_one_is_replaced_on_the_same_connection(self, stock):
        async def callback(job): ...

        stock.register_before_enqueue(callback)
        own = our_queue(stock, "settings")
        assert isinstance(own, Queue)
        assert (own.redis, own.name, own.foreign_codec) == (stock.redis, stock.name, False)
        assert own.swept_error_message == stock.swept_error_message
        assert list(own._before_enqueues.values()) == [callback]

    def test_the_users_own_encoding_is_kept(self, valkey):
        def dump(value):
            return json.dumps(value)

        own = our_queue(RedisQueue.from_url(valkey.url, dump=dump), "settings")
        assert own.foreign_codec

    def test_ours_stays(self, valkey):
        queue = Queue.from_url(valkey.url)
        assert our_queue(queue, "settings") is queue
        assert our_queue(None, "settings") is None

    def test_another_kind_is_refused(self):
        with pytest.raises(TargetError, match="is a HttpQueue, and only queues on Redis"):
            our_queue(HttpQueue("http://localhost:1", "q"), "settings")

    async def test_a_setting_that_is_not_saqs_is_named(self, stock):
        async def f(ctx): ...

        service = Service({"queue": stock, "functions": [f], "concurency": 3}, ServiceOptions())
        with pytest.raises(TargetError, match="concurency"):
            await service.run()


async def test_a_burst_in_the_settings_is_one(stock):
    async def count(ctx):
        return 1

    for _ in range(3):
        await stock.enqueue("count")
    settings = {"queue": stock, "functions": [("count", count)], "burst": True, "dequeue_timeout": 0.1}
    assert await asyncio.wait_for(Service(settings, ServiceOptions()).run(), 60) == 0
    assert await stock.count("incomplete") == 0


@pytest.mark.parametrize(
    ("settings", "told", "grace_s"),
    [({}, None, GRACE_S), ({"shutdown_grace_period_s": 90}, None, 90), ({"shutdown_grace_period_s": 90}, 5.0, 5.0)],
)
async def test_the_time_to_finish_is_the_settings_unless_told(stock, settings, told, grace_s):
    service = Service({"queue": stock, "functions": [print], **settings}, ServiceOptions(grace_s=told))
    worker = service._build([service.plan.queue])
    assert worker._shutdown_grace_period_s == grace_s


@pytest.mark.parametrize(
    ("words", "grace_s"),
    [
        (["graceful_settings.settings"], 90.0),
        (["graceful_settings.settings", "--grace-s", "4"], 4.0),
        (["graceful_settings:app"], GRACE_S),
    ],
)
def test_a_supervisor_waits_for_as_long_as_the_settings_say(tmp_path, monkeypatch, words, grace_s):
    (tmp_path / "graceful_settings.py").write_text("settings = {'functions': [print], 'shutdown_grace_period_s': 90}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    parser = argparse.ArgumentParser()
    worker_command.add_arguments(parser)
    assert worker_command._grace_s(parser.parse_args(words)) == grace_s
