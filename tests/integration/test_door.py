"""Whatever happens to the server, the seams raise our own errors: a dashboard must not die of a time-out."""

from __future__ import annotations

import asyncio
import builtins
import inspect
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis
from redis.exceptions import (
    ConnectionError,  # noqa: A004
    DataError,
    NoPermissionError,
    RedisError,
    ResponseError,
    TimeoutError,  # noqa: A004
)

from quarterdeck.broker import door
from quarterdeck.errors import ExitStatus, QuarterdeckError, RefusedError, UnreachableError
from quarterdeck.inspect import open_source
from quarterdeck.model import JobRef, JobState, Operator, Screen, Selection, Verb, View
from quarterdeck.operate import RedisOperator, open_operator

if TYPE_CHECKING:
    from conftest import StartValkey, ValkeyServer

ONE = Selection(refs=(JobRef(queue="q", key="k"),), state=JobState.FAILED)


@pytest.mark.parametrize(
    ("raised", "kind", "said"),
    [
        (TimeoutError("reading"), UnreachableError, "may have been done or not"),
        (builtins.TimeoutError(), UnreachableError, "may have been done or not"),
        (ConnectionError("closed"), UnreachableError, "can't be reached: closed"),
        (OSError(2, "No such file"), UnreachableError, "No such file"),
        (NoPermissionError("NOPERM"), UnreachableError, "ACL"),
        (ResponseError("MISCONF Errors writing to the AOF file"), QuarterdeckError, "Make room there"),
        (ResponseError("WRONGTYPE of key"), QuarterdeckError, "refused: WRONGTYPE"),
        (DataError("odd"), QuarterdeckError, "odd"),
    ],
)
def test_each_error_gets_its_sentence(raised: Exception, kind: type[QuarterdeckError], said: str) -> None:
    with pytest.raises(kind, match=said) as caught, door.door():
        raise raised
    assert caught.value.__cause__ is raised
    assert caught.value.exit_status in {ExitStatus.UNREACHABLE, ExitStatus.TROUBLE}


def test_our_own_errors_and_bugs_go_through_as_they_are() -> None:
    for error in (RefusedError("no"), ZeroDivisionError()):
        with pytest.raises(type(error)), door.door():
            raise error


def test_every_act_is_behind_the_door() -> None:
    names = [name for name, _ in inspect.getmembers(Operator, inspect.iscoroutinefunction) if not name.startswith("_")]
    assert len(names) > 15
    for name in names:
        assert hasattr(getattr(RedisOperator, name), "__wrapped__"), f"{name} is not"


async def test_acts_on_a_server_that_went_away(start_valkey: StartValkey) -> None:
    server = start_valkey()
    operator = await open_operator(server.url, carry_bulks=False)
    try:
        server.kill()
        for act in (
            operator.present("overview"),
            operator.note("hello"),
            operator.undo(),
            operator.act(Verb.RETRY, ONE),
            operator.preview(Verb.RETRY, ONE),
            operator.pause_queue("q"),
            operator.run_schedule("q", "nightly"),
            operator.enqueue("q", "send", {}),
        ):
            with pytest.raises(QuarterdeckError):
                await act
    finally:
        await operator.close()


async def test_reads_of_keys_of_a_wrong_type_and_of_a_server_that_went_away(
    valkey: ValkeyServer, start_valkey: StartValkey
) -> None:
    server = start_valkey()
    async with await open_source(server.url) as source:
        await source.snapshot(View())
        server.kill()
        for view in (View(), View(screen=Screen.JOBS, state=JobState.FAILED, filter="fn:x")):
            with pytest.raises(UnreachableError):
                await source.snapshot(view)


def test_redis_errors_are_all_known_to_the_door() -> None:
    assert issubclass(TimeoutError, RedisError)
    assert isinstance(door.translated(RedisError("odd")), QuarterdeckError)


async def test_a_server_whose_disk_is_full_can_be_looked_at(start_valkey: StartValkey, queue_name: str) -> None:
    """It refuses even PING then; that is when somebody opens the dashboard."""
    server = start_valkey(save="3600 1")
    (server.directory / "dump.rdb" / "full").mkdir(parents=True)  # a snapshot can't be put in its place
    client = Redis.from_url(server.url)
    try:
        await client.bgsave()
        async with asyncio.timeout(60):
            while (await client.info("persistence"))["rdb_last_bgsave_status"] == "ok":
                await asyncio.sleep(0.02)
        with pytest.raises(ResponseError, match="MISCONF"):
            await client.ping()
    finally:
        await client.aclose()
    async with await open_source(server.url, queues=[queue_name]) as source:
        snapshot = await source.snapshot(View())
        assert snapshot.server.disk_error == "rdb_last_bgsave_status"
        assert "snapshot to disk failed" in snapshot.verdict.headline
    operator = await open_operator(server.url, carry_bulks=False)
    try:
        with pytest.raises(QuarterdeckError, match="can't write to its disk"):
            await operator.pause_queue(queue_name, for_s=60)
    finally:
        await operator.close()
