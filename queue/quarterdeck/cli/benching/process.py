"""A contender's process, seen from the bench: its marks, its answer, its end."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

import quarterdeck
from quarterdeck.cli.benching.load import Load
from quarterdeck.cli.benching.mark import Mark
from quarterdeck.errors import QuarterdeckError

PATIENCE_S: Final = 120.0
LEAVE_S: Final = 5.0
_SOURCE: Final = str(Path(quarterdeck.__file__).parents[1])


class BenchError(QuarterdeckError):
    """A contender did not do what it was told."""


class Contestant:
    """A started process of a contender: `with Contestant(module, role, load) as it: it.mark(...)`."""

    def __init__(self, module: str, role: str, load: Load) -> None:
        self.name = f"{module.removesuffix('_peer')} {role}"
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        environment = load.environment()
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (_SOURCE, environment.get("PYTHONPATH"))))
        command = [sys.executable, "-m", f"quarterdeck.cli.benching.peers.{module}", role]
        self.process = subprocess.Popen(  # noqa: S603 - our own module
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,
        )
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put(None)

    def _next(self, end_s: float) -> bytes:
        try:
            line = self._lines.get(timeout=max(0.0, end_s - time.monotonic()))
        except queue.Empty:
            raise BenchError(f"{self.name} did not come to its end in {PATIENCE_S:g} s.", self.trouble()) from None
        if line is None:
            raise BenchError(f"{self.name} ended too early.", self.trouble())
        return line

    def mark(self, enough: Callable[[Mark], bool]) -> Mark:
        """Wait for the first mark that is enough. Raises BenchError."""
        end_s = time.monotonic() + PATIENCE_S
        while True:
            line = self._next(end_s)
            if line.startswith(b'{"at_s"') and enough(mark := msgspec.json.decode(line, type=Mark)):
                return mark

    def answer(self) -> Any:
        """Wait for what the role returns. Raises BenchError."""
        end_s = time.monotonic() + PATIENCE_S
        while True:
            line = self._next(end_s)
            if line.startswith(b'{"answer"'):
                return msgspec.json.decode(line)["answer"]

    def cpu_s(self) -> float:
        """CPU that the process has used so far, its threads included (Linux)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def trouble(self) -> str:
        """The last of what it said on stderr."""
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        return " / ".join(lines[-3:])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the process and what it started: a group of its own."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                break
            try:
                self.process.wait(LEAVE_S)
            except subprocess.TimeoutExpired:
                continue
        self.process.wait(LEAVE_S)
        self._log.close()


def ask(module: str, role: str, load: Load) -> Any:
    """Let a contender play a role to its end; its answer. Raises BenchError."""
    with Contestant(module, role, load) as contestant:
        return contestant.answer()
