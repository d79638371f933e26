"""Several processes under one: restarted with back-off, stopped in order, none left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from quarterdeck.cli.worker import parse_queues
from quarterdeck.errors import UsageError
from quarterdeck.worker import supervisor
from quarterdeck.worker.supervisor import Supervisor, ending

WAIT = (
    "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); print('up', flush=True); signal.pause()"
)
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); open({path!r}, 'w').close(); signal.pause()"
ONCE_BROKEN = (
    "import sys, pathlib; p = pathlib.Path({path!r}); p.exists() and sys.exit(0); p.touch(); import os; os.abort()"
)


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


async def until(condition) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_all_run_and_a_stop_leaves_none():
    keeper = Supervisor([python(WAIT)] * 3, grace_s=5)
    task = asyncio.create_task(keeper.run())
    await until(lambda: len(keeper.pids) == 3)
    pids = keeper.pids
    keeper.stop()
    keeper.stop()
    assert await task == 0
    assert not any(alive(pid) for pid in pids), "neither running nor a zombie"


async def test_a_signal_to_the_supervisor_stops_all():
    keeper = Supervisor([python(WAIT)] * 2, grace_s=5)
    task = asyncio.create_task(keeper.run())
    await until(lambda: len(keeper.pids) == 2)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.wait_for(task, 60) == 0


async def test_what_dies_is_started_again(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "FIRST_DELAY_S", 0.01)
    path = tmp_path / "was_here"
    keeper = Supervisor([python(ONCE_BROKEN.format(path=str(path)))])
    assert await asyncio.wait_for(keeper.run(), 60) == 0, "its second run ends of itself"
    assert keeper.restarts == 1


async def test_the_delay_between_restarts_grows(monkeypatch, caplog):
    monkeypatch.setattr(supervisor, "FIRST_DELAY_S", 0.001)
    keeper = Supervisor([python("raise SystemExit(1)")])
    task = asyncio.create_task(keeper.run())
    await until(lambda: keeper.restarts >= 3)
    keeper.stop()
    await asyncio.wait_for(task, 60)
    delays = [record.args[2] for record in caplog.records if "starts again" in record.getMessage()]
    assert delays[:3] == [0.001, 0.002, 0.004]


async def test_a_usage_error_ends_all_with_its_status():
    keeper = Supervisor([python(WAIT), python("raise SystemExit(2)")], grace_s=5)
    assert await asyncio.wait_for(keeper.run(), 60) == 2


async def test_what_does_not_stop_in_time_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "MARGIN_S", 0.05)
    path = tmp_path / "up"
    keeper = Supervisor([python(STUBBORN.format(path=str(path)))], grace_s=0.05)
    task = asyncio.create_task(keeper.run())
    await until(path.exists)
    (pid,) = keeper.pids
    keeper.stop()
    await asyncio.wait_for(task, 60)
    assert not alive(pid)


async def test_the_pipe_ends_when_the_supervisor_is_killed(tmp_path):
    """A worker process that watches its parent stops in order when the supervisor is gone without a word."""
    done = tmp_path / "done"
    child = (
        "import asyncio, signal, pathlib\n"
        "from quarterdeck.worker.supervisor import watch_parent\n"
        "async def main():\n"
        "    stop = asyncio.Event()\n"
        "    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)\n"
        "    watch_parent()\n"
        "    print('up', flush=True)\n"
        "    await stop.wait()\n"
        f"    pathlib.Path({str(done)!r}).touch()\n"
        "asyncio.run(main())\n"
    )
    parent = (
        "import asyncio, sys\n"
        "from quarterdeck.worker.supervisor import Supervisor\n"
        f"asyncio.run(Supervisor([[sys.executable, '-c', {child!r}]]).run())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", parent, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 60) == b"up\n"
    process.kill()
    await process.wait()
    await until(done.exists)


@pytest.mark.parametrize(("status", "words"), [(1, "with status 1"), (-9, "by SIGKILL"), (-250, "by signal 250")])
def test_an_ending_in_words(status, words):
    assert ending(status) == words


class TestQueues:
    @pytest.mark.parametrize(
        ("text", "names", "weights"),
        [
            ("a", ("a",), {}),
            ("a, b", ("a", "b"), {}),
            ("a:3,b:1", ("a", "b"), {"a": 3, "b": 1}),
            ("eu:mail:2,us:mail:1", ("eu:mail", "us:mail"), {"eu:mail": 2, "us:mail": 1}),
            ("eu:mail", ("eu:mail",), {}),
        ],
    )
    def test_order_and_weights(self, text, names, weights):
        assert parse_queues(text) == (names, weights)

    @pytest.mark.parametrize("text", ["", ",", "a,a", "a:3,b", "a:0", ":3"])
    def test_what_is_no_list(self, text):
        with pytest.raises(UsageError, match="--queues"):
            parse_queues(text)


def test_the_package_is_found_by_children():
    assert (Path(supervisor.__file__).parents[1] / "__main__.py").exists()
