"""The thread that reads the terminal: whole sequences to Textual's parser, answers to the pacer, its end to the app."""

from __future__ import annotations

import codecs
import os
import re
import selectors
import threading
import time
from typing import TYPE_CHECKING, Final

from textual import events
from textual._xterm_parser import XTermParser

from tui.terminal.escapes import ESCAPE_KEY, EscapeGate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.message import Message

_CURSOR_REPORT: Final = re.compile(r"\x1b\[\d+;\d+R")
_SYNC_REPORT: Final = re.compile(r"\x1b\[\?2026;([0-4])\$y")
_PARSER_TICK_S: Final = 0.05
_READ_BYTES: Final = 4096


class Keyboard:
    """Reads ``fileno`` in a thread of its own until :meth:`stop`, end of file, or ``orphaned_fd`` is readable.

    All callbacks run in that thread.
    """

    def __init__(
        self,
        fileno: int,
        gate: EscapeGate,
        *,
        message: Callable[[Message], None],
        answered: Callable[[], None],
        syncs: Callable[[], None],
        gone: Callable[[], None],
        orphaned_fd: int | None = None,
    ) -> None:
        self._fileno: Final = fileno
        self._gate: Final = gate
        self._message: Final = message
        self._answered: Final = answered
        self._syncs: Final = syncs
        self._gone: Final = gone
        self._orphaned_fd: Final = orphaned_fd
        self._parser: Final = XTermParser()
        self._decode: Final = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._wake_fd, self._stop_fd = os.pipe()
        self._thread: Final = threading.Thread(target=self._run, name="quarterdeck-input", daemon=True)
        self._parsing_until = 0.0

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Stop reading; returns when the thread has ended. May be called again."""
        if self._stop_fd >= 0:
            os.close(self._stop_fd)
            self._stop_fd = -1
            if threading.current_thread() is not self._thread:
                self._thread.join()
            os.close(self._wake_fd)

    def _run(self) -> None:
        with selectors.PollSelector() as selector:
            selector.register(self._wake_fd, selectors.EVENT_READ)
            selector.register(self._fileno, selectors.EVENT_READ)
            if self._orphaned_fd is not None:
                selector.register(self._orphaned_fd, selectors.EVENT_READ)
            while True:
                ready = {key.fd for key, _ in selector.select(self._timeout_s())}
                if self._wake_fd in ready:
                    return
                if self._orphaned_fd in ready or (self._fileno in ready and not self._read()):
                    self._gone()
                    return
                self._pass(self._gate.expire(time.monotonic()))
                for message in self._parser.tick():
                    self._message(message)

    def _timeout_s(self) -> float | None:
        """None to sleep until something comes; the parser has a clock of its own after an Alt sequence."""
        now = time.monotonic()
        timeout = _PARSER_TICK_S if now < self._parsing_until else None
        if (until := self._gate.until) is not None:
            left = max(0.0, until - now)
            timeout = left if timeout is None else min(timeout, left)
        return timeout

    def _read(self) -> bool:
        """Read once; False at the end of the terminal."""
        try:
            data = os.read(self._fileno, _READ_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        if text := self._decode(data):
            self._pass(self._gate.feed(text, time.monotonic()))
        return True

    def _pass(self, pieces: Iterable[str]) -> None:
        for piece in pieces:
            if piece == ESCAPE_KEY:
                self._message(events.Key("escape", ESCAPE_KEY))
            elif _CURSOR_REPORT.fullmatch(piece):
                self._answered()
            elif report := _SYNC_REPORT.fullmatch(piece):
                if report[1] in "123":
                    self._syncs()
            else:
                if piece.startswith("\x1b"):
                    self._parsing_until = time.monotonic() + 1.0
                for message in self._parser.feed(piece):
                    self._message(message)
