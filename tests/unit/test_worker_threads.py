"""Threads for plain functions: as many as are needed, replaced when they do not come back."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import pytest

from quarterdeck.worker.threads import Threads

NAME = contextvars.ContextVar("name", default="nobody")


async def test_results_errors_and_context():
    threads = Threads()
    NAME.set("somebody")
    assert await threads.run(NAME.get) == "somebody"
    with pytest.raises(KeyError, match="gone"):
        await threads.run(lambda: {}["gone"])
    with pytest.raises(RuntimeError, match="StopIteration"):
        await threads.run(lambda: next(iter(())))
    threads.close()


async def test_threads_are_used_again_and_added_when_all_are_busy():
    threads = Threads()
    for _ in range(20):
        await threads.run(lambda: None)
    assert threads.alive <= 2
    gate = threading.Event()
    stuck = [threads.run(gate.wait) for _ in range(5)]
    assert await asyncio.wait_for(threads.run(lambda: 7), 60) == 7
    gate.set()
    await asyncio.gather(*stuck)
    assert threads.alive <= 7
    threads.close()
    async with asyncio.timeout(60):
        while threads.alive:
            await asyncio.sleep(0.005)


async def test_many_at_once():
    threads = Threads()
    results = await asyncio.gather(*(threads.run(lambda number=number: number) for number in range(300)))
    assert results == list(range(300))
    threads.close()


async def test_a_cancelled_future_does_no_harm():
    threads = Threads()
    gate = threading.Event()
    future = threads.run(gate.wait)
    future.cancel()
    gate.set()
    assert await threads.run(lambda: 1) == 1
    threads.close()
