"""Plain functions in processes of their own: they can be killed, and take nobody with them."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
from datetime import date
from pathlib import Path

import pytest
from at_work import serving, until

from quarterdeck import App
from quarterdeck.errors import JobFailedError, UsageError
from quarterdeck.keys import keys_of
from quarterdeck.worker.service import Service, ServiceOptions

pytestmark = pytest.mark.slow

CODE = """
import logging, os, pathlib, signal, subprocess, sys, time
from datetime import date
from quarterdeck import App, current_job

app = App("apart", queues=({queue!r},), executor="process")

class OwnError(Exception):
    pass

class PickyError(Exception):
    def __init__(self, one, two):
        super().__init__(f"{{one}} {{two}}")

@app.task
def where() -> list[int]:
    return [os.getpid(), os.getppid()]

@app.task
def next_day(day: date) -> date:
    return day.replace(day=day.day + 1)

@app.task(timeout_s=2)
def stuck(name: str) -> None:
    pathlib.Path(name).write_text(str(os.getpid()))
    while True:
        time.sleep(0.01)

@app.task(retries=2)
def told(word: str) -> list:
    print("printed")
    job = current_job()
    job.log.warning("told %s", word)
    job.progress(0.5)
    return [job.key, job.queue, job.function, job.attempt, job.retries, job.detached]

@app.task
def broken(kind: str) -> None:
    raise OwnError("mine") if kind == "own" else PickyError(1, 2)

@app.task
def dies(how: str) -> None:
    os._exit(3) if how == "exits" else os.kill(os.getpid(), signal.SIGKILL)

class MuteError(Exception):
    def __str__(self):
        raise RuntimeError("no text")

@app.task
def odd(what: str) -> str:
    if what == "reads":
        return sys.stdin.read()
    if what == "forks":
        pid = os.fork()
        if pid:
            os.waitpid(pid, 0)
        return "back"
    if what == "exits":
        sys.exit(4)
    if what == "is mute":
        raise MuteError
    if what == "raises half a pair":
        raise ValueError("a\\udce9")
    current_job().log.info("\\udce9")
    return "a\\udce9"

@app.task(timeout_s=3)
def has_children(name: str) -> None:
    child = subprocess.Popen(["sleep", "600"])
    pathlib.Path(name).write_text(str(child.pid))
    child.wait()
"""


@pytest.fixture
def app(tmp_path, queue_name, monkeypatch, valkey):
    name = f"apart_{queue_name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(CODE.format(queue=queue_name))
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module(name)
    module.app.outbox.url = valkey.url
    yield module.app
    del sys.modules[name]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def running(pid: int) -> bool:
    """Whether a process is there and no zombie that nobody has waited for."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2]
    except FileNotFoundError:
        return False if Path("/proc").exists() else alive(pid)
    return not status.startswith("Z")


async def result(app, name, *args):
    return await (await app.tasks[name].enqueue(*args)).result(60)


async def test_it_runs_elsewhere_and_the_process_stays_for_the_next(app):
    async with serving(app):
        first, parent = await result(app, "where")
        assert parent == os.getpid()
        assert (await result(app, "where"))[0] == first
        both = await asyncio.gather(result(app, "where"), result(app, "where"))
        assert len({pid for pid, _ in both}) == 2, "one job at a time each"
    assert not alive(first), "none is left behind"


async def test_arguments_and_results_are_what_the_hints_say(app):
    async with serving(app):
        assert await result(app, "next_day", date(2026, 11, 22)) == date(2026, 11, 23)


async def test_a_time_out_kills_it(app, tmp_path):
    async with serving(app):
        await result(app, "where")  # starts the process, which the job's two seconds need not cover
        with pytest.raises(JobFailedError, match="timed out"):
            await result(app, "stuck", str(tmp_path / "pid"))
        pid = int((tmp_path / "pid").read_text())
        async with asyncio.timeout(60):
            while alive(pid):
                await asyncio.sleep(0.01)
        assert (await result(app, "where"))[0] != pid, "the next job has another one"


async def test_the_job_is_known_there_and_its_log_comes_back(app, redis_client, queue_name):
    async with serving(app):
        handle = await app.tasks["told"].enqueue("it")
        assert await handle.result(60) == [handle.key, queue_name, "told", 1, 2, False]
    lines = map(json.loads, await redis_client.lrange(keys_of(queue_name).log(handle.key), 0, -1))
    assert [(line["level"], line["text"]) for line in lines] == [("warning", "told it")]


@pytest.mark.parametrize(("kind", "says"), [("own", "OwnError: mine"), ("picky", "PickyError: 1 2")])
async def test_what_it_raises_is_raised_with_its_own_traceback(app, kind, says):
    async with serving(app):
        with pytest.raises(JobFailedError, match=says) as caught:
            await result(app, "broken", kind)
    assert "in broken" in caught.value.traceback


@pytest.mark.parametrize(("how", "says"), [("exits", "with status 3"), ("killed", "by SIGKILL")])
async def test_one_that_dies_fails_its_job_and_nobody_elses(app, how, says):
    async with serving(app):
        with pytest.raises(JobFailedError, match=f"The job's process ended {says}"):
            await result(app, "dies", how)
        assert await result(app, "where")


def test_what_a_process_cant_find_is_refused_when_the_worker_is_planned():
    app = App("local", url="unix:///nowhere")

    @app.task(executor="process")
    def local() -> None: ...

    with pytest.raises(UsageError, match="can't be imported"):
        Service(app, ServiceOptions())


def test_async_functions_are_refused_when_they_are_defined():
    app = App("local")

    async def work() -> None: ...

    with pytest.raises(UsageError, match="Make it a plain function"):
        app.task(executor="process")(work)


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("reads", ""),
        ("forks", "back"),
        ("returns half a pair", "a\udce9"),
        ("exits", "SystemExit: 4"),
        ("is mute", "MuteError"),
        ("raises half a pair", "ValueError: a"),
    ],
    ids=ascii,
)
async def test_what_is_odd_is_that_jobs_alone_and_the_process_stays(app, what, says, caplog):
    caplog.set_level("CRITICAL", logger="saq")  # pytest-xdist can't pass on half a surrogate pair
    async with serving(app, concurrency=1):
        pid, _ = await result(app, "where")
        if "Error" in says or "Exit" in says:
            with pytest.raises(JobFailedError, match=says):
                await result(app, "odd", what)
        else:
            assert await result(app, "odd", what) == says
        assert (await result(app, "where"))[0] == pid


async def test_a_time_out_kills_what_the_function_has_started(app, tmp_path):
    async with serving(app):
        await result(app, "where")  # starts the process, which the job's three seconds need not cover
        path = tmp_path / "pid"
        handle = await app.tasks["has_children"].enqueue(str(path))
        with pytest.raises(JobFailedError, match="timed out"):
            await handle.result(60)
        pid = int(path.read_text())
        await until(lambda: not running(pid))


async def test_a_worker_that_is_killed_takes_its_processes_along(app, tmp_path, valkey):
    """Its jobs run elsewhere soon: a function that went on would overlap with its own next run."""
    command = [sys.executable, "-m", "quarterdeck", "worker", f"{app.tasks['stuck'].function.__module__}:app"]
    worker = await asyncio.create_subprocess_exec(
        *command, "--url", valkey.url, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, cwd=tmp_path
    )
    path = tmp_path / "pid"
    await app.tasks["stuck"].options(timeout_s=None).enqueue(str(path))
    pid = int(await until(lambda: path.exists() and path.read_text()))
    worker.kill()
    await worker.wait()
    await until(lambda: not running(pid))
