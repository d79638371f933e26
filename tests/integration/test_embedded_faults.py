"""The embedded server under SIGKILL of any of its parts: no locked state, no lost write, and a line that says so."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys

import pytest
from ended import wait_for_end

from quarterdeck.broker.connection import open_connection
from quarterdeck.broker.embedded import EmbeddedServer, embedded
from quarterdeck.broker.embedded_home import Home
from quarterdeck.errors import EmbeddedError

pytestmark = pytest.mark.slow

DASHBOARD = """
import sys
from pathlib import Path
from quarterdeck.broker.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]))
server.open()
print("attached", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "data")


@pytest.fixture
def dashboard(home):
    """Start a process that attaches as a dashboard does; returns when it is attached."""
    processes = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", DASHBOARD, str(home.data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
        processes.append(process)
        assert process.stdout.readline() == "attached\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()
    wait_for_end(home)


def is_held(home, name):
    lock = home.lock(name)
    free = lock.try_exclusive()
    lock.close()
    return not free


async def write(home, key, value):
    async with await open_connection(home.url, client_name="test") as connection:
        await connection.client.set(key, value)


async def read(home, key):
    async with await open_connection(home.url, client_name="test") as connection:
        return await connection.client.get(key)


async def test_a_killed_dashboard_is_as_good_as_one_that_left(home, dashboard):
    process = dashboard()
    await write(home, "k", "v")
    process.kill()
    wait_for_end(home)
    assert not home.socket.exists()
    assert not is_held(home, "server")
    async with embedded(data_dir=home.data_dir) as server:
        assert await read(home, "k") == b"v"
        assert server.notes == []


async def test_the_others_stay_when_the_one_that_started_it_is_killed(home, dashboard):
    first, second = dashboard(), dashboard()
    pid = home.state()["server_pid"]
    first.kill()
    first.wait()
    await write(home, "k", "v")
    assert home.state()["server_pid"] == pid
    second.kill()
    wait_for_end(home)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
async def test_signals_of_the_terminal_do_not_reach_the_server(home, dashboard, number):
    first, second = dashboard(), dashboard()
    os.killpg(first.pid, number)
    first.wait()
    await write(home, "k", "v")
    second.kill()
    wait_for_end(home)
    assert not home.socket.exists()


async def test_everything_killed_at_once_is_recovered_with_a_line_that_says_so(home, dashboard):
    process = dashboard()
    await write(home, "k", "v")
    state = home.state()
    for pid in (state["supervisor_pid"], state["server_pid"], process.pid):
        os.kill(pid, signal.SIGKILL)
    wait_for_end(home, "server")
    assert home.socket.exists()
    async with embedded(data_dir=home.data_dir) as server:
        assert "stale socket" in server.notes[0]
        assert await read(home, "k") == b"v"


async def test_an_orphaned_server_is_shut_down_in_order_and_replaced(home, dashboard):
    process = dashboard()
    await write(home, "k", "v")
    old = home.state()
    for pid in (old["supervisor_pid"], process.pid):
        os.kill(pid, signal.SIGKILL)
    wait_for_end(home)
    assert is_held(home, "server")
    async with embedded(data_dir=home.data_dir) as server:
        assert "supervisor was killed" in server.notes[0]
        assert "in order" in server.notes[0]
        assert str(old["server_pid"]) in server.notes[0]
        assert home.state()["server_pid"] != old["server_pid"]
        assert await read(home, "k") == b"v"


async def test_who_is_attached_gets_a_new_supervisor(home, dashboard):
    server = EmbeddedServer(home.data_dir)
    await asyncio.to_thread(server.open)
    await write(home, "k", "v")
    old = home.state()["supervisor_pid"]
    os.kill(old, signal.SIGKILL)
    wait_for_end(home)
    await asyncio.to_thread(server.watch)
    assert home.state()["supervisor_pid"] != old
    assert any("supervisor was killed" in note for note in server.notes)
    assert await read(home, "k") == b"v"
    server.close()


async def test_a_killed_server_is_started_again(home, dashboard):
    dashboard()
    await write(home, "k", "v")
    old = home.state()["server_pid"]
    os.kill(old, signal.SIGKILL)
    async with asyncio.timeout(60):
        while home.state().get("server_pid") in {0, old, None}:
            await asyncio.sleep(0.02)
        while True:
            try:
                assert await read(home, "k") == b"v"
            except Exception as error:
                if "Nothing listens" not in str(error):
                    raise
                await asyncio.sleep(0.02)
            else:
                break
    assert any("started again" in note for note in home.state()["notes"])


async def test_a_stopped_server_is_waited_for(home, dashboard):
    dashboard()
    pid = home.state()["server_pid"]
    os.kill(pid, signal.SIGSTOP)
    second = EmbeddedServer(home.data_dir)
    opening = asyncio.create_task(asyncio.to_thread(second.open))
    await asyncio.sleep(0.05)  # long enough for one that does not wait
    assert not opening.done()
    os.kill(pid, signal.SIGCONT)
    await opening
    second.close()


async def test_a_start_that_fails_early_is_told_in_a_sentence(home):
    home.prepare()
    (home.logs / "server.log").mkdir()
    with pytest.raises(EmbeddedError) as caught:
        async with embedded(data_dir=home.data_dir):
            pass
    assert "server.log" in caught.value.message
    wait_for_end(home)


async def test_a_directory_removed_under_a_running_server_leaves_nothing_running(home, dashboard):
    dashboard()
    state = home.state()
    opened = {name: home.lock(name) for name in ("server", "supervisor")}
    shutil.rmtree(home.data_dir)
    os.kill(state["server_pid"], signal.SIGKILL)
    for lock in opened.values():
        await asyncio.wait_for(asyncio.to_thread(lock.wait_exclusive), 60)
        lock.close()
    home.prepare()
