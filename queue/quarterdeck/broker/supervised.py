"""A process that the supervisor keeps running: its command, its kernel lock, its bounded log, its back-off."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from typing import IO

from quarterdeck.broker.bounded_log import BoundedLog
from quarterdeck.broker.embedded_home import Home

BACKOFF_BASE_S = 0.5
BACKOFF_CAP_S = 30.0
STEADY_S = 30.0
"""A child that lived this long starts its back-off anew."""


class Child:
    """One child. It inherits its lock, so that the lock is held for exactly as long as it (or a fork of it) lives."""

    def __init__(self, home: Home, name: str) -> None:
        self.home = home
        self.name = name
        self.log = BoundedLog(home.logs / f"{name}.log")
        self.process: subprocess.Popen[bytes] | None = None
        self.due_at = 0.0
        self.failures = 0
        self.last_status: int | None = None
        self.started_at = 0.0
        self._told: set[int] = set()

    def start(
        self,
        command: list[str],
        *,
        configuration: str | None = None,
        env: dict[str, str] | None = None,
        cwd: str | None = None,
    ) -> IO[bytes]:
        """Start it and return the pipe of what it prints, which does not block; `configuration` goes to its stdin."""
        lock = self.home.lock(self.name)
        lock.try_exclusive()
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own programs
                command,
                stdin=subprocess.DEVNULL if configuration is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                pass_fds=(lock.fd,),
            )
        finally:
            lock.close()
        if configuration is not None and self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError), self.process.stdin as stdin:
                stdin.write(configuration.encode())
        self.started_at = time.monotonic()
        self._told.clear()
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        return self.process.stdout

    @property
    def pid(self) -> int:
        """Its process id, 0 when it does not run."""
        return self.process.pid if self.process is not None else 0

    def ended(self) -> bool:
        """Whether it has ended since the last call; notes how, and when it may be started again."""
        if self.process is None or self.process.poll() is None:
            return False
        self.last_status = self.process.returncode
        now = time.monotonic()
        self.failures = 1 if now - self.started_at > STEADY_S else self.failures + 1
        self.due_at = now + min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2 ** (self.failures - 1))
        self.process = None
        return True

    def end(self, *, by_force: bool = False) -> None:
        """Ask it to end in order, or end it; each is sent once, since a second SIGTERM may mean hurry."""
        number = signal.SIGKILL if by_force else signal.SIGTERM
        if self.process is not None and number not in self._told:
            self._told.add(number)
            self.process.send_signal(number)

    def end_and_wait(self, grace_s: float) -> None:
        """End it in order, after `grace_s` by force, and return when it is gone. What it prints is dropped."""
        process = self.process
        if process is None:
            return
        if process.stdout is not None:
            process.stdout.close()  # it must not wait for a reader
        self.end()
        try:
            process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self.end(by_force=True)
            process.wait()
        self.process = None
