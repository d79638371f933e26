"""How much a queue keeps: shown with what is in use, set by an audited act, asked about before anything is dropped."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from quarterdeck import keys
from quarterdeck.cli import main
from quarterdeck.errors import RefusedError, UsageError
from quarterdeck.inspect import RedisSource
from quarterdeck.keys import QueueKeys, keys_of
from quarterdeck.model import AuditRow, BoundStat, QueueDetail, Screen, Tally, View
from quarterdeck.operate import RedisOperator, open_operator
from quarterdeck.record.bounds import BOUNDS
from quarterdeck.record.retention import usual_bounds
from quarterdeck.script import load

DAY = 86_400_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def fill(client: Any, queue: str) -> QueueKeys:
    """Ten failed jobs, a day apart; twenty attempts of the history, ten of them old; some of everything else."""
    names, now = keys_of(queue), now_ms()
    await client.sadd(keys.QUEUES, queue)
    for day in range(10):
        await client.zadd(names.failed, {f"f{day}": now - day * DAY - 1_000})
        await client.hset(names.failed_jobs, f"f{day}", json.dumps({"key": f"f{day}", "kwargs": "x" * 500}))
    for at in [*range(now - 50 * DAY, now - 50 * DAY + 10), *range(now - 10, now)]:
        await client.xadd(names.history, {"r": f"k\tf\tcomplete\t1\t{at}"}, id=f"{at}-1")
    for number in range(4):
        await client.zadd(names.garbage, {f"g{number}": now - number * DAY})
        await client.hset(names.quarantine, f"g{number}", "{}")
        await client.xadd(names.logs, {"t": "line"})
        await client.zadd(names.ledger, {f"1/s{number}": now - 3 * DAY})
        await client.zadd(names.schedule_history("nightly"), {f"{number}/nightly": number})
    await client.hset(names.schedules, "nightly", "{}")
    return names


@pytest.fixture
async def operator(valkey: Any, queue_name: str) -> AsyncIterator[RedisOperator]:
    operator = await open_operator(valkey.url, who="ann", queues=[queue_name], address="--env prod", carry_bulks=False)
    yield operator
    await operator.close()


async def bounds_of(client: Any, queue: str) -> dict[str, BoundStat]:
    """The bounds as the screen gets them, in one round trip."""
    async with RedisSource(client, [queue], owner=object()) as source:
        detail = (await source.snapshot(View(screen=Screen.QUEUE, queue=queue))).detail
        assert source.round_trips == 1
    assert isinstance(detail, QueueDetail)
    return {stat.name: stat for stat in detail.bounds}


async def newest_act(client: Any) -> AuditRow:
    ((_, fields),) = await client.xrevrange(keys.AUDIT, count=1)
    return msgspec.json.decode(fields[b"r"], type=AuditRow)


# Shown.


async def test_an_empty_queue_shows_the_usual_bounds_and_nothing_in_use(redis_client: Any, queue_name: str) -> None:
    found = await bounds_of(redis_client, queue_name)
    assert [(stat.name, stat.unit, stat.usual) for stat in found.values()] == [
        (bound.name, bound.unit, bound.usual) for bound in BOUNDS
    ]
    assert all(stat.limit == stat.usual for stat in found.values())
    assert {stat.used for stat in found.values() if stat.name != "ledger_per_schedule"} == {0}
    assert found["ledger_per_schedule"].used is None


async def test_what_is_in_use_is_shown_by_count_age_and_bytes(redis_client: Any, queue_name: str) -> None:
    names = await fill(redis_client, queue_name)
    await redis_client.hset(names.retention, mapping={"failed_count": 50, "failed_age_ms": "nonsense"})
    found = await bounds_of(redis_client, queue_name)
    used = {name: stat.used for name, stat in found.items()}
    assert (used["history_count"], used["failed_count"], used["quarantine_count"]) == (20, 10, 4)
    assert (used["log_lines"], used["ledger_count"]) == (4, 4)
    ages = {"history_age_ms": 50, "failed_age_ms": 9, "quarantine_age_ms": 3, "ledger_age_ms": 3}
    for name, days in ages.items():
        assert days * DAY <= (used[name] or 0) < days * DAY + 600_000
    assert (used["failed_bytes"] or 0) > 5_000
    assert (used["history_bytes"] or 0) > 100
    assert (used["quarantine_bytes"] or 0) > 10
    assert (found["failed_count"].limit, found["failed_age_ms"].limit) == (50, 14 * DAY)


async def test_keys_of_a_wrong_type_leave_the_other_bounds_readable(redis_client: Any, queue_name: str) -> None:
    names = await fill(redis_client, queue_name)
    await redis_client.delete(names.failed, names.logs)
    await redis_client.set(names.failed, "x")
    await redis_client.set(names.logs, "x")
    await redis_client.set(names.retention, "x")
    found = await bounds_of(redis_client, queue_name)
    assert (found["failed_count"].used, found["failed_age_ms"].used, found["log_lines"].used) == (None, None, None)
    assert found["history_count"].used == 20
    assert all(stat.limit == stat.usual for stat in found.values())


async def test_other_screens_do_not_pay_for_it(redis_client: Any, queue_name: str) -> None:
    await fill(redis_client, queue_name)
    async with RedisSource(redis_client, [queue_name], owner=object()) as source:
        assert (await source.snapshot(View())).detail is None


# Set.


async def test_bounds_are_set_written_down_and_taken_back(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    names = await fill(redis_client, queue_name)
    await redis_client.hset(names.retention, mapping={"failed_count": 77, "log_lines": 5})
    values = {"failed_age": "30d", "failed-count": "50,000", "log_lines": "default"}
    outcome = await operator.set_retention(queue_name, values, reason="room on the new host")
    assert outcome.message == (
        f"On {queue_name}: failed_age is 30d (was 14d); failed_count is 50,000 (was 77); log_lines is 50,000 (was 5)."
    )
    line = f"quarterdeck --env prod retention failed_age 30d failed_count 50000 log_lines default --queue {queue_name}"
    assert outcome.command == f"{line} --reason 'room on the new host'"
    assert await redis_client.hgetall(names.retention) == {
        b"failed_age_ms": str(30 * DAY).encode(),
        b"failed_count": b"50000",
    }
    act = await newest_act(redis_client)
    assert (act.verb, act.who, act.queue, act.done) == ("retention", "ann", queue_name, 3)
    assert act.subject == "failed_age 30d failed_count 50000 log_lines default"
    assert act.reason == "room on the new host"
    await operator.undo(outcome.undo)
    assert await redis_client.hgetall(names.retention) == {b"failed_count": b"77", b"log_lines": b"5"}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"failed_cuont": "5"}, "no bound 'failed_cuont'. Did you mean 'failed_count'"),
        ({"failed_age": "30"}, "no value for failed_age. Write 1m to 3,650d, or default for 14d"),
        ({"failed_count": "5", "history_bytes": "1KB"}, "no value for history_bytes. Write 1MB to 1TB"),
        ({}, "No bound is named"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_set(
    operator: RedisOperator, redis_client: Any, queue_name: str, values: dict[str, str], said: str
) -> None:
    names = await fill(redis_client, queue_name)
    for act in (operator.set_retention, operator.preview_retention):
        with pytest.raises(UsageError, match=said):
            await act(queue_name, values)
    assert not await redis_client.exists(names.retention)


async def test_a_queue_that_is_not_there_has_no_bounds(operator: RedisOperator, queue_name: str) -> None:
    with pytest.raises(UsageError, match="There is no queue"):
        await operator.set_retention(f"{queue_name}-not", {"failed_count": "5"})


@pytest.mark.parametrize("how", [{"read_only": True}, {"role": "operate"}])
async def test_it_takes_an_administrator(valkey: Any, redis_client: Any, queue_name: str, how: dict[str, Any]) -> None:
    names = await fill(redis_client, queue_name)
    operator = await open_operator(valkey.url, queues=[queue_name], carry_bulks=False, **how)
    for act in (operator.set_retention, operator.preview_retention):
        with pytest.raises(RefusedError):
            await act(queue_name, {"failed_count": "5"})
    await operator.close()
    assert not await redis_client.exists(names.retention)


# What would be dropped.


@pytest.mark.parametrize(
    ("values", "dropped"),
    [
        ({"failed_count": "4"}, {"failed jobs": 6}),
        ({"failed_count": "10"}, {}),
        ({"failed_age": "36h"}, {"failed jobs": 8}),
        ({"failed_count": "4", "failed_age": "36h"}, {"failed jobs": 8}),
        ({"history_count": "15", "log_lines": "1"}, {"attempts in the history": 5, "log lines": 3}),
        ({"history_age": "30d"}, {"attempts in the history": 10}),
        ({"quarantine_age": "36h"}, {"garbage in the quarantine": 2}),
        ({"ledger_per_schedule": "1"}, {"runs in the ledger": 3}),
        ({"ledger_count": "3"}, {"runs in the ledger": 1}),
        ({"failed_age": "default", "failed_bytes": "1MB"}, {}),
    ],
)
async def test_what_would_be_dropped_is_counted(
    operator: RedisOperator, redis_client: Any, queue_name: str, values: dict[str, str], dropped: dict[str, int]
) -> None:
    names = await fill(redis_client, queue_name)
    found = await operator.preview_retention(queue_name, values)
    assert {tally.name: tally.count for tally in found} == dropped
    assert not await redis_client.exists(names.retention)


async def test_what_would_be_dropped_is_what_folding_drops(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    names = await fill(redis_client, queue_name)
    values = {"failed_age": "5d", "quarantine_count": "1"}
    found = await operator.preview_retention(queue_name, values)
    assert found == (Tally(name="failed jobs", count=5), Tally(name="garbage in the quarantine", count=3))
    await operator.set_retention(queue_name, values)
    record = [f"quarterdeck.record:{name}" for name in ("names", "failed", "keeping")]
    fold = load("quarterdeck.broker", "fold", *record)
    assert await fold(redis_client, [names.queued], [queue_name, 500, *usual_bounds()]) == [0, 5, 3]
    assert await operator.preview_retention(queue_name, values) == ()


async def test_bytes_are_estimated_by_the_share_of_the_whole(
    operator: RedisOperator, redis_client: Any, queue_name: str
) -> None:
    names = keys_of(queue_name)
    await redis_client.sadd(keys.QUEUES, queue_name)
    for number in range(40):
        await redis_client.zadd(names.failed, {f"f{number}": now_ms()})
        await redis_client.hset(names.failed_jobs, f"f{number}", "x" * 2**16)
    (tally,) = await operator.preview_retention(queue_name, {"failed_bytes": "1MB"})
    assert 20 <= tally.count <= 32


# The command.

Command = Callable[..., int]


@pytest.fixture
def quarterdeck(valkey: Any, queue_name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Command:
    """Runs the command in this process on a filled queue; the exit status."""
    from redis.asyncio import Redis

    async def seed() -> None:
        async with Redis.from_url(valkey.url) as client:
            await fill(client, queue_name)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUARTERDECK_DATA_DIR", str(tmp_path / "data"))
    asyncio.run(seed())
    return lambda *words: main(["retention", "--url", valkey.url, "--queue", queue_name, *words])


def test_the_command_shows_every_bound(quarterdeck: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert quarterdeck() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("  ")[0] == "QUEUE"
    rows = {line.split()[1]: line.split()[2:] for line in lines[1:]}
    assert rows["failed_count"] == ["10", "20,000", "20,000"]
    assert rows["failed_age"] == ["9", "d", "14d", "14d"]
    assert rows["quarantine_bytes"][-1] == "32MB"
    assert quarterdeck("--json") == 0
    (stats,) = json.loads(capsys.readouterr().out).values()
    assert {stat["name"]: stat["used"] for stat in stats}["failed_count"] == 10


def test_the_command_sets_what_drops_nothing_without_asking(
    quarterdeck: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert quarterdeck("failed_age", "30d", "failed_bytes", "2GB", "--reason", "audit season") == 0
    told = capsys.readouterr()
    assert "failed_age is 30d (was 14d); failed_bytes is 2GB (was 512MB)" in told.out
    assert "quarterdeck undo" in told.err
    assert quarterdeck() == 0
    assert "30d      14d" in capsys.readouterr().out


def test_the_command_asks_before_it_drops(
    quarterdeck: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert quarterdeck("failed_count", "4") == 2
    told = capsys.readouterr().err
    assert "This drops 6 failed jobs" in told
    assert "Add --yes" in told
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    asked: list[str] = []

    def refuse(prompt: str) -> str:
        asked.append(prompt)
        return "no"

    monkeypatch.setattr("builtins.input", refuse)
    assert quarterdeck("failed_count", "4") == 1
    assert asked == ["Drop them? Type yes: "]
    monkeypatch.setenv("QUARTERDECK_CONFIRM_ABOVE", "5")
    assert quarterdeck("failed_count", "4") == 1
    assert asked[1] == "Drop them? Type 6: "
    monkeypatch.setattr("builtins.input", lambda _: "6")
    assert quarterdeck("failed_count", "4") == 0
    assert quarterdeck("failed_count", "3", "--yes") == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("failed_count",), "no value for 'failed_count'"),
        (("failed_count", "0"), "Write 1 to 1,000,000,000, or default for 20,000"),
        (("fialed_count", "5"), "Did you mean 'failed_count'"),
        (("failed_count", "5", "--read-only", "--yes"), "Read-only"),
    ],
)
def test_the_command_says_what_is_wrong(
    quarterdeck: Command, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert quarterdeck(*words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures("quarterdeck")
def test_setting_needs_one_queue(valkey: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["retention", "--url", valkey.url, "--queue", "a", "--queue", "b", "failed_count", "5"]) == 2
    assert "Bounds belong to one queue. Name it with --queue." in capsys.readouterr().err
