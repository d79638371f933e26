"""The embedded server, as a dashboard or command sees it: attach, and be the last one out or not.

    async with embedded(target="tasks:app") as server:
        server.url, server.notes

The first one in starts a supervisor (`quarterdeck.broker.supervisor`), which runs Valkey and a worker; others attach
to what runs. Each holds a shared kernel lock while it is there, so that a SIGKILL is as good as leaving in order.
Neither redis nor saq is imported.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from quarterdeck.broker.embedded_home import Home, server_binary
from quarterdeck.broker.filelock import FileLock
from quarterdeck.errors import EmbeddedError

WAIT_S = 60.0
"""How long to wait for a server that starts (a large journal is replayed) or for one that shuts down."""
WATCH_S = 2.0
NOTEWORTHY_S = 1.0
WORKER_STEADY_S = 5.0
_POLL_S = 0.01
_PING_S = 2.0


class EmbeddedServer:
    """The attachment to the embedded server of one data directory.

    `url` is where it listens, `notes` are sentences for the operator ("Recovered: …"), `target` is the app that its
    worker runs, which an earlier dashboard may have chosen.
    """

    def __init__(self, data_dir: Path, target: str | None = None) -> None:
        self.home = Home(data_dir)
        self.wanted = target
        self.target = target
        self.notes: list[str] = []
        self.waits_for = ""
        """What `open` waits for at this moment, in a few words, where that may take seconds."""
        self._attached: FileLock | None = None
        self._closed = threading.Event()

    @property
    def url(self) -> str:
        """The server's URL (a Unix socket)."""
        return self.home.url

    @property
    def logs(self) -> Path:
        """The directory of `server.log`, `worker.log` and `supervisor.log`."""
        return self.home.logs

    def worker_trouble(self) -> str:
        """Why the worker ended, as the last line of its log says it; empty when it runs steadily or none is wanted."""
        state = self.home.state()
        steady = state.get("worker_pid") and time.time() - float(state.get("worker_since", 0)) > WORKER_STEADY_S
        if steady:
            return ""
        from quarterdeck.text import clean

        return clean(str(state.get("worker_trouble", "")))

    def open(self) -> None:
        """Attach, starting the server if there is none. Blocks; raises `EmbeddedError`."""
        self.home.prepare()
        deadline = time.monotonic() + WAIT_S
        attached = self.home.lock("attached")
        try:
            if not attached.try_shared():
                began = time.monotonic()
                self.waits_for = "the last session's jobs"
                self._wait(attached.try_shared, deadline, "The last session's embedded server does not end.")
                self.waits_for = ""
                if time.monotonic() - began > NOTEWORTHY_S:
                    self.notes.append("Waited for the last session's worker to hand back its jobs.")
            self._ensure(deadline)
        except BaseException:
            attached.close()
            raise
        self._attached = attached
        if self._closed.is_set():  # the one who waited for us has gone meanwhile
            self.close()

    def close(self) -> None:
        """Let go; the last one to do so ends the server. Safe to call twice, and before `open` is through."""
        self._closed.set()
        if self._attached is not None:
            self._attached.close()
            self._attached = None

    def watch(self) -> None:
        """Start a new supervisor if the old one was killed. Blocks for as long as that takes."""
        if self._attached is not None:
            self._ensure(time.monotonic() + WAIT_S, must_answer=False)

    def _ensure(self, deadline: float, *, must_answer: bool = True) -> None:
        """Have a supervisor: find the one that lives, or start one. One at a time does this, by the lock `starting`."""
        while True:
            starting = self.home.lock("starting")
            alone = self.home.lock("supervisor")
            try:
                self._wait(starting.try_exclusive, deadline, "Another dashboard is still starting the server.")
                if alone.try_exclusive():
                    self._start(alone, starting, deadline)
                    return
                if not must_answer:
                    return
                if _answers(self.home.socket):
                    self._meet()
                    return
            finally:
                starting.close()
                alone.close()
            # It lives but does not answer: it is just ending, or restarting its server.
            time.sleep(_POLL_S)
            self._check(deadline, f"The embedded server in {self.home.data_dir} does not answer.")

    def _start(self, alone: FileLock, starting: FileLock, deadline: float) -> None:
        """Start a supervisor, which inherits both locks, and wait for its one line."""
        server_binary()
        read_fd, write_fd = os.pipe()
        spec = {
            "data_dir": str(self.home.data_dir),
            "target": self.wanted,
            "cwd": str(Path.cwd()),
            "ready_fd": write_fd,
            "supervisor_fd": alone.fd,
            "starting_fd": starting.fd,
        }
        command = [sys.executable, "-m", "quarterdeck.broker.supervisor", json.dumps(spec)]
        try:
            subprocess.run(  # noqa: S603 - ourselves
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(alone.fd, starting.fd, write_fd),
                start_new_session=True,
                check=False,
            )
        finally:
            os.close(write_fd)
        try:
            answer = self._read_line(read_fd, deadline)
        finally:
            os.close(read_fd)
        if "url" not in answer:
            raise EmbeddedError(str(answer.get("error", "")), str(answer.get("cure", "")))
        self.notes.extend(answer.get("notes", ()))

    def _read_line(self, fd: int, deadline: float) -> dict[str, Any]:
        data = b""
        while not data.endswith(b"\n"):
            ready, _, _ = select.select([fd], [], [], 0.1)
            part = os.read(fd, 65536) if ready else b""
            if ready and not part:
                raise EmbeddedError(
                    "The embedded server's supervisor ended without a word.", f"See {self.logs / 'supervisor.log'}."
                )
            data += part
            self._check(deadline, f"The embedded server in {self.home.data_dir} does not get ready.")
        answer: dict[str, Any] = json.loads(data)
        return answer

    def _meet(self) -> None:
        """Look at what an earlier dashboard has started, and ask for a worker when it has none."""
        state = self.home.state()
        self.target = state.get("target")
        if self.wanted and self.target is None and state.get("supervisor_pid"):
            self.home.write_request({"target": self.wanted, "cwd": str(Path.cwd())})
            # The lock `supervisor` is held, so the pid is its own.
            os.kill(int(state["supervisor_pid"]), signal.SIGUSR1)
            self.target = self.wanted
        elif self.wanted and self.target != self.wanted:
            self.notes.append(
                f"The embedded server runs {self.target} for an earlier dashboard; "
                f"{self.wanted} can start when all have left."
            )

    def _wait(self, done: Callable[[], bool], deadline: float, message: str) -> None:
        """Poll until `done()`; raises `EmbeddedError` after the deadline, or when we were closed meanwhile."""
        while not done():
            self._check(deadline, message)
            time.sleep(_POLL_S)

    def _check(self, deadline: float, message: str) -> None:
        if self._closed.is_set() or time.monotonic() > deadline:
            raise EmbeddedError(message, f"See {self.logs}, or set QUARTERDECK_DATA_DIR to another directory.")


@contextlib.asynccontextmanager
async def embedded(
    *,
    data_dir: Path | str | None = None,
    target: str | None = None,
    opening: Callable[[EmbeddedServer], None] | None = None,
) -> AsyncIterator[EmbeddedServer]:
    """Attach to the embedded server of `data_dir` (the user's, unless told), starting it and a worker for `target`.

    Without `target` no worker is started. Raises `EmbeddedError` (exit status 3). A supervisor that was killed
    meanwhile is replaced. `opening` is given the attachment before it is there, to see what it waits for.
    """
    if data_dir is None:
        from quarterdeck.settings import data_dir as told  # costs msgspec; the supervisor's side does without

        data_dir = told()
    server = EmbeddedServer(Path(data_dir), target)
    if opening is not None:
        opening(server)
    watching: asyncio.Task[None] | None = None
    try:
        await asyncio.to_thread(server.open)
        watching = asyncio.create_task(_watch(server))
        yield server
    finally:
        server.close()
        if watching is not None:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching


async def _watch(server: EmbeddedServer) -> None:
    while True:
        await asyncio.sleep(WATCH_S)
        try:
            await asyncio.to_thread(server.watch)
        except EmbeddedError as error:  # told once; tried again at the next turn
            if error.message not in server.notes:
                server.notes.append(error.message)


def _answers(path: Path) -> bool:
    """Whether a server takes connections on the socket; one that still loads its data does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PING_S)
        try:
            probe.connect(str(path))
            probe.sendall(b"PING\r\n")
            return probe.recv(16)[:1] in {b"+", b"-"}
        except OSError:
            return False
