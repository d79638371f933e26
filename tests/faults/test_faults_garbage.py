"""Garbage in lists, payloads and keys: it is set aside and shown, and stops nothing."""

from __future__ import annotations

import json

import pytest
from fleet import Fleet

pytestmark = pytest.mark.slow

GOOD = {"function": "step", "queue": "Q", "key": "K", "queued": 1, "status": "queued"}


def corrupted(queue: str) -> list[bytes]:
    """Twenty kinds of payload that are no job of this queue."""

    def of(**changes: object) -> bytes:
        return json.dumps({**GOOD, "queue": queue, **changes}).encode()

    without_function = {name: value for name, value in json.loads(of()).items() if name != "function"}
    return [
        b"",
        b"\x00\xff\xfe\x80",
        b"not json",
        b'{"function":"step"',
        b"[1,2,3]",
        b'"text"',
        b"null",
        b"123456789",
        b"[" * 200_000,
        b'{"a":' * 50_000,
        of()[:-1] + b',"attempts":' + b"9" * 10_000 + b"}",
        json.dumps(without_function).encode(),
        of(function=17),
        of(kwargs=[1, 2]),
        of(queue="another"),
        of(key="another"),
        of(status="sleeping"),
        of(attempts="many"),
        of(timeout={"s": 5}),
        of(meta="text"),
        of(retries=[]),
    ]


async def test_twenty_kinds_of_corrupt_payload(valkey, queue_name, tmp_path):
    async with Fleet(valkey.url, queue_name, tmp_path) as fleet:
        names, redis = fleet.queue.keys, fleet.queue.redis
        payloads = corrupted(queue_name)
        assert len(payloads) > 20
        keys = await fleet.feed(100)
        for number, payload in enumerate(payloads):
            job_id = names.job(f"bad{number}")
            await redis.set(job_id, payload)
            await redis.zadd(names.incomplete, {job_id: 0})
            await redis.rpush(names.queued, job_id)
        ids = [b"", b"\xff\xfe\x00", b"saq:job:elsewhere:key", names.job("missing").encode()]
        await redis.rpush(names.queued, *ids)
        await redis.hset(names.job("hash"), "a", "b")
        await redis.rpush(names.queued, names.job("hash"))
        keys += await fleet.feed(100)
        fleet.start(), fleet.start()
        await fleet.drained()
        await fleet.all_well(keys, reruns=0)
        aside = await redis.hgetall(names.quarantine)
        assert len(aside) == len(payloads) + len(ids) + 1
        for record in aside.values():
            fields = json.loads(record)
            assert fields["reason"]
            assert fields["at_ms"]
            assert len(fields["raw"]) <= 6000
        assert await fleet.queue.info(jobs=True)
        assert len([job async for job in fleet.queue.iter_jobs()]) == 200


async def test_garbage_among_the_active_is_set_aside_too(valkey, queue_name, tmp_path):
    async with Fleet(valkey.url, queue_name, tmp_path) as fleet:
        names, redis = fleet.queue.keys, fleet.queue.redis
        payloads = corrupted(queue_name)
        for number, payload in enumerate(payloads):
            await redis.set(names.job(f"bad{number}"), payload)
            await redis.rpush(names.active, names.job(f"bad{number}"))
        await redis.rpush(names.active, b"\xff\xfe\x00", b"", names.job("missing"))
        await redis.hset(names.owner, names.job("bad1"), "garbage without a slash")
        fleet.start()
        keys = await fleet.feed(100)
        await fleet.drained()
        await fleet.all_well(keys, reruns=0)
        assert await redis.hlen(names.quarantine) >= len(payloads)


@pytest.mark.parametrize("broken", ["history", "failed", "crashes", "ownerless", "minute", "orphans", "workers"])
async def test_a_key_of_a_wrong_type_loses_no_job(start_valkey, queue_name, tmp_path, broken):
    server = start_valkey()
    async with Fleet(server.url, queue_name, tmp_path) as fleet:
        names, redis = fleet.queue.keys, fleet.queue.redis
        key = f"qd:minute:{queue_name}:0" if broken == "minute" else getattr(names, broken)
        await redis.set(key, "not what it should be")
        fleet.start()
        keys = await fleet.feed(100, pause_s=0.005)
        await fleet.until(lambda: fleet.ends() >= 100)
        await redis.delete(key)
        more = await fleet.feed(50)
        await fleet.drained()
        assert {line[1] for line in fleet.lines() if line[0] == "E"} == {*keys, *more}
        assert sum(line[0] == "S" for line in fleet.lines()) == 150
        verdict = await fleet.verdict([*keys, *more])
        assert (verdict.stuck, verdict.wrong) == ([], [])
        assert not verdict.lost or broken == "history"


@pytest.mark.parametrize("broken", ["queued", "active", "owner", "incomplete", "lease"])
async def test_a_broken_list_holds_up_its_queue_while_it_is_broken(start_valkey, queue_name, tmp_path, broken):
    server = start_valkey()
    async with Fleet(server.url, queue_name, tmp_path) as fleet:
        names, redis = fleet.queue.keys, fleet.queue.redis
        fleet.start()
        keys = await fleet.feed(20, pause_s=0.3)
        await fleet.until(lambda: len(fleet.lines()) >= 11)
        kind = getattr(names, broken)
        await redis.rename(kind, "aside")
        await redis.set(kind, "not what it should be")
        await fleet.until(lambda: fleet.ends() >= 10)
        await redis.delete(kind)
        if await redis.exists("aside") and broken != "incomplete":  # its entries of ended jobs would be stale
            await redis.rename("aside", kind)
        await fleet.drained()
        done = {line[1] for line in fleet.lines() if line[0] == "E"}
        assert done == set(keys)
        verdict = await fleet.verdict(keys)
        assert (verdict.stuck, verdict.wrong) == ([], [])
        assert len(fleet.log.read_text().splitlines()) < 400


async def test_queue_names_with_colons_and_globs_keep_apart(valkey, queue_name, tmp_path):
    plain, tricky, globbed = f"{queue_name}", f"{queue_name}:a", f"{queue_name}*[x]?"
    for name in (plain, tricky, globbed):
        (tmp_path / str(len(name))).mkdir()
    async with (
        Fleet(valkey.url, plain, tmp_path / str(len(plain))) as one,
        Fleet(valkey.url, tricky, tmp_path / str(len(tricky))) as two,
        Fleet(valkey.url, globbed, tmp_path / str(len(globbed))) as three,
    ):
        fed = []
        for fleet in (one, two, three):
            fleet.start()
            fed.append(await fleet.feed(50))
        for fleet, keys in zip((one, two, three), fed, strict=True):
            await fleet.drained()
            await fleet.all_well(keys)
            found = [job.key async for job in fleet.queue.iter_jobs()]
            assert sorted(found) == sorted(keys)
