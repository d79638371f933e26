"""Several worker processes under one: what dies is started again with back-off, signals are passed on, none is left."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Mapping, Sequence

from quarterdeck.errors import ExitStatus
from quarterdeck.text import count_of

logger = logging.getLogger("quarterdeck.supervisor")

GRACE_S = 30.0
"""How long a worker's jobs may take to finish at a stop, unless told."""
FIRST_DELAY_S = 0.5
LAST_DELAY_S = 30.0
STEADY_S = 60.0
"""A process that ran this long was well: its next restart is quick again."""
MARGIN_S = 5.0
"""How much longer than the grace time a process may take before it is killed."""
PARENT_VARIABLE = "QUARTERDECK_PARENT_FD"
"""Names the pipe whose end tells a worker process that its supervisor is gone."""


class Supervisor:
    """Keeps `processes` copies of `command` running until told to stop.

    `commands[i]` starts the i-th. A process that ends with status 0 has been told to stop and stays away; usage errors
    (2) would repeat themselves and end all; any other end, a signal included, is followed by a restart. `grace_s` is
    the processes' own time to finish; those that take longer than that and a margin are killed.
    """

    def __init__(
        self, commands: Sequence[Sequence[str]], *, grace_s: float = GRACE_S, environ: Mapping[str, str] | None = None
    ) -> None:
        self._commands = commands
        self._grace_s = grace_s
        self._environ = dict(os.environ if environ is None else environ)
        self._stop = asyncio.Event()
        self._running: dict[int, asyncio.subprocess.Process] = {}
        self._status = int(ExitStatus.DONE)
        self.restarts = 0

    @property
    def pids(self) -> list[int]:
        """The process ids of those that run now."""
        return [process.pid for process in self._running.values()]

    async def run(self) -> int:
        """Run until stopped, or until all have ended of themselves; the exit status."""
        loop = asyncio.get_running_loop()
        numbers = endings((signal.SIGTERM, signal.SIGINT))
        for number in numbers:
            loop.add_signal_handler(number, self.stop, number)
        read_end, write_end = os.pipe()  # its end, however this process ends, tells the others to stop
        try:
            await asyncio.gather(*(self._keep(index, read_end) for index in range(len(self._commands))))
        finally:
            os.close(read_end)
            os.close(write_end)
            for number in numbers:
                loop.remove_signal_handler(number)
        return self._status

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop all in order; safe to call twice, which passes the signal on again."""
        if not self._stop.is_set():
            logger.info(
                "stopping %s (%s)", count_of(len(self._running), "process", "processes"), signal.Signals(number).name
            )
        self._stop.set()
        for process in list(self._running.values()):
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)

    async def _keep(self, index: int, read_end: int) -> None:
        delay_s = FIRST_DELAY_S
        while not self._stop.is_set():
            started = time.monotonic()
            status = await self._once(index, read_end)
            if self._stop.is_set() or status == ExitStatus.DONE:
                return
            if status == ExitStatus.USAGE:
                self._status = status
                self.stop()
                return
            delay_s = FIRST_DELAY_S if time.monotonic() - started >= STEADY_S else delay_s
            logger.warning("process %d ended %s; it starts again in %.1f s", index + 1, ending(status), delay_s)
            if await self._stopped_within(delay_s):
                return
            delay_s = min(delay_s * 2, LAST_DELAY_S)
            self.restarts += 1

    async def _once(self, index: int, read_end: int) -> int:
        environ = {**self._environ, PARENT_VARIABLE: str(read_end)}
        process = await asyncio.create_subprocess_exec(
            *self._commands[index], env=environ, pass_fds=(read_end,), stdin=asyncio.subprocess.DEVNULL
        )
        self._running[index] = process
        logger.info("process %d is pid %d", index + 1, process.pid)
        if self._stop.is_set():  # told to stop between the fork and here
            process.send_signal(signal.SIGTERM)
        try:
            return await self._ended(process)
        finally:
            del self._running[index]

    async def _ended(self, process: asyncio.subprocess.Process) -> int:
        """Wait for the end of a process; once stopping, for the grace time and a margin only."""
        waiting = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not waiting.done():
            await asyncio.wait({waiting}, timeout=self._grace_s + MARGIN_S)
        if not waiting.done():
            logger.warning("pid %d did not stop within %.0f s and is killed", process.pid, self._grace_s + MARGIN_S)
            process.kill()
        return await waiting

    async def _stopped_within(self, delay_s: float) -> bool:
        try:
            await asyncio.wait_for(self._stop.wait(), delay_s)
        except TimeoutError:
            return False
        return True


def endings(numbers: Sequence[int]) -> list[int]:
    """The signals that stop a worker in order: `numbers` and, unless it is ignored (nohup), the terminal's hang-up.
    None when there are none in `numbers`, as in another program's thread."""
    if not numbers or signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return list(numbers)
    return [*numbers, signal.SIGHUP]


def ending(status: int) -> str:
    """An exit status in words: `with status 1`, `by SIGKILL`."""
    if status >= 0:
        return f"with status {status}"
    try:
        return f"by {signal.Signals(-status).name}"
    except ValueError:
        return f"by signal {-status}"


def watch_parent() -> None:
    """In a worker process: stop in order, by SIGTERM to oneself, when the supervisor is gone. Needs a running loop."""
    descriptor = os.environ.pop(PARENT_VARIABLE, "")
    if not descriptor:
        return
    loop = asyncio.get_running_loop()
    number = int(descriptor)

    def gone() -> None:
        loop.remove_reader(number)
        logger.warning("the supervisor is gone: stopping")
        os.kill(os.getpid(), signal.SIGTERM)

    loop.add_reader(number, gone)
