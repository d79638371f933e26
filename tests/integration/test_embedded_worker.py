"""The worker that comes with the embedded server: it runs the app's jobs, is started again, and ends first."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

import pytest
from ended import wait_for_end
from saq.queue.redis import RedisQueue

from quarterdeck.broker.embedded import embedded
from quarterdeck.broker.embedded_home import Home

pytestmark = pytest.mark.slow

SHOP = """
import asyncio, os, pathlib
from quarterdeck import App

app = App("shop", queues=("shop",))
ledger = pathlib.Path(__file__).with_name("ledger")

@app.task
async def sell(number: int) -> int:
    await asyncio.sleep(0.05)
    with ledger.open("a") as file:
        file.write(f"{number}\\n")
    return number
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A project with an app; its ledger tells which jobs were run to their end. The working directory is there."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "shop.py").write_text(SHOP)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    home = Home(tmp_path / "data")
    yield folder, home
    wait_for_end(home)


def sold(folder):
    ledger = folder / "ledger"
    return [int(line) for line in ledger.read_text().split()] if ledger.exists() else []


@contextlib.asynccontextmanager
async def stock_queue(url):
    """Plain SAQ's client on the embedded server."""
    queue = RedisQueue.from_url(url, name="shop")
    yield queue
    await queue.disconnect()


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def test_it_runs_jobs_that_a_stock_client_enqueues(shop):
    folder, home = shop
    async with embedded(data_dir=home.data_dir, target="shop:app") as server, stock_queue(server.url) as queue:
        job = await queue.enqueue("sell", number=7)
        await job.refresh(until_complete=60)
        assert job.result == 7
        assert server.worker_trouble() == ""
    assert sold(folder) == [7]


async def test_what_was_not_done_when_the_last_one_left_is_done_next_time(shop):
    folder, home = shop
    count = 600
    async with embedded(data_dir=home.data_dir) as server, stock_queue(server.url) as queue:
        for number in range(count):  # nobody works yet: however slow this is, all of it waits
            await queue.enqueue("sell", number=number)
        async with embedded(data_dir=home.data_dir, target="shop:app"):
            await until(lambda: sold(folder))
    wait_for_end(home)
    early = len(sold(folder))
    assert early < count, "the first session was meant to be left with work to do"
    async with embedded(data_dir=home.data_dir, target="shop:app"):
        await until(lambda: len(sold(folder)) >= count)
    assert sorted(sold(folder)) == list(range(count))


async def test_a_killed_worker_is_started_again(shop):
    folder, home = shop
    async with embedded(data_dir=home.data_dir, target="shop:app") as server, stock_queue(server.url) as queue:
        await until(lambda: home.state().get("worker_pid"))
        first = home.state()["worker_pid"]
        os.kill(first, signal.SIGKILL)
        await until(lambda: home.state().get("worker_pid") not in {0, first})
        await queue.enqueue("sell", number=1)
        await until(lambda: sold(folder) == [1])


async def test_a_killed_session_leaves_no_worker_behind(shop):
    _, home = shop
    async with embedded(data_dir=home.data_dir, target="shop:app") as server:
        await until(lambda: home.state().get("worker_pid"))
        state = home.state()
        os.kill(state["supervisor_pid"], signal.SIGKILL)
        await until(lambda: home.state().get("supervisor_pid") != state["supervisor_pid"])
        await until(lambda: any("worker" in note for note in server.notes))
        assert home.state()["server_pid"] != state["server_pid"]
        worker = home.lock("worker")
        await until(lambda: home.state().get("worker_pid", 0) not in {0, state["worker_pid"]})
        assert not worker.try_exclusive()
        worker.close()


async def test_a_worker_that_was_killed_is_not_explained_by_what_its_log_happens_to_end_with(shop):
    _, home = shop
    async with embedded(data_dir=home.data_dir, target="shop:app") as server, stock_queue(server.url) as queue:
        job = await queue.enqueue("sell", number=1)
        await job.refresh(until_complete=60)
        os.kill(home.state()["worker_pid"], signal.SIGKILL)
        await until(server.worker_trouble)
        assert server.worker_trouble() == "it was ended by signal 9 (Killed)"
