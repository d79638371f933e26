"""The way out to the terminal: never blocks, holds one piece, and can throw away what was not taken."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import termios
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator


class Outlet:
    """Writes to a terminal from an event loop.

    ``O_NONBLOCK`` belongs to the open file, which the shell shares, so the terminal is opened anew; where that is
    refused (after ``su`` its device belongs to another user) the flag is set for the moment of each write only.
    """

    def __init__(self, fileno: int, loop: asyncio.AbstractEventLoop, drained: Callable[[], None]) -> None:
        self._loop: Final = loop
        self._drained: Final = drained
        self._rest = b""
        self._watching = False
        self._closed = False
        own = _reopen(fileno)
        self._own: Final = own is not None
        self.fileno: Final = fileno if own is None else own

    @property
    def idle(self) -> bool:
        """True when the kernel has taken all that was sent."""
        return not self._rest

    def send(self, data: bytes) -> None:
        """Write now what the terminal takes, the rest when it takes more; ``drained`` is called after that."""
        self._rest += data
        self._flush()

    def discard(self, *, unread: bool) -> bool:
        """Drop what waits here and, with ``unread``, what the kernel holds; True if a sequence may be cut."""
        cut = bool(self._rest)
        self._rest = b""
        self._watch(on=False)
        if unread:
            with contextlib.suppress(termios.error, OSError):
                termios.tcflush(self.fileno, termios.TCOFLUSH)
                cut = True
        return cut

    def force(self, data: bytes, *, within_s: float) -> bool:
        """Write ``data`` before returning, waiting at most ``within_s``; False if it was not all taken."""
        until = time.monotonic() + within_s
        while data:
            taken = self._write(data)
            data = data[taken:]
            left = until - time.monotonic()
            if not data or left <= 0 or self._closed:
                break
            if not taken:
                select.select([], [self.fileno], [], min(left, 0.05))
        return not data

    def close(self) -> None:
        """Stop writing. May be called again."""
        if not self._closed:
            self._closed = True
            self._rest = b""
            self._watch(on=False)
            if self._own:
                os.close(self.fileno)

    def _flush(self) -> None:
        if self._closed:
            self._rest = b""
            return
        taken = self._write(self._rest)
        self._rest = self._rest[taken:]
        self._watch(on=bool(self._rest))

    def _ready(self) -> None:
        self._flush()
        if not self._rest and not self._closed:
            self._drained()

    def _watch(self, *, on: bool) -> None:
        if on == self._watching:
            return
        self._watching = on
        if on:
            self._loop.add_writer(self.fileno, self._ready)
        else:
            self._loop.remove_writer(self.fileno)

    def _write(self, data: bytes) -> int:
        with contextlib.nullcontext() if self._own else _nonblocking(self.fileno):
            try:
                return os.write(self.fileno, data)
            except BlockingIOError:
                return 0
            except OSError:
                # The terminal is gone; reading from it will say so and end the app.
                self._closed = True
                return len(data)


def _reopen(fileno: int) -> int | None:
    """The same terminal, opened anew and non-blocking; None where that is not allowed."""
    with contextlib.suppress(OSError):
        name = os.ttyname(fileno)
        own = os.open(name, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        if os.fstat(own).st_rdev == os.fstat(fileno).st_rdev:
            return own
        os.close(own)
    return None


@contextlib.contextmanager
def _nonblocking(fileno: int) -> Iterator[None]:
    flags = fcntl.fcntl(fileno, fcntl.F_GETFL)
    fcntl.fcntl(fileno, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    try:
        yield
    finally:
        fcntl.fcntl(fileno, fcntl.F_SETFL, flags)
