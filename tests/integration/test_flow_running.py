"""Flows on a real server with real workers: results pass along, and what follows is never lost."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from at_work import serving

from quarterdeck import App, branch, chain, chord, group, saga
from quarterdeck.errors import JobFailedError, ResultTimeoutError
from quarterdeck.keys import keys_of
from quarterdeck.model import JobState

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def app(valkey, queue_name):
    """An app with tasks to make flows of; `app.ran` has their calls, and names in `app.failing` fail."""
    app = App("flows", queues=(queue_name, f"{queue_name}-two"), url=valkey.url)
    app.ran, app.failing = [], set()

    def note(name, *values):
        app.ran.append((name, *values))
        if name in app.failing:
            raise RuntimeError(f"{name} fails")

    @app.task
    async def add(x: int, y: int = 1) -> int:
        note("add", x, y)
        return x + y

    @app.task(queue=f"{queue_name}-two")
    def total(numbers: list[int]) -> int:
        note("total", numbers)
        return sum(numbers)

    @app.task
    async def name(number: int) -> str:
        note("name", number)
        return "even" if number % 2 == 0 else 'odd "\\ @results: ]'

    @app.task
    async def book(what: str) -> str:
        note(f"book {what}", what)
        return f"{what}-1"

    @app.task
    async def cancel(ticket: str) -> None:
        note("cancel", ticket)

    yield app
    await app.close()


def tasks(app, *names):
    return [app.tasks[name] for name in names]


class TestChain:
    async def test_results_pass_along_over_queues(self, app):
        add, total = tasks(app, "add", "total")
        async with serving(app):
            flow = await app.enqueue(
                chain(add.step(1, 2), add.step(y=10), group(add.step(), add.step(y=5)), total.step())
            )
            assert await flow.result(60) == 14 + 18
        assert app.ran[:2] == [("add", 1, 2), ("add", 3, 10)]
        assert app.ran[-1] == ("total", [14, 18])

    async def test_a_failed_step_stops_it_and_its_retry_goes_on(self, app):
        add, name = tasks(app, "add", "name")
        app.failing.add("name")
        async with serving(app):
            flow = await app.enqueue(chain(add.step(1), name.step(), name.step(5)))
            with pytest.raises(JobFailedError, match="name fails"):
                await flow.result(60)
            app.failing.clear()
            failed = await flow.handles[1].job()
            await failed.retry("again")
            await appears(flow.last)
            assert await flow.last.result(60)
        assert [call[0] for call in app.ran] == ["add", "name", "name", "name"]

    async def test_waiting_for_a_flow_ends_in_time(self, app):
        (add,) = tasks(app, "add")
        flow = await app.enqueue(chain(add.step(1), add.step()))
        with pytest.raises(ResultTimeoutError, match="flow did not end"):
            await flow.result(0.1)
        assert await flow.first[0].status() is JobState.QUEUED

    async def test_a_step_with_a_delay_waits_its_time(self, app):
        (add,) = tasks(app, "add")
        async with serving(app):
            flow = await app.enqueue(chain(add.step(1), add.options(delay_s=60).step()))
            await flow.handles[0].result(60)
            assert await flow.last.status() is JobState.SCHEDULED


async def appears(handle) -> None:
    async with asyncio.timeout(60):
        while await handle._queue.job(handle.key) is None:
            await asyncio.sleep(0.01)


class TestGroup:
    async def test_many_parts_end_in_one(self, app):
        add, total = tasks(app, "add", "total")
        async with serving(app, concurrency=20):
            flow = await app.enqueue(chord([add.step(n, 0) for n in range(200)], total.step()))
            assert await flow.result(60) == sum(range(200))
        assert [call for call in app.ran if call[0] == "total"] == [("total", list(range(200)))]

    async def test_results_of_any_text_are_passed_whole(self, app):
        name, book = tasks(app, "name", "book")

        @app.task
        async def join(parts: list[str]) -> str:
            return "|".join(parts)

        async with serving(app):
            flow = await app.enqueue(chord([name.step(1), book.step("é\u2028"), name.step(2)], join.step()))
            assert await flow.result(60) == 'odd "\\ @results: ]|é\u2028-1|even'

    async def test_a_failed_part_holds_it_up_until_its_retry(self, app, redis_client):
        add, book = tasks(app, "add", "book")
        app.failing.add("book x")

        @app.task
        async def both(results: list[object]) -> list[object]:
            return results

        async with serving(app):
            flow = await app.enqueue(chord([add.step(1, 1), book.step("x")], both.step()))
            with pytest.raises(JobFailedError):
                await flow.handles[1].result(60)
            assert await flow.handles[0].result(60) == 2
            assert await flow.last._queue.job(flow.last.key) is None
            app.failing.clear()
            await (await flow.handles[1].job()).retry("again")
            await appears(flow.last)
            assert await flow.last.result(60) == [2, "x-1"]
        left = [key async for key in redis_client.scan_iter(match=f"qd:group:*{app.default_queue}:*")]
        assert left == [], "the group's state goes with its end"


class TestBranch:
    @pytest.mark.parametrize(("number", "then"), [(2, ("add", 2, 2)), (1, ("cancel", 'odd "\\ @results: ]'))])
    async def test_the_result_chooses(self, app, number, then):
        name, add, cancel = tasks(app, "name", "add", "cancel")
        async with serving(app):
            await app.enqueue(branch(name.step(number), {"even": add.step(2, 2)}, otherwise=cancel.step()))
            async with asyncio.timeout(60):
                while len(app.ran) < 2:
                    await asyncio.sleep(0.01)
        assert app.ran == [("name", number), then]


class TestSaga:
    async def test_what_was_done_is_undone(self, app):
        book, cancel = tasks(app, "book", "cancel")
        app.failing.add("book hotel")
        steps = [(book.step(what), cancel.step()) for what in ("flight", "car", "hotel", "dinner")]
        async with serving(app):
            flow = await app.enqueue(saga(*steps))
            with pytest.raises(JobFailedError, match="book hotel fails"):
                await flow.result(60)
            async with asyncio.timeout(60):
                while app.ran[-1] != ("cancel", "flight-1"):
                    await asyncio.sleep(0.01)
        assert app.ran[2:] == [("book hotel", "hotel"), ("cancel", "car-1"), ("cancel", "flight-1")]

    async def test_one_that_works_undoes_nothing(self, app):
        book, cancel = tasks(app, "book", "cancel")
        async with serving(app):
            flow = await app.enqueue(saga((book.step("flight"), cancel.step()), (book.step("car"), cancel.step())))
            assert await flow.result(60) == "car-1"
        assert [call[0] for call in app.ran] == ["book flight", "book car"]


CODE = """
from quarterdeck import App
app = App("crashing", queues=({queue!r},))

@app.task
async def add(x: int, y: int = 1) -> int:
    return x + y

@app.task
async def total(numbers: list[int]) -> int:
    return sum(numbers)
"""


async def test_steps_whose_results_are_not_kept_hold_up_nobody_who_waits(app):
    add, total = tasks(app, "add", "total")
    gone = add.options(ttl_s=-1)
    async with serving(app):
        flow = await app.enqueue(chord([add.step(1), gone.step(2)], total.step()))
        assert await flow.result(60) == 2 + 3
        flow = await app.enqueue(chain(gone.step(1), group(gone.step(), add.step(y=4)), total.step()))
        assert await flow.result(60) == 3 + 6


@pytest.mark.slow
async def test_workers_that_are_killed_lose_no_step(valkey, queue_name, tmp_path, redis_client):
    """Forty chords of five chains, while workers are killed again and again: every one ends, with the right sum."""
    (tmp_path / "crashing.py").write_text(CODE.format(queue=queue_name))
    app = App("client", queues=(queue_name,), url=valkey.url)

    @app.task(timeout_s=None)
    def add(x: int, y: int = 1) -> int: ...

    @app.task(timeout_s=None)
    def total(numbers: list[int]) -> int: ...

    def start() -> subprocess.Popen[bytes]:
        code = (
            "import asyncio\nfrom quarterdeck.worker.service import Service, ServiceOptions\n"
            f"options = ServiceOptions(url={valkey.url!r}, concurrency=5, worker={{'lease_s': 1.0, 'beat_s': 0.2}})\n"
            "asyncio.run(Service('crashing:app', options).run())\n"
        )
        environ = {**os.environ, "PYTHONPATH": str(ROOT / "queue")}
        return subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=environ)

    flows = [
        await app.enqueue(chord([chain(add.step(n, m), add.step(), add.step()) for m in range(5)], total.step()))
        for n in range(40)
    ]
    expected = [sum(n + m + 2 for m in range(5)) for n in range(40)]
    worker = start()
    try:
        for kills in range(4):
            async with asyncio.timeout(60):
                while await redis_client.xlen(keys_of(queue_name).history) < 100 * (kills + 1):
                    await asyncio.sleep(0.005)
            worker.kill()
            worker.wait()
            worker = start()
        assert [await flow.result(120) for flow in flows] == expected
    finally:
        worker.kill()
        worker.wait()
    assert await redis_client.llen(keys_of(queue_name).active) == 0
    await app.close()
