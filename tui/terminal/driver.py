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
import tty
from typing import TYPE_CHECKING, Any, Final

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size

from tui.terminal import clipboard, guardian, modes
from tui.terminal.capabilities import Capabilities, detect
from tui.terminal.cells import Grid
from tui.terminal.encoder import Encoder
from tui.terminal.escapes import EscapeGate
from tui.terminal.frame import FrameParser
from tui.terminal.keyboard import Keyboard
from tui.terminal.outlet import Outlet
from tui.terminal.pacing import LineQuality, Pacer
from tui.terminal.styles import StyleTable

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import App
    from textual.driver import Driver
    from textual.message import Message

_BELL: Final = "\x07"
_CLIPBOARD: Final = re.compile(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07")
_SYNC_FROM_BYTES: Final = 512
"""Frames from this size are painted in one go (DEC 2026); below it the 16 bytes would be felt."""

_SETTLE_S: Final = 0.015
_SETTLE_AT_MOST_S: Final = 0.15
"""While mounting Textual paints the screen several times. The first painting waits until it pauses."""

_KEY_URGENCY_S: Final = 0.3
_LAST_ANSWERS_S: Final = 0.3
_LAST_WORDS_S: Final = 0.15
_ESCAPE_S: Final = 0.1
_ESCAPE_SSH_S: Final = 0.5


class DeckDriver(LinuxDriver):
    """A terminal driver that sends differences and never waits for the terminal."""

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
        width, height = self._get_terminal_size()
        self._styles: Final = StyleTable(self.capabilities.colours)
        self._wanted: Final = Grid(width, height, self._styles.default)
        self._parser: Final = FrameParser(self._wanted, self._styles)
        self._encoder: Final = Encoder(self._wanted, self._styles, erases_in_colour=self.capabilities.erases_in_colour)
        self._pacer: Final = Pacer(patience_s=1.5 if self.capabilities.ssh else 0.5)
        self._gate: Final = EscapeGate(escape_s=_escape_s(self.capabilities))
        self._outlet: Outlet | None = None
        self._keyboard: Keyboard | None = None
        self._termios: list[Any] | None = None
        self._syncs = False
        self._extra = bytearray()
        self._paint_handle: asyncio.Handle | None = None
        self._wait_handle: asyncio.TimerHandle | None = None
        self._settle_until: float | None = None
        self._key_at = float("-inf")
        self._answers = threading.Semaphore(0)
        self._stopped_by_us = False
        signal.signal(signal.SIGTSTP, self._on_stop_signal)
        signal.signal(signal.SIGCONT, self._on_continue_signal)

    # --- what the app may ask -------------------------------------------------------------------------------

    @property
    def line_quality(self) -> LineQuality:
        """The line to the terminal: round trip, bytes per second, and whether to paint less on it."""
        return self._pacer.quality

    @property
    def dropped_sequences(self) -> int:
        """Control sequences that Textual's frames held and that were not sent."""
        return self._parser.dropped

    def repaint(self) -> None:
        """Send every cell again: the screen was disturbed. ``Ctrl-L`` calls this."""
        if self._outlet is not None:
            self._extra += modes.SETTLE.encode()
            self._encoder.forget()
            self._schedule()

    @property
    def mouse(self) -> bool:
        """True while the terminal reports the mouse to us instead of selecting text."""
        return self._mouse

    def toggle_mouse(self) -> bool:
        """Switch mouse reports; the new state. They start off over SSH."""
        self._mouse = not self._mouse
        if self._outlet is not None:
            self._extra += self._mouse_modes().encode()
            self._schedule()
        return self._mouse

    def copy(self, text: str, directory: Path | None = None) -> clipboard.Copied:
        """Put ``text`` on the clipboard of the terminal, or into a file; says which. Raises OSError."""
        copied = clipboard.copy(text, self.capabilities, bytes_per_s=self.line_quality.bytes_per_s, directory=directory)
        self._extra += copied.sequence.encode()
        self._schedule()
        return copied

    # --- Textual's side -------------------------------------------------------------------------------------

    def write(self, data: str) -> None:
        """Take a frame, or one of the few things that are not painting and still wanted.

        Those are whole writes of their own: the bell, and a copy to the clipboard. Inside a frame they are dropped.
        """
        if threading.get_ident() != self._main_thread:
            self._loop.call_soon_threadsafe(self.write, data)
        elif data == _BELL:
            self._extra += data.encode()
        elif match := _CLIPBOARD.fullmatch(data):
            with contextlib.suppress(binascii.Error):
                self.copy(base64.b64decode(match[1]).decode("utf-8", "replace"))
        else:
            hurried = time.monotonic() - self._key_at < _KEY_URGENCY_S
            before = set(self._wanted.dirty) if hurried else set()
            self._wanted.dirty -= before
            self._parser.feed(data)
            if hurried:
                self._encoder.urgent |= self._wanted.dirty
                self._wanted.dirty |= before
        self._schedule()

    def flush(self) -> None:
        """Nothing: a frame goes out when the loop comes round."""

    def start_application_mode(self) -> None:
        """Take the terminal: raw mode, alternate screen, input thread, and a whole painting."""
        if self._outlet is not None:
            return
        self._wait_for_foreground()
        signal.signal(signal.SIGWINCH, self._on_resize_signal)
        self._outlet = Outlet(self._out_fd, self._loop, self._paint)
        if (guard := guardian.bond()) is not None:
            guard.take()
        self._set_raw()
        self._pacer.start()
        self._answers = threading.Semaphore(0)
        self._extra = bytearray(self._opening().encode())
        self._resized()
        self._encoder.blank()
        self._settle_until = time.monotonic() + _SETTLE_AT_MOST_S
        self._listen(guard)
        self._send(b"", ask=True)
        if self._must_signal_resume:
            self._must_signal_resume = False
            self._post(self.SignalResume())

    def stop_application_mode(self) -> None:
        """Give the terminal back, within half a second on any line. May be called again."""
        outlet, self._outlet = self._outlet, None
        if outlet is None:
            return
        signal.signal(signal.SIGWINCH, signal.SIG_DFL)
        self._cancel_timers()
        self._extra.clear()
        lagging = not outlet.idle or self._pacer.unacknowledged > 0
        cut = outlet.discard(unread=not outlet.idle)
        self._await_answers(lagging=lagging)
        self.disable_input()
        last = modes.CANCEL + modes.LEAVE if cut else modes.LEAVE
        if not outlet.force(last.encode(), within_s=_LAST_WORDS_S):
            outlet.discard(unread=True)
            outlet.force((modes.CANCEL + modes.LEAVE).encode(), within_s=_LAST_WORDS_S)
        self._restore_termios()
        outlet.close()
        if (guard := guardian.bond()) is not None:
            guard.release()

    def disable_input(self) -> None:
        """Stop reading keys. May be called again."""
        keyboard, self._keyboard = self._keyboard, None
        if keyboard is not None:
            keyboard.stop()
            with contextlib.suppress(termios.error):
                termios.tcflush(self.fileno, termios.TCIFLUSH)

    def close(self) -> None:
        """Final clean-up; :meth:`stop_application_mode` has done it all."""

    def process_message(self, message: Message) -> None:
        """Hand input to the app. Runs in the input thread."""
        if isinstance(message, events.Key):
            self._key_at = time.monotonic()
            if message.key == "ctrl+l":
                self._loop.call_soon_threadsafe(self.repaint)
                return
        super().process_message(message)

    # --- painting -------------------------------------------------------------------------------------------

    def _schedule(self) -> None:
        if self._paint_handle is None and self._outlet is not None:
            self._paint_handle = self._loop.call_soon(self._paint_now)

    def _paint_now(self) -> None:
        self._paint_handle = None
        if self._settle_until is not None:
            # More of the first screen may follow; each new write comes here again.
            now = time.monotonic()
            if now < self._settle_until:
                pause = min(_SETTLE_S, self._settle_until - now)
                self._cancel_timers()
                self._wait_handle = self._loop.call_later(pause, self._settled)
                return
        self._paint()

    def _settled(self) -> None:
        self._settle_until = None
        self._paint()

    def _paint(self) -> None:
        """Send the next piece, if the terminal can take one."""
        outlet = self._outlet
        if outlet is None or not outlet.idle or self._settle_until is not None:
            return
        while outlet.idle and (self._encoder.pending or self._extra):
            room = self._pacer.room()
            if room <= 0:
                break
            piece = self._encoder.encode(room - len(modes.ASK_CURSOR) - 16)
            if not piece and not self._extra:
                break
            if (self._parser.row, self._parser.column) != (0, 0):
                piece += self._encoder.park(self._parser.row, self._parser.column)
            self._send(piece)
        self._watch_answers()

    def _send(self, piece: bytes, *, ask: bool = False) -> None:
        assert self._outlet is not None
        if self._syncs and len(piece) >= _SYNC_FROM_BYTES:
            piece = modes.SYNC_BEGIN.encode() + piece + modes.SYNC_END.encode()
        data = bytes(self._extra) + piece
        self._extra.clear()
        ask = ask or self._pacer.asks(len(data))
        if ask:
            data += modes.ASK_CURSOR.encode()
        self._pacer.sent(len(data), asked=ask)
        self._outlet.send(data)

    def _watch_answers(self) -> None:
        """Look again when an answer is overdue, or when the clock lets the next piece go."""
        if self._wait_handle is not None:
            self._wait_handle.cancel()
            self._wait_handle = None
        wait_s = self._pacer.wait_s()
        if wait_s is not None:
            self._wait_handle = self._loop.call_later(wait_s + 0.001, self._overdue)

    def _overdue(self) -> None:
        self._wait_handle = None
        if self._outlet is None:
            return
        if self._pacer.overdue() and self._outlet.idle:
            self._send(b"", ask=True)
        self._paint()
        self._watch_answers()

    def _cancel_timers(self) -> None:
        for handle in (self._wait_handle, self._paint_handle):
            if handle is not None:
                handle.cancel()
        self._wait_handle = self._paint_handle = None

    # --- input ----------------------------------------------------------------------------------------------

    def _listen(self, guard: guardian.Bond | None) -> None:
        self._keyboard = Keyboard(
            self.fileno,
            self._gate,
            message=self.process_message,
            answered=self._on_answer,
            syncs=self._on_syncs,
            gone=self._on_gone,
            orphaned_fd=None if guard is None else guard.orphaned_fd,
        )
        self._keyboard.start()

    def _on_answer(self) -> bool:
        """Input thread: a cursor report came. False when nobody asked for it."""
        self._answers.release()
        self._loop.call_soon_threadsafe(self._answered)
        return True

    def _answered(self) -> None:
        if self._outlet is not None:
            self._answers.acquire(blocking=False)
            self._pacer.answered()
            self._paint()

    def _on_syncs(self) -> None:
        self._syncs = True

    def _on_gone(self) -> None:
        """Input thread: the terminal hung up, or the guardian was killed."""
        self._loop.call_soon_threadsafe(self._leave_for_good)

    def _leave_for_good(self) -> None:
        self._app.exit(return_code=128 + signal.SIGHUP)

    def _await_answers(self, *, lagging: bool) -> None:
        """Let answers that are under way arrive, or the user's shell would get them as input."""
        until = time.monotonic() + _LAST_ANSWERS_S
        for _ in range(self._pacer.outstanding if lagging else 0):
            left = until - time.monotonic()
            if left <= 0 or not self._answers.acquire(timeout=left):
                break

    # --- size, suspension -----------------------------------------------------------------------------------

    def _get_terminal_size(self) -> tuple[int, int]:
        """Columns and rows as the terminal says; ``COLUMNS`` and ``LINES`` would not follow a resize."""
        with contextlib.suppress(OSError):
            size = os.get_terminal_size(self._out_fd)
            if size.columns > 0 and size.lines > 0:
                return size.columns, size.lines
        return 80, 24

    def _on_resize_signal(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._resized_again)

    def _resized_again(self) -> None:
        if self._outlet is not None:
            self._resized()
            self._encoder.forget()

    def _resized(self) -> None:
        width, height = self._get_terminal_size()
        if (width, height) != (self._wanted.width, self._wanted.height):
            self._wanted.resize(width, height)
        size = Size(width, height)
        self._post(events.Resize(size, size))

    def _on_stop_signal(self, *_: object) -> None:
        if self._outlet is None or not self._auto_restart:
            # Another program has the terminal; the loop may not run.
            os.kill(os.getpid(), signal.SIGSTOP)
        else:
            self._loop.call_soon_threadsafe(self._stop_and_resume)

    def _stop_and_resume(self) -> None:
        if self._outlet is None:
            return
        self._stopped_by_us = True
        self.stop_application_mode()
        self._must_signal_resume = True
        os.kill(os.getpid(), signal.SIGSTOP)
        self.start_application_mode()

    def _on_continue_signal(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._continued)

    def _continued(self) -> None:
        """After a stop that nobody could see coming (SIGSTOP) the shell has set the terminal its own way."""
        if self._stopped_by_us:
            self._stopped_by_us = False
        elif self._outlet is not None:
            self._wait_for_foreground()
            self._set_raw(keep=True)
            self._extra += self._opening().encode()
            self._resized()
            self._encoder.blank()
            self._schedule()

    def _wait_for_foreground(self) -> None:
        while not guardian.in_foreground(self.fileno):
            os.kill(os.getpid(), signal.SIGSTOP)

    def _post(self, message: Message) -> None:
        asyncio.run_coroutine_threadsafe(self._app._post_message(message), loop=self._loop)

    # --- modes ----------------------------------------------------------------------------------------------

    def _opening(self) -> str:
        sync = "" if os.environ.get("TERM_PROGRAM") == "Apple_Terminal" else modes.ASK_SYNC
        kitty = "" if os.environ.get("TEXTUAL_DISABLE_KITTY_KEY") else modes.KITTY_KEYS
        mouse = self._mouse_modes() if self._mouse else ""
        return modes.ENTER + kitty + mouse + sync

    def _mouse_modes(self) -> str:
        if not self._mouse:
            return modes.MOUSE_OFF
        return modes.MOUSE_ON_LEAN if self.capabilities.ssh else modes.MOUSE_ON

    def _set_raw(self, *, keep: bool = False) -> None:
        with contextlib.suppress(termios.error):
            attributes = termios.tcgetattr(self.fileno)
            if not keep:
                self._termios = attributes
            raw = [*attributes]
            raw[tty.LFLAG] = self._patch_lflag(raw[tty.LFLAG])
            raw[tty.IFLAG] = self._patch_iflag(raw[tty.IFLAG])
            raw[tty.CC] = [*raw[tty.CC]]
            raw[tty.CC][termios.VMIN] = 1
            termios.tcsetattr(self.fileno, termios.TCSANOW, raw)

    def _restore_termios(self) -> None:
        if self._termios is not None and guardian.in_foreground(self.fileno):
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self._termios)


def driver_class(*, plain: bool = False) -> type[Driver]:
    """The driver for ``App(driver_class=…)``: ours, or with ``plain`` Textual's own."""
    return LinuxDriver if plain else DeckDriver


def _terminal_fd(fallback: int) -> int:
    """Where the terminal is written to: standard output, standard error, or whatever input comes from."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                if os.isatty(stream.fileno()):
                    return stream.fileno()
    return fallback


def _escape_s(capabilities: Capabilities) -> float:
    """How long a lone ESC may be the beginning of something: ``ESCDELAY`` (ms), else longer over SSH."""
    given = os.environ.get("ESCDELAY", "")
    if given.isdigit() and int(given) > 0:
        return int(given) / 1000
    return _ESCAPE_SSH_S if capabilities.ssh else _ESCAPE_S
