"""The supervisor of the embedded server: `python -m quarterdeck.broker.supervisor SPEC`, started by `embedded`.

It runs Valkey and one worker process for as long as any dashboard holds the shared lock `attached`, restarts what
dies, and shuts both down in order when the last dashboard is gone. It has a session of its own, so that no Ctrl-C and
no hang-up of a terminal reaches it, and nothing depends on the dashboard that happened to start it.

It speaks once, on the pipe `ready_fd`: `{"url": …, "notes": […]}` or `{"error": …, "cure": …}`, one line.
Little is imported, since the first start waits for it.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

from quarterdeck.broker.bounded_log import LIMIT_BYTES, tail
from quarterdeck.broker.embedded_home import Home, server_binary
from quarterdeck.broker.filelock import FileLock
from quarterdeck.broker.supervised import Child
from quarterdeck.errors import EmbeddedError

READY = b"Ready to accept connections"
JOB_GRACE_S = 8.0
"""How long jobs may go on when the last dashboard has left; whoever comes back at once waits that long at most."""
WORKER_GRACE_S = 15.0
"""How long the worker may take to end and hand back its jobs; then it is killed, and rescue takes them later."""
SERVER_GRACE_S = 30.0
ORPHAN_GRACE_S = 10.0


class Supervisor:
    """The life of one embedded server: start, watch, shut down."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.home = Home(Path(spec["data_dir"]))
        self.ready_fd: int = spec["ready_fd"]
        self.alone = FileLock.adopt(spec["supervisor_fd"])
        self.starting = FileLock.adopt(spec["starting_fd"])
        # Opened after `alone`: on a crash the kernel closes in order, and who attaches must find `alone` free.
        self.attached = self.home.lock("attached")
        self.target: str | None = spec.get("target")
        self.cwd: str = spec["cwd"]
        self.notes: list[str] = []
        self.stopping_at = 0.0
        self.wake_read, self.wake_write = os.pipe()
        self.selector = selectors.DefaultSelector()
        self.server = Child(self.home, "server")
        self.worker = Child(self.home, "worker")

    def run(self) -> int:
        """Start, say that it is ready, then watch until the last dashboard has gone."""
        self._catch_signals()
        try:
            self._recover()
            self._start_server()
            self._await_ready()
        except (EmbeddedError, OSError) as error:
            self.server.end(by_force=True)
            _say(self.ready_fd, {"error": getattr(error, "message", str(error)), "cure": getattr(error, "cure", "")})
            return 1
        self._write_state()
        _say(self.ready_fd, {"url": self.home.url, "notes": self.notes})
        self.starting.close()
        threading.Thread(target=self._await_last_dashboard, daemon=True).start()
        try:
            while self._step():
                pass
        except BaseException:
            # A bug, or a directory that was removed under us: leave nothing running that nobody watches.
            for child in (self.worker, self.server):
                child.end_and_wait(WORKER_GRACE_S)
            raise
        self.home.state_file.unlink(missing_ok=True)
        # In this order: whoever gets the shared lock next must not take us for alive.
        self.alone.close()
        self.attached.close()
        return 0

    # Starting.

    def _catch_signals(self) -> None:
        os.set_blocking(self.wake_read, False)
        os.set_blocking(self.wake_write, False)
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.signal(signal.SIGTERM, lambda _number, _frame: self._begin_stop())
        signal.signal(signal.SIGUSR1, lambda _number, _frame: self._take_request())
        self.selector.register(self.wake_read, selectors.EVENT_READ, None)

    def _recover(self) -> None:
        """End what a killed predecessor left running, and remove the socket that it left behind."""
        state = self.home.state()
        for name in ("worker", "server"):
            lock = self.home.lock(name)
            if not lock.try_exclusive():
                self._end_orphan(name, int(state.get(f"{name}_pid", 0)), lock)
            lock.close()
        if self.home.socket.is_socket() or self.home.socket.is_symlink():
            self.home.socket.unlink()
            self.notes.append(
                "Recovered: the last session's server was killed and left a stale socket; its journal was replayed."
            )

    def _end_orphan(self, name: str, pid: int, lock: FileLock) -> None:
        """Shut down a server or worker whose supervisor was killed: in order, then by force."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            # The lock is held, so the process whose pid was written lives, and the pid is still its own.
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            deadline = time.monotonic() + ORPHAN_GRACE_S
            while time.monotonic() < deadline:
                if lock.try_exclusive():
                    how = "in order" if number == signal.SIGTERM else "by force"
                    self.notes.append(
                        f"Recovered: the last session's supervisor was killed; the {name} that it left "
                        f"(pid {pid}) was shut down {how}."
                    )
                    return
                time.sleep(0.01)
        raise EmbeddedError(
            f"A {name} of an earlier session still holds {self.home.data_dir} and can't be ended.",
            f"End the process that holds {self.home.locks / name} (lsof tells which).",
        )

    def _start_server(self) -> None:
        pipe = self.server.start([str(server_binary()), "-"], configuration=self.home.configuration())
        self._listen(self.server, pipe)

    def _start_worker(self) -> None:
        # The worker gets our own environment, with the server's URL in place of what it named.
        drop = {"QUARTERDECK_ENV", "QUARTERDECK_URL"}
        env = {name: value for name, value in os.environ.items() if name not in drop}
        env |= {"QUARTERDECK_URL": self.home.url, "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "quarterdeck", "worker", self.target or "", "--grace-s", f"{JOB_GRACE_S:g}"]
        self._listen(self.worker, self.worker.start(command, env=env, cwd=self.cwd))

    def _await_ready(self) -> None:
        """Read the server's log until it takes connections; replaying a large journal may take its time."""
        seen = b""
        while READY not in seen:
            for key, _ in self.selector.select(1.0):
                if key.data is None:
                    self._drain_wake()
                else:
                    seen = (seen + self._pump(*key.data))[-65536:]
            if self.server.ended() and READY not in seen:
                raise EmbeddedError(*self._server_failure())

    def _server_failure(self) -> tuple[str, str]:
        for key in list(self.selector.get_map().values()):  # its last words
            if key.data is not None:
                self._pump(*key.data)
        lines = tail(self.home.logs / "server.log", 3)
        text = " / ".join(line.split(" # ")[-1].split(" * ")[-1].strip() for line in lines)
        cure = f"See {self.home.logs / 'server.log'}."
        if "append only file" in text.lower() or "AOF" in text:
            cure = f"The journal is damaged: move {self.home.data} away to start empty; valkey-check-aof may mend it."
        return f"The embedded server in {self.home.data_dir} did not start: {text}.", cure

    # Watching.

    def _await_last_dashboard(self) -> None:
        """In a thread: block until nobody holds the shared lock, then wake the loop. New ones are kept out by it."""
        self.attached.wait_exclusive()
        self._begin_stop()

    def _begin_stop(self) -> None:
        self.stopping_at = self.stopping_at or time.monotonic()
        with contextlib.suppress(BlockingIOError):
            os.write(self.wake_write, b"s")

    def _take_request(self) -> None:
        """A later dashboard asks for a worker (SIGUSR1); granted when there is none yet."""
        request = self.home.request()
        if self.target is None and request.get("target"):
            self.target, self.cwd = request["target"], request["cwd"]

    def _step(self) -> bool:
        """Wait for one event and act on it; False when all is shut down."""
        for key, _ in self.selector.select(self._patience()):
            if key.data is None:
                self._drain_wake()
            else:
                self._pump(*key.data)
        changed = [child for child in (self.server, self.worker) if child.ended()]
        if self.server in changed and not self.stopping_at:
            self.notes.append(f"The server ended (status {self.server.last_status}) and was started again.")
        if self.stopping_at:
            self._stop()
        elif self._restart():
            changed.append(self.server)
        if changed:
            self._write_state()
        return not self.stopping_at or bool(self.server.pid or self.worker.pid)

    def _patience(self) -> float | None:
        """Seconds until something must be done that no event announces."""
        if self.stopping_at:
            return 0.5
        waiting = [child.due_at for child in self._missing()]
        return max(0.0, min(waiting) - time.monotonic()) if waiting else None

    def _missing(self) -> list[Child]:
        """What should run and does not."""
        wanted = [self.server, self.worker] if self.target else [self.server]
        return [child for child in wanted if not child.pid]

    def _restart(self) -> bool:
        """Start what is due; whether anything was."""
        due = [child for child in self._missing() if time.monotonic() >= child.due_at]
        for child in due:
            if child is self.server:
                self._start_server()
            else:
                self._start_worker()
        return bool(due)

    def _stop(self) -> None:
        """End the worker first, so that it can hand its jobs back, then the server; by force when they don't."""
        waited = time.monotonic() - self.stopping_at
        if self.worker.pid:
            self.worker.end(by_force=waited > WORKER_GRACE_S)
        else:
            self.server.end(by_force=waited > WORKER_GRACE_S + SERVER_GRACE_S)

    # What the children print.

    def _listen(self, child: Child, pipe: IO[bytes]) -> None:
        self.selector.register(pipe, selectors.EVENT_READ, (child, pipe))

    def _pump(self, child: Child, pipe: IO[bytes]) -> bytes:
        """Move what a child has printed into its log, and return it."""
        data = pipe.read(65536)
        if data:
            child.log.write(data)
        elif data is not None:  # not "nothing yet", but the end
            self.selector.unregister(pipe)
            pipe.close()
        return data or b""

    def _drain_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self.wake_read, 4096)

    def _write_state(self) -> None:
        state = {
            "url": self.home.url,
            "target": self.target,
            "supervisor_pid": os.getpid(),
            "server_pid": self.server.pid,
            "worker_pid": self.worker.pid,
            "worker_since": time.time(),
            "worker_trouble": self._worker_trouble(),
            "notes": self.notes,
        }
        with contextlib.suppress(OSError):  # a full disk
            self.home.write_state(state)

    def _worker_trouble(self) -> str:
        """Why the worker ended; empty where it did so in order, or has not."""
        status = self.worker.last_status
        if not status:
            return ""
        if status < 0:  # it had no time to say anything: what its log ends with is about something else
            return f"it was ended by signal {-status} ({signal.strsignal(-status)})"
        last = tail(self.home.logs / "worker.log", 1)
        said = last[0].removeprefix("quarterdeck: ") if last else ""  # who reads it knows who speaks
        return said or f"it ended with status {status}"


def main() -> int:
    """Detach from the process that started us, then supervise."""
    spec = json.loads(sys.argv[1])
    # A second fork: the dashboard has no child that it would have to wait for, and no terminal can be acquired.
    if os.fork():
        os._exit(0)
    os.umask(0o077)
    try:
        log = Home(Path(spec["data_dir"])).logs / "supervisor.log"
        mode = "ab" if log.exists() and log.stat().st_size < LIMIT_BYTES else "wb"
        with log.open(mode) as file:  # the traceback of a bug belongs there
            os.dup2(file.fileno(), sys.stderr.fileno())
        supervisor = Supervisor(spec)
    except OSError as error:  # a full disk, or no file left to open
        _say(spec["ready_fd"], {"error": f"The embedded server can't be started: {error}.", "cure": ""})
        return 1
    return supervisor.run()


def _say(fd: int, message: dict[str, Any]) -> None:
    """Answer whoever started us, once; it may be gone already."""
    with contextlib.suppress(OSError):
        os.write(fd, json.dumps(message).encode() + b"\n")
        os.close(fd)


if __name__ == "__main__":
    sys.exit(main())
