"""Acting on jobs: each by compare-and-set, written down, and undone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from quarterdeck import keys
from quarterdeck.errors import RefusedError
from quarterdeck.keys import keys_of
from quarterdeck.model import AuditRow, JobRef, JobState, Pace, Selection, Verb
from quarterdeck.operate import RedisOperator, open_operator
from quarterdeck.operate import bulk as bulks
from quarterdeck.operate.runner import BulkRunner
from quarterdeck.record.entry import FailedJob, SignatureRow, encode_failed
from quarterdeck.script import Script, load

PUT = """
for i = 2, #ARGV, 4 do
  put_failed(names_of(ARGV[1]), ARGV[i], ARGV[i + 1], 'cafe00cafe00', ARGV[#ARGV], 'send', ARGV[i + 2], ARGV[i + 3])
end
"""


def putting() -> Script:
    preludes = [load("quarterdeck.record", name).source for name in ("names", "failed")]
    return Script("put", "\n".join([*preludes, PUT.replace("#ARGV, 4", "#ARGV - 1, 4")]))


async def fail(client: Any, queue: str, *job_keys: str, at_ms: int = 1_700_000_000_000) -> list[JobRef]:
    """Put failed jobs into the index with the engine's own Lua."""
    args: list[Any] = [queue]
    for number, key in enumerate(job_keys):
        payload = {"function": "send", "kwargs": {"to": key}, "queue": queue, "key": key, "attempts": 3, "retries": 3}
        payload |= {"error": "Traceback…", "queued": 5, "started": 6, "completed": 7, "status": "failed"}
        row = FailedJob(function="send", signature="cafe00cafe00", at_ms=at_ms + number, error="OSError: refused")
        args += [key, at_ms + number, encode_failed(row), json.dumps(payload)]
    args.append(msgspec.json.encode(SignatureRow(function="send", exception="OSError", message="refused", first_ms=1)))
    await putting()(client, [], args)
    await client.sadd(keys.QUEUES, queue)
    return [JobRef(queue=queue, key=key, seen_ms=at_ms + number) for number, key in enumerate(job_keys)]


async def waiting(client: Any, queue: str, key: str, *, due: int = 0) -> JobRef:
    """Enqueue a job as SAQ's script does."""
    names = keys_of(queue)
    payload = {"function": "send", "kwargs": {"to": key}, "queue": queue, "key": key, "queued": 5, "status": "queued"}
    await client.set(names.job(key), json.dumps(payload))
    await client.zadd(names.incomplete, {names.job(key): due})
    if not due:
        await client.rpush(names.queued, names.job(key))
    await client.sadd(keys.QUEUES, queue)
    return JobRef(queue=queue, key=key)


@pytest.fixture
async def operator(valkey: Any, queue_name: str) -> AsyncIterator[RedisOperator]:
    operator = await open_operator(valkey.url, who="ann", queues=[queue_name], carry_bulks=False)
    yield operator
    await operator.close()


async def audited(client: Any) -> list[AuditRow]:
    return [msgspec.json.decode(f[b"r"], type=AuditRow) for _, f in await client.xrevrange(keys.AUDIT, count=20)]


async def drive(operator: RedisOperator, queue: str, bulk: str, *, steps: int = 200) -> bulks.Bulk:
    """Carry a bulk operation out step by step, as its runner does, until it is over."""
    for _ in range(steps):
        await operator._runner.step_all()
        state = await bulks.read(operator._client, queue, bulk)
        assert state is not None
        if state.state not in bulks.LIVE:
            return state
    return state


async def test_a_retried_job_waits_again_as_new_and_leaves_the_failed_list(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    names = keys_of(queue_name)
    refs = await fail(redis_client, queue_name, "a", "b")
    outcome = await operator.act(Verb.RETRY, Selection(refs=(refs[0],)), reason="fixed")
    assert (outcome.done, outcome.skipped, outcome.trouble) == (1, 0, False)
    assert await redis_client.lrange(names.queued, 0, -1) == [names.job("a").encode()]
    payload = json.loads(await redis_client.get(names.job("a")))
    assert payload["status"] == "queued"
    assert payload["kwargs"] == {"to": "a"}
    assert not {"attempts", "error", "started", "completed"} & payload.keys()
    assert await redis_client.zrange(names.failed, 0, -1) == [b"b"]
    assert await redis_client.zrange(names.failed_of_signature("cafe00cafe00"), 0, -1) == [b"b"]
    act = (await audited(redis_client))[0]
    assert (act.who, act.verb, act.subject, act.reason, act.done) == ("ann", "retry", "a", "fixed", 1)
    assert act.command == f"quarterdeck retry a --queue {queue_name} --reason fixed"


async def test_a_retry_is_taken_back_while_nobody_has_started_the_job(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    names = keys_of(queue_name)
    refs = await fail(redis_client, queue_name, "a", "b")
    before = await redis_client.hgetall(names.failed_jobs), await redis_client.hgetall(names.signature_rows)
    outcome = await operator.act(Verb.RETRY, Selection(refs=tuple(refs)))
    assert await redis_client.exists(names.signatures) == 0
    await redis_client.lrem(names.queued, 1, names.job("b"))  # a worker takes b
    undone = await operator.undo(outcome.undo)
    assert (undone.done, undone.skipped) == (1, 1)
    assert await redis_client.zrange(names.failed, 0, -1) == [b"a"]
    assert (await redis_client.hgetall(names.failed_jobs))[b"a"] == before[0][b"a"]
    assert await redis_client.hgetall(names.signature_rows) == before[1]
    assert await redis_client.llen(names.queued) == 0
    with pytest.raises(RefusedError, match="nothing to undo"):
        await operator.undo(outcome.undo)


async def test_what_changed_since_it_was_seen_is_skipped_and_counted(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    names = keys_of(queue_name)
    refs = await fail(redis_client, queue_name, "again", "running", "gone", "good")
    await fail(redis_client, queue_name, "again", at_ms=1_800_000_000_000)
    await redis_client.zadd(names.incomplete, {names.job("running"): 0})
    await redis_client.hset(names.owner, names.job("running"), "w/1/5")
    await redis_client.zrem(names.failed, "gone")
    outcome = await operator.act(Verb.RETRY, Selection(refs=tuple(refs)))
    assert (outcome.done, outcome.skipped) == (1, 3)
    assert {(t.name, t.count) for t in outcome.skips} == {("changed since it was seen", 2), ("is running", 1)}
    assert await redis_client.lrange(names.queued, 0, -1) == [names.job("good").encode()]


async def test_two_operators_retry_the_same_jobs_exactly_once(
    operator: RedisOperator, redis_client: Any, valkey: Any, queue_name: str
) -> None:
    import asyncio

    refs = tuple(await fail(redis_client, queue_name, *[f"job-{n}" for n in range(400)]))
    second = await open_operator(valkey.url, who="bob", queues=[queue_name], carry_bulks=False)
    outcomes = await asyncio.gather(
        operator.act(Verb.RETRY, Selection(refs=refs)), second.act(Verb.RETRY, Selection(refs=refs))
    )
    await second.close()
    assert sum(outcome.done for outcome in outcomes) == 400
    assert await redis_client.llen(keys_of(queue_name).queued) == 400


async def test_deleted_jobs_lie_in_the_bin_and_come_back_to_where_they_were(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    names = keys_of(queue_name)
    (failed,) = await fail(redis_client, queue_name, "failed")
    refs = (
        failed,
        await waiting(redis_client, queue_name, "waits"),
        await waiting(redis_client, queue_name, "due", due=4_000_000_000),
    )
    outcome = await operator.act(Verb.DELETE, Selection(refs=refs))
    assert outcome.done == 3
    assert await redis_client.zcard(names.incomplete) == await redis_client.zcard(names.failed) == 0
    assert await redis_client.exists(names.job("waits")) == 0
    assert await redis_client.zcard(names.bin) == 3
    undone = await operator.undo()
    assert undone.done == 3
    assert await redis_client.zscore(names.incomplete, names.job("due")) == 4_000_000_000
    assert await redis_client.lrange(names.queued, 0, -1) == [names.job("waits").encode()]
    assert await redis_client.zscore(names.failed, "failed") == failed.seen_ms
    assert await redis_client.hget(names.failed_jobs, "failed") is not None
    assert await redis_client.exists(names.bin) == await redis_client.exists(names.bin_jobs) == 0


async def test_an_aborted_waiting_job_says_so_to_stock_clients_and_can_be_brought_back(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    names = keys_of(queue_name)
    ref = await waiting(redis_client, queue_name, "a")
    outcome = await operator.act(Verb.ABORT, Selection(refs=(ref,)), reason="wrong file")
    payload = json.loads(await redis_client.get(names.job("a")))
    assert (payload["status"], payload["error"]) == ("aborted", "aborted by ann: wrong file")
    assert outcome.done == 1
    assert await redis_client.llen(names.queued) == 0
    await operator.undo()
    assert json.loads(await redis_client.get(names.job("a")))["status"] == "queued"


async def test_a_running_job_is_asked_to_abort_as_saq_asks(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    names = keys_of(queue_name)
    ref = await waiting(redis_client, queue_name, "a")
    await redis_client.lmove(names.queued, names.active)
    outcome = await operator.act(Verb.ABORT, Selection(refs=(ref,)))
    assert outcome.done == 1
    assert json.loads(await redis_client.get(names.job("a")))["status"] == "aborting"
    assert (await redis_client.get(names.abort("a"))).decode() == "aborted by ann"


async def test_a_scheduled_job_is_run_now(operator: RedisOperator, redis_client: Any, queue_name: str) -> None:
    names = keys_of(queue_name)
    refs = (
        await waiting(redis_client, queue_name, "later", due=4_000_000_000),
        await waiting(redis_client, queue_name, "now"),
    )
    outcome = await operator.act(Verb.RUN_NOW, Selection(refs=refs))
    assert (outcome.done, outcome.skipped) == (1, 1)
    assert await redis_client.zscore(names.incomplete, names.job("later")) == 0
    assert (await redis_client.lrange(names.queued, 0, -1))[-1] == names.job("later").encode()


async def test_the_card_counts_exactly_and_says_by_function_and_age(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    await fail(redis_client, queue_name, *[f"job-{n}" for n in range(1_200)])
    card = await operator.preview(Verb.RETRY, Selection(queue=queue_name))
    assert (card.count, card.exact, card.oldest_ms, card.newest_ms) == (
        1_200,
        True,
        1_700_000_000_000,
        1_700_000_001_199,
    )
    assert [(t.name, t.count) for t in card.functions] == [("send", 1_200)]
    filtered = await operator.preview(Verb.RETRY, Selection(queue=queue_name, filter="key:job-7"))
    assert (filtered.count, filtered.exact) == (len([n for n in range(1_200) if "job-7" in f"job-{n}"]), True)


@pytest.mark.parametrize(
    ("minutes", "per_s"),
    [
        ({0: 60, 1: 60}, (1.0, 2.0)),  # 120 in one to two minutes
        ({0: 600}, (10.0, 60.0)),  # it only began: whatever it did, in at least ten seconds
        ({2: 300, 5: 300}, (2.0, 2.0)),  # nothing lately: the five minutes before
        ({9: 600}, None),
    ],
)
async def test_the_card_expects_the_drain_at_the_present_rate(
    operator: RedisOperator,
    redis_client: Any,
    queue_name: str,
    minutes: dict[int, int],
    per_s: tuple[float, float] | None,
) -> None:
    await fail(redis_client, queue_name, *[f"job-{n}" for n in range(120)])
    seconds = 0
    while not 1 <= seconds % 60 <= 57:  # not across the turn of a minute
        seconds = (await redis_client.time())[0]
    for back, done in minutes.items():
        key = keys_of(queue_name).minute(seconds // 60 - back)
        await redis_client.hset(key, mapping={"send\tcomplete": done - 10, "send\tfailed": 10, "all\tms": 7})
    card = await operator.preview(Verb.RETRY, Selection(queue=queue_name))
    assert (card.drain_s is None) is (per_s is None)
    if per_s is not None:
        assert per_s[0] <= 120 / (card.drain_s or 0) <= per_s[1]
    assert len(card.sample) == 3
    signed = await operator.preview(Verb.RETRY, Selection(queue=queue_name, signature="cafe00cafe00"))
    assert len(signed.sample) == 3
    assert await operator.preview(Verb.RETRY, Selection(queue=queue_name, signature="none"))


async def test_a_bulk_retry_reaches_all_that_match_and_nothing_that_failed_later(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    names = keys_of(queue_name)
    await fail(redis_client, queue_name, *[f"job-{n}" for n in range(1_300)])
    outcome = await operator.act(Verb.RETRY, Selection(queue=queue_name, signature="cafe00cafe00"))
    await fail(redis_client, queue_name, "later", at_ms=9_000_000_000_000)
    state = await drive(operator, queue_name, outcome.bulk)
    assert (state.state, state.total, state.released, state.skipped) == ("done", 1_300, 1_300, 0)
    assert await redis_client.llen(names.queued) == 1_300
    assert await redis_client.zrange(names.failed, 0, -1) == [b"later"]


async def test_a_bulk_walks_thousands_that_failed_in_the_same_millisecond(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    refs = await fail(redis_client, queue_name, *[f"job-{n}" for n in range(1_700)])
    names = keys_of(queue_name)
    await redis_client.zadd(names.failed, {ref.key: 1_700_000_000_000 for ref in refs})
    # Every second one is running already: those are skipped, once each.
    await redis_client.zadd(names.incomplete, {names.job(ref.key): 0 for ref in refs[::2]})
    outcome = await operator.act(Verb.RETRY, Selection(queue=queue_name))
    state = await drive(operator, queue_name, outcome.bulk)
    assert (state.released, state.skips) == (850, {"queued": 850})


async def test_a_canary_that_fails_again_stops_the_rest(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    names = keys_of(queue_name)
    await fail(redis_client, queue_name, *[f"job-{n}" for n in range(50)])
    pace = Pace(mode="canary", per_s=100)
    outcome = await operator.act(Verb.RETRY, Selection(queue=queue_name), pace=pace)
    await operator._runner.step_all()
    await operator._runner.step_all()
    assert await redis_client.lrange(names.queued, 0, -1) == [names.job("job-0").encode()]
    await redis_client.lpop(names.queued)
    await redis_client.zrem(names.incomplete, names.job("job-0"))
    await fail(redis_client, queue_name, "job-0", at_ms=9_000_000_000_000)
    state = await drive(operator, queue_name, outcome.bulk)
    assert (state.state, state.released, state.failed, state.tripped) == ("tripped", 1, 1, "the canary failed again")
    assert await redis_client.zcard(names.failed) == 50


async def test_a_canary_that_goes_well_releases_the_rest_faster_and_faster(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    names = keys_of(queue_name)
    await fail(redis_client, queue_name, *[f"job-{n}" for n in range(6)])
    outcome = await operator.act(Verb.RETRY, Selection(queue=queue_name), pace=Pace(mode="canary", per_s=50))
    for _ in range(300):
        await operator._runner.step_all()
        while job_id := await redis_client.lpop(names.queued):
            await redis_client.zrem(names.incomplete, job_id)
        state = await bulks.read(redis_client, queue_name, outcome.bulk)
        assert state is not None
        state.ramped_ms -= 10_000
        state.stepped_ms -= 500
        await bulks.save(redis_client, state)
        if state.state == "done":
            break
    assert (state.state, state.released, state.succeeded, state.failed) == ("done", 6, 6, 0)


async def test_a_paused_bulk_stands_still_until_it_is_resumed_or_stopped(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    await fail(redis_client, queue_name, *[f"job-{n}" for n in range(700)])
    outcome = await operator.act(Verb.RETRY, Selection(queue=queue_name))
    await operator.control_bulk(queue_name, outcome.bulk, "pause")
    await operator._runner.step_all()
    state = await bulks.read(redis_client, queue_name, outcome.bulk)
    assert state is not None
    assert (state.state, state.released) == ("paused", 0)
    await operator.control_bulk(queue_name, outcome.bulk, "resume")
    await operator._runner.step_all()
    await operator.control_bulk(queue_name, outcome.bulk, "stop")
    state = await drive(operator, queue_name, outcome.bulk)
    assert (state.state, state.released) == ("stopped", 500)
    with pytest.raises(RefusedError, match="is over"):
        await operator.control_bulk(queue_name, outcome.bulk, "pause")


async def test_a_bulk_goes_on_when_its_operator_is_gone(
    operator: RedisOperator, redis_client: Any, valkey: Any, queue_name: str
) -> None:
    await fail(redis_client, queue_name, *[f"job-{n}" for n in range(1_100)])
    outcome = await operator.act(Verb.RETRY, Selection(queue=queue_name))
    await operator._runner.step_all()
    other = await open_operator(valkey.url, who="bob", queues=[queue_name], carry_bulks=False)
    await redis_client.delete(bulks.lease_key(queue_name, outcome.bulk))  # the first one's lease ends
    state = await drive(other, queue_name, outcome.bulk)
    await other.close()
    assert (state.state, state.released) == ("done", 1_100)


async def test_a_bulk_delete_fills_the_bin_and_is_undone_as_one(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    names = keys_of(queue_name)
    await fail(redis_client, queue_name, *[f"job-{n}" for n in range(600)])
    outcome = await operator.act(Verb.DELETE, Selection(queue=queue_name))
    await drive(operator, queue_name, outcome.bulk)
    assert (await redis_client.zcard(names.failed), await redis_client.zcard(names.bin)) == (0, 600)
    undone = await operator.undo(outcome.bulk)
    assert undone.done == 600
    assert await redis_client.zcard(names.failed) == 600


async def test_a_bulk_abort_of_waiting_jobs_by_filter(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    for number in range(1_050):
        await waiting(redis_client, queue_name, f"job-{number}")
    selection = Selection(queue=queue_name, state=JobState.QUEUED, filter="key:job-1")
    outcome = await operator.act(Verb.ABORT, selection)
    state = await drive(operator, queue_name, outcome.bulk)
    expected = [n for n in range(1_050) if "job-1" in f"job-{n}"]
    assert (state.state, state.released) == ("done", len(expected))
    assert await redis_client.llen(keys_of(queue_name).queued) == 1_050 - len(expected)


async def test_edited_arguments_are_what_runs(operator: RedisOperator, redis_client: Any, queue_name: str) -> None:
    (ref,) = await fail(redis_client, queue_name, "a")
    await operator.edit_and_retry(ref, {"to": "b@example.org"})
    payload = json.loads(await redis_client.get(keys_of(queue_name).job("a")))
    assert payload["kwargs"] == {"to": "b@example.org"}
    with pytest.raises(RefusedError, match="the same key is queued"):
        await operator.edit_and_retry(ref, {"to": "c"})


async def test_a_role_is_refused_what_it_may_not_do(valkey: Any, redis_client: Any, queue_name: str) -> None:
    (ref,) = await fail(redis_client, queue_name, "a")
    read_only = await open_operator(valkey.url, read_only=True, queues=[queue_name])
    with pytest.raises(RefusedError, match="Read-only"):
        await read_only.act(Verb.RETRY, Selection(refs=(ref,)))
    await read_only.close()
    junior = await open_operator(valkey.url, role="retry", queues=[queue_name])
    with pytest.raises(RefusedError, match="needs the role 'admin'"):
        await junior.act(Verb.DELETE, Selection(refs=(ref,)))
    assert (await junior.act(Verb.RETRY, Selection(refs=(ref,)))).done == 1
    await junior.close()


async def test_an_operation_that_has_long_been_over_is_forgotten(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    """A day after its end, counted from its end: one that took two days and ended now stays to be looked at."""
    day_ms = bulks.KEEP_MS
    await fail(redis_client, queue_name, "a")
    outcome = await operator.act(Verb.RETRY, Selection(queue=queue_name))
    done = await drive(operator, queue_name, outcome.bulk)
    done.started_ms -= 2 * day_ms
    await bulks.save(redis_client, done)
    runner = BulkRunner(redis_client, runner="cleaner", queues=[queue_name])
    await runner.step_all()
    assert [row.state for row in await bulks.rows(redis_client, queue_name)] == ["done"]
    done.ended_ms -= day_ms + 1
    await bulks.save(redis_client, done)
    await runner.step_all()
    assert not await bulks.rows(redis_client, queue_name)
    assert await bulks.read(redis_client, queue_name, done.id) is None
