"""The driver: Textual paints into it, and the terminal gets what changed, when it can take it.

Textual repaints whole widgets. Here each frame only changes the grid of wanted cells; what goes out is the difference
to the cells the terminal has, at most :data:`~tui.terminal.pacing.WINDOW_BYTES` unacknowledged, and always of the
newest frame. Hand it to the app: ``App(driver_class=driver_class(plain=False))``.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import os
import re
import signal
import sys
import termios
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import constants, events
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size

from tui.terminal import clipboard, guardian, modes, prelude
from tui.terminal.capabilities import Capabilities, detect
from tui.terminal.escapes import EscapeGate
from tui.terminal.keyboard import Keyboard
from tui.terminal.painter import Painter
from tui.terminal.rawmode import RawMode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.app import App
    from textual.driver import Driver
    from textual.message import Message

    from tui.terminal.album import Painting
    from tui.terminal.pacing import LineQuality

_BELL: Final = "\x07"
_CLIPBOARD: Final = re.compile(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07")
_KEY_URGENCY_S: Final = 0.3
"""What is painted this soon after a key is probably what the key did."""

_GLANCE_S: Final = 0.02
"""Time to see why the process was continued, before it takes the terminal."""


class DeckDriver(LinuxDriver):
    """A terminal driver that sends differences and never waits for the terminal."""

    tells_the_guardian: ClassVar[bool] = True
    """The guardian learns from the driver when the terminal is ours, suspension included."""

    ascii_only: ClassVar[bool] = False
    """Paint ASCII look-alikes whatever the locale can show."""

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.capabilities: Final[Capabilities] = detect()
        self._mouse = mouse and not self.capabilities.ssh
        self._out_fd: Final = _terminal_fd(self.fileno)
        self._main_thread: Final = threading.get_ident()
        self._painter: Final = Painter(
            self._loop,
            self.capabilities,
            self._get_terminal_size(),
            ascii_only=self.ascii_only or self.capabilities.ascii,
        )
        self._keyboard: Keyboard | None = None
        self._raw: Final = RawMode(self.fileno, self._out_fd)
        self._key_at = float("-inf")
        self._stopped_by_us = False
        signal.signal(signal.SIGTSTP, self._on_stop_signal)
        signal.signal(signal.SIGCONT, self._on_continue_signal)

    # --- what the app may ask -------------------------------------------------------------------------------

    @property
    def line_quality(self) -> LineQuality:
        """The line to the terminal: round trip, bytes per second, and whether to paint less on it."""
        return self._painter.quality

    def repaint(self) -> None:
        """Send every cell again: the screen was disturbed. ``Ctrl-L`` calls this before the app sees any key."""
        if self._painter.active:
            self._raw.again()
        self._painter.repaint(modes.SETTLE + self._mouse_modes())

    @property
    def mouse(self) -> bool:
        """True while the terminal reports the mouse to us instead of selecting text."""
        return self._mouse

    def painting(self) -> Callable[[str], Painting]:
        """Take note of the screen as it is now; what is returned draws it for the album, when there is time."""
        return self._painter.note()

    def painted(self) -> None:
        """The first painting is whole: no more of it is waited for."""
        self._painter.settled()

    def toggle_mouse(self) -> bool:
        """Switch mouse reports; the new state. They start off over SSH."""
        self._mouse = not self._mouse
        self._painter.add(self._mouse_modes())
        return self._mouse

    def copy(self, text: str, directory: Path | None = None) -> clipboard.Copied:
        """Put ``text`` on the clipboard of the terminal, or into a file; says which. Raises OSError."""
        copied = clipboard.copy(text, self.capabilities, bytes_per_s=self.line_quality.bytes_per_s, directory=directory)
        self._painter.add(copied.sequence)
        return copied

    # --- Textual's side -------------------------------------------------------------------------------------

    def write(self, data: str) -> None:
        """Take a frame, or one of the few things that are not painting and still wanted.

        Those are whole writes of their own: the bell, and a copy to the clipboard. Inside a frame they are dropped.
        """
        if threading.get_ident() != self._main_thread:
            self._loop.call_soon_threadsafe(self.write, data)
        elif data == _BELL:
            self._painter.add(data)
        elif match := _CLIPBOARD.fullmatch(data):
            with contextlib.suppress(binascii.Error):
                self.copy(base64.b64decode(match[1]).decode("utf-8", "replace"))
        else:
            self._painter.take(data, urgent=time.monotonic() - self._key_at < _KEY_URGENCY_S)

    def flush(self) -> None:
        """Nothing: a frame goes out when the loop comes round."""

    def start_application_mode(self) -> None:
        """Take the terminal: raw mode, alternate screen, input thread, and a whole painting."""
        if self._painter.active:
            return
        self._wait_for_foreground()
        signal.signal(signal.SIGWINCH, self._on_resize_signal)
        guard = guardian.bond()
        if guard is not None:
            guard.take()
        early = prelude.take_over()
        feeds = self._raw.enter(None if early is None else early.before)
        self._resized()
        if early is not None and early.painting.size == self._painter.size:
            opening = self._opening().removeprefix(modes.ENTER)
            self._painter.start(self._out_fd, opening, early.painting, early.n_bytes, feeds=feeds)
        else:
            self._painter.start(self._out_fd, self._opening(), feeds=feeds)
        self._listen(guard)
        if self._must_signal_resume:
            self._must_signal_resume = False
            self._post(self.SignalResume())

    def stop_application_mode(self) -> None:
        """Give the terminal back, within half a second on any line. May be called again."""
        if not self._painter.active:
            return
        signal.signal(signal.SIGWINCH, signal.SIG_DFL)
        self._painter.stop()
        self.disable_input()
        self._painter.finish()
        self._raw.leave()
        guard = guardian.bond()
        if guard is not None:
            guard.release()

    def disable_input(self) -> None:
        """Stop reading keys. May be called again."""
        keyboard, self._keyboard = self._keyboard, None
        if keyboard is not None:
            keyboard.stop()
            with contextlib.suppress(termios.error):
                termios.tcflush(self.fileno, termios.TCIFLUSH)

    def close(self) -> None:
        """Nothing: :meth:`stop_application_mode` has done it all."""

    def process_message(self, message: Message) -> None:
        """Hand input to the app. Runs in the input thread."""
        if isinstance(message, events.Key):
            self._key_at = time.monotonic()
            if message.key == "ctrl+l":
                self._loop.call_soon_threadsafe(self.repaint)
                return
        super().process_message(message)

    # --- input ----------------------------------------------------------------------------------------------

    def _listen(self, guard: guardian.Bond | None) -> None:
        self._keyboard = Keyboard(
            self.fileno,
            EscapeGate(escape_s=self.capabilities.escape_ms / 1000),
            message=self.process_message,
            answered=self._painter.hear,
            syncs=self._on_syncs,
            gone=self._on_gone,
            orphaned_fd=None if guard is None else guard.orphaned_fd,
        )
        self._keyboard.start()

    def _on_syncs(self) -> None:
        self._painter.syncs = True

    def _on_gone(self) -> None:
        """Input thread: the terminal hung up, or the guardian was killed."""
        self._loop.call_soon_threadsafe(lambda: self._app.exit(return_code=128 + signal.SIGHUP))

    # --- size and suspension --------------------------------------------------------------------------------

    def _get_terminal_size(self) -> tuple[int, int]:
        """Columns and rows as the terminal says; ``COLUMNS`` and ``LINES`` would not follow a resize."""
        with contextlib.suppress(OSError):
            size = os.get_terminal_size(self._out_fd)
            if size.columns > 0 and size.lines > 0:
                return size.columns, size.lines
        return 80, 24

    def _on_resize_signal(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._resized)

    def _resized(self) -> None:
        width, height = self._get_terminal_size()
        self._painter.resize(width, height)
        size = Size(width, height)
        self._post(events.Resize(size, size))

    def _on_stop_signal(self, *_: object) -> None:
        if self._painter.active and self._auto_restart:
            self._loop.call_soon_threadsafe(self._stop_and_resume)
        else:
            # Another program has the terminal, and the loop may not turn.
            os.kill(os.getpid(), signal.SIGSTOP)

    def _stop_and_resume(self) -> None:
        if not self._painter.active:
            return
        self._stopped_by_us = True
        self.stop_application_mode()
        self._must_signal_resume = True
        self._stop_until_foreground()

    def _stop_until_foreground(self) -> None:
        """Stop; when continued let the loop turn once, because it may be to end (``kill %1`` continues, too)."""
        os.kill(os.getpid(), signal.SIGSTOP)
        self._loop.call_later(_GLANCE_S, self._resume)

    def _resume(self) -> None:
        if self._app._exit or not self._app._running:
            return
        if guardian.in_foreground(self.fileno):
            self.start_application_mode()
        else:
            self._stop_until_foreground()

    def _on_continue_signal(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._continued)

    def _continued(self) -> None:
        """After a stop that nobody saw coming (SIGSTOP) the shell has set the terminal its own way."""
        if self._stopped_by_us:
            self._stopped_by_us = False
        elif self._painter.active and guardian.in_foreground(self.fileno):
            self._raw.again()
            self._resized()
            self._painter.enter_again(self._opening(again=True))

    def _wait_for_foreground(self) -> None:
        """Stop as long as another job has the terminal; what ends a process ends it meanwhile as it always does."""
        if guardian.in_foreground(self.fileno):
            return
        handlers = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGTERM, signal.SIGHUP)}
        while not guardian.in_foreground(self.fileno):
            os.kill(os.getpid(), signal.SIGSTOP)
        for number, handler in handlers.items():
            signal.signal(number, handler)

    def _post(self, message: Message) -> None:
        asyncio.run_coroutine_threadsafe(self._app._post_message(message), loop=self._loop)

    # --- modes ----------------------------------------------------------------------------------------------

    def _opening(self, *, again: bool = False) -> str:
        sync = "" if os.environ.get("TERM_PROGRAM") == "Apple_Terminal" else modes.ASK_SYNC
        kitty = modes.KITTY_KEYS_AGAIN if again else modes.KITTY_KEYS
        if constants.DISABLE_KITTY_KEY:
            kitty = ""
        mouse = self._mouse_modes() if self._mouse else ""
        return modes.ENTER + kitty + mouse + sync

    def _mouse_modes(self) -> str:
        if not self._mouse:
            return modes.MOUSE_OFF
        return modes.MOUSE_ON_LEAN if self.capabilities.ssh else modes.MOUSE_ON


class AsciiDeckDriver(DeckDriver):
    """The same with ASCII look-alikes for everything else: ``--ascii``."""

    ascii_only = True


def driver_class(*, plain: bool = False, ascii_only: bool = False) -> type[Driver]:
    """The driver for ``App(driver_class=…)``: ours, or with ``plain`` Textual's own (which knows no ASCII)."""
    if plain:
        return LinuxDriver
    return AsciiDeckDriver if ascii_only else DeckDriver


def _terminal_fd(fallback: int) -> int:
    """Where the terminal is written to: standard output, standard error, or whatever input comes from."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                if os.isatty(stream.fileno()):
                    return stream.fileno()
    return fallback
