"""From Textual's frames to the terminal: takes what is wanted, sends what changed, when the terminal can take it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from tui.terminal import modes
from tui.terminal.cells import Grid
from tui.terminal.encoder import Encoder
from tui.terminal.frame import FrameParser
from tui.terminal.likeness import draw, read
from tui.terminal.outlet import Outlet
from tui.terminal.pacing import Pacer
from tui.terminal.styles import StyleTable

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from tui.terminal.album import Painting
    from tui.terminal.capabilities import Capabilities
    from tui.terminal.pacing import LineQuality

_SYNC_FROM_BYTES: Final = 768
"""Pieces from this size are painted in one go (DEC 2026); below it the 16 bytes would be felt."""

_SETTLE_S: Final = 0.015
_SETTLE_AT_MOST_S: Final = 0.15
"""While mounting, and after a resize, Textual paints several times. The first painting waits until it pauses."""

_OVERHEAD_BYTES: Final = len(2 * modes.ASK_CURSOR + modes.SYNC_BEGIN + modes.SYNC_END)
_PATIENCE_S: Final = 0.5
_PATIENCE_SSH_S: Final = 1.5
_LAST_ANSWERS_S: Final = (0.1, 0.35)
"""Shortest and longest wait for the answers under way at the end, within which the line's round trip decides."""

_LAST_WORDS_S: Final = 0.1


class Painter:
    """Lives in the event loop's thread; only :meth:`hear` may be called from another."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        capabilities: Capabilities,
        size: tuple[int, int],
        *,
        ascii_only: bool = False,
    ) -> None:
        self._loop: Final = loop
        self._styles: Final = StyleTable(capabilities.colours)
        styles = self._styles
        self._wanted: Final = Grid(*size, styles.default)
        self._parser: Final = FrameParser(self._wanted, styles, ascii_only=ascii_only)
        self._erases_in_colour: Final = capabilities.erases_in_colour
        self._encoder: Final = Encoder(self._wanted, styles, erases_in_colour=self._erases_in_colour)
        self._pacer: Final = Pacer(patience_s=_PATIENCE_SSH_S if capabilities.ssh else _PATIENCE_S)
        self._outlet: Outlet | None = None
        self._besides = bytearray()
        self._turn: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._settle_until: float | None = None
        self._heard = threading.Semaphore(0)
        self._framed = False
        self.syncs = False
        """The terminal said that it knows DEC 2026."""

    # --- what is wanted -------------------------------------------------------------------------------------

    @property
    def active(self) -> bool:
        """True while the terminal is ours."""
        return self._outlet is not None

    @property
    def quality(self) -> LineQuality:
        """The line as its answers show it."""
        return self._pacer.quality

    def take(self, frame: str, *, urgent: bool = False) -> None:
        """A frame of Textual's. The rows of an urgent one go out first."""
        dirty = self._wanted.dirty
        before = set(dirty) if urgent else set()
        dirty -= before
        self._framed = True
        self._parser.feed(frame)
        if urgent:
            self._encoder.hurry(dirty)
            dirty |= before
        self._schedule()

    def add(self, sequence: str) -> None:
        """Send ``sequence`` as it is, before the next piece: a mode, the bell, a copy."""
        if self._outlet is not None:
            self._besides += sequence.encode()
            self._schedule()

    def resize(self, width: int, height: int) -> None:
        """The terminal has another size, and shows nobody knows what."""
        if (width, height) != (self._wanted.width, self._wanted.height):
            self._wanted.resize(width, height)
        self._encoder.forget()
        self._settle_until = time.monotonic() + _SETTLE_AT_MOST_S

    def repaint(self, settle: str) -> None:
        """Send every cell again, after ``settle``, which undoes what other output may have switched."""
        self._encoder.forget()
        self.add(settle)

    def enter_again(self, opening: str) -> None:
        """The terminal was taken away and given back without notice."""
        self.add(opening)
        self._encoder.blank()

    # --- the terminal taken and given back ------------------------------------------------------------------

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        return self._wanted.width, self._wanted.height

    def note(self) -> Callable[[str], Painting]:
        """Take note of the wanted cells; what is returned draws them for the album under a key."""
        cells = self._wanted.copy()
        return lambda key: draw(key, cells, self._styles, erases_in_colour=self._erases_in_colour)

    def start(
        self,
        fileno: int,
        opening: str,
        shown: Painting | None = None,
        under_way: int = 0,
        *,
        feeds: bool = False,
    ) -> None:
        """Take the terminal: send ``opening`` and a first question; with ``feeds`` a line feed goes straight down.

        The opening leaves it cleared; or it was ``shown`` a painting of this size, in ``under_way`` bytes, before.
        """
        self._outlet = Outlet(fileno, self._loop, self._paint)
        self._encoder.feeds = feeds
        self._pacer.start()
        if under_way:
            self._pacer.sent(under_way, asked=False)
        self._heard = threading.Semaphore(0)
        self._besides = bytearray(opening.encode())
        if shown is not None:
            self._encoder.resume(read(shown, self._styles))
        else:
            self._encoder.blank()
        self._settle_until = time.monotonic() + _SETTLE_AT_MOST_S
        self._send(b"")
        if self._framed:
            self._schedule()

    def stop(self) -> None:
        """Send nothing more, and wait a moment for answers under way: the shell would read them as typed."""
        self._cancel()
        self._besides.clear()
        if self._outlet is not None and self._pacer.outstanding:
            shortest, longest = _LAST_ANSWERS_S
            expected = 1.3 * (self.quality.rtt_ms or 1000) / 1000
            until = time.monotonic() + max(shortest, min(expected, longest))
            for _ in range(self._pacer.outstanding):
                if not self._heard.acquire(timeout=max(0.0, until - time.monotonic())):
                    break

    def finish(self) -> None:
        """Give the terminal back. What it has not taken yet is dropped if it is in the way."""
        outlet, self._outlet = self._outlet, None
        if outlet is None:
            return
        cut = outlet.discard(unread=False)
        last = (modes.CANCEL + modes.LEAVE if cut else modes.LEAVE).encode()
        if not outlet.force(last, within_s=_LAST_WORDS_S):
            outlet.discard(unread=True)
            outlet.force((modes.CANCEL + modes.LEAVE).encode(), within_s=_LAST_WORDS_S)
        outlet.close()

    # --- what goes out --------------------------------------------------------------------------------------

    def hear(self) -> None:
        """Any thread: the terminal answered."""
        self._heard.release()
        self._loop.call_soon_threadsafe(self._answered, time.monotonic())

    def _answered(self, at: float) -> None:
        if self._outlet is not None:
            self._heard.acquire(blocking=False)
            self._pacer.answered(at)
            self._paint()

    def _schedule(self) -> None:
        if self._turn is None and self._outlet is not None:
            self._turn = self._loop.call_soon(self._come_round)

    def _come_round(self) -> None:
        self._turn = None
        if self._settle_until is None:
            self._paint()
            return
        # More of the screen may follow; each further frame comes here again.
        pause = min(_SETTLE_S, max(0.0, self._settle_until - time.monotonic()))
        self._cancel()
        self._timer = self._loop.call_later(pause, self._settled)

    def settled(self) -> None:
        """The screen is whole: what waits for more of it goes out now."""
        if self._settle_until is not None:
            self._cancel()
            self._settled()

    def _settled(self) -> None:
        self._settle_until = None
        self._paint()

    def _paint(self) -> None:
        """Send pieces while the terminal can take them."""
        outlet = self._outlet
        if outlet is None or self._settle_until is not None:
            return
        while outlet.idle and (self._encoder.pending or self._besides):
            room = self._pacer.room(urgent=self._encoder.hurried)
            if room <= 0:
                break
            piece = self._encoder.encode(room - _OVERHEAD_BYTES)
            if not piece and not self._besides:
                break
            if (self._parser.row, self._parser.column) != (0, 0):
                piece += self._encoder.park(self._parser.row, self._parser.column)
            self._send(piece)
        self._watch()

    def _send(self, piece: bytes, *, ask: bool = False) -> None:
        assert self._outlet is not None
        if self.syncs and len(piece) >= _SYNC_FROM_BYTES:
            piece = modes.SYNC_BEGIN.encode() + piece + modes.SYNC_END.encode()
        data = bytes(self._besides) + piece
        self._besides.clear()
        question = modes.ASK_CURSOR.encode()
        if self._pacer.probes(len(data)):
            self._pacer.sent(len(question), asked=True)
            self._outlet.send(question)
        ask = ask or self._pacer.asks(len(data))
        if ask:
            data += question
        self._pacer.sent(len(data), asked=ask)
        self._outlet.send(data)

    def _watch(self) -> None:
        """Look again when an answer is overdue, or when the clock lets the next piece go."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        wait_s = self._pacer.wait_s()
        if wait_s is not None:
            self._timer = self._loop.call_later(wait_s + 0.001, self._overdue)

    def _overdue(self) -> None:
        self._timer = None
        if self._outlet is None:
            return
        if self._pacer.overdue() and self._outlet.idle:
            self._send(b"", ask=True)
        self._paint()

    def _cancel(self) -> None:
        for handle in (self._timer, self._turn):
            if handle is not None:
                handle.cancel()
        self._timer = self._turn = None
