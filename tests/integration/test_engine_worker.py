"""What our worker does beyond SAQ's: orphans, rules, commands, pauses, ownership, and little of the server used."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import at_work
import msgspec
import pytest
from at_work import beaten, until
from saq.job import Status

from quarterdeck.broker.queue import Queue
from quarterdeck.record import decode_history
from quarterdeck.record.beat import decode_beat
from quarterdeck.record.retention import HISTORY_COUNT
from quarterdeck.worker import intake
from quarterdeck.worker.intake import orphan_delay_s


async def quick(ctx, n=0):
    return n


async def slow(ctx, sleep=30):
    await asyncio.sleep(sleep)
    return "slept"


STOPPED = threading.Event()


def threaded(ctx):
    STOPPED.wait(60)


async def fails(ctx, text="no"):
    raise ValueError(text)


@pytest.fixture
async def queue(valkey, queue_name):
    queue = Queue.from_url(valkey.url, name=queue_name)
    yield queue
    await queue.disconnect()


def working(queue, functions=(quick, slow, threaded, fails), **options):
    return at_work.working(queue, functions, **options)


async def status_of(queue, key):
    job = await queue.job(key)
    return job.status if job is not None else None


class TestUnknownFunctions:
    async def test_a_job_waits_for_a_worker_that_knows_it(self, queue):
        async with working(queue, [quick]) as worker:
            job = await queue.enqueue("slow", sleep=0, retries=1)
            orphan = await until(lambda: queue.redis.hget(queue.keys.orphans, job.id))
            assert orphan.endswith(b"/slow")
            assert (await queue.job(job.key)).attempts == 0
            worker.paused = True  # both would race for it, each second anew
            async with working(queue, [slow]):
                await until(lambda: is_complete(queue, job.key))
            assert worker.runner.tally.failed == 0
        assert not await queue.redis.exists(queue.keys.orphans)

    async def test_it_is_tried_each_second_for_half_a_minute_then_ever_more_seldom(self, queue):
        seconds = (0, 1, 15, 30, 60, 300, 900, 80_000)
        assert [orphan_delay_s(waited * 1000) for waited in seconds] == [1, 1, 1, 1, 2, 10, 30, 30]
        job = await queue.enqueue("unheard_of")
        long_ago = int(time.time() * 1000) - 3_600_000
        await queue.redis.hset(queue.keys.orphans, job.id, f"{long_ago}/40/unheard_of")
        async with working(queue):
            await until(lambda: orphan_says(queue, job, f"{long_ago}/41/unheard_of"))
            due_ms = await queue.redis.zscore(queue.keys.incomplete, job.id) * 1000
        assert 3_600_000 + 29_000 < due_ms - long_ago < 3_600_000 + 240_000

    async def test_thousands_come_back_apart_from_each_other(self, queue, monkeypatch):
        monkeypatch.setattr(intake, "ORPHAN_DELAY_S", 600.0)  # none is back while this looks
        monkeypatch.setattr(intake, "ORPHAN_LONGEST_S", 600.0)
        many = 400
        await queue.enqueue_many([("unheard_of", {"n": n}) for n in range(many)])
        async with working(queue, concurrency=many):
            await until(lambda: all_put_off(queue, many))
            dues = [due for _, due in await queue.redis.zrange(queue.keys.incomplete, 0, -1, withscores=True)]
        assert len(set(dues)) == many
        assert max(dues) - min(dues) >= (many - 1) * intake.ORPHAN_APART_S - 0.01

    async def test_after_the_bound_it_fails(self, queue):
        job = await queue.enqueue("unheard_of")
        long_ago = int(time.time() * 1000) - 25 * 3600 * 1000
        await queue.redis.hset(queue.keys.orphans, job.id, f"{long_ago}/40/unheard_of")
        async with working(queue):
            await until(lambda: has_status(queue, job.key, Status.FAILED))
        assert "unheard_of" in (await queue.job(job.key)).error


async def orphan_says(queue, job, record):
    return await queue.redis.hget(queue.keys.orphans, job.id) == record.encode()


async def all_put_off(queue, number):
    return await queue.redis.hlen(queue.keys.orphans) == number


async def is_complete(queue, key):
    return await status_of(queue, key) is Status.COMPLETE


async def has_status(queue, key, status):
    return await status_of(queue, key) is status


class TestSettingAside:
    async def test_a_rule_sets_matching_jobs_aside(self, queue):
        rule = {"function": "quick", "argument": '"n":13', "reason": "unlucky"}
        await queue.redis.hset(queue.keys.rules, "r1", json.dumps(rule))
        async with working(queue) as worker:
            await until(lambda: worker.intake.rules.of(queue.name))
            jobs = await queue.enqueue_many([("quick", {"n": n}) for n in (12, 13, 14)])
            await until(lambda: worker.runner.tally.complete == 2)
            await until(lambda: queue.redis.hlen(queue.keys.quarantine))
        held = jobs[1]
        record = json.loads(await queue.redis.hget(queue.keys.quarantine, held.id))
        assert (record["rule"], record["reason"], record["key"]) == ("r1", "unlucky", held.key)
        assert await queue.redis.zscore(queue.keys.held, held.id)
        stored = await queue.job(held.key)
        assert (stored.status, stored.attempts) == (Status.QUEUED, 0)
        assert await queue.count("incomplete") == 0

    async def test_a_copy_of_an_ended_job_is_dropped(self, queue):
        async with working(queue) as worker:
            job = await queue.enqueue("quick", n=1)
            await until(lambda: is_complete(queue, job.key))
            await queue.redis.rpush(queue.keys.queued, job.id)
            await until(lambda: count_is(queue, "queued", 0))
            await until(lambda: count_is(queue, "active", 0))
            assert worker.runner.tally.complete == 1
        assert await status_of(queue, job.key) is Status.COMPLETE


async def count_is(queue, kind, number):
    return await queue.count(kind) == number


class TestCommands:
    async def tell(self, queue, worker, command, value=""):
        record = msgspec.json.encode({"command": command, "value": value, "who": "ann"})
        await queue.redis.rpush(queue.keys.control(worker.lease_id), record)

    async def test_quiet_and_resume(self, queue):
        async with working(queue) as worker:
            await self.tell(queue, worker, "quiet")
            await until(lambda: worker.paused)
            job = await queue.enqueue("quick")
            await beaten(worker, 3)
            assert await status_of(queue, job.key) is Status.QUEUED
            await until(lambda: beat_says(queue, worker, "quiet"))
            await self.tell(queue, worker, "resume")
            await until(lambda: is_complete(queue, job.key))

    async def test_stop(self, queue):
        async with working(queue) as worker:
            await self.tell(queue, worker, "stop")
            await until(worker.event.is_set)

    async def test_concurrency(self, queue):
        async with working(queue, concurrency=1) as worker:
            await self.tell(queue, worker, "concurrency", "4")
            await until(lambda: worker.concurrency == 4)
            await queue.enqueue_many(["slow"] * 4)
            await until(lambda: len(worker.runner.running) == 4)
            await self.tell(queue, worker, "concurrency", "none")
            await self.tell(queue, worker, "quiet")
            await until(lambda: worker.paused)
            assert worker.concurrency == 4

    @pytest.mark.parametrize(("function", "waits_in"), [("slow", "sleep"), ("threaded", "wait")])
    async def test_stack(self, queue, function, waits_in):
        STOPPED.clear()
        async with working(queue) as worker:
            job = await queue.enqueue(function)
            await until(lambda: f"in {function}" in worker.control.stack_of(job.key))
            await self.tell(queue, worker, "stack", job.key)
            await until(lambda: worker.stack[1] == job.key)
            assert f"in {function}" in worker.stack[0]
            assert waits_in in worker.stack[0]
            assert worker.control.stack_of("another") == "It is not running here."
            STOPPED.set()

    async def test_garbage_is_no_command(self, queue):
        async with working(queue) as worker:
            await queue.redis.rpush(queue.keys.control(worker.lease_id), b"\xff", "{}", '{"command":"explode"}')
            assert await queue.apply("quick", n=3) == 3


async def beat_of(queue, worker):
    return decode_beat(await queue.redis.hget(queue.keys.workers, worker.lease_id))


async def beat_says(queue, worker, state):
    beat = await beat_of(queue, worker)
    return beat is not None and beat.state == state


class TestBeats:
    async def test_the_record_says_what_it_does(self, queue):
        async with working(queue, name="ours:1", version="1.2.3") as worker:
            job = await queue.enqueue("slow")
            beat = await until(lambda: running_beat(queue, worker))
            assert (beat.name, beat.version, beat.slots, beat.state) == ("ours:1", "1.2.3", 5, "running")
            assert beat.queues == (queue.name,)
            assert [(each.key, each.function, each.queue) for each in beat.current] == [(job.key, "slow", queue.name)]
            assert {spec.name for spec in beat.functions} == {"quick", "slow", "threaded", "fails"}
            assert abs(beat.beat_ms - time.time() * 1000) < 60_000
            assert abs(beat.skew_ms) < 60_000
            assert beat.memory_bytes > 1_000_000
        assert await queue.redis.hget(queue.keys.workers, worker.lease_id) is None

    async def test_sweeps_of_stock_workers_are_kept_off(self, queue):
        async with working(queue):
            assert await queue.redis.ttl(queue.keys.sweep_lock) > 0

    async def test_a_paused_queue_waits(self, queue):
        await queue.redis.set(queue.keys.paused, '{"owner":"ann"}')
        async with working(queue) as worker:
            job = await queue.enqueue("quick")
            await beaten(worker, 4)
            calls = worker.turns.calls
            assert await status_of(queue, job.key) is Status.QUEUED
            assert calls <= 10, "it asks again and again"
            await queue.redis.delete(queue.keys.paused)
            await until(lambda: is_complete(queue, job.key))

    async def test_retention_is_settable(self, queue):
        await queue.redis.hset(queue.keys.retention, mapping={"history_count": 123})
        async with working(queue) as worker:
            await until(lambda: worker.turns.history_count == 123)
            await queue.redis.hset(queue.keys.retention, "history_count", "nonsense")
            await until(lambda: worker.turns.history_count == HISTORY_COUNT)

    async def test_a_worker_of_several_queues_keeps_the_longest_history_of_them(self, queue):
        second = queue.sibling(f"{queue.name}-two")
        await queue.redis.hset(queue.keys.retention, "history_count", 123)
        async with working(queue, queues=[second]) as worker:
            await until(lambda: worker.beats.fresh)
            assert worker.turns.history_count == HISTORY_COUNT
            await queue.redis.hset(second.keys.retention, "history_count", 456)
            await until(lambda: worker.turns.history_count == 456)
        await second.disconnect()


async def running_beat(queue, worker):
    beat = await beat_of(queue, worker)
    return beat if beat is not None and beat.current else None


class TestOwnership:
    async def test_what_somebody_else_holds_now_is_stopped_here(self, queue):
        async with working(queue, timers={"abort": 0.05}) as worker:
            job = await queue.enqueue("slow")
            await until(lambda: worker.runner.running)
            await queue.redis.hset(queue.keys.owner, job.id, "another/1/5")
            await until(lambda: not worker.runner.running)
            assert await status_of(queue, job.key) is Status.ACTIVE
        await queue.redis.delete(queue.keys.owner)

    async def test_what_the_server_says_we_hold_and_do_not_run_goes_back(self, queue):
        async with working(queue) as worker:
            await until(lambda: worker.beats._since_s is not None)
            worker.paused = True
            job = await queue.enqueue("quick", n=5)
            await queue.redis.lpop(queue.keys.queued)
            await queue.redis.rpush(queue.keys.active, job.id)
            await queue.redis.hset(queue.keys.owner, job.id, f"{worker.lease_id}/1/5")
            worker.turns.token = max(worker.turns.token, 5)
            worker.paused = False
            await until(lambda: is_complete(queue, job.key))
        assert (await queue.job(job.key)).attempts == 1

    async def test_an_active_job_of_nobody_goes_back(self, queue):
        job = await queue.enqueue("quick", n=5)
        await queue.redis.lpop(queue.keys.queued)
        await queue.redis.rpush(queue.keys.active, job.id)
        async with working(queue):
            await until(lambda: is_complete(queue, job.key))

    async def test_a_late_result_is_refused_and_recorded(self, queue):
        go_on = asyncio.Event()

        async def held(ctx):
            await go_on.wait()

        async with working(queue, [("held", held)], timers={"abort": 3600}) as worker:
            job = await queue.enqueue("held")
            await until(lambda: worker.runner.running)
            await queue.redis.hset(queue.keys.owner, job.id, "another/1/5")
            go_on.set()
            await until(lambda: worker.runner.tally.late == 1)
        entries = [decode_history(entry[b"r"]).status for _, entry in await queue.redis.xrange(queue.keys.history)]
        assert entries == ["late"]
        await queue.redis.delete(queue.keys.owner)


class TestRescue:
    async def test_nobody_rescues_before_its_own_beats_were_good_for_a_lease(self, queue):
        job = await queue.enqueue("quick", n=5)
        await queue.redis.lpop(queue.keys.queued)
        await queue.redis.rpush(queue.keys.active, job.id)
        await queue.redis.hset(queue.keys.owner, job.id, "ghost/1/5")
        begun = time.monotonic()
        async with working(queue, lease_s=1.0):
            await until(lambda: is_complete(queue, job.key))
            assert time.monotonic() - begun >= 0.9
        assert await queue.redis.hlen(queue.keys.crashes) == 0

    async def test_lost_workers_stay_to_be_seen_with_what_they_held(self, queue):
        record = {"name": "web-1:7", "slots": 4, "running": 1, "beat_ms": int(time.time() * 1000)}
        await queue.redis.hset(queue.keys.workers, "ghost", json.dumps(record))
        await queue.redis.zadd(queue.keys.lease, {"ghost": 1})
        job = await queue.enqueue("quick")
        await queue.redis.lpop(queue.keys.queued)
        await queue.redis.rpush(queue.keys.active, job.id)
        await queue.redis.hset(queue.keys.owner, job.id, "ghost/1/5")
        async with working(queue, lease_s=0.5):
            await until(lambda: is_complete(queue, job.key))
            beat = await until(lambda: lost_beat(queue, "ghost"))
        assert (beat.name, beat.state, beat.running, beat.held) == ("web-1:7", "lost", 0, (job.key,))
        assert await queue.redis.zscore(queue.keys.lease, "ghost") is None

    async def test_a_job_that_was_being_aborted_when_its_worker_died_ends_aborted(self, queue):
        job = await queue.enqueue("quick", retries=5)
        await queue.redis.lpop(queue.keys.queued)
        await queue.redis.rpush(queue.keys.active, job.id)
        await queue.redis.hset(queue.keys.owner, job.id, "ghost/1/5")
        await job.abort("not wanted")
        async with working(queue, lease_s=0.5):
            await until(lambda: has_status(queue, job.key, Status.ABORTED))
        assert (await queue.job(job.key)).error == "not wanted"
        assert await queue.redis.zscore(queue.keys.failed, job.key)

    async def test_poison_goes_to_the_failed_list_with_what_follows_a_failure(self, queue):
        job = await queue.enqueue("quick", retries=5)
        await queue.redis.lpop(queue.keys.queued)
        await queue.redis.rpush(queue.keys.active, job.id)
        await queue.redis.hset(queue.keys.owner, job.id, "ghost/1/5")
        await queue.redis.hset(queue.keys.crashes, job.id, 2)
        async with working(queue, lease_s=0.5):
            await until(lambda: has_status(queue, job.key, Status.FAILED))
        row = json.loads(await queue.redis.hget(queue.keys.failed_rows, job.key))
        assert row["poison"] is True
        assert "poison" in row["error"]
        statuses = [decode_history(entry[b"r"]).status for _, entry in await queue.redis.xrange(queue.keys.history)]
        assert statuses == ["poison"]
        assert not await queue.redis.exists(queue.keys.crashes)


async def lost_beat(queue, worker):
    beat = decode_beat(await queue.redis.hget(queue.keys.workers, worker))
    return beat if beat is not None and beat.state == "lost" else None


class TestOddCalls:
    async def test_a_settlement_that_breaks_the_script_holds_up_no_other(self, queue):
        async with working(queue) as worker:
            worker.turns.settle((9, "e", "no such queue", "*", b"", 0, "", "", 0, 0, "", b""))
            jobs = await queue.enqueue_many(["quick"] * 20)
            await until(lambda: is_complete(queue, jobs[-1].key))
            await until(lambda: worker.runner.tally.complete == 20)
            await until(lambda: forgotten(worker.turns))


def forgotten(turns):
    """Take away what can't be settled, or it would hold up the worker's end."""
    turns._doubtful.clear()
    turns._pending.clear()
    turns.kick()
    return turns.quiet.is_set()


class TestEndings:
    async def test_stopping_hands_back_in_front_and_counts_nothing(self, queue):
        async with working(queue, concurrency=2) as worker:
            jobs = await queue.enqueue_many([("slow", {"sleep": 60})] * 4)
            await until(lambda: len(worker.runner.running) == 2)
        ids = [job_id.decode() for job_id in await queue.redis.lrange(queue.keys.queued, 0, -1)]
        assert ids == [job.id for job in jobs]
        for job in await queue.jobs(job.key for job in jobs):
            assert (job.status, job.attempts, job.started, job.worker_id) == (Status.QUEUED, 0, 0, None)
        assert await queue.count("active") == 0

    async def test_what_was_handed_back_runs_elsewhere_as_the_first_attempt(self, queue):
        async with working(queue) as worker:
            job = await queue.enqueue("slow", sleep=0.4, retries=1)
            await until(lambda: worker.runner.running)
        async with working(queue):
            await until(lambda: is_complete(queue, job.key))
        assert (await queue.job(job.key)).attempts == 1

    async def test_errors_are_told_without_arguments(self, queue, caplog):
        async with working(queue) as worker:
            await queue.enqueue("fails", text="the password is hunter2")
            await until(lambda: worker.runner.tally.failed == 1)
        assert "Error processing Job<function: fails" in caplog.text
        assert "'text':" not in caplog.text
        assert "in _run" not in caplog.text, "our own frames say nothing to the reader"


class TestCost:
    async def test_a_thousand_slots_need_few_connections(self, start_valkey, queue_name):
        server = start_valkey()
        queue = Queue.from_url(server.url, name=queue_name)
        own = len(await queue.redis.client_list())
        async with working(queue, concurrency=1000) as worker:
            await beaten(worker, 3)
            assert len(await queue.redis.client_list()) - own <= 6
            before = (await queue.redis.info("stats"))["total_commands_processed"]
            await beaten(worker, 10)
            after = (await queue.redis.info("stats"))["total_commands_processed"]
            # Of ten beats; each script counts what it calls as well.
            assert after - before < 600
        await queue.disconnect()

    async def test_round_trips_at_load(self, queue):
        await queue.enqueue_many(["quick"] * 2000)
        async with working(queue, concurrency=100) as worker:
            await until(lambda: worker.runner.tally.complete == 2000, within_s=60)
            assert worker.turns.calls < 200

    async def test_history_needs_little_memory(self, queue):
        await queue.enqueue_many(["quick"] * 3000)
        async with working(queue, concurrency=100) as worker:
            await until(lambda: worker.runner.tally.complete == 3000, within_s=60)
            await worker.turns.quiet.wait()
        used = await queue.redis.memory_usage(queue.keys.history, samples=0)
        assert used / 3000 < 300
