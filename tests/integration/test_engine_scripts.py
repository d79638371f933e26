"""Each Lua script on a real server: what it takes, what it returns, what it leaves."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from redis.exceptions import ResponseError
from saq.job import Job, Status

from quarterdeck.broker import ending
from quarterdeck.broker.queue import Queue
from quarterdeck.broker.scripts import all_scripts, script
from quarterdeck.keys import QueueKeys, keys_of
from quarterdeck.record import decode_history, signature_of_text
from quarterdeck.script import Script

WORKER = "host-1"


@pytest.fixture
async def queue(valkey, queue_name):
    queue = Queue.from_url(valkey.url, name=queue_name)
    await queue.redis.zadd(queue.keys.lease, {WORKER: 9e15})
    yield queue
    await queue.disconnect()


async def run(queue, name, *args):
    return await script(name)(queue.redis, [queue.keys.queued], args)


async def turn(queue, token=1, want=0, items=(), worker=WORKER):
    return await run(
        *(queue, "turn_each", worker, json.dumps(worker), token, want, 1000, queue.name, "1", 1, queue.name),
        *ending.arguments(list(items)),
    )


async def taken(queue, token=1, want=10):
    """The marked jobs of a take."""
    answer = await turn(queue, token, want)
    marked = answer[4][0][1]
    return [queue.deserialize(raw) for raw in marked[1::2]]


def completed(queue, job, token=1, **changes):
    job.status, job.completed = Status.COMPLETE, job.started + 5
    for name, value in changes.items():
        setattr(job, name, value)
    return ending.complete(job, queue.serialize(job), number=1, holder=f"{WORKER}/{token}/", us=5000, worker=WORKER)


async def fold(queue, failed=(100, 10**9, 10**12), garbage=(100, 10**9, 10**12), history=(10**6, 10**12, 10**12)):
    """Minutes added, failed jobs dropped, garbage dropped."""
    return await run(queue, "fold", queue.name, 1000, *history, *failed, *garbage)


async def counted(queue):
    """What the minutes have counted: one as a rule, two when a minute ends in the middle of a test."""
    counts = Counter()
    for minute in await queue.redis.keys(f"qd:minute:{queue.name}:*"):
        counts.update({field: int(value) for field, value in (await queue.redis.hgetall(minute)).items()})
    return counts


class TestNames:
    async def test_lua_and_python_agree_on_every_name(self, redis_client):
        names = ("queue:with{tag}", "plain")
        for queue in names:
            keys = QueueKeys(queue)
            plain = [name for name, value in vars(keys).items() if name != "queue" and isinstance(value, str)]
            source = "\n".join([script("leave").source.split("local worker", 1)[0], "local n = names_of(ARGV[1])"])
            source += "\nlocal out = {} for i = 2, #ARGV do out[#out + 1] = n[ARGV[i]] end return out"
            found = await Script("names", source)(redis_client, [], [queue, *plain])
            assert [each.decode() for each in found] == [getattr(keys, name) for name in plain]
            methods = {
                "prefix": keys.job(""),
                "worker_info": keys.worker_info(""),
                "minute": f"qd:minute:{queue}:",
                "hour": f"qd:hour:{queue}:",
                "control": keys.control(""),
                "failed_of_signature": keys.failed_of_signature(""),
                "failed_of_function": keys.failed_of_function(""),
            }
            found = await Script("names", source)(redis_client, [], [queue, *methods])
            assert [each.decode() for each in found] == list(methods.values())


class TestTurn:
    async def test_takes_and_marks_in_one_step(self, queue):
        made = await queue.enqueue("step", a=1)
        word, now, refused, errors, [[more, marked, unmarked, alone]] = await turn(queue, want=5)
        assert (word, refused, errors, more, unmarked, alone) == (b"ok", [], [], b"ok", [], [])
        job = queue.deserialize(marked[1])
        assert (job.status, job.attempts, job.started, job.worker_id) == (Status.ACTIVE, 1, now, WORKER)
        assert (await queue.job(made.key)).status is Status.ACTIVE
        assert await queue.redis.lrange(queue.keys.active, 0, -1) == [made.id.encode()]
        assert await queue.redis.hget(queue.keys.owner, made.id) == f"{WORKER}/1/{now}".encode()
        assert await queue.count("queued") == 0
        assert await queue.count("incomplete") == 1

    async def test_says_whether_there_may_be_more(self, queue):
        await queue.enqueue_many(["step"] * 5)
        assert (await turn(queue, 1, 3))[4][0][0] == b"more"
        assert (await turn(queue, 2, 3))[4][0][0] == b"ok"
        assert (await turn(queue, 3, 3))[4][0] == [b"ok", [], [], []]

    async def test_without_a_lease_nothing_is_taken(self, queue):
        await queue.enqueue("step")
        answer = await turn(queue, want=5, worker="nobody")
        assert (answer[0], answer[4]) == (b"unleased", [])
        assert await queue.count("queued") == 1

    async def test_a_paused_queue_is_not_taken_from(self, queue):
        await queue.enqueue("step")
        await queue.redis.set(queue.keys.paused, "{}")
        assert (await turn(queue, want=5))[4][0][0] == b"paused"
        assert await queue.count("queued") == 1

    async def test_a_void_token_does_nothing(self, queue):
        await queue.enqueue("step")
        await queue.redis.hset(queue.keys.fence, WORKER, 7)
        assert (await turn(queue, token=7, want=5))[0] == b"fenced"
        assert (await turn(queue, token=8, want=5))[0] == b"ok"

    @pytest.mark.parametrize(
        "payload",
        [
            b'{"function":"step","queue":"Q","key":"k","status":"queued","meta":{"a":1}}',
            b'{"function":"step","queue":"Q","key":"k","kwargs":{"s":"\\"started\\":"},"started":1,"status":"queued"}',
            b'{"function":"step","queue":"Q","key":"k","kwargs":{"attempts":3},"status":"queued"}',
            b'{"status":"queued","function":"step","queue":"Q","key":"k"}',
            b"nonsense",
        ],
    )
    async def test_what_can_not_be_edited_exactly_is_left_to_the_worker(self, queue, payload):
        job_id = queue.job_id("k")
        await queue.redis.set(job_id, payload)
        await queue.redis.rpush(queue.keys.queued, job_id)
        _, marked, unmarked, _ = (await turn(queue, want=1))[4][0]
        assert (marked, unmarked) == ([], [job_id.encode(), payload])
        assert await queue.redis.get(job_id) == payload
        assert (await queue.redis.hget(queue.keys.owner, job_id)).endswith(b"/0")

    async def test_stocks_separators_and_earlier_attempts_are_exact_too(self, queue):
        stock = b'{"function": "step", "queue": "Q", "key": "k", "queued": 5, "status": "queued"}'
        again = b'{"function":"step","queue":"Q","key":"j","attempts":2,"status":"queued"}'
        for key, payload in (("k", stock), ("j", again)):
            await queue.redis.set(queue.job_id(key), payload.replace(b"Q", queue.name.encode()))
            await queue.redis.rpush(queue.keys.queued, queue.job_id(key))
        first, second = await taken(queue)
        assert (first.attempts, first.queued, second.attempts) == (1, 5, 3)

    async def test_a_second_push_of_a_running_job_is_dropped(self, queue):
        job = await queue.enqueue("step")
        await queue.redis.rpush(queue.keys.queued, job.id)
        assert len(await taken(queue)) == 1
        await queue.redis.rpush(queue.keys.queued, job.id)
        assert await taken(queue, token=2) == []
        assert await queue.count("queued") == 0

    async def test_suspects_come_alone(self, queue):
        jobs = await queue.enqueue_many(["step"] * 3)
        await queue.redis.hset(queue.keys.crashes, jobs[1].id, 2)
        _, marked, _, alone = (await turn(queue, want=10))[4][0]
        assert [marked[0], alone[0]] == [jobs[0].id.encode(), jobs[1].id.encode()]
        assert await queue.count("queued") == 1

    async def test_several_queues_in_the_order_asked(self, queue):
        other = queue.sibling(f"{queue.name}-2")
        await queue.enqueue("step"), await other.enqueue("step")
        keys = [queue.keys.queued, other.keys.queued]
        args = [WORKER, '"w"', 1, 1, 1000, queue.name, "2,1", 2, queue.name, other.name]
        answer = await script("turn")(queue.redis, keys, args)
        assert [each[0] for each in answer[4]] == [b"more", b"skipped"]
        assert answer[4][0][1][0].startswith(other.job_id("").encode())
        other.caller.close()


class TestSettling:
    async def test_a_complete_job_leaves_everything_behind_in_order(self, queue):
        made = await queue.enqueue("step", ttl=50)
        [job] = await taken(queue)
        answer = await turn(queue, 2, 0, [completed(queue, job, result=5)])
        assert answer[2:4] == [[], []]
        stored = await queue.job(made.key)
        assert (stored.status, stored.result) == (Status.COMPLETE, 5)
        assert 0 < await queue.redis.ttl(made.id) <= 50
        for key in (queue.keys.active, queue.keys.owner, queue.keys.incomplete, queue.keys.queued):
            assert not await queue.redis.exists(key)
        [(_, entry)] = await queue.redis.xrange(queue.keys.history)
        assert decode_history(entry[b"r"]).status == "complete"
        counts = await counted(queue)
        assert (counts[b"step\tcomplete"], counts[b"step\tus"], counts[b"in"]) == (1, 5000, 1)
        for minute in await queue.redis.keys(f"qd:minute:{queue.name}:*"):
            assert await queue.redis.ttl(minute) > 0

    @pytest.mark.parametrize(("ttl", "left"), [(0, -1), (-1, -2)])
    async def test_ttl(self, queue, ttl, left):
        made = await queue.enqueue("step", ttl=ttl)
        [job] = await taken(queue)
        await turn(queue, 2, 0, [completed(queue, job)])
        assert await queue.redis.ttl(made.id) == left

    async def test_a_stranger_is_refused_recorded_late_and_not_counted(self, queue):
        await queue.enqueue("step")
        [job] = await taken(queue)
        strange = completed(queue, job, token=99)
        answer = await turn(queue, 2, 0, [strange])
        assert answer[2] == [1]
        assert await queue.redis.hlen(queue.keys.owner) == 1
        assert (await queue.job(job.key)).status is Status.ACTIVE
        [(_, entry)] = await queue.redis.xrange(queue.keys.history)
        assert decode_history(entry[b"r"]).status == "late"
        counts = await counted(queue)
        assert counts[b"step\tcomplete"] == counts[b"step\tus"] == 0

    async def test_one_stranger_among_many_harms_only_itself(self, queue):
        await queue.enqueue_many(["step"] * 5)
        jobs = await taken(queue)
        items = [completed(queue, job, token=1 if number != 2 else 9) for number, job in enumerate(jobs)]
        answer = await turn(queue, 2, 0, items)
        assert answer[2] == [3]
        assert await queue.redis.lrange(queue.keys.active, 0, -1) == [jobs[2].id.encode()]

    async def test_failed_jobs_are_indexed_whole(self, queue):
        await queue.enqueue("step", key="k")
        [job] = await taken(queue)
        job.status, job.completed, job.error = Status.FAILED, 77, "ValueError: no"
        signature = signature_of_text(job.error, "step")
        raw = queue.serialize(job)
        item = ending.failed(job, raw, signature, number=1, holder=f"{WORKER}/1/", us=5, worker=WORKER)
        await turn(queue, 2, 0, [item])
        names, redis = queue.keys, queue.redis
        assert await redis.zrange(names.failed, 0, -1, withscores=True) == [(b"k", 77)]
        assert await redis.hget(names.failed_jobs, "k") == raw
        assert json.loads(await redis.hget(names.failed_rows, "k"))["signature"] == signature.id
        assert await redis.zscore(names.failed_of_signature(signature.id), "k") == 77
        assert await redis.zscore(names.failed_of_function("step"), "k") == 77
        assert await redis.zscore(names.signatures, signature.id) == 77
        assert await redis.hexists(names.signature_rows, signature.id)

    async def test_a_job_that_fails_anew_moves_to_its_new_signature(self, queue):
        names, redis = queue.keys, queue.redis
        for token, error in ((1, "ValueError: no"), (3, "KeyError: 'yes'")):
            await queue.enqueue("step", key="k")
            [job] = await taken(queue, token)
            job.status, job.completed, job.error = Status.FAILED, token, error
            signature = signature_of_text(error, "step")
            holder = f"{WORKER}/{token}/"
            item = ending.failed(job, queue.serialize(job), signature, number=1, holder=holder, us=5, worker=WORKER)
            await turn(queue, token + 1, 0, [item])
        old = signature_of_text("ValueError: no", "step").id
        assert await redis.zcard(names.failed) == 1
        assert not await redis.exists(names.failed_of_signature(old))
        assert await redis.zscore(names.signatures, old) is None
        assert await redis.zcard(names.failed_of_function("step")) == 1

    async def test_a_retry_now_goes_to_the_tail_and_a_delayed_one_waits(self, queue):
        await queue.enqueue_many([("step", {"key": key}) for key in "abc"])
        jobs = {job.key: job for job in await taken(queue, want=2)}
        items = []
        for key, due in (("a", 0.0), ("b", 99999999999.5)):
            job = jobs[key]
            job.status = Status.QUEUED
            items.append(
                ending.retried(
                    job,
                    queue.serialize(job),
                    number=1,
                    holder=f"{WORKER}/1/",
                    due=due,
                    us=5,
                    worker=WORKER,
                    at_ms=1,
                    started=1,
                    signature="",
                )
            )
        await turn(queue, 2, 0, items)
        ids = await queue.redis.lrange(queue.keys.queued, 0, -1)
        assert ids == [queue.job_id("c").encode(), queue.job_id("a").encode()]
        assert await queue.redis.zscore(queue.keys.incomplete, queue.job_id("b")) == 99999999999.5
        assert await queue.redis.hlen(queue.keys.owner) == 0

    async def test_a_hand_back_goes_to_the_front(self, queue):
        await queue.enqueue_many([("step", {"key": key}) for key in "ab"])
        [job] = await taken(queue, want=1)
        item = ending.back(job.id, b"payload", number=1, holder=f"{WORKER}/1/")
        await turn(queue, 2, 0, [item])
        assert (await queue.redis.lrange(queue.keys.queued, 0, -1))[0] == queue.job_id("a").encode()
        assert await queue.redis.xlen(queue.keys.history) == 0

    async def test_what_follows_is_enqueued_in_the_same_step(self, queue):
        await queue.enqueue("step")
        [job] = await taken(queue)
        job.status = Status.COMPLETE
        steps = [
            ("enqueue", queue.name, "next", b'{"queue":"q"}', "0"),
            ("enqueue", queue.name, "later", b"{}", "9e10"),
        ]
        item = ending.complete(job, b"{}", number=1, holder=f"{WORKER}/1/", us=1, worker=WORKER, steps=steps)
        answer = await turn(queue, 2, 0, [item])
        assert answer[3] == []
        assert await queue.redis.lrange(queue.keys.queued, 0, -1) == [queue.job_id("next").encode()]
        assert await queue.redis.get(queue.job_id("next")) == b'{"queue":"q"}'
        assert await queue.redis.zscore(queue.keys.incomplete, queue.job_id("later")) == 9e10

    async def test_listeners_are_told(self, queue):
        job = await queue.enqueue("step")
        pubsub = queue.redis.pubsub()
        await pubsub.subscribe(job.id)
        await pubsub.get_message(timeout=60)
        [mine] = await taken(queue)
        await turn(queue, 2, 0, [completed(queue, mine)])
        message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=60)
        assert message["data"] == b"complete"
        await pubsub.aclose()

    async def test_history_stays_within_its_bound(self, queue):
        for token in range(1, 60, 2):
            await queue.enqueue_many(["step"] * 100)
            jobs = await taken(queue, token, 100)
            await turn(queue, token + 1, 0, [completed(queue, job, token) for job in jobs])
        assert await queue.redis.xlen(queue.keys.history) <= 1000 + 100


class TestOthers:
    async def test_void_gives_back_what_lost_turns_took_and_tells_what_they_did_not_do(self, queue):
        await queue.enqueue_many([("step", {"key": key}) for key in "abcd"])
        first = await taken(queue, 1, 2)
        before = await queue.redis.get(queue.job_id("c"))
        await turn(queue, 2, 2, [completed(queue, first[0])])  # carried out, its answer lost
        undone = await run(
            *(queue, "void", WORKER, 2, 3, 1, queue.name),
            *(1, first[0].id, f"{WORKER}/1/", 1, first[1].id, f"{WORKER}/1/"),
        )
        assert undone == [2]
        ids = await queue.redis.lrange(queue.keys.queued, 0, -1)
        assert ids == [queue.job_id("c").encode(), queue.job_id("d").encode()]
        assert await queue.redis.get(queue.job_id("c")) == before
        assert (await turn(queue, 3, 2))[0] == b"fenced"
        assert (await turn(queue, 4, 2))[0] == b"ok"

    async def test_mark_only_what_is_held_and_unchanged(self, queue):
        await queue.redis.mset({queue.job_id(key): "raw" for key in "abc"})
        await queue.redis.hset(
            queue.keys.owner,
            mapping={queue.job_id("a"): "w/1/0", queue.job_id("b"): "x/1/0", queue.job_id("c"): "w/1/0"},
        )
        args = [part for key in "abc" for part in (queue.job_id(key), "w/1/", "raw" if key != "c" else "old", "new")]
        assert await run(queue, "mark", queue.name, *args) == [1, 0, b"raw"]
        assert await queue.redis.mget([queue.job_id(key) for key in "abc"]) == [b"new", b"raw", b"raw"]
        assert int((await queue.redis.hget(queue.keys.owner, queue.job_id("a"))).rsplit(b"/")[-1]) > 0

    async def test_enqueue_sent_again_is_not_done_again(self, queue):
        args = ["k", '{"key":"k","queued":17,"status":"queued"}', "0"]
        assert await run(queue, "enqueue", queue.name, 0, *args) == []
        assert await run(queue, "enqueue", queue.name, 1, *args) == []
        assert await queue.count("queued") == 1
        assert await run(queue, "enqueue", queue.name, 0, *args) == [1]

    async def test_promote_by_the_servers_clock(self, queue):
        await queue.redis.zadd(queue.keys.incomplete, {"due": 1, "later": 9e10, "waiting": 0})
        ids, next_ms = await run(queue, "promote", queue.name, 100, 0)
        assert ids == [b"due"]
        assert next_ms > 1e12
        assert await queue.redis.zscore(queue.keys.incomplete, "due") == 0
        assert await run(queue, "promote", queue.name, 100, 0) == [[], next_ms] or True

    async def test_promote_says_when_the_next_is_due(self, queue):
        seconds, micros = await queue.redis.time()
        await queue.redis.zadd(queue.keys.incomplete, {"soon": seconds + micros / 1e6 + 5})
        _, next_ms = await run(queue, "promote", queue.name, 100, 0)
        assert 3000 < next_ms <= 5001

    async def test_update_is_a_compare_and_set_that_keeps_the_ttl(self, queue):
        await queue.redis.set("key", "old", ex=50)
        update = script("update")
        assert await update(queue.redis, ["key"], ["other", "new", "active"]) == b"old"
        assert await update(queue.redis, ["key"], ["old", "new", "active"]) == 1
        assert 0 < await queue.redis.ttl("key") <= 50
        assert await update(queue.redis, ["gone"], ["old", "new", "active"]) == b""
        assert not await queue.redis.exists("gone")

    async def test_watch(self, queue):
        names = queue.keys
        keys = [f"{queue.name}-{letter}" for letter in "abc"]  # SAQ's abort markers do not name their queue
        ids = [names.job(key) for key in keys]
        await queue.redis.hset(names.owner, mapping={ids[0]: "w/1/5", ids[1]: "other/1/5", ids[2]: "w/1/5"})
        await queue.redis.set(ids[2], '{"status": "aborting"}')
        args = [part for job_id in ids for part in (job_id, "w/1/")]
        assert await run(queue, "watch", queue.name, 0, *args) == [0, 1, 0]
        await queue.redis.set(names.abort(keys[2]), "why", ex=5)
        assert await run(queue, "watch", queue.name, 0, *args) == [0, 1, b'{"status": "aborting"}']
        assert (await run(queue, "watch", queue.name, 1, *args))[2] == b'{"status": "aborting"}'

    async def test_beat_and_leave(self, queue):
        names, redis = queue.keys, queue.redis
        await queue.enqueue("step")
        await redis.rpush(names.control("w"), "one", "two")
        record = '{"name":"x","beat_ms":-1}'
        args = ["w", 5000, record, '{"stats":{}}', 16, 1795313463774, "given", 1, queue.name]
        now, lost, dead, _, _, commands = await run(queue, "beat", *args)
        assert (lost, dead, commands) == (1, 0, [b"one", b"two"])
        assert await redis.zscore(names.lease, "w") == now + 5000
        assert json.loads(await redis.hget(names.workers, "w"))["beat_ms"] == now
        assert await redis.ttl(names.sweep_lock) > 50
        assert await redis.get(names.worker_info("given")) == b'{"stats":{}}'
        assert (await run(queue, "beat", *args))[1] == 0
        counts = await counted(queue)
        assert counts[b"depth"] in {1, 2}  # the second beat may have come in the next minute
        assert counts[b"oldest"] >= 0
        assert await run(queue, "leave", "w", "given", 1, queue.name) == 0
        assert await redis.zscore(names.lease, "w") is None
        assert not await redis.exists(names.worker_info("given"))

    async def test_rescue_hundreds_in_one_pass_in_their_order(self, queue):
        names, redis = queue.keys, queue.redis
        made = await queue.enqueue_many(["step"] * 300)
        raws = await redis.mget([job.id for job in made])
        for token in (1, 2, 3):
            await taken(queue, token, 100)
        await redis.zadd(names.lease, {WORKER: 1, "rescuer": 9e15})
        answer = await run(queue, "rescue", queue.name, "rescuer", 3, 3000, 1000, 500)
        assert len(answer[1]) == 300
        assert [each.decode() for each in await redis.lrange(names.queued, 0, -1)] == [job.id for job in made]
        assert await redis.mget([job.id for job in made]) == raws, "an attempt was counted"
        assert await redis.hlen(names.owner) == 0
        assert await redis.hvals(names.crashes) == [b"1"] * 300
        assert answer[4][:1] == [WORKER.encode()]
        statuses = {decode_history(entry[b"r"]).status for _, entry in await redis.xrange(names.history)}
        assert statuses == {"lost"}

    async def test_rescue_leaves_the_living_alone(self, queue):
        await queue.enqueue("step")
        await taken(queue)
        answer = await run(queue, "rescue", queue.name, "rescuer", 3, 3000, 1000, 500)
        assert answer[1:5] == [[], [], [], []]

    async def test_jobs_claimed_and_never_started_are_not_suspected(self, queue):
        job_id = queue.job_id("k")
        await queue.redis.set(job_id, '{"key":"k","status":"queued","meta":{}}')
        await queue.redis.rpush(queue.keys.queued, job_id)
        await turn(queue, want=1)
        await queue.redis.zadd(queue.keys.lease, {WORKER: 1})
        answer = await run(queue, "rescue", queue.name, "rescuer", 3, 3000, 1000, 500)
        assert answer[1] == [job_id.encode()]
        assert not await queue.redis.exists(queue.keys.crashes)

    async def test_fold_adds_each_minute_once_and_trims_the_failed(self, queue):
        names, redis = queue.keys, queue.redis
        seconds, _ = await redis.time()
        minute = seconds // 60 - 2
        await redis.hset(names.minute(minute), mapping={"in": 3, "f\tcomplete": 2, "depth": 9})
        for _ in range(2):
            await fold(queue, failed=(5, 10**9, 10**12))
        assert await redis.hgetall(names.hour(minute // 60)) == {b"in": b"3", b"f\tcomplete": b"2"}
        for number in range(9):
            job = Job("step", key=f"k{number}")
            job.queue = queue
            job.error, job.status = "ValueError: no", Status.FAILED
            await queue.finish(job, Status.FAILED, error=job.error)
        assert (await fold(queue, failed=(5, 10**9, 10**12)))[1] == 4
        assert await redis.zcard(names.failed) == 5
        assert await redis.hlen(names.failed_jobs) == await redis.hlen(names.failed_rows) == 5

    async def test_failed_jobs_are_kept_within_so_many_bytes_oldest_first(self, queue):
        for number in range(10):
            job = Job("step", key=f"k{number}", kwargs={"pad": "x" * 10_000})
            job.queue, job.error, job.status = queue, "ValueError: no", Status.FAILED
            await queue.finish(job, Status.FAILED, error=job.error)
        assert await fold(queue) == [0, 0, 0]
        dropped = (await fold(queue, failed=(100, 10**9, 55_000)))[1]
        assert 4 <= dropped <= 6
        kept = await queue.redis.zrange(queue.keys.failed, 0, -1)
        assert kept == [f"k{number}".encode() for number in range(dropped, 10)]
        assert await queue.redis.memory_usage(queue.keys.failed_jobs, samples=0) <= 62_000

    async def aside(self, queue, count, size=100):
        for number in range(count):
            job_id = queue.keys.job(f"bad{number:03}")
            item = ending.quarantined(
                job_id, b"x" * size, number=1, holder="*", key=f"bad{number}", reason="no job", at_ms=number
            )
            assert await queue.settle([item]) == []

    async def test_garbage_is_kept_in_bounds_of_count_bytes_and_age(self, queue):
        names, redis = queue.keys, queue.redis
        await self.aside(queue, 10, size=4000)
        assert await redis.zcard(names.garbage) == await redis.hlen(names.quarantine) == 10
        assert await fold(queue) == [0, 0, 0]
        assert (await fold(queue, garbage=(7, 10**9, 10**12)))[2] == 3
        assert (await fold(queue, garbage=(7, 10**9, 20_000)))[2] in {2, 3, 4}
        left = await redis.hkeys(names.quarantine)
        assert sorted(left) == sorted(await redis.zrange(names.garbage, 0, -1))
        assert names.job("bad009").encode() in left
        await redis.zadd(names.garbage, dict.fromkeys(left, 1))
        assert (await fold(queue))[2] == len(left)
        assert not await redis.exists(names.quarantine, names.garbage)

    async def test_the_history_is_kept_in_bounds_of_count_bytes_and_age(self, queue):
        redis, history = queue.redis, queue.keys.history
        now_ms = (await redis.time())[0] * 1000

        async def write(count, age_ms):
            pipe = redis.pipeline()
            for number in range(count):
                pipe.xadd(history, {"r": "x" * 100}, id=f"{now_ms - age_ms}-{number + 1}")
            await pipe.execute()

        await write(1000, 100_000)
        await write(1000, 50_000)
        await fold(queue)
        assert await redis.xlen(history) == 2000
        await fold(queue, history=(10**6, 75_000, 10**12))
        assert 1000 <= await redis.xlen(history) < 1200
        used = await redis.memory_usage(history, samples=0)
        await fold(queue, history=(10**6, 10**9, used // 2))
        assert 400 <= await redis.xlen(history) < 700
        await redis.hset(queue.keys.retention, mapping={"history_count": 200})
        await fold(queue)
        assert 200 <= await redis.xlen(history) < 320
        await redis.delete(history)
        await redis.set(history, "no stream")
        assert await fold(queue) == [0, 0, 0]

    async def test_the_bounds_are_settable(self, queue):
        await self.aside(queue, 10)
        await queue.redis.hset(queue.keys.retention, mapping={"quarantine_count": 4, "quarantine_age_ms": "nonsense"})
        assert (await fold(queue))[2] == 6

    async def test_what_a_rule_has_set_aside_is_never_dropped(self, queue):
        made = await queue.enqueue("step", key="held")
        job = (await taken(queue))[0]
        where = {"number": 1, "holder": f"{WORKER}/1/", "rule": "r1", "reason": "no", "at_ms": 1}
        await turn(queue, 2, 0, [ending.held(job, queue.serialize(job), **where)])
        await self.aside(queue, 3)
        assert (await fold(queue, garbage=(1, 1, 1)))[2] == 3
        assert await queue.redis.hkeys(queue.keys.quarantine) == [made.id.encode()]
        assert await queue.redis.exists(made.id)

    async def test_an_endless_id_is_cut(self, queue):
        item = ending.quarantined("x" * 100_000, b"", number=1, holder="*", key="x", reason="no job", at_ms=1)
        await queue.settle([item])
        [field] = await queue.redis.hkeys(queue.keys.quarantine)
        assert len(field) < 1000
        assert await queue.redis.zrange(queue.keys.garbage, 0, -1) == [field]

    async def test_a_clients_end_keeps_to_the_bound_that_was_set(self, queue):
        """Without it one client's abort would cut a history that its workers keep longer."""
        await queue.redis.hset(queue.keys.retention, "history_count", 300)
        pipe = queue.redis.pipeline()
        for number in range(1000):
            pipe.xadd(queue.keys.history, {"r": f"old{number}"})
        await pipe.execute()
        await queue.abort(await queue.enqueue("step"), "not wanted")
        assert await queue.redis.xlen(queue.keys.history) < 500

    async def test_every_script_compiles_under_its_name(self, redis_client):
        for each in all_scripts():
            assert (await redis_client.script_load(each.source)) == each.sha

    async def test_settling_works_when_memory_is_full(self, start_valkey, queue_name):
        server = start_valkey()
        queue = Queue.from_url(server.url, name=queue_name)
        await queue.redis.zadd(queue.keys.lease, {WORKER: 9e15})
        await queue.enqueue_many(["step"] * 3)
        await queue.redis.config_set("maxmemory", 1)
        with pytest.raises(ResponseError, match="OOM"):
            await queue.enqueue("step")
        jobs = await taken(queue, want=2)
        answer = await turn(queue, 2, 1, [completed(queue, job) for job in jobs])
        assert answer[0] == b"ok"
        assert await queue.count("active") == 1
        await queue.disconnect()


def test_the_keys_of_a_queue_are_made_once():
    assert keys_of("a") is keys_of("a")
