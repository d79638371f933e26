"""Running the app so that every ending gives the terminal back and tells the shell the truth.

=====================  ======  =====================================================================
ending                 status  how
=====================  ======  =====================================================================
SIGTERM                143     the app leaves in order; forced when it has not after the grace time
SIGHUP, terminal gone  129     the same
SIGINT                 130     the same (a key in raw mode is no signal; this one came from outside)
crash                  1       its traceback is printed after the terminal was restored
SIGKILL, ``_exit``     137, n  by the parent, see :mod:`tui.terminal.guardian`
=====================  ======  =====================================================================
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import termios
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any, Final

from tui.terminal import guardian, prelude

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from textual.app import App

GRACE_S: Final = 3.0
"""How long an app that was told to end may take before it is ended."""

_SAME_SIGNAL_S: Final = 0.5
"""A signal to the process group arrives twice: directly and by the guardian."""

_ENDINGS: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def run(app: App[Any], *, mouse: bool = True) -> int:
    """Run ``app`` until it ends; the status for ``sys.exit``.

    Exceptions that bare tasks and threads would swallow end the app with status 1, like those of its handlers.
    """
    endings = _Endings(app)

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(endings.on_task)
        await app.run_async(mouse=mouse)

    with endings.installed(), _held(app):
        asyncio.run(main())
    return app.return_code or 0


@contextlib.contextmanager
def _held(app: App[Any]) -> Iterator[None]:
    """Tell the guardian that the terminal is in use, for a driver that does not say so itself."""
    bond = guardian.bond()
    if bond is None or getattr(app.driver_class, "tells_the_guardian", False):
        yield
        return
    bond.take()
    try:
        yield
    finally:
        bond.release()


class _Endings:
    """Turns signals and stray exceptions into an ordered end of one app."""

    def __init__(self, app: App[Any]) -> None:
        self._app: Final = app
        self._first_at: float | None = None
        self._status = 0
        self._termios: list[Any] | None = None
        with contextlib.suppress(termios.error):
            self._termios = prelude.before() or termios.tcgetattr(0)

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Catch signals and what threads raise inside the block."""
        before = {number: signal.signal(number, self._on_signal) for number in _ENDINGS if _minded(number)}
        hook, threading.excepthook = threading.excepthook, self._on_thread
        try:
            yield
        finally:
            threading.excepthook = hook
            for number, handler in before.items():
                signal.signal(number, handler)

    def on_task(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What asyncio calls for an exception that nobody awaited."""
        error = context.get("exception")
        if isinstance(error, Exception):
            self._end(1, "".join(traceback.format_exception(error)))
        else:
            loop.default_exception_handler(context)

    def _on_thread(self, args: threading.ExceptHookArgs) -> None:
        self._end(1, "".join(traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback)))

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._first_at is not None:
            if now - self._first_at > _SAME_SIGNAL_S:
                self._force()
            return
        self._first_at, self._status = now, 128 + number
        timer = threading.Timer(GRACE_S, self._force)
        timer.daemon = True
        timer.start()
        self._end(self._status)

    def _end(self, status: int, message: str | None = None) -> None:
        loop = self._app._loop
        if loop is None:
            raise SystemExit(status)
        # The loop may be closed already: then the app is past its end.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: self._app.exit(return_code=status, message=message))

    def _force(self) -> None:
        """The loop does not turn: restore the terminal from here and go. Runs in any thread."""
        guardian.restore(1, self._termios)
        os._exit(self._status)


def _minded(number: int) -> bool:
    """False for a signal that whoever started us wants ignored (``nohup``)."""
    return signal.getsignal(number) != signal.SIG_IGN
