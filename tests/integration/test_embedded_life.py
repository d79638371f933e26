"""The embedded server: the first one in starts it, others attach, the last one out ends it, and nothing is lost."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from ended import wait_for_end
from redis.exceptions import NoPermissionError

from quarterdeck.broker.connection import open_connection
from quarterdeck.broker.embedded import EmbeddedServer, embedded
from quarterdeck.broker.embedded_home import SOCKET_LIMIT, Home
from quarterdeck.errors import EmbeddedError


@pytest.fixture
def home(tmp_path):
    """A data directory of the test's own; the test ends when its supervisor has."""
    home = Home(tmp_path / "data")
    yield home
    if home.locks.exists():
        wait_for_end(home)


async def test_it_is_private_durable_and_evicts_nothing(home):
    async with (
        embedded(data_dir=home.data_dir) as server,
        await open_connection(server.url, client_name="test", embedded=True) as connection,
    ):
        config = await connection.client.config_get("*")
        assert config["port"] == "0"
        assert config["unixsocketperm"] == "700"
        assert config["appendonly"] == "yes"
        assert config["appendfsync"] == "everysec"
        assert config["maxmemory-policy"] == "noeviction"
        assert connection.warnings == ()
        assert connection.server.append_only
        folders = [home.data_dir, home.data, home.logs, home.locks, home.socket.parent]
        assert [oct(folder.stat().st_mode & 0o777) for folder in folders] == ["0o700"] * 5
        for command in ("REPLICAOF NO ONE", "FLUSHALL", "SHUTDOWN", "CONFIG SET dir /tmp", "ACL SETUSER x on"):
            with pytest.raises(NoPermissionError):
                await connection.client.execute_command(*command.split())


async def test_the_second_attaches_and_the_last_one_out_ends_it(home):
    async with embedded(data_dir=home.data_dir) as first:
        pid = home.state()["server_pid"]
        async with embedded(data_dir=home.data_dir) as second:
            assert second.url == first.url
            assert home.state()["server_pid"] == pid
        async with await open_connection(first.url, client_name="test") as connection:
            assert await connection.client.ping()
            assert connection.server.pid == pid
    wait_for_end(home)
    assert not home.socket.exists()
    assert home.state() == {}


async def test_what_was_written_is_there_at_the_next_start(home):
    async with (
        embedded(data_dir=home.data_dir) as server,
        await open_connection(server.url, client_name="test") as connection,
    ):
        await connection.client.set("k", "v")
    async with (
        embedded(data_dir=home.data_dir) as server,
        await open_connection(server.url, client_name="test") as connection,
    ):
        assert await connection.client.get("k") == b"v"
        assert server.notes == []


async def test_many_that_come_at_once_share_one_server(home):
    servers = [EmbeddedServer(home.data_dir) for _ in range(5)]
    await asyncio.gather(*(asyncio.to_thread(server.open) for server in servers))
    state = home.state()
    log = (home.logs / "server.log").read_text()
    assert log.count("Ready to accept connections") == 1
    for server in servers:
        server.close()
        server.close()
    assert state["server_pid"] > 0


async def test_leaving_and_coming_back_at_once_waits_for_the_end(home):
    for _ in range(3):
        async with (
            embedded(data_dir=home.data_dir) as server,
            await open_connection(server.url, client_name="test") as connection,
        ):
            number = await connection.client.incr("n")
    assert number == 3


async def test_who_comes_back_at_once_can_see_what_is_waited_for(home):
    home.prepare()
    last_session = home.lock("attached")
    assert last_session.try_exclusive()
    opening = []

    async def come_back():
        async with embedded(data_dir=home.data_dir, opening=opening.append):
            return opening[0].waits_for

    coming = asyncio.create_task(come_back())
    async with asyncio.timeout(60):
        while not opening or not opening[0].waits_for:
            await asyncio.sleep(0.01)
    assert opening[0].waits_for == "the last session's jobs"
    last_session.close()
    assert await coming == ""


async def test_a_worker_that_cannot_start_is_told_with_its_last_words(home):
    async with embedded(data_dir=home.data_dir, target="no_such_module:app") as server:
        async with asyncio.timeout(60):
            while not server.worker_trouble():
                await asyncio.sleep(0.02)
        assert "no_such_module" in server.worker_trouble() or "worker" in server.worker_trouble()
        assert not server.worker_trouble().startswith("quarterdeck:")
        assert server.target == "no_such_module:app"
        async with embedded(data_dir=home.data_dir, target="other:app") as second:
            assert "no_such_module:app" in second.notes[0]
            assert second.target == "no_such_module:app"


async def test_a_worker_is_started_for_the_first_who_wants_one(home):
    async with embedded(data_dir=home.data_dir):
        assert home.state()["target"] is None
        async with embedded(data_dir=home.data_dir, target="no_such_module:app") as second:
            async with asyncio.timeout(60):
                while home.state().get("target") is None:
                    await asyncio.sleep(0.02)
            assert second.notes == []


async def test_a_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedError) as caught:
        async with embedded(data_dir=tmp_path / "file" / "data"):
            pass
    assert str(tmp_path / "file") in caught.value.message
    assert "QUARTERDECK_DATA_DIR" in caught.value.cure
    assert caught.value.exit_status == 3


async def test_a_damaged_journal_is_named_with_its_cure(home):
    async with (
        embedded(data_dir=home.data_dir) as server,
        await open_connection(server.url, client_name="test") as connection,
    ):
        for number in range(50):
            await connection.client.set(f"k{number}", "v" * 50)
    wait_for_end(home)
    journal = next(home.data.glob("appendonlydir/*.incr.aof"))
    data = journal.read_bytes()
    journal.write_bytes(data[: len(data) // 2] + b"garbage" * 9 + data[len(data) // 2 :])
    with pytest.raises(EmbeddedError) as caught:
        async with embedded(data_dir=home.data_dir):
            pass
    assert "append only file" in caught.value.message
    assert str(home.data) in caught.value.cure


async def test_a_long_path_gets_a_short_socket(tmp_path):
    home = Home(tmp_path / ("long" * 40))
    assert len(str(home.socket)) <= SOCKET_LIMIT
    async with (
        embedded(data_dir=home.data_dir) as server,
        await open_connection(server.url, client_name="test") as connection,
    ):
        assert await connection.client.ping()
    wait_for_end(home)
    home.socket.parent.rmdir()


async def test_a_path_with_spaces_and_quotes(tmp_path):
    home = Home(tmp_path / 'Application "Support" \\ é')
    async with (
        embedded(data_dir=home.data_dir) as server,
        await open_connection(server.url, client_name="test") as connection,
    ):
        assert await connection.client.ping()
    wait_for_end(home)


async def test_a_cancelled_start_leaves_nothing_attached(home):
    task = asyncio.ensure_future(embedded(data_dir=home.data_dir).__aenter__())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # Whoever comes next gets a server, and the end comes when that one leaves.
    async with embedded(data_dir=home.data_dir):
        pass
    wait_for_end(home)


def test_closing_before_opening_is_legal_and_keeps_it_closed(home):
    server = EmbeddedServer(home.data_dir)
    server.close()
    with pytest.raises(EmbeddedError):
        server.open()


def test_attaching_imports_no_client(tmp_path):
    code = "import quarterdeck.broker.embedded, sys; print([m for m in ('redis', 'saq', 'valkey') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert found.stdout.strip() == "[]"
