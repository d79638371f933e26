"""A second pair of eyes: a process that asks the server for the first rows while this one still loads the screen.

Half of a start goes into Textual, a quarter into the server's client, and an interpreter does one thing at a time. So
a child is forked off before either is loaded; it connects, reads one `Snapshot`, hands it over a pipe and is gone. It
writes nothing to the server. When it fails in any way it says nothing: the reading loop asks anew, and tells.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from quarterdeck.model import Snapshot
    from quarterdeck.settings import Settings

PATIENCE_S: Final = 4.0
"""How long its answer is waited for once the screen is there; after that the dashboard asks by itself."""
BUSY: Final = 2.0
"""Processes that want to run, for each processor: from there on a second one takes the first one's time."""
_LIFE_S: Final = 10
_NICE: Final = 3
_POLL_S: Final = 0.01


class Lookout:
    """The child that looks. `report` may be awaited once; `close` is legal at any time, any number of times."""

    def __init__(self, pid: int, fd: int) -> None:
        self._pid = pid
        self._fd = fd

    @classmethod
    def send(cls, settings: Settings, view: str | None) -> Lookout | None:
        """Fork, and let the child look at what `--view` named. None where both would have to share one busy processor.

        To be called before any thread is started.
        """
        processors = os.cpu_count() or 1
        if processors < 2 or os.getloadavg()[0] > BUSY * processors:
            return None
        read_fd, write_fd = os.pipe()
        pid = os.fork()
        if pid:
            os.close(write_fd)
            return cls(pid, read_fd)
        try:
            os.close(read_fd)
            _go_quiet()
            _hand_over(write_fd, pickle.dumps(_look(settings, view)))
        finally:  # whatever happened: this is no second dashboard
            os._exit(0)

    async def report(self) -> Snapshot | None:
        """What it saw; None if it saw nothing within `PATIENCE_S`."""
        import asyncio

        # Where the answer is there already the rows come with the first painting: a thread would be too late for it.
        there = bool(select.select([self._fd], [], [], 0)[0])
        data = self._read() if there else await asyncio.to_thread(self._read)
        self.close()
        found: Snapshot | None = pickle.loads(data) if data else None  # noqa: S301  (our own child's)
        return found

    def _read(self) -> bytes:
        """All of it, or nothing."""
        until, data = time.monotonic() + PATIENCE_S, b""
        with os.fdopen(self._fd, "rb", buffering=0) as pipe:
            while select.select([pipe], [], [], max(0.0, until - time.monotonic()))[0]:
                part = pipe.read(1 << 20)
                if not part:
                    return data
                data += part
        return b""

    def close(self) -> None:
        """Call it back."""
        pid, self._pid = self._pid, 0
        if pid:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _go_quiet() -> None:
    """The terminal is not for the child, a busy machine's time neither; and it ends though everyone forgets it."""
    os.nice(_NICE)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(nowhere, fd)
    signal.alarm(_LIFE_S)


def _hand_over(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _look(settings: Settings, view: str | None) -> Snapshot:
    """Read once. Raises QuarterdeckError."""
    # Where it is installed the server's client imports all of it to measure itself: a seventh of what is loaded here.
    sys.modules["opentelemetry"] = None  # type: ignore[assignment]  # as if it were not
    import asyncio

    from quarterdeck.inspect import open_source
    from tui.screens.places import view_opened

    url = settings.url or _embedded_url(settings)

    async def ask() -> Snapshot:
        source = await open_source(url, queues=settings.queues)
        return await source.snapshot(view_opened(view))

    return asyncio.run(ask())


def _embedded_url(settings: Settings) -> str:
    """The embedded server's address, once it takes connections: the dashboard may be starting it just now."""
    from quarterdeck.broker.embedded_home import Home

    home = Home(Path(settings.data_dir))
    while True:
        with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
            probe.connect(str(home.socket))
            return home.url
        time.sleep(_POLL_S)
