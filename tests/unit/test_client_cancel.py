"""A cancellation ends a call to the server, whatever redis-py makes of it."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio.retry import Retry

from quarterdeck.broker.address import parse_address
from quarterdeck.broker.client import CancellableRetry, client_of


async def swallowing() -> str:
    """As `asyncio.wait_for` in Python 3.11 when its work is through at the moment of the cancellation."""
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        return "sent"
    return "slept"


async def no_failure(error: BaseException) -> None:
    raise error


def retry_of_client() -> Retry:
    client = client_of(parse_address("redis://127.0.0.1:1"), client_name="test")
    found: Retry = client.connection_pool.connection_kwargs["retry"]
    return found


async def test_a_swallowed_cancellation_is_raised_after_the_call() -> None:
    task = asyncio.create_task(retry_of_client().call_with_retry(swallowing, no_failure))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_calls_of_a_task_that_cleans_up_after_its_cancellation_go_through() -> None:
    async def leaving() -> str:
        try:
            await asyncio.sleep(60)
        finally:
            said = await retry_of_client().call_with_retry(answering, no_failure)
        return said

    async def answering() -> str:
        said.append("goodbye")
        return "goodbye"

    said: list[str] = []
    task = asyncio.create_task(leaving())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert said == ["goodbye"]


async def test_an_inner_time_out_is_no_cancellation() -> None:
    async def patient() -> str:
        try:
            async with asyncio.timeout(0.001):
                await asyncio.sleep(60)
        except TimeoutError:
            return "in time"
        return "slept"

    assert await retry_of_client().call_with_retry(patient, no_failure) == "in time"


def test_copies_keep_it() -> None:
    assert isinstance(retry_of_client(), CancellableRetry)
