"""`quarterdeck worker` as a process: starts, says what is wrong in one line, stops in order, leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from quarterdeck import App
from quarterdeck.keys import keys_of

CODE = """
import asyncio, os, pathlib
from quarterdeck import App, current_job

app = App("commanded", queues=({queue!r},))

@app.task
async def double(x: int) -> int:
    return 2 * x

@app.task(timeout_s=60)
async def wait_for(name: str) -> int:
    pathlib.Path(name + ".started").touch()
    while not pathlib.Path(name).exists():
        await asyncio.sleep(0.01)
    return os.getpid()

@app.task(timeout_s=60)
async def endless(name: str) -> None:
    pathlib.Path(name + ".started").touch()
    await asyncio.Event().wait()
"""
ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path, queue_name):
    (tmp_path / "commanded.py").write_text(CODE.format(queue=queue_name))
    return tmp_path


@pytest.fixture
async def client(valkey, queue_name):
    app = App("client", queues=(queue_name,), url=valkey.url)

    @app.task
    def double(x: int) -> int: ...

    @app.task(timeout_s=60)
    def wait_for(name: str) -> int: ...

    @app.task(timeout_s=60)
    def endless(name: str) -> None: ...

    yield app
    await app.close()


@asynccontextmanager
async def command(place: Path, *words: str, **environ: str):
    """`quarterdeck worker WORDS` in `place`; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "quarterdeck", "worker", *words),
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT / "queue"), **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def ended(process) -> tuple[int, str]:
    """Status and stderr; stdout must be empty."""
    out, told = await asyncio.wait_for(process.communicate(), 60)
    assert out == b""
    return process.returncode, told.decode()


async def until(condition) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def side_by_side(task, place: Path, *names: str) -> set[int]:
    """The processes that run two jobs at the same time."""
    handles = [await task.enqueue(str(place / name)) for name in names]
    for name in names:
        await until((place / f"{name}.started").exists)
    for name in names:
        (place / name).touch()
    return {await handle.result(60) for handle in handles}


async def test_it_runs_jobs_and_stops_in_order(place, client, valkey):
    async with command(place, "commanded:app", "--url", valkey.url, "--name", "w") as process:
        assert await (await client.tasks["double"].enqueue(21)).result(60) == 42
        process.send_signal(signal.SIGTERM)
        status, told = await ended(process)
    assert status == 0
    assert " w INFO    quarterdeck.worker: worker w starts on " in told
    assert "Traceback" not in told


async def test_a_running_job_may_finish_within_the_grace_time(place, client, valkey):
    async with command(place, "commanded:app", "--url", valkey.url, "--grace-s", "20") as process:
        handle = await client.tasks["wait_for"].enqueue(str(place / "go"))
        await until((place / "go.started").exists)
        process.send_signal(signal.SIGTERM)
        (place / "go").touch()
        assert (await ended(process))[0] == 0
        assert await handle.result(60) == process.pid


async def test_what_does_not_finish_goes_back_without_an_attempt_counted(place, client, valkey, redis_client):
    async with command(place, "commanded:app", "--url", valkey.url, "--grace-s", "0.1") as process:
        handle = await client.tasks["endless"].enqueue(str(place / "go"))
        await until((place / "go.started").exists)
        process.send_signal(signal.SIGTERM)
        assert (await ended(process))[0] == 0
    job = await handle.job()
    assert (job.status.value, job.attempts) == ("queued", 0)
    assert await redis_client.llen(keys_of(handle.queue).queued) == 1


async def test_a_burst_does_what_there_is_and_ends(place, client, valkey):
    handles = await client.tasks["double"].enqueue_many([(n,) for n in range(10)])
    async with command(place, "commanded:app", "--url", valkey.url, "--burst") as process:
        assert (await ended(process))[0] == 0
    assert [await handle.result(60) for handle in handles] == [2 * n for n in range(10)]


async def test_several_processes_share_the_work_and_one_that_dies_is_replaced(place, client, valkey, redis_client):
    wait_for = client.tasks["wait_for"]
    async with command(place, "commanded:app", "--url", valkey.url, "--processes=2", "--concurrency", "1") as process:
        first = await side_by_side(wait_for, place, "a", "b")
        assert len(first) == 2, "one slot each: two processes"
        assert process.pid not in first
        killed = first.pop()
        os.kill(killed, signal.SIGKILL)
        second = await side_by_side(wait_for, place, "c", "d")
        assert len(second) == 2
        assert killed not in second
        assert first < second, "the other one went on"
        beats = map(json.loads, (await redis_client.hgetall(keys_of(client.default_queue).workers)).values())
        names = {beat["name"].rpartition("#")[2] for beat in beats}
        assert names == {"1", "2"}
        process.send_signal(signal.SIGTERM)
        status, told = await ended(process)
    assert status == 0
    assert "by SIGKILL; it starts again" in told


class TestRefused:
    async def refused(self, place, *words: str, status: int = 2, **environ: str) -> str:
        async with command(place, *words, **environ) as process:
            found, told = await ended(process)
        assert (found, "Traceback" in told) == (status, False), told
        (line,) = told.splitlines()
        return line

    async def test_a_target_that_does_not_import(self, place, valkey):
        assert "There is no module nothing_here" in await self.refused(place, "nothing_here:app", "--url", valkey.url)

    async def test_code_that_raises(self, place, valkey):
        (place / "raising.py").write_text("import no_such_driver\n")
        line = await self.refused(place, "raising:app", "--url", valkey.url)
        assert "raising could not be imported: ModuleNotFoundError" in line
        assert "(raising.py:1)" in line

    async def test_a_schedule_that_is_not_cron(self, place, valkey):
        (place / "timed.py").write_text(
            "from quarterdeck import App\napp = App('t')\n@app.schedule('0 0 30 2 *')\ndef f(): ...\n"
        )
        line = await self.refused(place, "timed:app", "--url", valkey.url)
        assert "timed could not be imported" in line
        assert "never" in line

    async def test_no_server_at_all(self, place):
        line = await self.refused(place, "commanded:app", status=3, QUARTERDECK_DATA_DIR=str(place / "none"))
        assert "--url or QUARTERDECK_URL" in line

    async def test_a_server_that_refuses_us(self, place, start_valkey):
        server = start_valkey(requirepass="secret")
        line = await self.refused(place, "commanded:app", "--url", server.url, status=3)
        assert "password" in line

    async def test_queues_that_are_no_list(self, place, valkey):
        line = await self.refused(place, "commanded:app", "--url", valkey.url, "--queues", "a:1,b")
        assert "--queues" in line


async def test_a_server_that_is_not_there_yet_is_waited_for(place, client, start_valkey, queue_name):
    server = start_valkey()
    server.stop()
    async with command(place, "commanded:app", "--url", server.url) as process:
        assert process.stderr is not None
        line = (await asyncio.wait_for(process.stderr.readline(), 60)).decode()
        assert "waits for it" in line
        server.start()
        app = App("late", queues=(queue_name,), url=server.url)

        @app.task
        def double(x: int) -> int: ...

        assert await (await double.enqueue(4)).result(60) == 8
        await app.close()


async def test_a_worker_is_refused_where_nothing_may_be_changed(tmp_path: Path) -> None:
    async with command(tmp_path, "some:app", "--read-only", "--url", "redis://127.0.0.1:1") as process:
        status, told = await ended(process)
    assert status == 2
    assert "this is read-only" in told
